"""`.keras` archives and sharded weights of all layers go both ways between here and Keras."""

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


def vectors(k):
    l = k.layers
    return (6,), floats(3, 6), [
        l.Dense(4, activation="gelu", kernel_constraint="max_norm"),
        l.EinsumDense("ab,bc->ac", output_shape=4, bias_axes="c"),
        l.BatchNormalization(), l.LayerNormalization(), l.RMSNormalization(),
        l.UnitNormalization(), l.GroupNormalization(2), l.SpectralNormalization(l.Dense(3)),
        l.Activation("swish"), l.ReLU(5.0, 0.1), l.LeakyReLU(0.2), l.ELU(0.7), l.PReLU(),
        l.Softmax(), l.Dropout(0.5, seed=3), l.AlphaDropout(0.1), l.GaussianDropout(0.1),
        l.GaussianNoise(0.1), l.Identity(), l.RepeatVector(2), l.Reshape((2, 3)), l.Flatten(),
        l.ActivityRegularization(0.1), l.Rescaling(2.0, 1.0), l.Masking(0.5),
    ]  # fmt: skip


def sequences(k):
    l = k.layers
    return (6, 4), floats(2, 6, 4), [
        l.LSTM(3), l.GRU(3, return_sequences=True), l.GRU(3, reset_after=False), l.SimpleRNN(3),
        l.Bidirectional(l.LSTM(2), merge_mode="sum"), l.TimeDistributed(l.Dense(3)),
        l.RNN([l.LSTMCell(3), l.GRUCell(2)]), l.Conv1D(3, 2, padding="causal"),
        l.SeparableConv1D(3, 2), l.DepthwiseConv1D(2), l.Conv1DTranspose(3, 2),
        l.MaxPooling1D(2), l.AveragePooling1D(2), l.GlobalMaxPooling1D(),
        l.GlobalAveragePooling1D(), l.AdaptiveAveragePooling1D(3), l.UpSampling1D(2),
        l.ZeroPadding1D(1), l.Cropping1D(1), l.Permute((2, 1)), l.SpatialDropout1D(0.2),
    ]  # fmt: skip


def images(k):
    l = k.layers
    return (8, 8, 4), floats(2, 8, 8, 4), [
        l.Conv2D(4, 3, groups=2, activation="relu"), l.Conv2DTranspose(3, 3, strides=2),
        l.SeparableConv2D(3, 3), l.DepthwiseConv2D(3), l.MaxPooling2D(), l.AveragePooling2D(2),
        l.GlobalMaxPooling2D(keepdims=True), l.GlobalAveragePooling2D(), l.UpSampling2D(),
        l.ZeroPadding2D(1), l.Cropping2D(1), l.BatchNormalization(axis=-1, renorm=False),
        l.AdaptiveMaxPooling2D(2), l.SpatialDropout2D(0.2), l.LayerNormalization(axis=[1, 2, 3]),
        l.ConvLSTM1D(2, 3),
    ]  # fmt: skip


def volumes(k):
    l = k.layers
    return (5, 5, 5, 2), floats(2, 5, 5, 5, 2), [
        l.Conv3D(2, 2), l.Conv3DTranspose(2, 2), l.MaxPooling3D(), l.AveragePooling3D(2),
        l.GlobalAveragePooling3D(), l.UpSampling3D(), l.ZeroPadding3D(), l.Cropping3D(1),
        l.ConvLSTM2D(2, 2), l.SpatialDropout3D(0.1),
    ]  # fmt: skip


def build(k, make):
    shape, x, layers = make(k)
    inputs = k.Input(shape)
    return k.Model(inputs, [layer(inputs) for layer in layers]), [x]


def merging(k):
    l = k.layers
    a, b = k.Input((5, 4)), k.Input((5, 4))
    pair = [a, b]
    outputs = [
        l.Add()(pair), l.Subtract()(pair), l.Multiply()(pair), l.Average()(pair),
        l.Maximum()(pair), l.Minimum()(pair), l.Concatenate(1)(pair), l.Dot(2)(pair),
        l.Attention()(pair), l.AdditiveAttention()(pair),
        l.MultiHeadAttention(2, 3)(a, b), l.GroupQueryAttention(3, 4, 2)(a, b),
        l.MultiHeadAttention(2, 3)(a, b, use_causal_mask=True),
    ]  # fmt: skip
    return k.Model(pair, outputs), [floats(2, 5, 4), floats(2, 5, 4)]


def tokens(k):
    l = k.layers
    x = k.Input((5,), dtype="int32", name="tokens")
    embedded = l.Embedding(11, 4, mask_zero=True, name="shared_embedding")
    y = embedded(x)
    out = [l.LSTM(3)(y), l.GlobalAveragePooling1D()(y), embedded(k.ops.flip(x, 1))]
    return k.Model({"tokens": x}, dict(zip("abc", out, strict=True))), [
        {"tokens": RNG.integers(0, 11, (3, 5)).astype("int32")}
    ]


