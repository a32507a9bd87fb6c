"""The same small models, weights and data in real Keras and here: logs of fit and predictions."""

import numpy as np
import pytest

# Keras converts its own variables in a way that NumPy 2 warns about.
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 8)).astype("float32")
Y = RNG.integers(0, 3, 70)
IMAGES = RNG.normal(size=(70, 8, 8, 1)).astype("float32")
TEXT = RNG.integers(0, 20, (70, 6))
BITS = RNG.integers(0, 2, 70)
REAL = RNG.normal(size=(70, 1)).astype("float32")


def mlp(k):
    return k.Sequential(
        [
            k.layers.Input((8,)),
            k.layers.Dense(16, activation="relu", kernel_regularizer=k.regularizers.L2(1e-3)),
            k.layers.BatchNormalization(),
            k.layers.Dense(3, activation="softmax"),
        ]
    )


def convnet(k):
    return k.Sequential(
        [
            k.layers.Input((8, 8, 1)),
            k.layers.Conv2D(4, 3, activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.Flatten(),
            k.layers.Dense(3),
        ]
    )


def lstm(k):
    return k.Sequential(
        [
            k.layers.Input((6,)),
            k.layers.Embedding(20, 5, mask_zero=True),
            k.layers.Bidirectional(k.layers.LSTM(4, return_sequences=True)),
            k.layers.GRU(3),
            k.layers.Dense(1, activation="sigmoid"),
        ]
    )


def shared(k):
    a, b = k.layers.Input((8,), name="a"), k.layers.Input((8,), name="b")
    dense = k.layers.Dense(6, activation="tanh")
    h = k.layers.concatenate([dense(a), dense(b)])
    h = k.ops.add(h, 0.5)
    first = k.layers.Dense(3, activation="softmax", name="kind")(h)
    second = k.layers.Dense(1, name="size")(h * 2.0)
    return k.Model([a, b], [first, second])


CASES = {
    "mlp": (
        mlp, X, Y,
        lambda k: dict(
            optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
        ),
        dict(validation_split=0.2),
    ),
    "class_weight": (
        mlp, X, Y,
        lambda k: dict(
            optimizer=k.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
            loss="sparse_categorical_crossentropy", metrics=["accuracy"],
        ),
        dict(class_weight={0: 1.0, 1: 2.0, 2: 0.5}),
    ),
    "sample_weight": (
        mlp, X, Y,
        lambda k: dict(
            optimizer=k.optimizers.RMSprop(0.01), loss="sparse_categorical_crossentropy",
            metrics=["accuracy"], weighted_metrics=["accuracy"],
        ),
        dict(sample_weight=RNG.uniform(size=70)),
    ),
    "convnet": (
        convnet, IMAGES, Y,
        lambda k: dict(
            optimizer=k.optimizers.AdamW(0.01, weight_decay=0.01),
            loss=k.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["acc"],
        ),
        {},
    ),
    "lstm": (
        lstm, TEXT, BITS,
        lambda k: dict(
            optimizer=k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)),
            loss="binary_crossentropy", metrics=["accuracy", "AUC"],
        ),
        {},
    ),
    "shared": (
        shared, [X, X[::-1].copy()], [Y, REAL],
        lambda k: dict(
            optimizer="adam", loss=["sparse_categorical_crossentropy", "mse"],
            loss_weights=[1.0, 0.3], metrics=[["accuracy"], ["mae"]],
        ),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("name", CASES)
def test_fit_agrees(name, eager):
    import keras

    import kerasish

    build, x, y, settings, options = CASES[name]
    theirs, ours = build(keras), build(kerasish)
    ours.set_weights(theirs.get_weights())
    logs, predictions = [], []
    for k, model in ((keras, theirs), (kerasish, ours)):
        extra = {"run_eagerly": True} if eager and k is kerasish else {}
        model.compile(**settings(k), **extra)
        fitted = model.fit(x, y, epochs=3, shuffle=False, verbose=0, batch_size=16, **options)
        logs.append(fitted.history)
        predictions.append(model.predict(x, verbose=0))
    assert list(logs[0]) == list(logs[1])
    for key in logs[0]:
        np.testing.assert_allclose(logs[1][key], logs[0][key], rtol=1e-4, atol=1e-4, err_msg=key)
    pairs = [predictions] if not isinstance(predictions[0], list) else zip(*predictions)
    for theirs_out, ours_out in pairs:
        np.testing.assert_allclose(ours_out, theirs_out, rtol=1e-5, atol=1e-5)
    assert ours.run_eagerly is eager  # nothing fell back silently


@pytest.mark.parametrize("build", [mlp, convnet, lstm, shared])
def test_weights_files_open_in_both(build, tmp_path):
    import keras

    import kerasish

    theirs, ours = build(keras), build(kerasish)
    x = {mlp: X, convnet: IMAGES, lstm: TEXT}.get(build, [X, X])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    expected = theirs.predict(x, verbose=0)
    found = ours.predict(x, verbose=0)
    for e, f in zip(*(v if isinstance(v, list) else [v] for v in (expected, found))):
        np.testing.assert_allclose(f, e, rtol=1e-5, atol=1e-6)
    fresh = build(kerasish)
    fresh.save_weights(tmp_path / "ours.weights.h5")
    theirs.load_weights(tmp_path / "ours.weights.h5")
    expected, found = fresh.predict(x, verbose=0), theirs.predict(x, verbose=0)
    for e, f in zip(*(v if isinstance(v, list) else [v] for v in (expected, found))):
        np.testing.assert_allclose(f, e, rtol=1e-5, atol=1e-6)
