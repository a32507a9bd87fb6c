"""Regularizers against their formulas."""

import json

import numpy as np
import pytest

import kerasish_core as core
from kerasish import regularizers
from kerasish.serialization import custom_object_scope

W = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def test_formulas():
    absolute, squares = np.abs(W).sum(), (W**2).sum()
    assert regularizers.L1(0.1)(W).item() == pytest.approx(0.1 * absolute, rel=1e-6)
    assert regularizers.L2(0.1)(W).item() == pytest.approx(0.1 * squares, rel=1e-6)
    both = regularizers.L1L2(0.1, 0.3)(W).item()
    assert both == pytest.approx(0.1 * absolute + 0.3 * squares, rel=1e-6)
    assert regularizers.L1L2(l2=0.3)(W).item() == pytest.approx(0.3 * squares, rel=1e-6)
    assert regularizers.L1L2()(W).item() == 0.0


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal(mode):
    vectors = W if mode == "rows" else W.T
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    n = len(unit)
    cosines = [abs(unit[i] @ unit[j]) for i in range(n) for j in range(i)]
    got = regularizers.OrthogonalRegularizer(0.5, mode)(W).item()
    assert got == pytest.approx(0.5 * np.mean(cosines), rel=1e-5)


def test_gradients():
    w = core.Variable(W)
    with core.GradientTape() as tape:
        penalty = regularizers.L1L2(0.1, 0.3)(w)
    np.testing.assert_allclose(tape.gradient(penalty, w), 0.1 * np.sign(W) + 0.6 * W, rtol=1e-5)


def test_dtype_follows_the_weights():
    assert regularizers.L2(0.1)(W.astype("float16")).dtype == "float16"
    assert regularizers.L1L2(0.1, 0.1)(W.astype("float64")).dtype == "float64"


@pytest.mark.parametrize("value", [-1, "a", float("nan"), float("inf"), True])
def test_factors_are_checked(value):
    for cls, name in ((regularizers.L1, "l1"), (regularizers.L2, "l2"), (regularizers.L1L2, "l2")):
        with pytest.raises(ValueError, match=f"argument {name}: expected a non-negative float"):
            cls(**{name: value})


def test_errors():
    with pytest.raises(ValueError, match="`mode`"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match="rank 2"):
        regularizers.OrthogonalRegularizer()(np.ones((2, 2, 2), "float32"))
    with pytest.raises(NotImplementedError, match="get_config"):
        regularizers.Regularizer().get_config()


@pytest.mark.parametrize("name", sorted(regularizers._BY_NAME))
def test_names_and_configs(name):
    made = regularizers.get(name)
    config = json.loads(json.dumps(regularizers.serialize(made)))
    again = regularizers.deserialize(config)
    assert type(again) is type(made)
    assert again(W).item() == made(W).item()


def test_get():
    made = regularizers.L1(0.2)
    assert regularizers.get(None) is None
    assert regularizers.get(made) is made
    assert regularizers.get(abs) is abs
    assert type(regularizers.get(regularizers.L2)) is regularizers.L2
    assert regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}).l2 == 0.5
    for wrong in ("nope", 3):
        with pytest.raises(ValueError, match="Could not interpret regularizer identifier"):
            regularizers.get(wrong)

    class Mine(regularizers.Regularizer):
        def get_config(self):
            return {}

    with custom_object_scope({"Mine": Mine}):
        assert type(regularizers.get("Mine")) is Mine
    assert regularizers.Regularizer()(W) == 0.0
