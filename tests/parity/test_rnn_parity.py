"""Recurrent layers against the published Keras: values, states and gradients."""

import itertools

import keras
import numpy as np
import pytest

import kerasish

# JAX compiles every step anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}


def run(k, name, options, mask, start):
    layer = getattr(k.layers, name)(3, **options)
    layer.build((3, 5, 4))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    rows = [rng.normal(size=(3, 3)).astype("float32") for _ in range(STATES[name])]
    found = layer(
        k.ops.convert_to_tensor(X),
        initial_state=list(map(k.ops.convert_to_tensor, rows)) if start else None,
        mask=None if mask is None else k.ops.convert_to_tensor(mask),
    )
    return [np.asarray(y) for y in k.tree.flatten(found)]


def compare(name, options, mask=None, start=False):
    theirs, ours = (run(k, name, options, mask, start) for k in (keras, kerasish))
    assert [y.shape for y in ours] == [y.shape for y in theirs]
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


SWITCHES = ("return_sequences", "go_backwards", "zero_output_for_mask")


@pytest.mark.parametrize("name", STATES)
def test_values_step_by_step(name):
    """The loop over a cell, which serves cells of the user's own, treats masks in the same way."""
    for flags in itertools.product([False, True], repeat=3):
        options = {"return_state": True, "activation": "softsign", **dict(zip(SWITCHES, flags))}
        compare(name, options, MASK, start=True)


@pytest.mark.parametrize("start", [False, True], ids=["zeros", "given"])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
@pytest.mark.parametrize("name", STATES)
def test_values(name, masked, start):
    for flags in itertools.product([False, True], repeat=3 if masked else 2):
        options = {"return_state": True, **dict(zip(SWITCHES, flags))}
        compare(name, options, MASK if masked else None, start)


OPTIONS = [
    {"activation": "relu"},
    {"activation": "linear", "use_bias": False},
    {"activation": "sigmoid", "use_bias": False},
    {"activation": "softsign"},
    {"activation": None},
]
GATED = [
    {"recurrent_activation": "hard_sigmoid"},
    {"recurrent_activation": "tanh"},
    {"recurrent_activation": "softsign"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", STATES)
def test_activations(name, options):
    compare(name, options)
    compare(name, {**options, "return_sequences": True}, MASK)


@pytest.mark.parametrize("options", [*GATED, {"reset_after": False}], ids=str)
def test_gates(options):
    compare("GRU", options, MASK)
    if "reset_after" not in options:
        compare("LSTM", options, MASK)


def model(k, name, **options):
    layers = k.layers
    found = k.Sequential(
        [
            k.Input((5,), dtype="int32"),
            layers.Embedding(7, 4, mask_zero=True),
            layers.Bidirectional(getattr(layers, name)(3, return_sequences=True)),
            getattr(layers, name)(3, **options),
            layers.Dense(1),
        ]
    )
    rng = np.random.default_rng(2)
    found.set_weights([rng.normal(size=w.shape) * 0.5 for w in found.get_weights()])
    found.compile(k.optimizers.SGD(0.1), "mse")
    return found


@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"go_backwards": True}], ids=str)
@pytest.mark.parametrize("name", STATES)
def test_training(name, options):
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 7, (6, 5)), rng.normal(size=(6, 1)).astype("float32")
    x[0] = 0
    results = []
    for k in (keras, kerasish):
        m = model(k, name, **options)
        losses = [m.train_on_batch(x, y) for _ in range(3)]
        results.append((losses, m.get_weights()))
    (a, v), (b, w) = results
    np.testing.assert_allclose(np.array(b, float), np.array(a, float), rtol=2e-5)
    for p, q in zip(v, w, strict=True):
        np.testing.assert_allclose(q, p, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", STATES)
def test_stateful(name):
    found = []
    for k in (keras, kerasish):
        layer = getattr(k.layers, name)(3, stateful=True, return_sequences=True)
        layer.build((3, 5, 4))
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
        found.append([np.asarray(layer(k.ops.convert_to_tensor(X))) for _ in range(2)])
    for a, b in zip(*found):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-6)


class Halved(kerasish.layers.LSTMCell):
    """A cell of the user's own, which the built-in recurrence would not know."""

    def call(self, sequence, states, training=False):
        h, (_, c) = super().call(sequence, states, training)
        return h / 2, [h / 2, c]


def test_a_users_cell_is_called_step_by_step():
    plain, own = (
        kerasish.layers.RNN(c(3), return_sequences=True) for c in (kerasish.layers.LSTMCell, Halved)
    )
    a = np.asarray(plain(X))
    own.build(X.shape)
    own.set_weights(plain.get_weights())
    np.testing.assert_allclose(np.asarray(own(X))[:, 0], a[:, 0] / 2, rtol=1e-5)


@pytest.mark.parametrize("name", STATES)
def test_recurrent_dropout_still_drops(name):
    layer = getattr(kerasish.layers, name)(64, recurrent_dropout=0.5, dropout=0.5, seed=1)
    a, b = (np.asarray(layer(X, training=t)) for t in (False, True))
    assert np.abs(a - b).max() > 1e-3
    np.testing.assert_array_equal(np.asarray(layer(X)), a)


def test_dropout_is_shared_by_all_steps():
    """The mask of the inputs is drawn once for a sequence, whichever way the steps run."""
    found = []
    for cell in (kerasish.layers.LSTMCell, Same):
        layer = kerasish.layers.RNN(cell(3, dropout=0.5, seed=4), return_sequences=True)
        layer.build(X.shape)
        rng = np.random.default_rng(5)
        layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
        found.append(np.asarray(layer(X, training=True)))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)


class Same(kerasish.layers.LSTMCell):
    """The built-in cell under another name, so that it runs step by step."""


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
@pytest.mark.parametrize("cell", ["LSTMCell", "GRUCell", "SimpleRNNCell"])
def test_a_cell_with_another_policy(policy, cell):
    x = np.random.default_rng(2).normal(size=(2, 5, 4)).astype("float32")
    found = []
    for k in (keras, kerasish):
        layer = k.layers.RNN(
            getattr(k.layers, cell)(3, kernel_initializer="ones", recurrent_initializer="zeros"),
            return_sequences=True, dtype=policy,
        )  # fmt: skip
        i = k.Input((5, 4))
        model = k.Model(i, layer(i))
        found.append([model.output.dtype, np.asarray(model.predict(x, verbose=0), "float32")])
        assert k.backend.standardize_dtype(layer(x).dtype) == model.output.dtype
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("unroll", [False, True])
def test_a_cell_with_a_gradient_of_its_own(unroll):
    found = []
    for k in (keras, kerasish):

        @k.ops.custom_gradient
        def turned(x):
            return (
                x * 1.5,
                lambda *args, upstream=None: -(args[0] if upstream is None else upstream),
            )

        class Cell(k.layers.Layer):
            state_size = output_size = 4

            def call(self, x, states, k=k, turned=turned):
                state = k.ops.tanh(turned(x) + 0.5 * states[0])
                return state, [state]

        model = k.Sequential(
            [k.Input((5, 4)), k.layers.Dense(4), k.layers.RNN(Cell(), unroll=unroll)]
        )
        rng = np.random.default_rng(2)
        model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
        model.compile(k.optimizers.SGD(0.1), "mse")
        model.fit(X, X[:, 0], epochs=3, batch_size=3, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-6)
