"""Training in half precision: losses, loss scales and skipped steps as in the published Keras."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from layer_pairs import both

import kerasish

pytestmark = [
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 8)).astype("float32")
X[17, 3] = 6e4  # its gradient leaves the range of float16 once the loss is scaled
LABELS = RNG.integers(0, 3, 48)


@pytest.fixture(autouse=True)
def policy_put_back():
    yield
    for k in (keras, kerasish):
        k.mixed_precision.set_global_policy("float32")


def classifiers(policy, optimizer):
    models = []
    for k in both():
        k.mixed_precision.set_global_policy(policy)
        assert k.mixed_precision.global_policy().name == policy
        layers = k.layers
        model = k.Sequential([
            layers.Input((8,)), layers.Dense(16, activation="relu"), layers.BatchNormalization(),
            layers.Dense(3), layers.Activation("softmax", dtype="float32"),
        ])  # fmt: skip
        model.compile(optimizer(k), "sparse_categorical_crossentropy")
        models.append(model)
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    assert [v.dtype for v in ours.variables] == [v.dtype for v in theirs.variables]
    return theirs, ours


def batch(i):
    rows = slice(8 * (i % 6), 8 * (i % 6) + 8)
    return X[rows], LABELS[rows]


def test_steps_of_float16_are_scaled_and_skipped_alike():
    theirs, ours = classifiers(
        "mixed_float16",
        lambda k: k.mixed_precision.LossScaleOptimizer(
            k.optimizers.Adam(0.01), dynamic_growth_steps=3
        ),
    )
    scales = []
    for i in range(12):
        expected, found = (m.train_on_batch(*batch(i)) for m in (theirs, ours))
        assert found == pytest.approx(expected, rel=2e-3), i
        a, b = ours.optimizer, theirs.optimizer
        for name in ("dynamic_scale", "step_counter", "iterations"):
            assert float(getattr(a, name)) == float(getattr(b, name)), (i, name)
        scales.append(float(a.dynamic_scale))
    changes = [b / a for a, b in pairwise(scales)]
    assert 2.0 in changes and 0.5 in changes and int(ours.optimizer.iterations) < 12
    for a, b in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=2e-3)


@pytest.mark.slow
def test_steps_of_bfloat16():
    theirs, ours = classifiers("mixed_bfloat16", lambda k: k.optimizers.SGD(0.05, momentum=0.9))
    assert type(ours.optimizer).__name__ == "SGD"
    for i in (0, 1, 3, 4, 5, 0, 1, 3):
        expected, found = (m.train_on_batch(*batch(i)) for m in (theirs, ours))
        # bfloat16 has 8 bits of mantissa.
        assert found == pytest.approx(expected, rel=1e-2), i


@pytest.mark.slow
def test_compile_wraps_the_optimizer():
    theirs, ours = classifiers("mixed_float16", lambda k: "sgd")
    for model in (theirs, ours):
        assert type(model.optimizer).__name__ == "LossScaleOptimizer"
        assert model.optimizer.name == "loss_scale_optimizer"

        history = model.fit(X[:16], LABELS[:16], epochs=3, batch_size=8, verbose=0, shuffle=False)
        model.figures = history.history["loss"]
    assert ours.figures == pytest.approx(theirs.figures, rel=2e-3)
    k = kerasish
    plain = k.Sequential([k.layers.Input((8,)), k.layers.Dense(1)])
    plain.compile("sgd", "mse", auto_scale_loss=False)
    assert type(plain.optimizer).__name__ == "SGD"


@pytest.mark.parametrize(
    "arguments", [{"clipnorm": 1.0}, {"use_ema": True}, {"weight_decay": 0.1}, {"foo": 1}], ids=str
)
def test_what_is_the_inner_optimizers_to_have_is_refused(arguments):
    for k in both():
        with pytest.raises(ValueError, match="does not support"):
            k.mixed_precision.LossScaleOptimizer(k.optimizers.SGD(), **arguments)
        inner = k.optimizers.SGD(loss_scale_factor=4.0)
        k.mixed_precision.LossScaleOptimizer(inner, use_ema=False)  # an older file's default
        assert inner.loss_scale_factor is None
