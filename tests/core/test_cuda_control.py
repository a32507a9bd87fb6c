"""Loops and branches in programs for a GPU, over CuPy's stand-in, beside the CPU."""

import re

import numpy as np
import pytest
import standin_cuda

import kerasish as keras
import kerasish_core as core
from kerasish import layers, ops
from kerasish_core.executors import cuda
from kerasish_core.executors.cuda.instructions import control

RNG = np.random.default_rng(3)
OUTSIDE = "generic: outside the graph"


def f(*shape):
    return RNG.normal(size=shape).astype("float32")


def flat(found):
    return [np.asarray(v) for v in core.tree.flatten(found)]


def agree(function, *given, captured=True, runs=4):
    """Runs as a captured program give what the CPU gives; the kernels as text."""
    with core.device_scope("cpu"):
        wanted = [flat(core.function(function)(*arrays)) for arrays in given]
    run = core.function(function)
    for i in range(runs):
        arrays, expected = given[i % len(given)], wanted[i % len(given)]
        standin_cuda.LAUNCHED.clear()
        for y, z in zip(flat(run(*arrays)), expected, strict=True):
            assert (y.shape, y.dtype) == (z.shape, z.dtype)
            np.testing.assert_allclose(y, z, rtol=2e-5, atol=2e-5)
    text = run.explain("kernels")
    assert (OUTSIDE not in text) == captured, text
    if captured:
        assert standin_cuda.LAUNCHED.count("graph") == 1
    return text


def recurrence(width, reverse=False):
    def run(x, w, start):
        def step(h, row):
            h = ops.tanh(ops.matmul(h, w) + row)
            return h, (ops.sum(h, -1), h)

        last, (sums, states) = ops.scan(step, start, x, reverse=reverse)
        return last, sums, states

    return run, lambda length: (f(length, 2, width), f(width, width) * 0.3, f(2, width))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("width", [3, 16])  # slices of 24 bytes and of 128
@pytest.mark.parametrize("length", [1, 2, 5])
def test_steps_are_launches_of_the_graph(gpu, length, width, reverse):
    run, operands = recurrence(width, reverse)
    text = agree(run, operands(length), operands(length))
    assert f"{length} steps of" in text and "\n  product_float" in text


def test_what_a_body_reads_is_aligned(gpu, monkeypatch):
    """Parts that begin anywhere are copied: packs of elements are read at once."""
    backend = cuda._room("backend")
    real, seen = backend.CupyBackend.launch, []

    def launch(self, module, kernel, blocks, arguments):
        if re.search(r"Pack<\w+, [248]>|Pair64", kernel.text):
            seen.append(kernel.name)
            assert all(a % 16 == 0 for a in arguments[: len(kernel.pointers)]), kernel.text
        real(self, module, kernel, blocks, arguments)

    def run(v, x, h, rows):
        part = v[1:9]
        state, ys = ops.scan(lambda c, r: (c * 0.5 + r + part, c * 2), h[1:9], x)
        return state, ys, ops.scan(lambda c, r: (c + r, None), h[:8], rows[1:25].reshape(3, 8))[0]

    monkeypatch.setattr(backend.CupyBackend, "launch", launch)
    agree(run, (f(16), f(3, 8), f(16), f(30)))
    assert seen


@pytest.mark.parametrize("width", [3, 16])
def test_gradients_of_loops(gpu, width):
    run, operands = recurrence(width)

    def slopes(x, w, start):
        return core.grad(
            lambda x, w, start: sum(ops.sum(ops.square(y)) for y in run(x, w, start)), (0, 1, 2)
        )(x, w, start)

    text = agree(slopes, operands(4), operands(4))
    assert text.count("4 steps of") == 2


def test_loops_in_loops_and_what_they_write(gpu):
    def nested(total, x):
        def outer(c, rows):
            def inner(d, row):
                total.assign_add(row)  # a variable, carried along
                return d + ops.sum(row), d * row

            d, ys = ops.scan(inner, c, rows)
            return d, ys

        c, ys = ops.scan(outer, ops.zeros(()), x)
        return c, ys, ops.fori_loop(0, 3, lambda i, v: v + ops.cast(i, "float32") * x[0, 0], x[0])

    x, found = f(4, 5, 3), []
    for where in ("cpu", "gpu"):
        with core.device_scope(where):
            total = core.Variable(np.zeros(3, "float32"), name="total")
            run = core.function(lambda x, total=total: nested(total, x))
            found.append([(flat(run(x)), total.numpy()) for _ in range(4)])
    for a, b in zip(core.tree.flatten(found[0]), core.tree.flatten(found[1]), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)
    assert OUTSIDE not in run.explain("kernels")
    with (
        core.device_scope("cpu"),
        pytest.raises(core.DeviceError, match=r"on cpu:0 .* on gpu:0|devices: cpu:0, gpu:0\."),
    ):
        core.function(lambda x: x + total)(x)


