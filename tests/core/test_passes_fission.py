"""Loops cut in three: what is done for all steps at once equals what is done step by step."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.control import map as loop_map
from kerasish_core.control import scan
from kerasish_core.control.body import run_graph
from kerasish_core.ir import Graph, Node, verify
from kerasish_core.op import REGISTRY, Spec
from kerasish_core.passes import optimize
from kerasish_core.passes import residuals as residuals_pass
from kerasish_core.passes.batching import _KINDS, _RULES, Batching, Operand
from kerasish_core.passes.rewriting import Rewriting
from kerasish_core.tracing import trace

STEPS = 3


def spec_of(array):
    return Spec(array.shape, array.dtype)


# -- the rules


def operands_of(op, rng):
    """Samples of an op; those of integer or boolean operands too."""
    return [
        ([np.asarray(a, "float32") if np.asarray(a).dtype == "float64" else np.asarray(a)
          for a in arrays], attrs)
        for arrays, attrs in op.samples(rng)
    ]  # fmt: skip


def at_once(op, steps, over, attrs):
    """The results for all steps by the rule of an op, or None if it has none for these operands."""
    specs = [spec_of(np.stack(a) if o else a[0]) for a, o in zip(steps, over, strict=True)]
    one = Node(op, tuple(range(len(steps))), (), attrs)
    empty = Graph("g", tuple(range(len(steps))), {}, (), (), dict(enumerate(specs)))
    out = Rewriting(empty)
    found = Batching(out, STEPS).apply(one, [Operand(i, o) for i, o in enumerate(over)])
    if found is None:
        assert not out.nodes
        return None
    graph = out.made()._replace(outputs=tuple(found))
    verify(graph)
    return run_graph(
        np, graph, [np.stack(a) if o else a[0] for a, o in zip(steps, over, strict=True)]
    )


WITH_RULES = sorted(
    name for name, op in REGISTRY.items()
    if op.samples is not None and (name in _RULES or op.kind in _KINDS)
)  # fmt: skip


@pytest.mark.parametrize("name", WITH_RULES)
def test_rule(name):
    op, served = REGISTRY[name], 0
    first = operands_of(op, np.random.default_rng(0))
    others = [operands_of(op, np.random.default_rng(s)) for s in range(1, STEPS)]
    for number, (arrays, attrs) in enumerate(first):
        steps = [[a, *(o[number][0][i] for o in others)] for i, a in enumerate(arrays)]
        if any(len({x.shape for x in step}) > 1 for step in steps):
            continue
        for mask in range(1, 1 << len(arrays)):
            over = [bool(mask >> i & 1) for i in range(len(arrays))]
            found = at_once(op, steps, over, attrs)
            if found is None:
                continue
            served += 1
            for t in range(STEPS):
                given = [s[t] if o else s[0] for s, o in zip(steps, over, strict=True)]
                with np.errstate(all="ignore"):
                    wanted = op.kernel(np, *given, **attrs)
                wanted = wanted if op.multiple else (wanted,)
                for a, b in zip(found, wanted, strict=True):
                    assert a.dtype == b.dtype
                    np.testing.assert_allclose(a[t], b, rtol=2e-5, atol=2e-6)
    assert served


def test_each_rule_has_samples():
    assert all(REGISTRY[name].samples is not None for name in _RULES)


# -- whole loops


def inner_ops(graph):
    """The names of ops within the loops of a graph."""
    found = []
    for node in graph.nodes:
        if node.op.name == "scan":
            found += [n.op.name for n in node.attrs["body"].nodes]
    return found


def f(*shape):
    return np.random.default_rng(sum(shape) + len(shape)).normal(size=shape).astype("float32")


def agree(fn, *arrays, rtol=1e-4):
    """Optimized, compiled and eager are equal; returns the optimized graph."""
    graph = optimize(trace(fn, [spec_of(a) for a in arrays]).graph)
    verify(graph)
    tensors = [core.convert(a) for a in arrays]
    wanted = [t.numpy() for t in core.tree.flatten(fn(*tensors))]
    compiled = core.tree.flatten(core.compile_step(fn)(*tensors))
    for a, b, c in zip(run_graph(np, graph, arrays), wanted, compiled, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        scale = max(1.0, float(np.abs(b).max())) if b.size else 1.0
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-5 * scale)
        np.testing.assert_allclose(c.numpy(), b, rtol=rtol, atol=1e-5 * scale)
    return graph


def gradients(fn):
    """`fn` and the gradients of the sum of its results by all operands."""

    def both(*xs):
        with core.GradientTape() as tape:
            tape.watch(list(xs))
            found = core.tree.flatten(fn(*xs))
            total = sum(ops.sum(ops.sin(y)) for y in found)
        slopes = zip(tape.gradient(total, list(xs)), xs, strict=True)
        return [*found, *(ops.zeros_like(x) if g is None else g for g, x in slopes)]

    return both


def test_a_recurrent_cell():
    def cell(x, w, u, b):
        def step(h, row):
            new = ops.tanh(ops.matmul(row, w) + ops.matmul(h, u) + b)
            return new, new

        return scan(step, ops.zeros((2, 4)), x)

    arrays = f(5, 2, 3), f(3, 4), f(4, 4), f(4)
    assert inner_ops(agree(cell, *arrays)).count("matmul") == 1
    inner = inner_ops(agree(gradients(cell), *arrays))
    # One product forwards, one backwards: nothing is computed twice, and no kernel's gradient.
    assert inner.count("matmul") == 2 and inner.count("tanh") == 1 and "sum" not in inner
    # Its kernel is turned round once, for all steps back.
    assert "transpose" not in inner


def test_joined_operands_are_parted():
    def cell(x, w, v):
        def step(h, row):
            gate = ops.sigmoid(ops.matmul(ops.concatenate([row, h, row], -1), w))
            return gate * ops.tanh(ops.matmul(ops.concatenate([gate * h, row], -1), v)), gate

        return scan(step, ops.ones((2, 4)), x, reverse=True)

    arrays = f(5, 2, 3), f(10, 4), f(7, 4)
    graph = agree(cell, *arrays)
    assert "concatenate" not in inner_ops(graph) and inner_ops(graph).count("matmul") == 2
    assert inner_ops(agree(gradients(cell), *arrays)).count("matmul") == 4


def test_results_are_made_after_the_loop():
    def decoder(x, u, out):
        def step(h, row):
            h = ops.tanh(ops.matmul(h, u) + row)
            return h, ops.softmax(ops.matmul(h, out)) * 2

        return scan(step, ops.zeros((2, 4)), x)

    inner = inner_ops(agree(decoder, f(5, 2, 4), f(4, 4), f(4, 7)))
    assert inner.count("matmul") == 1 and "softmax" not in inner
    agree(gradients(decoder), f(5, 2, 4), f(4, 4), f(4, 7))


def test_what_never_changes_is_done_once():
    def fn(x, w):
        def step(carry, row):
            h, same = carry
            h = ops.matmul(h, ops.exp(ops.transpose(w)) * 0.1) + row + ops.sin(same)
            return (h, same), h

        return scan(step, (x[0], x[1]), x)

    inner = inner_ops(agree(fn, f(5, 2, 3), f(3, 3)))
    assert "exp" not in inner and "sin" not in inner
    agree(gradients(fn), f(5, 2, 3), f(3, 3))


@pytest.mark.parametrize("wide", [False, True])
def test_convolutions(wide):
    def fn(x, k, r):
        def step(h, row):
            h = ops.tanh(
                ops.conv(row, k, padding="same") + ops.conv(h, r, padding="same")
                + (ops.max_pool(row, 1) if wide else 0.0)
            )  # fmt: skip
            return h, h

        return scan(step, ops.zeros((2, 5, 5, 3)), x)

    inner = inner_ops(agree(fn, f(4, 2, 5, 5, 3), f(3, 3, 3, 3), f(3, 3, 3, 3)))
    assert inner.count("conv") == 1
    inner = inner_ops(agree(gradients(fn), f(4, 2, 5, 5, 3), f(3, 3, 3, 3), f(3, 3, 3, 3)))
    assert inner.count("conv") == 1 and "conv_kernel_grad" not in inner


def test_a_loop_of_which_nothing_is_left():
    def fn(x, w, i):
        def one(parts):
            row, place = parts
            return ops.sum(ops.exp(ops.matmul(row, w)), -1), row[place], w[place], ops.max(row), 1.0

        return loop_map(one, (x, i))

    i = np.array([[0, 2], [1, 1], [2, 0], [0, 0]], "int32")
    graph = agree(fn, f(4, 3, 3), f(3, 2), i)
    assert not any(n.op.name == "scan" for n in graph.nodes)
    agree(gradients(lambda x, w: fn(x, w, i)), f(4, 3, 3), f(3, 2))


def test_sums_of_slices_need_no_loop():
    def fn(x):
        total, count = scan(lambda c, r: ((c[0] + ops.exp(r), c[1] + r), None),
                            (x[0], ops.zeros((3,))), x)[0]  # fmt: skip
        return total, count

    assert "scan" not in [n.op.name for n in agree(fn, f(6, 3)).nodes]
    agree(gradients(fn), f(6, 3))
    whole = np.arange(12, dtype="int32").reshape(4, 3)
    agree(lambda x: scan(lambda c, r: (c + r * 2, None), x[0], x)[0], whole)


def test_what_has_no_rule_stays():
    def fn(x, w):
        def step(h, row):
            row = core.cond(ops.sum(row) > 0, lambda: ops.matmul(row, w), lambda: row)
            return h * 0.5 + row, ops.matmul(row, w)

        return scan(step, x[0], x)

    graph = agree(fn, f(5, 3, 3), f(3, 3))
    assert "switch" in inner_ops(graph)
    agree(gradients(fn), f(5, 3, 3), f(3, 3))


def test_loops_in_loops():
    def fn(x, w, u):
        def outer(c, row):
            def inner(h, part):
                h = ops.tanh(ops.matmul(part, w) + ops.matmul(h, u))
                return h, ops.matmul(h, u)

            end, found = scan(inner, c, row)
            return end, ops.sum(found, 0)

        return scan(outer, ops.zeros((2, 3)), x)

    agree(fn, f(3, 4, 2, 3), f(3, 3), f(3, 3))
    agree(gradients(fn), f(3, 4, 2, 3), f(3, 3), f(3, 3))


def test_gradients_of_gradients():
    def fn(x, w, u):
        def step(h, row):
            h = ops.tanh(ops.matmul(row, w) + ops.matmul(h, u))
            return h, None

        return scan(step, ops.zeros((2, 3)), x)[0]

    agree(gradients(gradients(fn)), f(4, 2, 3), f(3, 3), f(3, 3), rtol=1e-3)


def test_half_types():
    def fn(x, w, u):
        half = core.convert(w).dtype

        def step(h, row):
            h = ops.tanh(ops.matmul(row, w) + ops.matmul(h, u))
            return h, ops.cast(h, "float32")

        return scan(step, ops.zeros((2, 3), half), x)[1]

    arrays = [ops.cast(core.convert(a), "bfloat16") for a in (f(4, 2, 3), f(3, 3), f(3, 3))]

    def loss(*xs):
        with core.GradientTape() as tape:
            tape.watch(list(xs))
            total = ops.sum(fn(*xs))
        return [ops.cast(g, "float32") for g in tape.gradient(total, list(xs))]

    for a, b in zip(core.compile_step(loss)(*arrays), loss(*arrays), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0.05, atol=0.05)


def test_rematerialized_loops_run_again():
    def fn(x, w):
        return scan(lambda h, row: (ops.tanh(ops.matmul(h, w) + row), None), x[0], x)[0]

    again = gradients(core.remat(fn))
    for wanted, function in ((2, gradients(fn)), (3, again)):
        graph = agree(function, f(4, 2, 3), f(3, 3))
        assert sum(node.op.name == "scan" for node in graph.nodes) == wanted


def test_large_stacks_are_not_made(monkeypatch):
    def cell(x, w, u):
        def step(h, row):
            return ops.tanh(ops.matmul(row, w) + ops.matmul(h, u)), None

        return scan(step, ops.zeros((2, 4)), x)[0]

    arrays = f(5, 2, 3), f(3, 4), f(4, 4)
    whole = inner_ops(agree(gradients(cell), *arrays))
    monkeypatch.setattr(residuals_pass, "MOST_BYTES", 0)
    monkeypatch.setattr("kerasish_core.passes.fission.MOST_BYTES", 0)
    inner = inner_ops(agree(gradients(cell), *arrays))
    assert inner.count("matmul") > whole.count("matmul") and inner.count("tanh") == 2


# -- any loop


class _Program:
    """A loop made at random: carries, slices and fixed operands of one size."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.carries, self.rows, self.fixed = (int(n) for n in self.rng.integers(1, 4, 3))
        self.recipe = [tuple(self.rng.integers(0, 1 << 30, 4)) for _ in range(10)]
        self.ends = self.rng.integers(0, 1 << 30, self.carries + 2)
        self.sums = self.rng.integers(0, 3, self.carries)
        self.reverse = bool(self.rng.integers(2))

    def __call__(self, start, xs, fixed):
        def step(carry, rows):
            values = [*carry, *rows, *fixed]
            for kind, a, b, c in self.recipe:
                x, y = values[a % len(values)], values[b % len(values)]
                values.append(self.made(kind % 13, x, y, fixed[c % len(fixed)]))
            new = []
            for i, c in enumerate(carry):
                end = values[self.ends[i] % len(values)]
                # Some carries stay, some add up, some are anything.
                new.append(
                    ops.tanh(end)
                    if self.sums[i] == 0
                    else c + end * 0.1
                    if self.sums[i] == 1
                    else c
                )
            return new, [values[e % len(values)] for e in self.ends[self.carries :]]

        return scan(step, start, xs, reverse=self.reverse)

    def made(self, kind, x, y, w):
        if kind == 0:
            return ops.matmul(x, w)
        if kind == 1:
            return ops.matmul(ops.transpose(x), y)
        if kind == 2:
            return ops.matmul(ops.concatenate([x, y], -1), ops.concatenate([w, x * 0 + w], 0))
        if kind == 3:
            return ops.matmul(ops.concatenate([x, y], -1), ops.concatenate([w, w], 0))
        if kind == 4:
            return x * y
        if kind == 5:
            return ops.sin(x) + w
        if kind == 6:
            return ops.transpose(x)
        if kind == 7:
            return ops.softmax(x, -1) - ops.sum(y, 0, keepdims=True)
        if kind == 8:
            return ops.reshape(ops.matmul(w, x), (3, 3))
        if kind == 9:
            return ops.pad(x[1:, :2], ((1, 0), (0, 1)))
        if kind == 10:
            return ops.matmul(x, ops.concatenate([w, w], 1))[:, 2:5]
        if kind == 11:
            return ops.broadcast_to(y[0], (3, 3)) + x
        return ops.sum(ops.matmul(x, y)) * 0.1 + y


