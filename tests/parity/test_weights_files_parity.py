"""`.weights.h5` files of the published Keras load here, and ours load there."""

import h5py
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


def sequential(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(5, activation="relu", name="named"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )
    return model, RNG.normal(size=(8, 6)).astype("float32")


def deferred(k):
    model = k.Sequential([k.layers.Embedding(11, 4), k.layers.LSTM(3), k.layers.Dense(2)])
    model.build((None, 5))
    return model, RNG.integers(0, 11, (4, 5))


def functional(k):
    layers = k.layers
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    shared = layers.Dense(4)
    left = shared(a)
    right = layers.Dense(4)(b)
    joined = layers.Concatenate()([left, shared(right), layers.Dense(2)(b)])
    first = layers.Dense(1)(joined)
    second = layers.Dense(2, activation="softmax")(layers.BatchNormalization()(joined))
    model = k.Model([a, b], [first, second])
    data = [RNG.normal(size=(5, n)).astype("float32") for n in (4, 3)]
    return model, data


def nested(k):
    layers = k.layers
    inner = k.Sequential([layers.Dense(4), layers.Dense(3)])
    x = k.Input((5, 2))
    y = layers.Bidirectional(layers.GRU(2, return_sequences=True))(x)
    deeper = k.Model(x, layers.LayerNormalization()(y))
    z = layers.SimpleRNN(3)(deeper(x))
    return k.Model(x, inner(z) + z), RNG.normal(size=(3, 5, 2)).astype("float32")


def convolutional(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    return model, RNG.normal(size=(2, 8, 8, 2)).astype("float32")


def subclassed(k):
    layers = k.layers

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = layers.LayerNormalization()
            self.parts = [layers.Dense(4), layers.Dense(4, name="other")]
            self.by_name = {"z": layers.Dense(4), "a": [layers.Dense(4)]}
            self.scale = self.add_weight(shape=(4,), initializer="ones", name="scale")

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return self.norm(self.by_name["a"][0](self.by_name["z"](x)) * self.scale)

    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.zlast = layers.Dense(2)
            self._private = layers.Dense(4)
            self.blocks = [Block(), Block()]
            self.Upper = layers.Dense(4)
            self.drop = layers.Dropout(0.1)
            self.again = self.Upper
            self.pair = (layers.Dense(4), "text")

        def call(self, x, training=None):
            x = self._private(self.Upper(x))
            for block in self.blocks:
                x = block(x)
            return self.zlast(self.drop(self.pair[0](x), training=training))

    model, x = Net(), RNG.normal(size=(3, 4)).astype("float32")
    model(x)
    return model, x


def functional_subclass(k):
    layers = k.layers

    class Net(k.Model):
        def __init__(self):
            x = k.Input((3,))
            hidden = layers.Dense(4)
            super().__init__(x, layers.Dense(2)(hidden(x)))
            self.hidden = hidden

    return Net(), RNG.normal(size=(3, 3)).astype("float32")


MODELS = [
    sequential, deferred, functional, nested, convolutional, subclassed, functional_subclass,
]  # fmt: skip


def scramble(model, seed):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 1, w.shape).astype(w.dtype) for w in model.get_weights()])


def tree_of(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update(
                {name: (getattr(item, "shape", None), "name" in item.attrs)}
            )
        )
    return found


def predictions(model, x):
    y = model.predict(x, verbose=0)
    return y if isinstance(y, list) else [y]


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_both_ways(make, tmp_path):
    theirs, x = make(keras)
    ours, _ = make(kerasish)
    scramble(theirs, 1)
    scramble(ours, 2)
    there, here = tmp_path / "there.weights.h5", tmp_path / "here.weights.h5"
    theirs.save_weights(there)
    ours.save_weights(here)
    assert tree_of(there) == tree_of(here)
    ours.load_weights(there)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)
    for a, b in zip(predictions(ours, x), predictions(theirs, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)
    theirs.load_weights(here)
    ours.load_weights(here)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_optimizer_state_goes_both_ways(optimizer, tmp_path):
    models = []
    for k in (keras, kerasish):
        model, x = sequential(k)
        scramble(model, 3)
        model.compile(optimizer, "mse")
        y = np.ones((len(x), 3), "float32")
        model.fit(x, y, verbose=0, batch_size=4, shuffle=False)
        models.append(model)
    theirs, ours = models
    there, here = tmp_path / "there.weights.h5", tmp_path / "here.weights.h5"
    theirs.save_weights(there)
    ours.save_weights(here)
    assert tree_of(there) == tree_of(here)
    ours.load_weights(there)
    for v, w in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(v.numpy(), np.asarray(w.value))
    theirs.load_weights(here)
    np.testing.assert_array_equal(theirs.optimizer.variables[0].numpy(), 2)


def test_bfloat16(tmp_path):
    for source, target in ((keras, kerasish), (kerasish, keras)):
        pair = [
            k.Sequential([k.layers.Input((2,)), k.layers.Dense(3, dtype="bfloat16")])
            for k in (source, target)
        ]
        path = tmp_path / f"{source.__name__}.weights.h5"
        pair[0].save_weights(path)
        pair[1].load_weights(path)
        for a, b in zip(pair[0].get_weights(), pair[1].get_weights(), strict=True):
            assert a.dtype.name == b.dtype.name == "bfloat16"
            np.testing.assert_array_equal(a.astype("float32"), b.astype("float32"))


@pytest.mark.parametrize("make", [sequential, deferred, functional, nested, convolutional])
def test_whole_models_go_both_ways(make, tmp_path):
    for source, target in ((keras, kerasish), (kerasish, keras)):
        model, x = make(source)
        scramble(model, 4)
        path = tmp_path / f"{source.__name__}.keras"
        model.save(path)
        twin = target.models.load_model(path)
        for a, b in zip(twin.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(predictions(twin, x), predictions(model, x), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_compiled_models_go_both_ways(tmp_path):
    for source, target in ((keras, kerasish), (kerasish, keras)):
        model, x = sequential(source)
        y = np.ones((len(x), 3), "float32")
        model.compile(source.optimizers.Adam(0.02), "mse", metrics=["mae"])
        model.fit(x, y, verbose=0)
        path = tmp_path / f"{source.__name__}.keras"
        model.save(path)
        twin = target.models.load_model(path)
        assert twin.optimizer.get_config()["learning_rate"] == pytest.approx(0.02)
        for a, b in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(a.value), np.asarray(b.value))
        np.testing.assert_allclose(
            twin.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5
        )
