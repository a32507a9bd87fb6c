"""Legacy `.h5` files of the published Keras open here, and ours there."""

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


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


def sequential(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(5, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dense(3),
        ]
    )
    return model, floats(8, 6), floats(8, 3)


def functional(k):
    layers = k.layers
    a = k.Input((4,), name="a")
    shared = layers.Dense(4, activation="tanh")
    inner = k.Sequential([layers.Dense(4), layers.LayerNormalization()])
    joined = layers.Concatenate()([shared(a), shared(shared(a)), inner(a)])
    left = k.ops.relu(layers.Dense(3)(joined)) * 2.0
    return k.Model(a, left - 1.0), floats(6, 4), floats(6, 3)


def recurrent(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((5,)),
            layers.Embedding(11, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(3),
            layers.Dense(1),
        ]
    )
    return model, RNG.integers(0, 11, (4, 5)).astype("float32"), floats(4, 1)


def convolutional(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(4, 3),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    return model, floats(4, 8, 8, 2), floats(4, 2)


MODELS = [sequential, functional, recurrent, convolutional]
OPTIMIZERS = {
    "adam": lambda k: k.optimizers.Adam(0.02),
    "sgd": lambda k: k.optimizers.SGD(0.02, momentum=0.9),
    "rmsprop": lambda k: k.optimizers.RMSprop(
        k.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5), momentum=0.1
    ),
    "nadam": lambda k: k.optimizers.Nadam(0.02),
}


def fit(model, x, y):
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)


def both_ways():
    return ((keras, kerasish), (kerasish, keras))


@pytest.mark.slow
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_whole_models(make, tmp_path):
    for source, target in both_ways():
        model, x, _ = make(source)
        path = tmp_path / f"{source.__name__}.h5"
        model.save(path)
        twin = target.models.load_model(path)
        np.testing.assert_allclose(
            twin.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6
        )


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on(optimizer, tmp_path):
    # One way: Keras 3.15 builds the optimizer of such a file for no variables and starts afresh,
    # whoever wrote it.
    keras.utils.set_random_seed(0)  # steps of these optimizers jump where a gradient is near zero
    model, x, y = sequential(keras)
    model.compile(OPTIMIZERS[optimizer](keras), keras.losses.Huber(), metrics=["mae"])
    fit(model, x, y)
    path = tmp_path / "model.h5"
    model.save(path)
    twin = kerasish.models.load_model(path)
    for a, b in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), np.asarray(b.value))
    before = [m.evaluate(x, y, verbose=0) for m in (model, twin)]
    np.testing.assert_allclose(before[0], before[1], rtol=1e-5)
    fit(model, x, y)
    fit(twin, x, y)
    np.testing.assert_allclose(
        twin.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


def test_weights(tmp_path):
    model, x, _ = functional(kerasish)
    twin, _, _ = functional(keras)
    path = tmp_path / "weights.h5"
    model.save_weights(path)
    for by_name in (False, True):
        twin, _, _ = functional(keras)
        if by_name:
            for mine, theirs in zip(model.layers, twin.layers, strict=True):
                theirs.name = mine.name
        twin.load_weights(path, **({"by_name": True} if by_name else {}))
        np.testing.assert_allclose(
            twin.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6
        )


@pytest.mark.slow
def test_several_outputs_and_their_losses(tmp_path):
    for source, target in both_ways():
        layers = source.layers
        a, b = source.Input((3,), name="a"), source.Input((2,), name="b")
        joined = layers.Concatenate()([a, b])
        model = source.Model([a, b], [layers.Dense(1, name="u")(joined), layers.Dense(2)(joined)])
        # Keras 3.15 can't read the names "mse" and "mae" of such a file, not even its own.
        losses, metrics = source.losses, source.metrics
        model.compile(
            # Its config of Huber has no delta.
            "sgd", [losses.MeanSquaredError(), losses.Huber()],
            metrics=[[metrics.MeanAbsoluteError()], [metrics.MeanSquaredError()]],
            loss_weights=[1.0, 2.0],
        )  # fmt: skip
        x, y = [floats(4, 3), floats(4, 2)], [floats(4, 1), floats(4, 2)]
        model.fit(x, y, verbose=0)
        path = tmp_path / f"{source.__name__}.h5"
        model.save(path)
        twin = target.models.load_model(path)
        found = [sorted(m.evaluate(x, y, verbose=0)) for m in (model, twin)]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
