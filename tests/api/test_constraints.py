"""Constraints: what holds after them."""

import json

import numpy as np
import pytest

import kerasish_core as core
from kerasish import constraints

W = np.random.default_rng(0).normal(size=(4, 3)).astype("float32") * 3


def norms(w, axis=0):
    return np.sqrt((np.asarray(w) ** 2).sum(axis, keepdims=True))


@pytest.mark.parametrize("axis", [0, 1, [0, 1], -1])
def test_max_norm(axis):
    axes = tuple(axis) if isinstance(axis, list) else axis
    limit = float(np.median(norms(W, axes)))
    w = constraints.MaxNorm(limit, axis=axis)(W).numpy()
    assert (norms(w, axes) <= limit * (1 + 1e-6)).all()
    expected = W * np.minimum(norms(W, axes), limit) / norms(W, axes)
    np.testing.assert_allclose(w, expected, rtol=1e-5)


@pytest.mark.parametrize("axis", [0, 1])
def test_unit_norm(axis):
    w = constraints.UnitNorm(axis)(W).numpy()
    np.testing.assert_allclose(norms(w, axis), 1.0, rtol=1e-5)
    np.testing.assert_allclose(w / np.abs(w), W / np.abs(W))


def test_non_neg():
    np.testing.assert_array_equal(constraints.NonNeg()(W), np.maximum(W, 0))


@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_min_max_norm(rate):
    low, high = np.quantile(norms(W), [0.3, 0.6])
    w = constraints.MinMaxNorm(float(low), float(high), rate)(W).numpy()
    expected = rate * np.clip(norms(W), low, high) + (1 - rate) * norms(W)
    np.testing.assert_allclose(norms(w), expected, rtol=1e-5)


def test_zero_vectors_stay_finite():
    zero = np.zeros((3, 2), "float32")
    for cls in (constraints.MaxNorm, constraints.UnitNorm, constraints.MinMaxNorm):
        np.testing.assert_array_equal(cls()(zero), zero)


def test_variables_are_taken():
    v = core.Variable(W)
    v.assign(constraints.NonNeg()(v))
    assert (v.numpy() >= 0).all()


@pytest.mark.parametrize("name", sorted(constraints._BY_NAME))
def test_names_and_configs(name):
    made = constraints.get(name)
    config = json.loads(json.dumps(constraints.serialize(made)))
    again = constraints.deserialize(config)
    assert type(again) is type(made) and again.get_config() == made.get_config()


def test_get():
    made = constraints.MaxNorm(3)
    assert constraints.get(None) is None
    assert constraints.get(made) is made
    assert constraints.get(abs) is abs
    assert type(constraints.get(constraints.NonNeg)) is constraints.NonNeg
    assert constraints.get(constraints.serialize(made)).max_value == 3
    for wrong in ("nope", 3):
        with pytest.raises(ValueError, match="Could not interpret constraint identifier"):
            constraints.get(wrong)
    assert constraints.Constraint()(W) is W
    assert constraints.Constraint().get_config() == {}
