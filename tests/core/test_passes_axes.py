"""Reductions over axes that are no neighbours run natively, as several."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.executors import native

pytestmark = pytest.mark.skipif(not native.available(), reason="no native library")
SHAPE = (3, 4, 2, 5, 1, 6)
AXES = [(0, 2), (1, 3, 5), (0, 3, 4), (2, 5), (0, 2, 4, 5), (1, 4, 5)]
ALMOST = {"float64": 1e-12, "float32": 1e-5, "bfloat16": 2e-2, "int32": 0}


def compiled(fn, *arrays):
    step = core.compile_step(fn)
    found = step(*[core.convert(a) for a in arrays])
    (entry,) = step._entries.values()
    return found, entry.native.generic


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_reductions(name, dtype, axes, keepdims):
    rng = np.random.default_rng(1)
    size = 1.1 if name == "prod" and dtype != "int32" else 3  # 144 factors
    x = (rng.normal(size=SHAPE) * size).astype(dtype)
    found, generic = compiled(lambda x: getattr(ops, name)(x, axis=axes, keepdims=keepdims), x)
    expected = getattr(np, name)(x, axis=axes, keepdims=keepdims)
    assert generic == 0 and found.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.numpy(), expected, ALMOST[dtype], ALMOST[dtype] * scale)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", AXES)
def test_truths_and_logsumexp(axes, keepdims):
    x = np.random.default_rng(1).normal(size=SHAPE).astype("float64")

    def fn(x):
        low, high = x < -2.0, x < 2.0
        return (
            ops.any(low, axes, keepdims), ops.all(high, axes, keepdims),
            ops.logsumexp(x, axes, keepdims),
        )  # fmt: skip

    (any_, all_, total), generic = compiled(fn, x)
    assert generic == 0
    np.testing.assert_array_equal(any_.numpy(), (x < -2).any(axes, keepdims=keepdims))
    np.testing.assert_array_equal(all_.numpy(), (x < 2).all(axes, keepdims=keepdims))
    np.testing.assert_allclose(total.numpy(), np.log(np.exp(x).sum(axes, keepdims=keepdims)), 1e-12)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_moments(dtype, axes, keepdims):
    """Far from zero, where the mean of squares would have no digits left."""
    x = np.random.default_rng(1).normal(size=SHAPE) * 3 + (100 if dtype == "float64" else 5)
    x = core.convert(x.astype("float32")) if dtype == "bfloat16" else core.convert(x.astype(dtype))
    x = ops.cast(x, dtype)
    (mean, variance), generic = compiled(lambda x: ops.moments(x, axes, keepdims), x)
    wide = ops.cast(x, "float64").numpy()
    assert generic == 0
    expected = wide.mean(axes, keepdims=keepdims), wide.var(axes, keepdims=keepdims)
    for a, b in zip((mean, variance), expected, strict=True):
        a = ops.cast(a, "float64").numpy()
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=10 * ALMOST[dtype], atol=10 * ALMOST[dtype])


def test_gradients_of_group_statistics():
    def fn(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            mean, variance = ops.moments(x, (1, 2, 4), True)
            loss = ops.sum(ops.square((x - mean) / ops.sqrt(variance + 1e-3)) * x)
        return loss, tape.gradient(loss, x)

    x = np.random.default_rng(2).normal(size=(2, 3, 4, 2, 5))
    (loss, found), generic = compiled(fn, x)
    expected_loss, expected = fn(core.convert(x))
    assert generic == 0
    np.testing.assert_allclose(loss.numpy(), expected_loss.numpy(), rtol=1e-10)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-8, atol=1e-10)
