"""Biases that products add while they write, wherever these come from."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops

pytestmark = pytest.mark.usefixtures("native")
RNG = np.random.default_rng(6)
X, W = RNG.normal(size=(7, 5)).astype("float32"), RNG.normal(size=(5, 6)).astype("float32")
B = RNG.normal(size=6).astype("float32")
PLAIN = X @ W + B


def plain(x, w, b):
    return x @ w + b


def reshaped(x, w, b):
    return x @ w + ops.reshape(ops.reshape(b, (2, 3)), (6,))


def with_relu(x, w, b):
    return ops.relu(b + x @ w)


def made_before(x, w, b):
    """Something else has needed the bias before the product is computed."""
    bias = b * 2
    return (x + ops.sum(ops.sort(bias))) @ w + bias


def made_after(x, w, b):
    product = x @ w
    return product + ops.sum(ops.sort(product), 0)


def used_twice(x, w, b):
    product = x @ w
    return product + b, ops.sum(product)


CASES = [
    (plain, PLAIN, "+ bias"),
    (reshaped, PLAIN, "+ bias"),
    (with_relu, np.maximum(PLAIN, 0), "+ bias, relu"),
    (made_before, (X + 2 * B.sum()) @ W + 2 * B, "+ bias"),
    (made_after, X @ W + np.sort(X @ W).sum(0), None),
    (used_twice, PLAIN, None),
]


@pytest.mark.parametrize("function, expected, note", CASES, ids=[c[0].__name__ for c in CASES])
def test_biases(function, expected, note):
    step = core.compile_step(function)
    found = step(X, W, B)
    got = found[0] if isinstance(found, (tuple, list)) else found
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
    text = step.explain("kernels")
    assert ("+ bias" in text) == (note is not None)
    if note is not None:
        assert any(line.partition("  @")[0].endswith(note) for line in text.splitlines())
