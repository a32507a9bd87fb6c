"""Models on another device, without a GPU: over the stand-in of CuPy."""

import numpy as np
import pytest

import kerasish as keras
import kerasish_core as core
from kerasish import layers


@pytest.fixture(autouse=True)
def global_seed():
    yield
    keras.utils.set_random_seed(0)  # else it stays where the last test had it: on a GPU


def dense():
    return [
        layers.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(0.3),
        layers.BatchNormalization(), layers.Dense(3, "softmax"),
    ]  # fmt: skip


def convolutional():
    return [
        layers.Input((6, 6, 2)), layers.Conv2D(4, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(), layers.BatchNormalization(), layers.Flatten(),
        layers.Dense(3, "softmax"),
    ]  # fmt: skip


def recurrent():
    return [
        layers.Input((5,), dtype="int32"), layers.Embedding(20, 4, mask_zero=True),
        layers.LSTM(6), layers.Dense(3, "softmax"),
    ]  # fmt: skip


@pytest.mark.parametrize("run_eagerly", [True, False])
@pytest.mark.parametrize(
    "build, optimizer", [(dense, "adam"), (convolutional, "sgd"), (recurrent, "rmsprop")]
)
def test_models_train(cupy, build, optimizer, run_eagerly):
    """As on the CPU: the same draws, the same losses."""
    rng = np.random.default_rng(0)
    outcomes = []
    for where in ("cpu", "gpu"):
        with core.device_scope(where):
            keras.utils.set_random_seed(3)
            model = keras.Sequential(build())
            if where == "cpu":
                x = rng.normal(size=(8, *model.input_shape[1:])) * 3
                x = np.abs(x).astype("int32") if build is recurrent else x.astype("float32")
                y = rng.integers(0, 3, 8)
            model.compile(
                optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"],
                run_eagerly=run_eagerly,
            )  # fmt: skip
            history = model.fit(x, y, batch_size=3, epochs=2, verbose=0, validation_data=(x, y))
            assert all(v.value.device.startswith(where) for v in model.variables)
            outcomes.append((history.history, model.predict(x, verbose=0), model.get_weights()))
    (logs, predicted, weights), (logs_gpu, predicted_gpu, weights_gpu) = outcomes
    for name, values in logs.items():
        np.testing.assert_allclose(logs_gpu[name], values, rtol=1e-5, atol=1e-6)
    assert type(predicted_gpu) is np.ndarray
    np.testing.assert_allclose(predicted_gpu, predicted, rtol=1e-5, atol=1e-6)
    for w, v in zip(weights_gpu, weights, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-4, atol=1e-6)
