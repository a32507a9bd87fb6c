"""fit, evaluate, predict and single batches give the figures of the published Keras."""

import keras
import numpy as np
import pytest

import kerasish

pytestmark = [
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
]

RNG = np.random.default_rng(0)
N = 50
X = RNG.normal(size=(N, 8)).astype("float32")
LABELS = RNG.integers(0, 3, N)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
TARGET = RNG.normal(size=(N, 1)).astype("float32")
IMAGES = RNG.normal(size=(N, 8, 8, 1)).astype("float32")
TOKENS = RNG.integers(0, 20, (N, 6))
BITS = RNG.integers(0, 2, N)
SERIES = RNG.normal(size=(N, 5, 3)).astype("float32")
SERIES[:, 3:] = 0


def mlp(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((8,)), layers.Dense(16, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def convnet(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(3),
    ])  # fmt: skip


def lstm(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((6,)), layers.Embedding(20, 5, mask_zero=True), layers.LSTM(4),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def masked(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((5, 3)), layers.Masking(), layers.GRU(4, return_sequences=True),
        layers.Dense(2),
    ])  # fmt: skip


def regression(k):
    return k.Sequential([k.layers.Input((8,)), k.layers.Dense(4, "tanh"), k.layers.Dense(1)])


def two_outputs(k, as_dict=False):
    layers = k.layers
    a, b = layers.Input((8,), name="a"), layers.Input((8,), name="b")
    shared = layers.Dense(6, activation="tanh")
    h = layers.concatenate([shared(a), shared(b)])
    cls = layers.Dense(3, activation="softmax", name="cls")(h)
    reg = layers.Dense(1, name="reg")(h)
    return k.Model([a, b], {"cls": cls, "reg": reg} if as_dict else [cls, reg])


def two_outputs_dict(k):
    return two_outputs(k, as_dict=True)


PAIR = [X, X[::-1].copy()]
SCE = "sparse_categorical_crossentropy"
WEIGHTS = RNG.uniform(size=N).astype("float32")


def from_logits(k):
    return k.losses.SparseCategoricalCrossentropy(from_logits=True)


# name: (model, x, y, compile, fit); a callable compile value is given the library.
CASES = {
    "mlp": (mlp, X, LABELS, dict(optimizer="adam", loss=SCE, metrics=["accuracy"]), {}),
    "mlp, one-hot": (mlp, X, ONE_HOT, dict(
        optimizer="rmsprop", loss="categorical_crossentropy", metrics=["acc", "crossentropy"]), {}),
    "validation split": (mlp, X, LABELS, dict(optimizer="adam", loss=SCE, metrics=["accuracy"]),
                         dict(validation_split=0.3)),
    "validation data, weighted": (mlp, X, LABELS, dict(
        optimizer="sgd", loss=SCE, metrics=["accuracy"], weighted_metrics=["accuracy"]),
        dict(validation_data=(X[:20], LABELS[:20], WEIGHTS[:20]), validation_batch_size=7)),
    "validation freq": (mlp, X, LABELS, dict(optimizer="sgd", loss=SCE),
                        dict(validation_data=(X[:20], LABELS[:20]), validation_freq=2)),
    "class weight": (mlp, X, LABELS, dict(
        optimizer=lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True), loss=SCE,
        metrics=["accuracy"], weighted_metrics=["accuracy"]),
        dict(class_weight={0: 1.0, 1: 2.0, 2: 0.5})),
    "class weight, one-hot": (mlp, X, ONE_HOT, dict(
        optimizer="adam", loss="categorical_crossentropy"), dict(class_weight={0: 1.0, 1: 3.0})),
    "sample weight": (mlp, X, LABELS, dict(
        optimizer="rmsprop", loss=SCE, metrics=["accuracy"],
        weighted_metrics=["accuracy", SCE]), dict(sample_weight=WEIGHTS)),
    "convnet": (convnet, IMAGES, LABELS, dict(optimizer="sgd", loss=from_logits,
                                              metrics=["acc"]), {}),
    "lstm with a mask": (lstm, TOKENS, BITS, dict(
        optimizer="adam", loss="binary_crossentropy", metrics=["accuracy", "AUC"]), {}),
    "mask reaches loss and metrics": (masked, SERIES, SERIES[..., :2], dict(
        optimizer="sgd", loss="mse", metrics=["mae"], weighted_metrics=["mae"]), {}),
    "mask and sample weight": (masked, SERIES, SERIES[..., :2], dict(
        optimizer="sgd", loss="mse", weighted_metrics=["mae"]),
        dict(sample_weight=RNG.uniform(size=(N, 5)).astype("float32"))),
    "sum reduction": (regression, X, TARGET, dict(
        optimizer=lambda k: k.optimizers.SGD(1e-3),
        loss=lambda k: k.losses.MeanSquaredError(reduction="sum")), {}),
    "labels without last axis": (regression, X, TARGET[:, 0], dict(
        optimizer="sgd", loss="mse", metrics=["mae", "mse"]), {}),
    "loss function": (regression, X, TARGET, dict(
        optimizer="sgd", loss=lambda k: lambda t, p: k.ops.square(t - p) * 2), {}),
    "loss weight of one output": (regression, X, TARGET, dict(
        optimizer="sgd", loss="mse", loss_weights=0.5, metrics=["mae"]), {}),
    "metric function": (regression, X, TARGET, dict(
        optimizer="sgd", loss="mse",
        metrics=lambda k: [own_metric(k), k.metrics.MeanSquaredError(name="again")]), {}),
    "two outputs, lists": (two_outputs, PAIR, [LABELS, TARGET], dict(
        optimizer="adam", loss=[SCE, "mse"], loss_weights=[1.0, 0.3],
        metrics=[["accuracy"], ["mae"]]), dict(validation_split=0.2)),
    "two outputs, dictionaries": (two_outputs, PAIR, {"cls": LABELS, "reg": TARGET}, dict(
        optimizer="adam", loss={"cls": SCE, "reg": "mse"}, loss_weights={"cls": 0.5, "reg": 2.0},
        metrics={"cls": ["accuracy"], "reg": ["mae"]}), {}),
    "two outputs, one loss": (two_outputs, PAIR, [ONE_HOT, TARGET], dict(
        optimizer="adam", loss=["mse", "mae"], metrics=["mse", "mae"]), {}),
    "two outputs, one trained": (two_outputs, PAIR, {"cls": LABELS, "reg": TARGET}, dict(
        optimizer="adam", loss={"cls": SCE}, metrics={"reg": "mae"}), {}),
    "two outputs, weights by output": (two_outputs, PAIR, [LABELS, TARGET], dict(
        optimizer="adam", loss=[SCE, "mse"], weighted_metrics=[["accuracy"], ["mae"]]),
        dict(sample_weight=[WEIGHTS, WEIGHTS[::-1].copy()])),
    "dictionary of outputs": (two_outputs_dict, {"a": X, "b": PAIR[1]},
                              {"cls": LABELS, "reg": TARGET}, dict(
        optimizer="adam", loss={"cls": SCE, "reg": "mse"},
        metrics={"cls": ["accuracy"], "reg": ["mae", "mse"]}), {}),
}  # fmt: skip


