"""Half precision: skipped steps leave everything as it was, the scale rises and falls."""

import importlib

import numpy as np
import pytest

import kerasish
from kerasish import layers, mixed_precision

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def policy_put_back():
    yield
    mixed_precision.set_global_policy("float32")


def test_a_skipped_step_changes_only_the_scale():
    mixed_precision.set_global_policy("mixed_float16")
    model = kerasish.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(1)])
    inner = kerasish.optimizers.Adam(0.1)
    model.compile(
        mixed_precision.LossScaleOptimizer(inner, initial_scale=1024.0, dynamic_growth_steps=2),
        "mse",
    )
    x = RNG.normal(size=(8, 4)).astype("float32")
    y = RNG.normal(size=(8, 1)).astype("float32")
    assert model(x).dtype.name == "float16" and model.weights[0].dtype == "float32"
    model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    scale = model.optimizer.dynamic_scale
    assert float(scale) == 2048.0 and int(model.optimizer.iterations) == 2
    before = [*model.get_weights(), *(v.numpy() for v in inner.variables)]
    model.train_on_batch(x * 3e4, y)
    after = [*model.get_weights(), *(v.numpy() for v in inner.variables)]
    assert float(scale) == 1024.0 and int(model.optimizer.iterations) == 2
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_training_reaches_a_low_loss(policy):
    kerasish.utils.set_random_seed(0)
    mixed_precision.set_global_policy(policy)
    model = kerasish.Sequential([
        layers.Input((4,)), layers.Dense(16, activation="tanh"), layers.Dense(1, dtype="float32"),
    ])  # fmt: skip
    model.compile(kerasish.optimizers.Adam(0.02), "mse")
    x = RNG.normal(size=(128, 4)).astype("float32")
    y = x[:, :1] - 0.5 * x[:, 1:2]
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.02 < losses[0]


def test_names_are_those_of_config():
    assert mixed_precision.global_policy is kerasish.config.dtype_policy
    assert mixed_precision.Policy is kerasish.DTypePolicy


def dense_model():
    return kerasish.Sequential([
        layers.Input((20,)), layers.Dense(32, activation="relu"), layers.BatchNormalization(),
        layers.Dropout(0.2), layers.Dense(32, activation="gelu"), layers.LayerNormalization(),
        layers.Dense(5), layers.Activation("softmax", dtype="float32"),
    ])  # fmt: skip


def convolutional_model():
    return kerasish.Sequential([
        layers.Input((20,)), layers.Reshape((5, 4, 1)),
        layers.Conv2D(4, 3, padding="same", activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(2), layers.DepthwiseConv2D(2, padding="same"),
        layers.Conv2D(4, 2, padding="same", activation="swish"), layers.AveragePooling2D(2),
        layers.Flatten(), layers.Dense(5), layers.Activation("softmax", dtype="float32"),
    ])  # fmt: skip


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("make", [dense_model, convolutional_model])
def test_steps_have_native_kernels_and_agree_with_the_reference(make, policy, native, monkeypatch):
    """Node by node: a node that differs raises VerifyError."""
    shadow = importlib.import_module("kerasish_core.executors.native.shadow").ShadowProgram
    monkeypatch.setattr("kerasish_core.executors.native._library", lambda: shadow)
    mixed_precision.set_global_policy(policy)
    kerasish.utils.set_random_seed(0)
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = RNG.normal(size=(32, 20)).astype("float32"), RNG.integers(0, 5, 32)
    for _ in range(3):
        loss = model.train_on_batch(x, y)[0]
    assert np.isfinite(loss)
    model.test_on_batch(x, y)
    model.predict(x, verbose=0)
    for step in ("train", "test", "predict"):
        assert "generic" not in model.explain(step, "kernels")
