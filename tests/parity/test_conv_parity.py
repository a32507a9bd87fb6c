"""Convolution and pooling beside Keras: layouts, paddings, transposed sizes, gradients."""

import itertools

import numpy as np
import pytest

import kerasish_core as core

pytestmark = pytest.mark.parity
ours = core.ops
SPATIAL = (7, 6, 5)


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.ops


def draw(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype("float32")


def image(rank, channels, data_format):
    space = SPATIAL[:rank]
    last = data_format == "channels_last"
    return draw(2, *space, channels) if last else draw(2, channels, *space)


def same(found, expected, case):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, case
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4, err_msg=str(case))


FORMATS = ["channels_last", "channels_first"]


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_conv(theirs, rank, data_format):
    x = image(rank, 4, data_format)
    window = (3, 2, 2)[:rank]
    for case in [("valid", 1, 1, 1), ("same", 2, 1, 2), ("same", 3, 1, 4), ("same", 1, 2, 1)]:
        padding, strides, dilation, groups = case
        arguments = (draw(*window, 4 // groups, 8), strides, padding, data_format, dilation)
        same(ours.conv(x, *arguments), theirs.conv(x, *arguments), case)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", [1, 2])
def test_depthwise_and_separable_conv(theirs, rank, data_format):
    x, deep = image(rank, 3, data_format), draw(*(3, 2)[:rank], 3, 2)
    for case in [(1, "valid", 1), (2, "same", 1), (1, "same", 2)]:
        rest = (case[0], case[1], data_format, case[2])
        same(ours.depthwise_conv(x, deep, *rest), theirs.depthwise_conv(x, deep, *rest), case)
        arguments = (deep, draw(*(1,) * rank, 6, 4), *rest)
        same(ours.separable_conv(x, *arguments), theirs.separable_conv(x, *arguments), case)


@pytest.mark.parametrize("data_format", FORMATS)
def test_conv_transpose(theirs, data_format):
    x = image(1, 3, data_format)
    cases = itertools.product(("valid", "same"), (1, 2, 3), (None, 0, 1, 2), (2, 3, 4), (1, 2))
    for case in cases:
        padding, strides, more, size, dilation = case
        if (more or 0) >= strides or (dilation > 1 and strides > 1):
            continue
        arguments = (draw(size, 4, 3), strides, padding, more, data_format, dilation)
        same(ours.conv_transpose(x, *arguments), theirs.conv_transpose(x, *arguments), case)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools(theirs, rank, data_format):
    x = image(rank, 2, data_format)
    for case in [(2, 2, "valid"), (3, 2, "same"), (2, 3, "same"), (3, 1, "valid")]:
        same(ours.max_pool(x, *case, data_format), theirs.max_pool(x, *case, data_format), case)
        mine = ours.average_pool(x, *case, data_format)
        same(mine, theirs.average_pool(x, *case, data_format), case)


@pytest.mark.parametrize("name", ["max_pool", "average_pool", "conv"])
def test_gradients_also_where_values_tie(theirs, name):
    import jax

    x = np.round(image(2, 2, "channels_last"))
    arguments = (draw(3, 3, 2, 4), 2, "same") if name == "conv" else (3, 2, "same")
    mine, expected = getattr(ours, name), getattr(theirs, name)
    weights = draw(*mine(x, *arguments).shape)
    found = core.grad(lambda v: ours.sum(mine(v, *arguments) * weights))(core.convert(x))
    same(found, jax.grad(lambda v: (expected(v, *arguments) * weights).sum())(x), name)


def test_not_a_number_spreads(theirs):
    x = draw(1, 4, 4, 1)
    x[0, 0, 0, 0] = x[0, 2, 3, 0] = np.nan
    same(ours.max_pool(x, 2), theirs.max_pool(x, 2, 2), "max")
    same(ours.average_pool(x, 2), theirs.average_pool(x, 2, 2), "average")