@pytest.mark.parametrize("seed", range(120))
def test_any_loop(seed):
    program = _Program(seed)
    counts = program.carries, program.rows, program.fixed
    start = [0.5 * f(3, 3) for _ in range(counts[0])]
    rows = [0.5 * f(4, 3, 3) + 0.1 * i for i in range(counts[1])]
    fixed = [0.5 * f(3, 3) + 0.1 * i for i in range(counts[2])]

    def fn(*xs):
        parts = xs[: counts[0]], xs[counts[0] : sum(counts[:2])], xs[sum(counts[:2]) :]
        return program(*map(list, parts))

    agree(gradients(fn) if seed % 3 else fn, *start, *rows, *fixed, rtol=2e-3)


def test_a_transposition_that_changes_nothing():
    def fn(x, y):
        def step(c, rows):
            return c + ops.matmul(ops.transpose(rows[0], (0, 1)), rows[1]), None

        return scan(step, ops.zeros((3, 4)), (x, y))[0]

    graph = agree(fn, f(5, 3, 2), f(5, 2, 4))
    assert not any(node.op.name == "scan" for node in graph.nodes)
    graph = agree(gradients(fn), f(5, 3, 2), f(5, 2, 4))
    assert not any(node.op.name == "scan" for node in graph.nodes)