def own_metric(k):
    def largest_error(y_true, y_pred):
        return k.ops.max(k.ops.abs(y_true - y_pred), axis=-1)

    return largest_error


def pair(make):
    judge, ours = make(keras), make(kerasish)
    ours.set_weights(judge.get_weights())
    return (keras, judge), (kerasish, ours)


def compiled(k, model, settings):
    model.compile(**{n: v(k) if callable(v) else v for n, v in settings.items()})
    return model


def assert_same_logs(ours, judge, tolerance=1e-4):
    assert list(ours) == list(judge)
    for name in judge:
        np.testing.assert_allclose(
            ours[name], judge[name], rtol=tolerance, atol=tolerance, err_msg=name
        )


@pytest.mark.parametrize("name", CASES)
def test_fit_evaluate_predict(name):
    make, x, y, settings, fit = CASES[name]
    found = []
    for k, model in pair(make):
        compiled(k, model, settings)
        history = model.fit(x, y, epochs=3, shuffle=False, verbose=0, batch_size=16, **fit)
        weights = fit.get("sample_weight")
        found.append((
            history.history,
            model.evaluate(x, y, batch_size=16, verbose=0, sample_weight=weights),
            model.evaluate(x, y, batch_size=16, verbose=0, sample_weight=weights, return_dict=True),
            list(model.metrics_names),
            model.predict(x, verbose=0, batch_size=16),
        ))  # fmt: skip
    judge, ours = found
    assert_same_logs(ours[0], judge[0])
    np.testing.assert_allclose(ours[1], judge[1], rtol=1e-4, atol=1e-4)
    assert_same_logs(ours[2], judge[2])
    assert ours[3] == judge[3]
    assert type(ours[4]) is type(judge[4])
    for a, b in zip(keras.tree.flatten(ours[4]), keras.tree.flatten(judge[4]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["mlp", "sample weight", "two outputs, lists", "dictionary of outputs"]
)
def test_single_batches(name):
    make, x, y, settings, fit = CASES[name]
    weights = fit.get("sample_weight")
    judge, ours = [], []
    for (k, model), found in zip(pair(make), (judge, ours), strict=True):
        compiled(k, model, settings)
        found.append(model.train_on_batch(x, y, sample_weight=weights))
        found.append(model.train_on_batch(x, y, sample_weight=weights, return_dict=True))
        found.append(model.test_on_batch(x, y, sample_weight=weights))
        found.append(model.test_on_batch(x, y, sample_weight=weights, return_dict=True))
    for a, b in zip(ours, judge, strict=True):
        if isinstance(b, dict):
            assert_same_logs(a, b)
        else:
            assert isinstance(a, list) == isinstance(b, list)
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_generator_and_steps():
    def batches(count):
        for i in range(count):
            rows = slice(10 * (i % 5), 10 * (i % 5) + 10)
            yield X[rows], LABELS[rows], WEIGHTS[rows]

    found = []
    for k, model in pair(mlp):
        compiled(k, model, dict(optimizer="sgd", loss=SCE, weighted_metrics=["accuracy"]))
        history = model.fit(batches(12), epochs=3, steps_per_epoch=4, verbose=0,
                            validation_data=batches(30), validation_steps=2)  # fmt: skip
        found.append(history.history)
    assert_same_logs(found[1], found[0])
