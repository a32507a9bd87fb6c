"""Pooling against loops over every window, ties, padding and gradients."""

import numpy as np
import pytest
from finite_difference import check_gradients

import kerasish_core as core


def by_loops(x, size, stride, padding, reduce):
    """Pooling of a channels-last array; windows are cut off where they leave it."""
    spatial = x.shape[1:-1]
    if padding == "same":
        out = [-(-n // stride) for n in spatial]
        before = [max((o - 1) * stride + size - n, 0) // 2 for o, n in zip(out, spatial)]
    else:
        out, before = [(n - size) // stride + 1 for n in spatial], [0] * len(spatial)
    y = np.empty((x.shape[0], *out, x.shape[-1]), x.dtype)
    inner = tuple(range(1, len(spatial) + 1))
    for place in np.ndindex(*out):
        starts = [p * stride - b for p, b in zip(place, before)]
        at = tuple(slice(max(s, 0), s + size) for s in starts)
        y[(slice(None), *place)] = reduce(x[(slice(None), *at)], axis=inner)
    return y


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("rank", "size", "stride"), [(1, 3, 2), (2, 2, 2), (2, 3, 1), (3, 2, 2)])
def test_values_are_those_of_loops(rank, size, stride, padding):
    x = np.random.default_rng(rank).normal(size=(2, *(7, 6, 5)[:rank], 3)) - 5
    largest = core.ops.max_pool(x, size, stride, padding)
    mean = core.ops.average_pool(x, size, stride, padding)
    np.testing.assert_array_equal(largest, by_loops(x, size, stride, padding, np.max))
    np.testing.assert_allclose(mean, by_loops(x, size, stride, padding, np.mean), atol=1e-12)


@pytest.mark.parametrize("pool", [core.ops.max_pool, core.ops.average_pool])
def test_channels_first_is_a_transposition(pool):
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    last = pool(x, (2, 3), (2, 1), "same").numpy()
    first = pool(x.transpose(0, 3, 1, 2), (2, 3), (2, 1), "same", data_format="channels_first")
    np.testing.assert_allclose(np.asarray(first).transpose(0, 2, 3, 1), last, atol=1e-12)


def test_the_gradient_goes_to_the_first_of_equals():
    x = core.convert(np.zeros((1, 2, 4, 1)))
    g = core.grad(lambda v: core.ops.sum(core.ops.max_pool(v, 2)))(x)
    np.testing.assert_array_equal(g.numpy()[0, :, :, 0], [[1, 0, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("pool", [core.ops.max_pool, core.ops.average_pool])
def test_gradients(pool):
    x = np.random.default_rng(3).permutation(48).reshape(1, 4, 6, 2) / 9
    check_gradients(lambda v: pool(v, 3, 2, "same"), x)
    check_gradients(lambda v: pool(v, (2, 1), 1), x)


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_integers_keep_their_maximum_under_padding(dtype):
    x = core.convert(np.arange(9).reshape(1, 3, 3, 1)).astype(dtype)
    y = core.ops.max_pool(x, 2, 2, "same")
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y.numpy().reshape(2, 2), [[4, 5], [7, 8]])


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_means_of_half_types_do_not_overflow(padding):
    y = core.ops.average_pool(core.convert(np.full((1, 64, 64, 1), 60, "float16")), 64, 64, padding)
    assert y.dtype == np.float16
    assert y.item() == 60


def test_a_window_that_does_not_fit_is_named():
    with pytest.raises(core.ShapeError, match=r"window \(3, 3\) does not fit"):
        core.ops.max_pool(np.zeros((1, 2, 2, 1)), 3)
    with pytest.raises(core.ShapeError, match="pool_size"):
        core.ops.average_pool(np.zeros((1, 2, 2, 1)), (2, 2, 2))