def test_more_steps_than_indices_have_numbers():
    places = np.random.default_rng(0).integers(0, 5, (300, 2)).astype("int8")
    agree(lambda x, i: loop_map(lambda parts: parts[0][parts[1]], (x, i)), f(300, 5, 3), places)


def test_bodies_of_a_thousand_nodes():
    def one(row):
        for _ in range(600):
            row = ops.sin(row) * 1.01
        return row

    graph = agree(lambda x: loop_map(one, x), f(3, 2))
    assert not any(node.op.name == "scan" for node in graph.nodes)


def test_what_is_the_same_is_not_repeated_for_each_step(monkeypatch):
    """Matrices that every step solves with, and what repeating them would take."""
    graph = agree(lambda x, a: loop_map(lambda v: ops.solve(a, v), x), f(4, 3, 1), f(3, 3))
    assert "solve" in inner_ops(graph)

    def joined(x, a):
        return loop_map(lambda v: ops.exp(ops.concatenate([a, v], -1)), x)

    assert not inner_ops(agree(joined, f(4, 3, 1), f(3, 3)))
    monkeypatch.setattr("kerasish_core.passes.fission.MOST_BYTES", 4 * 4 * (9 + 3 * 4 * 2) - 1)
    assert "concatenate" in inner_ops(agree(joined, f(4, 3, 1), f(3, 3)))


