"""Writes the fixtures of this folder with tf-keras (Keras 2). Run once:

    python tests/golden/legacy_h5/make.py

Needs `tf-keras` and TensorFlow. Each model becomes `<name>.h5` (whole model with optimizer) and
`<name>.npz`: the inputs, the predictions after loading, and the predictions after some more steps
of training on fixed data (for models that are compiled). `optimizers.zip` holds the same for a
small model with each optimizer, those of `optimizers.legacy` (before 2.11) among them.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

HERE = Path(__file__).parent
L = keras.layers
RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


def sequential():
    model = keras.Sequential(
        [
            L.Dense(5, activation="relu", input_shape=(6,), kernel_regularizer="l2", name="first"),
            L.BatchNormalization(),
            L.Dropout(0.5),
            L.LeakyReLU(0.2),
            L.Dense(3, kernel_initializer="he_normal", kernel_constraint="max_norm"),
            L.Activation("softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9), "categorical_crossentropy", ["accuracy"]
    )
    return model, [floats(8, 6)], [np.eye(3, dtype="float32")[np.arange(8) % 3]]


def functional():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = L.Dense(3, activation="tanh", name="shared")
    left, right = shared(a), shared(b)
    joined = L.Concatenate()([left, right, L.Subtract()([left, right])])
    joined = L.Dot(1)([joined, L.Add()([joined, joined])])
    first = L.Dense(1, name="first")(joined)
    second = L.Dense(2, activation="sigmoid", name="second")(L.Multiply()([left, right]))
    model = keras.Model([a, b], [first, second], name="two_heads")
    model.compile(
        keras.optimizers.Adam(0.01),
        {"first": "mse", "second": keras.losses.BinaryCrossentropy(label_smoothing=0.1)},
        metrics={"first": ["mae"], "second": [keras.metrics.AUC(name="auc")]},
        loss_weights=[1.0, 0.5],
    )
    return model, [floats(6, 4), floats(6, 4)], [floats(6, 1), np.tile([[0.0, 1.0]], (6, 1))]


def recurrent():
    model = keras.Sequential(
        [
            L.Embedding(11, 4, input_length=5, mask_zero=True),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.GRU(4, return_sequences=True),
            L.GRU(3, reset_after=False, return_sequences=True, recurrent_activation="hard_sigmoid"),
            L.RNN(L.SimpleRNNCell(3), return_sequences=True),
            L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True),
            L.TimeDistributed(L.Dense(3)),
            L.SimpleRNN(2),
            L.Dense(1),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.01, momentum=0.5), "mse")
    return model, [RNG.integers(1, 11, (4, 5)).astype("float32")], [floats(4, 1)]


def convolutional():
    model = keras.Sequential(
        [
            L.InputLayer(input_shape=(8, 8, 2)),
            L.ZeroPadding2D(1),
            L.Conv2D(4, 3, padding="same", use_bias=False),
            L.BatchNormalization(axis=-1, fused=True),
            L.ReLU(6.0),
            L.MaxPooling2D(),
            L.DepthwiseConv2D(3, padding="same"),
            L.SeparableConv2D(4, 3, padding="same"),
            L.Conv2DTranspose(3, 2, strides=2),
            L.PReLU(shared_axes=[1, 2]),
            L.LayerNormalization(),
            L.SpatialDropout2D(0.2),
            L.Cropping2D(1),
            L.UpSampling2D(2),
            L.AveragePooling2D(2),
            L.GlobalAveragePooling2D(),
            L.Dense(2),
        ]
    )
    return model, [floats(2, 8, 8, 2)], None


def nested():
    inner = keras.Sequential([L.Dense(4, activation="elu"), L.Dense(3)], name="inner")
    x = keras.Input((5, 2))
    y = L.Conv1D(3, 2, padding="causal")(x)
    deeper = keras.Model(x, L.LayerNormalization()(y), name="deeper")
    z = deeper(x)
    z = L.MultiHeadAttention(2, 3, name="attention")(z, z)
    z = inner(L.Reshape((15,))(L.Permute((2, 1))(z)))
    out = L.Flatten()(L.RepeatVector(2)(z))
    model = keras.Model(x, inner_residual(out), name="nested")
    model.compile(keras.optimizers.Adagrad(0.1), "mse")
    return model, [floats(3, 5, 2)], [floats(3, 6)]


def inner_residual(x):
    y = L.Dense(6, activation="swish")(x)
    return L.GaussianNoise(0.1)(L.Average()([x, L.Maximum()([x, y])]))


def states():
    x = keras.Input((4, 3), name="sequence")
    y, h, c = L.LSTM(3, return_sequences=True, return_state=True, name="encoder")(x)
    z = L.LSTM(3, name="decoder")(y, initial_state=[h, c])
    return keras.Model(inputs=x, outputs=[z, h]), [floats(2, 4, 3)], None


def operators():
    x = keras.Input((3,))
    y = L.Dense(3, name="a")(x)
    z = (x + y) * 2.0 - tf.nn.relu(y) / 3.0
    return keras.Model(x, tf.concat([z, 1.0 - tf.math.exp(-y)], axis=-1)), [floats(2, 3)], None


def old_optimizer():
    model = keras.Sequential([L.Dense(4, activation="tanh", input_dim=3), L.Dense(1)])
    optimizer = keras.optimizers.legacy.Adam(learning_rate=0.02, decay=0.01)
    model.compile(optimizer, keras.losses.Huber(), metrics=["mse"])
    return model, [floats(6, 3)], [floats(6, 1)]


def scheduled():
    model = keras.Sequential([L.Dense(4, input_shape=(3,)), L.Dense(1, activation="softplus")])
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.01), "msle", metrics=["mape"])
    return model, [floats(6, 3)], [np.abs(floats(6, 1))]


MODELS = [
    sequential, functional, recurrent, convolutional, nested, states, operators, old_optimizer,
    scheduled,
]  # fmt: skip


O, OLD = keras.optimizers, keras.optimizers.legacy
OPTIMIZERS = {
    "adagrad": lambda: O.Adagrad(0.1), "adadelta": lambda: O.Adadelta(0.5),
    "adamax": lambda: O.Adamax(0.02),
    "ftrl": lambda: O.Ftrl(0.1), "lion": lambda: O.Lion(0.01),
    "amsgrad": lambda: O.Adam(0.02, amsgrad=True),
    "nesterov": lambda: O.SGD(0.02, momentum=0.5, nesterov=True),
    "centered": lambda: O.RMSprop(0.01, momentum=0.2, centered=True),
    "ema": lambda: O.Adam(0.02, use_ema=True),
    "old_sgd": lambda: OLD.SGD(0.02, momentum=0.5), "old_adagrad": lambda: OLD.Adagrad(0.1),
    "old_rmsprop": lambda: OLD.RMSprop(0.01, momentum=0.2, centered=True),
    "old_adadelta": lambda: OLD.Adadelta(0.5), "old_adamax": lambda: OLD.Adamax(0.02),
    "old_ftrl": lambda: OLD.Ftrl(0.1), "old_amsgrad": lambda: OLD.Adam(0.02, amsgrad=True),
}  # fmt: skip


def optimizers():
    x, y = floats(6, 3), floats(6, 2)
    with zipfile.ZipFile(HERE / "optimizers.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, make in OPTIMIZERS.items():
            keras.utils.set_random_seed(7)
            keras.backend.clear_session()
            model = keras.Sequential([L.Dense(2, use_bias=False, input_shape=(3,))])
            model.compile(make(), "mse")
            model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{name}.h5"
                model.save(path, save_format="h5")
                archive.write(path, path.name)
            model.fit(x, y, batch_size=3, epochs=3, shuffle=False, verbose=0)
            result = io.BytesIO()
            np.savez(result, x=x, y=y, q=model(x))
            archive.writestr(f"{name}.npz", result.getvalue())


def listed(y):
    return y if isinstance(y, list) else [y]


def main():
    optimizers()
    for make in MODELS:
        keras.utils.set_random_seed(7)
        keras.backend.clear_session()
        model, x, y = make()
        model.set_weights([np.abs(w) + 0.1 * RNG.random(w.shape) for w in model.get_weights()])

        def feed(parts):
            return parts[0] if len(parts) == 1 else parts

        name = make.__name__
        record = {f"x{i}": v for i, v in enumerate(x)}
        # Dropout and noise off: training continues the same in both libraries.
        for layer in model.layers:
            for attribute in ("rate", "stddev"):
                if hasattr(layer, attribute):
                    setattr(layer, attribute, 0.0)
        if y is not None:
            record |= {f"y{i}": v for i, v in enumerate(y)}
            model.fit(feed(x), feed(y), batch_size=4, epochs=2, shuffle=False, verbose=0)
        model.save(HERE / f"{name}.h5", save_format="h5")
        record |= {f"p{i}": v for i, v in enumerate(listed(model(feed(x))))}
        if y is not None:
            model.fit(feed(x), feed(y), batch_size=4, epochs=3, shuffle=False, verbose=0)
            record |= {f"q{i}": v for i, v in enumerate(listed(model(feed(x))))}
        np.savez_compressed(HERE / f"{name}.npz", **record)
        if name == "sequential":
            model.save_weights(HERE / "sequential_weights.h5", save_format="h5")


if __name__ == "__main__":
    main()
