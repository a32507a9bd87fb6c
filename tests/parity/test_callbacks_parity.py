"""Callbacks that change training: weights, rates and figures as in the published Keras."""

import numpy as np
import pytest
from layer_pairs import both

# JAX compiles every step anew.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5)).astype("float32")
Y = RNG.normal(size=(24, 1)).astype("float32")
WEIGHTS = [RNG.normal(size=s).astype("float32") for s in [(5, 3), (3,), (3, 1), (1,)]]


def train(k, optimizer, hooks, **settings):
    layers = k.layers
    model = k.Sequential([layers.Input((5,)), layers.Dense(3, name="a"), layers.Dense(1, name="b")])
    model.set_weights(WEIGHTS)
    model.compile(optimizer(k), "mse", metrics=["mae"])
    history = model.fit(
        X, Y, batch_size=6, verbose=0, shuffle=False, callbacks=hooks(k), **settings
    ).history
    after = model.evaluate(X, Y, verbose=0, return_dict=True)
    return model, history, after


def agree(optimizer, hooks, **settings):
    theirs, ours = (train(k, optimizer, hooks, **settings) for k in both())
    for expected, found in zip(theirs[1:], ours[1:], strict=True):
        assert found.keys() == expected.keys()
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, err_msg=name)
    for a, b in zip(ours[0].get_weights(), theirs[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def ema(k):
    return k.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.7)


def test_averages_at_the_end_of_fit():
    agree(ema, lambda k: [], epochs=3)


@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_swapped_in(on_epoch):
    agree(
        ema, lambda k: [k.callbacks.SwapEMAWeights(on_epoch)], epochs=3,
        validation_data=(X[:8], Y[:8]),
    )  # fmt: skip


def test_rates_are_reduced():
    agree(
        lambda k: "sgd",
        lambda k: [k.callbacks.ReduceLROnPlateau("mae", 0.5, 1, min_delta=0.5, cooldown=2)],
        epochs=8,
    )


def test_rates_of_several_optimizers_are_reduced():
    def several(k):
        o = k.optimizers
        chosen = o.OptimizerMap(o.SGD(0.05, name="rest"), {".*a/.*": o.SGD(0.1, name="first")})
        return o.MultiOptimizer(chosen)

    agree(
        several,
        lambda k: [k.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=0.5, min_lr=0.02)],
        epochs=6,
    )


@pytest.mark.parametrize("monitor, mode", [("mae", "auto"), ("val_loss", "auto"), ("mae", "max")])
def test_early_stops(monitor, mode):
    agree(
        lambda k: k.optimizers.SGD(0.3),
        lambda k: [k.callbacks.EarlyStopping(
            monitor, min_delta=0.05, patience=1, mode=mode, restore_best_weights=True,
        )],
        epochs=8, validation_data=(X[:8], Y[:8]),
    )  # fmt: skip


def test_unknown_directions_are_refused():
    def largest(y_true, y_pred):
        return (y_pred - y_true) * 2

    for k in both():
        model = k.Sequential([k.layers.Input((5,)), k.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=[largest])
        with pytest.raises(ValueError, match="mode='max'"):
            model.fit(X, Y, verbose=0, callbacks=[k.callbacks.EarlyStopping("largest")])
