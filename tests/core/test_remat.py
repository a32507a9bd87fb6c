"""Values computed again for the gradient instead of being kept."""

import re
import tracemalloc

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops

RNG = np.random.default_rng(0)
DEPTH, BLOCKS, SIZE = 6, 6, 128


def deep(blocks, wrap):
    """A loss of `BLOCKS` blocks of `DEPTH` products each, every one with a weight of its own."""

    def block(h, weights):
        for w in weights:
            h = ops.tanh(ops.matmul(h, w))
        return h

    run = wrap(block)

    def loss(x):
        for weights in blocks:
            x = run(x, weights)
        return ops.sum(x * x)

    return loss


def weights():
    rng = np.random.default_rng(1)
    return [
        [core.Variable(rng.normal(0, 0.1, (SIZE, SIZE)).astype("float32")) for _ in range(DEPTH)]
        for _ in range(BLOCKS)
    ]


def gradients(loss, x, variables):
    with core.GradientTape() as tape:
        tape.watch(x)
        y = loss(x)
    return tape.gradient(y, [x, *variables])


def close(a, b, tolerance=1e-6):
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(np.asarray(p), np.asarray(q), rtol=tolerance, atol=tolerance)


def test_eager_gradients_are_equal_and_less_is_kept():
    blocks = weights()
    variables = [w for block in blocks for w in block]
    x = core.convert(RNG.normal(size=(2048, SIZE)).astype("float32"))
    found, peaks = [], []
    for wrap in (lambda f: f, core.remat):
        tracemalloc.start()
        found.append(gradients(deep(blocks, wrap), x, variables))
        peaks.append(tracemalloc.get_traced_memory()[1] / x.value.nbytes)
        tracemalloc.stop()
    close(*found, tolerance=1e-5)
    # 36 results of tanh are kept, and products; else one of each block and those of one block.
    assert peaks[0] > 2 * (BLOCKS + DEPTH), peaks
    assert peaks[1] < 0.6 * peaks[0], peaks


def test_the_compiled_step_needs_a_smaller_arena(native):
    blocks = weights()
    variables = [w for block in blocks for w in block]
    x = core.convert(RNG.normal(size=(2048, SIZE)).astype("float32"))
    found, sizes = [], []
    for wrap in (lambda f: f, core.remat):
        loss = deep(blocks, wrap)
        step = core.compile_step(lambda x, loss=loss: gradients(loss, x, variables))
        found.append(step(x))
        sizes.append(int(re.search(r"arena: (\d+) bytes", step.explain("memory"))[1]))
    close(*found, tolerance=1e-5)
    assert sizes[1] < 0.6 * sizes[0], sizes


def test_what_is_computed_again_stands_in_the_graph_twice():
    step = core.compile_step(
        lambda x: core.grad(core.remat(lambda x: ops.sum(ops.exp(ops.sin(x)))))(x)
    )
    step(core.convert(np.ones(3, "float32")))
    assert step.explain("traced").count("sin") == 2
    assert step.explain("optimized").count(" sin") + step.explain("optimized").count("=sin") >= 1
    assert "barrier" in step.explain("optimized")


@pytest.mark.parametrize("compiled", [False, True])
def test_random_numbers_are_the_same_both_times_and_drawn_once(compiled):
    seed = core.Variable(np.array([3, 0], "uint32"), trainable=False)

    def noisy(x):
        state = seed.value
        seed.assign(state + np.array([0, 1], "uint32"))
        return ops.sum(ops.exp(x * ops.random.uniform(state, (4,))))

    x = core.convert(np.arange(4, dtype="float32"))
    u = np.asarray(ops.random.uniform(np.array([3, 0], "uint32"), (4,)))
    run = core.grad(core.remat(noisy))
    step = core.compile_step(run) if compiled else run
    np.testing.assert_allclose(np.asarray(step(x)), u * np.exp(np.arange(4) * u), rtol=1e-6)
    assert seed.numpy().tolist() == [3, 1]


@pytest.mark.parametrize("compiled", [False, True])
def test_variables_are_found_as_they_were_and_written_once(compiled):
    count, w = core.Variable(2.0, trainable=False), core.Variable(3.0)

    def f(x):
        y = x * w * count
        count.assign(count + 1.0)
        return y * y

    def run(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            y = core.remat(f)(x)
            count.assign(count * 10.0)
        return tape.gradient(y, [x, w])

    step = core.compile_step(run) if compiled else run
    of_x, of_w = step(core.convert(1.0))
    assert (float(of_x), float(of_w)) == (2 * 36.0, 2 * 6 * 2.0)
    assert float(count) == 30.0


def test_tensors_around_the_function_get_their_gradient():
    a = core.convert(2.0)
    with core.GradientTape() as tape:
        tape.watch(a)
        b = a * a
        y = core.remat(lambda x: x * b + b)(a)
    assert float(tape.gradient(y, a)) == 3 * 4.0 + 2 * 2.0


def test_gradients_of_second_order():
    def f(x):
        return ops.sum(ops.sin(x) * x * x)

    x = core.convert(np.linspace(0.1, 1.0, 4))
    close([core.hessian(core.remat(f))(x)], [core.hessian(f)(x)], 1e-12)


def test_one_inside_another():
    inner = core.remat(lambda x: ops.sin(x) * x)
    outer = core.remat(lambda x: ops.exp(inner(x)) + inner(x))
    x = core.convert(np.linspace(0.1, 1.0, 4))

    def plain(x):
        h = ops.sin(x) * x
        return ops.sum(ops.exp(h) + h)

    close([core.grad(lambda x: ops.sum(outer(x)))(x)], [core.grad(plain)(x)], 1e-12)


def test_structures_python_values_and_masks_pass_through():
    def f(x, axis, *, scale=1):
        y = ops.sum(x["a"], axis=axis) * scale
        y.mask = "kept"
        return {"y": y, "n": 3, "x": x["a"]}, None

    x = core.convert(np.ones((2, 3), "float32"))
    with core.GradientTape() as tape:
        tape.watch(x)
        (found, nothing) = core.remat(f)({"a": x}, 1, scale=2)
        total = ops.sum(found["y"]) + ops.sum(found["x"])
    assert found["n"] == 3 and nothing is None and found["y"].mask == "kept"
    np.testing.assert_array_equal(np.asarray(tape.gradient(total, x)), np.full((2, 3), 3.0))


def test_outside_tapes_the_function_just_runs():
    calls = []

    def f(x):
        calls.append(x)
        return x

    core.remat(f)(1.5)
    assert calls == [1.5]


def test_an_error_of_the_function_leaves_the_tape_as_it_was():
    def f(x):
        raise RuntimeError("own")

    x = core.convert(1.0)
    with core.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(RuntimeError, match="own"):
            core.remat(f)(x)
        y = x * 2.0
    assert float(tape.gradient(y, x)) == 2.0


def test_an_argument_that_is_given_twice_and_read_around_the_function():
    x = core.convert(np.array([[0.3, 0.2], [0.1, -0.4]], "float32"))
    for f in (
        lambda a, b: ops.tanh(ops.matmul(a, b)),
        lambda a, b: ops.tanh(ops.matmul(a, x)) * b * x,
        lambda a, b: ops.tanh(ops.matmul(x, x)) + 0.0 * a,
    ):
        found = []
        for wrapped in (f, core.remat(f)):
            with core.GradientTape() as tape:
                tape.watch(x)
                y = ops.sum(wrapped(x, x))
            found.append(np.asarray(tape.gradient(y, x)))
        np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
