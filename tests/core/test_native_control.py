"""Control flow in native programs: its bodies are native programs, equal to the reference."""

from __future__ import annotations

import os
import signal
import threading

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
    assert text.count("  # 5 steps") == 2
    assert "scan_body:" in text and "gemm_f32" in text.split("scan_body:")[1]
    assert "Python" not in text and "generic:" not in text


def test_a_body_without_a_native_kernel_counts_as_generic(rng):
    def body(x):
        return scan(lambda c, row: (ops.inv(c + row), None), ops.zeros_like(x[0]), x)[0]

    def generic(fn, x):
        step = core.compile_step(fn)
        step(x)
        (entry,) = step._entries.values()
        return entry.native.generic

    (x,) = tensors(rng, (4, 3, 3))
    assert generic(body, x) == 1
    step = core.compile_step(body)
    np.testing.assert_allclose(step(x).numpy(), body(x).numpy(), rtol=1e-3)
    assert "control flow, a body of which needs Python" in step.explain("kernels")
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


@pytest.mark.parametrize("length", [1, 2, 3, 8])
@pytest.mark.parametrize("reverse", [False, True])
def test_carries_change_places(rng, length, reverse):
    """Whichever buffer a step writes, it is not one that it reads."""

    def fn(x, a, b):
        def step(carry, row):
            first, second, kept = carry
            return (second, first + row[:3], kept), (first, second, row * 2)

        (a, b, kept), found = scan(step, (a, b, a), x[:, ::2], reverse=reverse)
        return a, b, kept, *found

    args = tensors(rng, (length, 9), (3,), (3,))
    step, found, expected = both(fn, args)
    assert "Python" not in step.explain("kernels")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_a_while_loop_ends_in_its_results(rng, steps):
    def fn(x, limit):
        return while_loop(
            lambda i, a, b: i < limit,
            lambda i, a, b: (i + 1, b, a + b),
            (core.convert(np.int32(0)), x, 2.0 * x),
        )

    args = [*tensors(rng, (37,)), core.convert(np.int32(steps))]
    _, found, expected = both(fn, args)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_a_branch_of_any_number(rng, index):
    def fn(i, x):
        return switch(i, [lambda v: v, lambda v: v[::-1], lambda v: v * v], x)

    step, found, expected = both(fn, [core.convert(np.int32(index)), *tensors(rng, (5,))])
    assert "switch(" in step.explain("kernels")
    np.testing.assert_array_equal(found[0].numpy(), expected[0].numpy())


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int32", "bool"])
def test_rows_of_any_type_lie_anywhere(rng, dtype):
    """Rows of 7 elements start at no multiple of a vector."""
    x = ops.cast(core.convert(rng.normal(size=(6, 7)) * 4), dtype)

    def fn(x):
        def step(carry, row):
            new = ops.where(row > carry, row, carry)
            return new, new[::-1]

        return scan(step, x[0], x)

    step, found, expected = both(fn, [x])
    assert "Python" not in step.explain("kernels")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_failed_loop_changes_no_variable(rng):
    seen = core.Variable(np.zeros((), "int32"))
    total = core.Variable(np.zeros(3, "float32"))

    def fn(x, index):
        seen.assign(seen + 1)

        def step(carry, row):
            total.assign(total + row)
            return carry + row[index], None

        return scan(step, 0.0 * x[0, 0], x)[0]

    (x,) = tensors(rng, (4, 3))
    step = core.compile_step(fn)
    step(x, core.convert(np.int32(2)))
    before = total.numpy().copy()
    with pytest.raises(IndexError, match="out of range"):
        step(x, core.convert(np.int32(9)))
    np.testing.assert_array_equal(total.numpy(), before)
    assert int(seen.numpy()) == 1


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_endless_loop_can_be_interrupted():
    count = core.Variable(np.zeros((), "int32"))

    def fn(x):
        count.assign(count + 1)
        return while_loop(lambda v: ops.sum(v) > 0, lambda v: v * 1.0, x)

    step = core.compile_step(fn)
    step(core.convert(np.zeros(3, "float32")))
    # Started in the background, Python ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            step(core.convert(np.ones(3, "float32")))  # endless otherwise
    finally:
        signal.signal(signal.SIGINT, before)
    timer.join()
    assert int(count.numpy()) == 1
    step(core.convert(np.zeros(3, "float32")))
    assert int(count.numpy()) == 2


def test_loops_run_beside_each_other(rng):
    x, w = tensors(rng, (40, 8, 16), (16, 16))
    step = core.compile_step(rnn_loss)
    expected = step(x, w).numpy()
    found = []

    def work():
        found.extend(step(x, w).numpy() for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 200 and all(f == expected for f in found)
