"""Control flow in native programs: its bodies are native programs, equal to the reference."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.control import cond, scan, switch, while_loop
from kerasish_core.executors import native

pytestmark = pytest.mark.skipif(not native.available(), reason="no native library")


def rnn_loss(x, w):
    def step(carry, row):
        new = ops.tanh(ops.matmul(carry, w) + row)
        return new, ops.sum(new * new)

    carry, found = scan(step, ops.zeros_like(x[0]), x)
    return ops.sum(carry) + ops.sum(found)


def with_gradient(x, w):
    with core.GradientTape() as tape:
        tape.watch([x, w])
        loss = rnn_loss(x, w)
    return [loss, *tape.gradient(loss, [x, w])]


def search(x, limit):
    return while_loop(
        lambda step, v: ops.logical_and(step < 20, ops.sum(v) < limit),
        lambda step, v: (step + 1, v * 1.5),
        (core.convert(np.int32(0)), x),
    )


def nested(x, flag):
    def step(carry, row):
        other = cond(flag > 0, lambda: carry + row, lambda: carry * row)
        inner = while_loop(lambda v: ops.max(v) > 10.0, lambda v: v / 2.0, other)
        return switch(ops.cast(row[0] > 0, "int32"), [lambda: inner, lambda: -inner]), inner

    return scan(step, ops.ones_like(x[0]), x)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def tensors(rng, *shapes):
    return [core.convert(rng.normal(size=s).astype("float32")) for s in shapes]


def both(fn, args):
    """The results of one function compiled, and eager on the same values."""
    step = core.compile_step(fn)
    found = core.tree.flatten(step(*args))
    return step, found, core.tree.flatten(fn(*args))


@pytest.mark.parametrize(
    ("fn", "shapes"),
    [(rnn_loss, [(5, 2, 3), (3, 3)]), (with_gradient, [(5, 2, 3), (3, 3)]), (search, [(4,), ()]),
     (nested, [(6, 3), ()])],
)  # fmt: skip
def test_compiled_equals_eager(rng, fn, shapes):
    args = tensors(rng, *shapes)
    if fn is search:
        args = [ops.absolute(args[0]) + 0.1, core.convert(np.float32(50.0))]
    _, found, expected = both(fn, args)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)


def test_bodies_are_native(rng):
    step, _, _ = both(with_gradient, tensors(rng, (5, 2, 3), (3, 3)))
    text = step.explain("kernels")
    assert text.count("control flow, whose bodies are programs") == 3
    assert "scan_body:" in text and "gemm_f32" in text.split("scan_body:")[1]
    assert "generic:" not in text


def test_a_body_without_a_native_kernel_counts_as_generic(rng):
    def body(x):
        return scan(lambda c, row: (c + ops.inv(row), None), ops.zeros_like(x[0]), x)[0]

    def generic(fn, x):
        step = core.compile_step(fn)
        step(x)
        (entry,) = step._entries.values()
        return entry.native.generic

    (x,) = tensors(rng, (4, 3, 3))
    assert generic(body, x) == 1
    assert generic(lambda x: scan(lambda c, r: (c + r, None), ops.zeros_like(x[0]), x)[0], x) == 0


def test_variables_written_in_a_loop(rng):
    total = core.Variable(np.zeros(3, "float32"))

    def fn(x):
        def step(carry, row):
            total.assign(total + row)
            return carry + 1, None

        return scan(step, core.convert(np.int32(0)), x)[0]

    (x,) = tensors(rng, (7, 3))
    step = core.compile_step(fn)
    assert int(step(x)) == 7 and int(step(x)) == 7
    np.testing.assert_allclose(total.numpy(), 2 * x.numpy().sum(0), rtol=1e-5)


def test_an_error_in_a_body_names_the_line(rng):
    def fn(x, index):
        return scan(lambda c, row: (c + row[index], None), 0.0 * x[0, 0], x)[0]

    (x,) = tensors(rng, (4, 3))
    step = core.compile_step(fn)
    step(x, core.convert(np.int32(2)))
    with pytest.raises(IndexError, match="out of range") as caught:
        step(x, core.convert(np.int32(9)))
    assert "test_native_control.py" in "".join(caught.value.__notes__)