def functions(k):
    x = k.Input((4, 3))
    y = k.ops.expand_dims(x, 1)[:, 0, ::2] * 2.0
    z = k.ops.concatenate([k.ops.mean(y, 1, keepdims=True), 1.0 - y], axis=1)
    w = k.ops.where(z > 0, k.ops.sqrt(k.ops.abs(z)), z**2)
    return k.Model(x, [w, k.ops.einsum("bij,bik->bjk", y, y), k.ops.softmax(y)]), [floats(2, 4, 3)]


def mixed(k):
    x = k.Input((4,))
    y = k.layers.Dense(3, dtype="mixed_bfloat16")(x)
    return k.Model(x, k.layers.Dense(2, dtype="float32")(y)), [floats(2, 4)]


def of(make):
    def made(k):
        return build(k, make)

    made.__name__ = make.__name__
    return made


MODELS = [of(vectors), of(sequences), of(images), of(volumes), merging, tokens, functions, mixed]


def outputs(model, x):
    y = model(x[0] if len(x) == 1 else x)
    found = list(y.values()) if isinstance(y, dict) else y if isinstance(y, list) else [y]
    return [np.asarray(part, "float32") for part in found]


def scramble(model):
    rng = np.random.default_rng(7)
    model.set_weights([rng.uniform(0.1, 0.9, w.shape).astype(w.dtype) for w in model.get_weights()])


def same(model, twin, x):
    coarse = 4e-2 if "bfloat16" in str([w.dtype for w in model.weights]) else 1e-6
    if any("bfloat16" in layer.compute_dtype for layer in model.layers):
        coarse = 2e-2
    for a, b in zip(outputs(twin, x), outputs(model, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=max(coarse, 1e-5), atol=coarse * np.abs(b).max())


@pytest.mark.slow
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_archives(make, tmp_path):
    for source, target in ((keras, kerasish), (kerasish, keras)):
        model, x = make(source)
        scramble(model)
        path = tmp_path / f"{source.__name__}.keras"
        model.save(path)
        same(model, target.models.load_model(path), x)
        twin = target.models.model_from_json(model.to_json())
        assert [tuple(w.shape) for w in twin.weights] == [tuple(w.shape) for w in model.weights]


def test_sharded_weights(tmp_path):
    for source, target in ((keras, kerasish), (kerasish, keras)):
        pair = []
        for k in (source, target):
            model = k.Sequential([k.Input((10,)), *(k.layers.Dense(20) for _ in range(3))])
            model.compile("adam", "mse")
            pair.append(model)
        model, twin = pair
        model.fit(np.ones((2, 10)), np.ones((2, 20)), verbose=0)
        twin.optimizer.build(twin.trainable_variables)
        path = tmp_path / f"{source.__name__}.weights.json"
        model.save_weights(path, max_shard_size=3 / 1024**2)
        twin.load_weights(path)
        for a, b in zip(twin.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(a.value), np.asarray(b.value))


def custom(k):
    @k.saving.register_keras_serializable("tests_archives", name="Net")
    class Net(k.Model):
        def __init__(self, units=3, inner=None, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = inner or k.layers.Dense(units, activation="relu")
            # No bias: behind it the gradient would be rounding noise, which Adam makes large.
            self.blocks = [k.layers.Dense(units, use_bias=False), k.layers.BatchNormalization()]

        def build(self, input_shape):
            if not self.inner.built:
                self.inner.build(input_shape)
            shape = (*input_shape[:-1], self.units)
            for block in self.blocks:
                block.build(shape)
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
            self.built = True

        def call(self, x, training=None):
            x = self.blocks[0](self.inner(x))
            return self.blocks[1](x, training=training) * self.scale

        def get_config(self):
            inner = k.saving.serialize_keras_object(self.inner)
            return {**super().get_config(), "units": self.units, "inner": inner}

        @classmethod
        def from_config(cls, config):
            config["inner"] = k.saving.deserialize_keras_object(config["inner"])
            return cls(**config)

    return Net


def test_subclassed_models_with_custom_objects(tmp_path):
    x, y = floats(8, 4), floats(8, 3)
    for source, target in ((keras, kerasish), (kerasish, keras)):
        model = custom(source)(3)
        model.compile(source.optimizers.Adam(0.01), "mse", metrics=["mae"])
        model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
        path = tmp_path / f"{source.__name__}.keras"
        model.save(path)
        twin = target.models.load_model(path, custom_objects={"Net": custom(target)})
        same(model, twin, [x])
        for m in (model, twin):
            m.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
        np.testing.assert_allclose(outputs(twin, [x])[0], outputs(model, [x])[0], atol=1e-4)
