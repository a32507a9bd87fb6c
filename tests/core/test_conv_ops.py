"""Convolutions against loops over every output, their layouts and their gradients."""

import itertools

import numpy as np
import pytest
from finite_difference import check_gradients

import kerasish_core as core


def by_loops(x, kernel, strides, pads, dilation):
    """A channels-last convolution, one output element at a time."""
    window, groups = kernel.shape[:-2], x.shape[-1] // kernel.shape[-2]
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    out = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:-1], reach, strides, strict=True)]
    y = np.zeros((x.shape[0], *out, kernel.shape[-1]))
    each_in, each_out = kernel.shape[-2], kernel.shape[-1] // groups
    for place in np.ndindex(*out):
        for w in np.ndindex(*window):
            at = tuple(p * s + i * d for p, s, i, d in zip(place, strides, w, dilation))
            for g in range(groups):
                rows = padded[(slice(None), *at, slice(g * each_in, (g + 1) * each_in))]
                columns = slice(g * each_out, (g + 1) * each_out)
                y[(slice(None), *place, columns)] += rows @ kernel[(*w, slice(None), columns)]
    return y


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


@pytest.mark.parametrize(("rank", "stride", "dilation", "groups"), [
    (1, 1, 1, 1), (1, 2, 1, 2), (1, 1, 3, 1), (2, 1, 1, 1), (2, 2, 1, 4), (2, 1, 2, 2),
    (3, 1, 1, 1), (3, 2, 1, 2),
])  # fmt: skip
def test_values_are_those_of_loops(rank, stride, dilation, groups):
    x = draw(2, *(7, 6, 5)[:rank], 4)
    kernel = draw(*(3, 2, 2)[:rank], 4 // groups, 8)
    expected = by_loops(x, kernel, (stride,) * rank, ((0, 0),) * rank, (dilation,) * rank)
    found = core.ops.conv(x, kernel, stride, "valid", dilation_rate=dilation)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_same_padding_puts_the_odd_one_behind():
    x, kernel = draw(1, 5, 6, 2), draw(2, 3, 2, 3)
    expected = by_loops(x, kernel, (2, 2), ((0, 1), (0, 1)), (1, 1))
    np.testing.assert_allclose(core.ops.conv(x, kernel, 2, "same"), expected, atol=1e-12)


def test_a_causal_output_knows_nothing_of_the_future():
    x, kernel = draw(1, 8, 2), draw(3, 2, 2)
    later = x.copy()
    later[:, 5:] += 1
    a, b = (core.ops.conv(v, kernel, 1, "causal", dilation_rate=2).numpy() for v in (x, later))
    assert a.shape == (1, 8, 2)
    np.testing.assert_array_equal(a[:, :5], b[:, :5])
    assert np.all(a[:, 5] != b[:, 5])


def test_pads_may_be_given():
    x, kernel = draw(2, 5, 2), draw(3, 2, 2)
    expected = by_loops(x, kernel, (1,), ((3, 1),), (1,))
    np.testing.assert_allclose(core.ops.conv(x, kernel, 1, ((3, 1),)), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["conv", "depthwise_conv", "conv_transpose"])
def test_channels_first_is_a_transposition(name):
    x = draw(2, 5, 6, 3)
    kernel = draw(3, 2, 2, 3) if name == "conv_transpose" else draw(3, 2, 3, 2)
    function = getattr(core.ops, name)
    last = function(x, kernel, 2, "same").numpy()
    first = function(x.transpose(0, 3, 1, 2), kernel, 2, "same", data_format="channels_first")
    np.testing.assert_allclose(np.asarray(first).transpose(0, 2, 3, 1), last, atol=1e-12)


def test_separable_is_depthwise_then_pointwise():
    x, deep, point = draw(1, 5, 5, 2), draw(2, 2, 2, 3), draw(1, 1, 6, 4)
    kernel = np.zeros((2, 2, 2, 6))
    for c, m in itertools.product(range(2), range(3)):
        kernel[:, :, c, c * 3 + m] = deep[:, :, c, m]
    whole = np.einsum("hwci,io->hwco", kernel, point[0, 0])
    expected = by_loops(x, whole, (1, 1), ((0, 0), (0, 0)), (1, 1))
    np.testing.assert_allclose(core.ops.separable_conv(x, deep, point), expected, atol=1e-12)


@pytest.mark.parametrize(("padding", "stride", "kernel"), [
    ("valid", 1, 3), ("valid", 3, 2), ("same", 2, 3), ("same", 2, 4), ("same", 3, 3),
])  # fmt: skip
def test_transposed_is_the_adjoint(padding, stride, kernel):
    x, weights = draw(2, 4, 3), draw(kernel, 2, 3)
    y = core.ops.conv_transpose(x, weights, stride, padding).numpy()
    u = draw(*y.shape)
    back = core.ops.conv(u, weights, stride, padding).numpy()
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(y * u), np.sum(back * x), rtol=1e-12)


@pytest.mark.parametrize("function", [
    lambda x, k: core.ops.conv(x, k, 2, "same"),
    lambda x, k: core.ops.conv(x, k, 1, "valid", "channels_first"),
    lambda x, k: core.ops.depthwise_conv(x, k, 1, "same", dilation_rate=2),
    lambda x, k: core.ops.conv_transpose(x, core.ops.swapaxes(k, -1, -2), 2, "same", 1),
])  # fmt: skip
def test_gradients(function):
    check_gradients(function, draw(2, 3, 4, 3), draw(2, 2, 3, 2))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_add_up_in_float32(dtype):
    x = core.convert(np.ones((1, 1, 4096))).astype(dtype)
    kernel = core.convert(np.ones((1, 4096, 1))).astype(dtype)
    y = core.ops.conv(x, kernel)
    assert y.dtype == x.dtype
    assert float(y[0, 0, 0]) == 4096


@pytest.mark.parametrize(("x", "kernel", "options", "said"), [
    ((1, 5, 3), (2, 2, 4), {}, r"f64\[1,5,3\]"),
    ((1, 5, 3), (2, 3), {}, "ranks must be equal"),
    ((1, 2, 3), (4, 3, 1), {}, "does not fit"),
    ((1, 5, 3), (2, 3, 1), {"strides": 0}, "strides=0"),
    ((1, 5, 4), (2, 2, 3), {}, "groups=2"),
])  # fmt: skip
def test_what_does_not_fit_is_named(x, kernel, options, said):
    with pytest.raises(core.ShapeError, match=said):
        core.ops.conv(np.zeros(x), np.zeros(kernel), **options)


@pytest.mark.parametrize("kernel", [(2, 4, 2), (2, 2, 4, 3)])
def test_what_does_not_fit_a_transposed_one_is_named(kernel):
    with pytest.raises(core.ShapeError, match=r"conv_transpose: x is f64\[1,5,3\]"):
        core.ops.conv_transpose(np.zeros((1, 5, 3)), np.zeros(kernel))


def test_unknown_settings():
    with pytest.raises(ValueError, match="padding='full'"):
        core.ops.conv(np.zeros((1, 5, 3)), np.zeros((2, 3, 1)), padding="full")
    with pytest.raises(ValueError, match="data_format='last'"):
        core.ops.conv(np.zeros((1, 5, 3)), np.zeros((2, 3, 1)), data_format="last")


@pytest.mark.parametrize("groups", [1, 2])
def test_no_channels(groups):
    """Sums of nothing."""
    found = core.ops.conv(np.zeros((2, 5, 0)), np.zeros((3, 0, 4)), groups=groups)
    np.testing.assert_array_equal(np.asarray(found), np.zeros((2, 3, 4)))