def test_carries_of_other_dtypes_and_none(gpu):
    def run(x):
        def step(c, row):
            n, odd = c
            return (n + 1, ops.logical_not(odd)), ops.where(odd, row, -row)

        state, ys = ops.scan(step, (ops.cast(7, "int32"), ops.cast(False, "bool")), x)
        return state, ys, ops.map(lambda r: r * 2.0, x)

    agree(run, (f(3, 5),))


def test_what_stays_with_the_host(gpu, monkeypatch):
    def counted(x):
        return ops.while_loop(lambda i, v: ops.sum(v) < 9, lambda i, v: (i + 1, v + 1), (0, x))

    assert "only the device knows" in agree(counted, (f(3) * 0,), captured=False)

    def inverted(x):
        return ops.scan(lambda c, row: (ops.inv(row + c * 0.1), None), ops.zeros((3, 3)), x)[0]

    x = np.stack([np.eye(3, dtype="float32") * (i + 2) for i in range(3)])
    assert "its body has inv, which has no kernel" in agree(inverted, (x,), captured=False)
    run, operands = recurrence(3)
    monkeypatch.setattr(control, "_MOST_LAUNCHES", 3)
    assert "launches in 5 steps are too many" in agree(run, operands(5), captured=False)


def test_cheap_branches_all_run(gpu):
    def run(x):
        up = ops.sum(x) > 0
        a = ops.cond(up, lambda: (x * 2, ops.exp(x) > 1), lambda: (ops.flip(x, 0), x > 0))
        place = ops.cast(ops.argmax(x[0]), "int32") - 1
        b = ops.switch(place, [lambda v, n=n: v + n for n in range(3)], x)
        c = ops.cond(up, lambda: ops.cond(ops.max(x) > 1, lambda: x * 3, lambda: x), lambda: x - 1)
        # What is not chosen may be anything.
        return a, b, c, ops.cond(up, lambda: ops.log(ops.sum(x)), lambda: ops.sum(x) * 1.0)

    agree(run, *[(f(4, 5),) for _ in range(6)], runs=12)

    def by_one_number(i, x):
        return ops.switch(i, [lambda x: x * 2, lambda x: x + 1], x), ops.switch(
            i[0], [lambda x: ops.sum(x), lambda x: ops.max(x)], x
        )

    agree(by_one_number, *[(np.array([[i]], "int32"), f(3)) for i in (0, 1)])


def test_the_number_of_a_branch_is_a_scalar():
    branches = [lambda: 1.0, lambda: 2.0]
    assert core.control.switch(np.array([[1]]), branches) == 2.0
    with pytest.raises(core.ShapeError, match=r"switch: index is .*\[2\]; a scalar is needed"):
        core.control.switch(np.array([0, 1]), branches)


def test_dear_branches_are_chosen_by_the_host(gpu):
    def run(x):
        return ops.cond(ops.sum(x) > 0, lambda: ops.matmul(x, x), lambda: x)

    assert "only the device knows" in agree(run, *[(f(4, 4),) for _ in range(4)], captured=False)


def test_branches_within_loops(gpu):
    def run(x):
        def step(c, row):
            return ops.cond(ops.sum(row) > 0, lambda: c + row, lambda: c * 0.5), None

        return ops.scan(step, ops.zeros(4), x)[0]

    agree(run, (f(6, 4),), (f(6, 4),))


class Cell(layers.Layer):
    """A recurrent cell of a user's own."""

    def __init__(self, units):
        super().__init__()
        self.units = self.state_size = self.output_size = units

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units), "glorot_uniform")
        self.inner = self.add_weight((self.units, self.units), "orthogonal")

    def call(self, x, states):
        (h,) = states
        h = ops.tanh(ops.matmul(x, self.kernel) + ops.matmul(h, self.inner))
        return h, [h]


def own_cell():
    model = keras.Sequential([keras.Input((6, 4)), layers.RNN(Cell(5)), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


def accumulating():
    model = keras.Sequential([keras.Input((6, 4)), layers.Flatten(), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.01, gradient_accumulation_steps=2), "mse")
    return model


def scaling():
    model = keras.Sequential([keras.Input((6, 4)), layers.Flatten(), layers.Dense(2)])
    model.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), initial_scale=4.0), "mse"
    )
    return model


@pytest.mark.parametrize("build", [own_cell, accumulating, scaling])
def test_training_steps_are_whole_graphs(gpu, build):
    x, y = f(8, 6, 4), f(8, 2)
    found = []
    for where in ("cpu", "gpu"):
        with core.device_scope(where):
            keras.utils.set_random_seed(4)
            model = build()
            losses = [model.train_on_batch(x, y) for _ in range(6)]
            found.append((losses, model.get_weights()))
    assert OUTSIDE not in model.explain("train", "kernels")
    for a, b in zip(core.tree.flatten(found[0]), core.tree.flatten(found[1]), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
