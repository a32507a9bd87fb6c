"""Activations against their formulas, in float64."""

import numpy as np
import pytest
import scipy.optimize
import scipy.special

import kerasish_core as core
from kerasish import activations
from kerasish.serialization import custom_object_scope, register_keras_serializable

X = np.linspace(-8, 8, 161).reshape(7, 23)
HALVES = np.random.default_rng(0).normal(size=(3, 8))


def expit(x):
    return 1 / (1 + np.exp(-x))


FORMULAS = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "exponential": np.exp,
    "gelu": lambda x: x * scipy.special.ndtr(x),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -np.log1p(np.exp(-x)),
    "log_softmax": lambda x: x - scipy.special.logsumexp(x, -1, keepdims=True),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softmax": lambda x: scipy.special.softmax(x, -1),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas(name):
    got = activations.get(name)(core.convert(X))
    assert got.dtype == "float64"
    np.testing.assert_allclose(got, FORMULAS[name](X), rtol=1e-7, atol=1e-9)


def test_every_function_is_tested():
    others = {"glu", "sparsemax", "threshold"}
    assert set(activations.functions.__all__) == set(FORMULAS) | others


def test_arguments():
    x = core.convert(X)
    np.testing.assert_allclose(activations.elu(x, 0.3), np.where(X > 0, X, 0.3 * np.expm1(X)))
    expected = np.where(X > 0, X, 2 * np.expm1(X / 2))
    np.testing.assert_allclose(activations.celu(x, 2.0), expected, rtol=1e-12, atol=1e-15)
    expected = X / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)))
    np.testing.assert_allclose(activations.gelu(x, approximate=True), expected, atol=1e-12)
    np.testing.assert_allclose(activations.threshold(x, 1.5, -3.0), np.where(X > 1.5, X, -3.0))
    np.testing.assert_allclose(activations.leaky_relu(x, 0.5), np.where(X > 0, X, X / 2))
    np.testing.assert_allclose(activations.softmax(x, axis=(0, 1)), np.exp(X) / np.exp(X).sum())
    np.testing.assert_allclose(activations.softmax(x, 0), scipy.special.softmax(X, 0))
    np.testing.assert_allclose(activations.squareplus(x, 1), (X + np.sqrt(X**2 + 1)) / 2)
    a, b = np.split(HALVES, 2, -1)
    np.testing.assert_allclose(activations.glu(HALVES), a * expit(b))
    np.testing.assert_allclose(activations.glu(HALVES.T, axis=0), (a * expit(b)).T)


@pytest.mark.parametrize("slope", [0.0, 0.1])
@pytest.mark.parametrize("top", [None, 3.0, 6])
@pytest.mark.parametrize("bend", [0.0, 1.0, -2.0])
def test_relu_with_options(slope, top, bend):
    got = activations.relu(core.convert(X), slope, top, bend)
    above = X if top is None else np.clip(X, 0, top)
    expected = np.where(bend < X, above, slope * (X - bend))
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_relu_of_integers_and_infinities():
    assert activations.relu(np.array([-1, 2])).dtype.name.startswith("int")
    low = activations.relu(np.array([-np.inf, np.inf]), threshold=1.0)
    assert low.tolist() == [0.0, np.inf]


@pytest.mark.parametrize("axis", [-1, 0])
def test_sparsemax_is_the_projection_onto_the_simplex(axis):
    z = HALVES * 2 if axis == -1 else HALVES.T * 2
    got = np.asarray(activations.sparsemax(z, axis=axis))
    rows = got if axis == -1 else got.T
    np.testing.assert_allclose(rows.sum(-1), 1.0)
    assert (rows == 0).any() and (rows >= 0).all()
    for row, target in zip(rows, HALVES * 2):
        t = scipy.optimize.brentq(lambda t, z=target: np.maximum(z - t, 0).sum() - 1, -20, 20)
        np.testing.assert_allclose(row, np.maximum(target - t, 0), atol=1e-9)


def test_sparsemax_gradient():
    z = core.convert(HALVES)
    weights = np.arange(8.0)
    with core.GradientTape() as tape:
        tape.watch(z)
        y = core.ops.sum(activations.sparsemax(z) * weights)
    got = np.asarray(tape.gradient(y, z))
    for row, target in zip(got, HALVES):
        kept = np.asarray(activations.sparsemax(target)) > 0
        expected = np.where(kept, weights - weights[kept].mean(), 0)
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu is activations.swish
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(abs) is abs
    for wrong in ("Relu", 3):
        with pytest.raises(ValueError, match="Could not interpret activation function"):
            activations.get(wrong)


@pytest.mark.parametrize("name", activations.functions.__all__)
def test_serialize(name):
    function = getattr(activations, name)
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function
    config = {"module": "builtins", "class_name": "function", "config": name}
    assert activations.get(config) is function


def test_functions_of_the_user():
    @register_keras_serializable("Tests")
    def double(x):
        return x * 2

    config = activations.serialize(double)
    assert config["config"] == "Tests>double"
    assert activations.deserialize(config) is activations.get("Tests>double") is double

    def triple(x):
        return x * 3

    with custom_object_scope({"triple": triple}):
        assert activations.get("triple") is triple
    assert activations.deserialize("triple", {"triple": triple}) is triple
