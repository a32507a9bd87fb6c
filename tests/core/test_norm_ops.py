"""Normalisation: accuracy, gradients of what users call, how many nodes they take."""

import numpy as np
import pytest
from gradcheck import check_gradients

import kerasish_core as core
from kerasish_core import ops

RNG = np.random.default_rng(0)


def test_moments_of_numbers_far_from_zero():
    """Two passes: the square of the mean, which would swallow the variance, never appears."""
    x = RNG.normal(size=(1000, 3)).astype("float32")
    mean, variance = ops.moments(x + np.float32(4096), 0)
    shifted = (x + np.float32(4096)).astype("float64")
    np.testing.assert_allclose(mean, shifted.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, shifted.var(0), rtol=1e-4)


def test_moments_of_nothing_are_nan():
    mean, variance = ops.moments(np.zeros((0, 2)), 0)
    assert np.isnan(np.asarray(mean)).all() and np.isnan(np.asarray(variance)).all()


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), None])
def test_gradients_of_one_moment(which, axes):
    check_gradients(lambda x: ops.moments(x, axes)[which], [RNG.normal(size=(2, 3, 2))])


def batch_norm(axis, weights):
    def run(x, *rest):
        mean, variance = ops.moments(x, [i for i in range(x.ndim) if i != axis % x.ndim])
        return ops.batch_normalization(x, mean, variance, axis, *rest[:weights])

    return run


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("weights", [0, 1, 2])
def test_gradients_of_batch_normalization(axis, weights):
    x = RNG.normal(size=(3, 2, 2))
    check_gradients(batch_norm(axis, weights), [x, *RNG.normal(size=(weights, 2))], rtol=3e-7)


def test_values_of_batch_normalization():
    x, mean = RNG.normal(size=(4, 3, 2)), RNG.normal(size=3)
    variance, offset, scale = RNG.uniform(1, 2, (3, 3))
    found = ops.batch_normalization(x, mean, variance, 1, offset, scale, 0.01)
    expected = np.stack(
        [
            (x[:, i] - mean[i]) / np.sqrt(variance[i] + 0.01) * scale[i] + offset[i]
            for i in range(3)
        ],
        1,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


ROWS = {
    "last": (-1, (4,)),
    "two": ((1, 2), (3, 4)),
    "with ones": ((2,), (1, 1, 4)),
    "inner": ((1,), (1, 3, 1)),
    "first and last": ((0, 2), (2, 1, 4)),
    "a number": (-1, ()),
    "across": (-1, (3, 1)),
}


def layer_norm(x, gamma, beta, axis):
    axes = axis if isinstance(axis, tuple) else (axis,)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + 0.1) * gamma + beta


@pytest.mark.parametrize("case", ROWS)
def test_layer_normalization(case):
    axis, shape = ROWS[case]
    x, gamma, beta = RNG.normal(size=(2, 3, 4)), RNG.normal(size=shape), RNG.normal(size=shape)
    xs = [x, gamma, beta]
    found = ops.layer_normalization(*xs, axis, 0.1)
    np.testing.assert_allclose(found, layer_norm(*xs, axis), rtol=1e-12, atol=1e-13)
    check_gradients(lambda *t: ops.layer_normalization(*t, axis, 0.1), xs, rtol=3e-7)
    for kept in ((gamma, None), (None, beta), (None, None)):
        filled = [d if v is None else v for v, d in zip(kept, (1, 0))]
        np.testing.assert_allclose(
            ops.layer_normalization(x, *kept, axis, 0.1), layer_norm(x, *filled, axis), atol=1e-12
        )


@pytest.mark.parametrize("case", ROWS)
def test_rms_normalization(case):
    axis, shape = ROWS[case]
    x, gamma = RNG.normal(size=(2, 3, 4)), RNG.normal(size=shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    expected = x / np.sqrt((x * x).mean(axes, keepdims=True) + 0.1) * gamma
    np.testing.assert_allclose(ops.rms_normalization(x, gamma, axis, 0.1), expected, rtol=1e-12)
    check_gradients(lambda *t: ops.rms_normalization(*t, axis, 0.1), [x, gamma], rtol=3e-7)


def test_half_types_are_normalised_in_float32():
    x = (RNG.normal(size=(2, 64)) * 100 + 300).astype("float16")
    found = ops.layer_normalization(x, np.ones(64, "float32"), np.zeros(64, "float32"))
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, layer_norm(x.astype("float64"), 1, 0, -1), atol=2e-3)


def test_gamma_must_fit():
    with pytest.raises(core.ShapeError, match="broadcast"):
        ops.layer_normalization(np.ones((2, 4)), np.ones(3))


def count(function, *arrays):
    """Nodes of the compiled gradient by name."""

    def step(*xs):
        with core.GradientTape() as tape:
            tape.watch(list(xs))
            y = function(*xs)
        return y, tape.gradient(y, list(xs))

    compiled = core.function(step)
    compiled(*arrays)
    lines = compiled.explain("optimized").splitlines()
    return [line.split("= ")[1].split("(")[0] for line in lines if " = " in line and "(%" in line]


def test_layer_normalization_is_two_nodes():
    nodes = count(ops.layer_normalization, RNG.normal(size=(2, 4)), np.ones(4), np.zeros(4))
    assert [n for n in nodes if n != "broadcast_to"] == ["layer_norm", "layer_norm_grad"]


def test_batch_normalization_reads_its_input_few_times():
    """Forward moments and one pass; backward one pass for both sums and one for `dx`."""
    normalised = batch_norm(-1, 2)
    nodes = count(
        lambda *t: ops.square(normalised(*t)), RNG.normal(size=(4, 3)), np.ones(3), np.zeros(3)
    )
    once = ("moments", "centred_affine", "centred_sums")
    assert [nodes.count(n) for n in once] == [1, 1, 1] and "sum" not in nodes