def products_of(graph):
    return inner_ops(graph).count("matmul"), [n.op.name for n in graph.nodes].count("matmul")


def test_nothing_is_done_twice():
    """What the loop needs stays in it, though a result is made of it too."""

    def chosen(x, u):
        def step(h, row):
            h = ops.tanh(h + row)
            z = ops.matmul(h, u)
            return h, (core.cond(ops.sum(z) > 0, lambda: ops.flip(z, 0), lambda: -z), z)

        return scan(step, x[0], x)

    assert products_of(agree(chosen, f(5, 2, 3), f(3, 3))) == (1, 0)

    def gates(x, w, u):
        def step(h, row):
            z = ops.matmul(h, u)
            return ops.tanh(ops.matmul(row, w) + z[:, :3]) * ops.sigmoid(z[:, 3:]), None

        return scan(step, x[0], x)[0]

    # Both halves of the product are needed by the next step: it stays one.
    assert products_of(agree(gates, f(5, 2, 3), f(3, 3), f(3, 6))) == (1, 1)


def test_a_carry_that_begins_as_what_another_loop_takes_slices_of():
    def fn(x, w):
        first = scan(lambda c, row: (ops.tanh(c + ops.matmul(row, w)), ops.matmul(c, w)), x[0], x)
        second = scan(
            lambda c, row: (ops.tanh(ops.matmul(c, w)), ops.matmul(ops.sin(row + c[0]), w)), x, x
        )
        return first, second

    agree(gradients(fn), f(3, 3, 3), f(3, 3))


def test_behind_a_barrier_it_is_computed_again():
    def fn(x, w):
        def step(h, row):
            h = ops.tanh(ops.matmul(ops.barrier(h), w) + row)
            return h, None

        return scan(step, x[0], x)[0]

    graph = agree(gradients(fn), f(4, 2, 3), f(3, 3))
    assert [*inner_ops(graph), *(node.op.name for node in graph.nodes)].count("tanh") == 2
