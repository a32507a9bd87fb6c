"""Chains of ops that have one tile function: the bits are those of the ops by themselves."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.codegen import chains, tiles
from kerasish_core.executors import native as executor

pytestmark = [
    pytest.mark.skipif(not executor.available(), reason="no native library"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),  # NumPy's, at the edges
]
N = 1003  # no multiple of any vector's length
EDGES = [0.0, -0.0, 1.0, -1.0, 3.0, 1e-30, 1e30, np.inf, -np.inf, np.nan]


@pytest.fixture
def native():
    from kerasish_core.executors.native import _native

    chosen = _native.instruction_set()
    yield _native
    _native.set_instruction_set(chosen)


def value_of(tree, given):
    if isinstance(tree, str):
        return given[tree]
    return core.REGISTRY[tree[0]].kernel(np, *[value_of(part, given) for part in tree[1:]])


def equal_bits(found, expected):
    np.testing.assert_array_equal(found, expected)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[known]), np.signbit(expected[known]))


@pytest.mark.parametrize("dtype", chains.DTYPES)
@pytest.mark.parametrize("name", chains.CHAINS)
def test_bits_of_a_chain(native, name, dtype):
    tree, rng = chains.CHAINS[name], np.random.default_rng(7)
    names = chains.leaves(tree)
    given = {}
    for n in names:
        values = rng.normal(size=N) * 2.0 ** rng.integers(-12, 12, N)
        given[n] = np.where(rng.random(N) < 0.1, rng.choice(EDGES, N), values).astype(dtype)
    expected = value_of(tree, given)
    index = tiles.INDEX[f"{name}:{dtype}"]
    for chosen in ("plain", "avx2", "avx512"):
        try:
            native.set_instruction_set(chosen)
        except ValueError:
            continue  # this machine or build lacks it
        params = [index, N, len(names)]
        found = np.empty_like(expected)
        native.call("tile", [*(given[n] for n in names), found], params)
        equal_bits(found, expected)
        for place in names:  # over each of the operands
            copies = {n: v.copy() for n, v in given.items()}
            native.call("tile", [*(copies[n] for n in names), copies[place]], params)
            equal_bits(copies[place], expected)


def tensors(dtype, count, shape=(33, 7)):
    rng = np.random.default_rng(3)
    return [core.convert(rng.normal(size=shape).astype(dtype)) for _ in range(count)]


def check(fn, args):
    """A compiled function's results have the bits of the eager one's; its instructions."""
    step = core.compile_step(fn)
    found, expected = core.tree.flatten(step(*args)), core.tree.flatten(fn(*args))
    for a, b in zip(found, expected, strict=True):
        equal_bits(a.numpy(), b.numpy())
    (entry,) = step._entries.values()
    return [s for s in entry.native.instructions if s.kernel == "fused"]


def functions_of(instruction):
    """How many tile functions a `fused` instruction calls."""
    return instruction.params[6]


ADAM = {
    "keras": lambda g, m, v, x: _adam(g, m, v, x, lambda m, v: 0.01 * m / (ops.sqrt(v) + 1e-7)),
    "scaled": lambda g, m, v, x: _adam(g, m, v, x, lambda m, v: m * 0.3 / (1e-3 + ops.sqrt(v))),
}


def _adam(g, m, v, x, move):
    m = m + (g - m) * 0.1
    v = v + (ops.square(g) - v) * 0.001
    return x - move(m, v), m, v


@pytest.mark.parametrize("dtype", chains.DTYPES)
@pytest.mark.parametrize("name", ADAM)
def test_adam_takes_three_functions(name, dtype):
    g, m, v, x = tensors(dtype, 4)
    (step,) = check(ADAM[name], [g, m, ops.absolute(v), x])
    assert functions_of(step) == 3


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_what_else_needs_stays(kept):
    """A value within a chain that is a result, or read twice, is made."""

    def fn(a, b, c, d):
        t = a - b
        u = t * c
        r = u + d
        return [(r, t, u), (r, u * t), (r,)][kept]

    (step,) = check(fn, tensors("float32", 4))
    assert functions_of(step) == [3, 4, 1][kept]


def test_operands_that_are_the_same():
    def fn(a, b):
        return a + (b - a) * a, (a - a) * b + b, a * a + a

    (step,) = check(fn, tensors("float32", 2))
    assert functions_of(step) == 3


def test_broadcasts_reductions_and_other_types():
    def fn(a, b, row, flag):
        x = (a - row) * b + 1.5
        y = ops.where(flag > 0, x, ops.cast(ops.cast(x, "int32"), "float32"))
        return ops.sum(x * y + a, axis=1), y * 2 - ops.expand_dims(ops.mean(b, axis=1), 1)

    a, b, flag = tensors("float32", 3, (40, 24))
    (row,) = tensors("float32", 1, (24,))
    step = core.compile_step(fn)
    for x, y in zip(step(a, b, row, flag), fn(a, b, row, flag), strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_any_expression(seed):
    """Random expressions of sums, products, quotients and roots."""
    rng = np.random.default_rng(seed)
    plan = [(rng.integers(6), rng.integers(1 << 30, size=2)) for _ in range(25)]
    kept = rng.integers(25, size=4)

    def fn(*args):
        values = list(args)
        for kind, (i, j) in plan:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(
                [
                    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b,
                    lambda a, b: a / (ops.square(b) + 1.0),
                    lambda a, b: ops.sqrt(ops.square(a) + 1.0) + b,
                    lambda a, b: (a - b) * 0.5,
                ][kind](a, b)
            )  # fmt: skip
        return [values[len(args) + k] for k in kept]

    check(fn, tensors("float32", 3, (130, 9)))


def test_expressions():
    """Names are those of the operands, every op stands in brackets."""
    found = {name: chains.expression(tree) for name, tree in chains.CHAINS.items()}
    assert found["chain_mean"] == "((a - b) * c) + d"
    assert found["chain_step"] == "e - ((a * b) / ((sqrt(c)) + d))"
    for tree in chains.CHAINS.values():
        names = chains.leaves(tree)
        assert names == tuple("abcde"[: len(names)])
