"""Training steps of small models around one layer or operation each, beside Keras.

    python layers.py run [--keras kerasish] [--only gru,stft]            JSON lines
    python layers.py table ours.jsonl jax.jsonl [torch.jsonl ...]        the first beside the others

What a model of `workloads.py` does not contain shows here: a layer without a native kernel, or a
slow one. `KERAS_BACKEND` chooses Keras's backend. Figures are milliseconds a step, the best of
several epochs; `generic` counts nodes of the step that run their generic kernels.
"""

import argparse
import importlib
import json
import time

import numpy as np

CASES = {}
SECONDS = 1.2  # of timed epochs


def rng():
    return np.random.default_rng(0)


def images(count, size, channels):
    return rng().normal(size=(count, size, size, channels)).astype("float32")


def sequences(count, steps, features):
    return rng().normal(size=(count, steps, features)).astype("float32")


def tokens(count, steps, words):
    return rng().integers(0, words, (count, steps)).astype("int32")


def case(name, batch):
    """Decorator: a function of the Keras module that makes a model and its inputs."""

    def enter(function):
        CASES[name] = (function, batch)
        return function

    return enter


def chain(keras, x, layers, head=True):
    """A functional model of layers; with a head that makes one number of their result."""
    inputs = y = keras.Input(x.shape[1:], dtype=x.dtype.name)
    for layer in layers:
        y = layer(y)
    if head:
        y = keras.layers.Dense(1)(keras.layers.Flatten()(y))
    return keras.Model(inputs, y)


def simple(name, x, batch, layers):
    """Enter a chain of layers, given as a function of `keras.layers`."""
    CASES[name] = (lambda keras: (chain(keras, x, layers(keras.layers)), x), batch)


def operation(name, call, steps=32, features=32):
    """Enter an operation between two dense layers, as a function of `keras.ops` and a tensor."""

    def make(keras):
        class Operation(keras.layers.Layer):
            def call(self, x):
                return call(keras.ops, x)

        x = sequences(128, steps, features)
        return chain(keras, x, [keras.layers.Dense(features), Operation()]), x

    CASES[name] = (make, 32)


def convolutional(name, layers, size=32, channels=3):
    def all_of(L):
        return [*layers(L), L.GlobalAveragePooling2D()]

    simple(name, images(64, size, channels), 16, all_of)


same = {"padding": "same"}
convolutional("depthwise", lambda L: [L.Conv2D(32, 1), L.DepthwiseConv2D(3, **same), L.ReLU()])
convolutional(
    "separable",
    lambda L: [L.SeparableConv2D(64, 3, **same), L.SeparableConv2D(64, 3, strides=2, **same)],
)
convolutional("transposed", lambda L: [L.Conv2DTranspose(32, 4, strides=2, **same)], 16, 32)
convolutional("dilated", lambda L: [L.Conv2D(32, 3, dilation_rate=2, **same)])
convolutional("groups", lambda L: [L.Conv2D(32, 1), L.Conv2D(64, 3, groups=4, **same)])
convolutional(
    "batch norm", lambda L: [L.Conv2D(32, 3, **same), L.BatchNormalization(), L.LeakyReLU()]
)
convolutional(
    "group norm",
    lambda L: [L.Conv2D(32, 3, **same), L.GroupNormalization(8), L.Activation("swish")],
)
convolutional("instance norm", lambda L: [L.Conv2D(16, 3), L.GroupNormalization(-1)])
convolutional("layer norm of images", lambda L: [L.Conv2D(16, 3), L.LayerNormalization([1, 2, 3])])
convolutional("spectral norm", lambda L: [L.SpectralNormalization(L.Conv2D(16, 3))])
convolutional("upsampling", lambda L: [L.UpSampling2D(2), L.Conv2D(16, 3, **same)], 16, 16)
convolutional(
    "bilinear",
    lambda L: [L.UpSampling2D(2, interpolation="bilinear"), L.Conv2D(16, 3, **same)], 16, 16,
)  # fmt: skip
convolutional(
    "pooling",
    lambda L: [L.Conv2D(32, 3, **same), L.MaxPooling2D(3, 2, **same), L.AveragePooling2D(2)],
)
convolutional("resizing", lambda L: [L.Conv2D(8, 3), L.Resizing(48, 48)])
convolutional(
    "augmentation",
    lambda L: [L.RandomFlip(), L.RandomRotation(0.1), L.RandomZoom(0.1), L.Conv2D(16, 3)],
)
simple(
    "convolution 3d", rng().normal(size=(32, 8, 16, 16, 4)).astype("float32"), 8,
    lambda L: [L.Conv3D(16, 3, **same), L.MaxPooling3D(2)],
)  # fmt: skip

TIME = sequences(256, 64, 32)
simple(
    "convolution 1d", TIME, 32,
    lambda L: [L.Conv1D(64, 5, padding="causal"), L.MaxPooling1D(2), L.Conv1D(64, 3)],
)  # fmt: skip
simple("gru", TIME, 32, lambda L: [L.GRU(64, return_sequences=True)])
simple("both ways", TIME, 32, lambda L: [L.Bidirectional(L.LSTM(64, return_sequences=True))])
simple("recurrent dropout", TIME, 32, lambda L: [L.LSTM(32, recurrent_dropout=0.2)])
simple("cells", TIME, 32, lambda L: [L.RNN([L.LSTMCell(32), L.GRUCell(32)])])
simple(
    "convolutional lstm", rng().normal(size=(32, 6, 16, 16, 2)).astype("float32"), 8,
    lambda L: [L.ConvLSTM2D(8, 3, **same)],
)  # fmt: skip
simple("noise", TIME, 32, lambda L: [L.GaussianNoise(0.1), L.AlphaDropout(0.1)])
simple(
    "masked lstm", tokens(256, 64, 1000), 32,
    lambda L: [L.Embedding(1000, 32, mask_zero=True), L.LSTM(32)],
)  # fmt: skip
simple(
    "embedding", tokens(1024, 64, 20000), 128,
    lambda L: [L.Embedding(20000, 64), L.GlobalAveragePooling1D()],
)  # fmt: skip
simple(
    "norms of a perceptron", rng().normal(size=(1024, 256)).astype("float32"), 128,
    lambda L: [
        part for _ in range(4)
        for part in (L.Dense(256), L.LayerNormalization(), L.Activation("gelu"), L.Dropout(0.1))
    ],
)  # fmt: skip
simple("tiny", rng().normal(size=(512, 4)).astype("float32"), 16, lambda L: [L.Dense(8, "tanh")])

operation("cumsum", lambda ops, x: ops.cumsum(x, axis=1))
operation("top_k", lambda ops, x: ops.top_k(x, 8)[0])
operation("sort", lambda ops, x: ops.sort(x, axis=-1))
operation("take_along_axis", lambda o, x: o.take_along_axis(x, o.argsort(x, axis=1), axis=1))
operation("einsum", lambda ops, x: ops.einsum("bti,bsi->bts", x, x))
operation("split", lambda ops, x: ops.multiply(*ops.split(x, 2, axis=-1)))
operation("pairs", lambda o, x: o.sum(o.abs(x[:, :, None, :] - x[:, None, :, :]), -1))
operation("logsumexp", lambda o, x: o.softplus(x) - o.logsumexp(x, axis=-1, keepdims=True))
operation("rfft", lambda ops, x: ops.rfft(x)[0])
operation(
    "vectorized_map",
    lambda o, x: o.vectorized_map(lambda r: o.softmax(o.matmul(r, o.transpose(r))), x),
)


@case("stft", 16)
def stft(keras):
    class Spectrum(keras.layers.Layer):
        def call(self, x):
            return keras.ops.stft(x, 256, 64, 256)[0]

    x = rng().normal(size=(64, 2048)).astype("float32")
    return chain(keras, x, [Spectrum()]), x


@case("own cell", 32)
def own_cell(keras):
    class Cell(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = self.state_size = units

        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], self.units))
            self.recurrent = self.add_weight(shape=(self.units, self.units))

        def call(self, x, states):
            ops = keras.ops
            y = ops.tanh(ops.matmul(x, self.kernel) + ops.matmul(states[0], self.recurrent))
            return y, [y]

    return chain(keras, TIME, [keras.layers.RNN(Cell(32))]), TIME


@case("gated cell", 32)
def gated_cell(keras):
    """Layers within a cell, over its input and its state together, as one writes it at first."""

    class Cell(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = self.state_size = units
            self.gate = keras.layers.Dense(units, activation="sigmoid")
            self.candidate = keras.layers.Dense(units, activation="tanh")

        def build(self, shape):
            self.gate.build((None, shape[-1] + self.units))
            self.candidate.build((None, shape[-1] + self.units))

        def call(self, x, states):
            ops, h = keras.ops, states[0]
            gate = self.gate(ops.concatenate([x, h], -1))
            candidate = self.candidate(ops.concatenate([x, gate * h], -1))
            y = (1 - gate) * h + gate * candidate
            return y, [y]

    return chain(keras, TIME, [keras.layers.RNN(Cell(128))]), TIME


@case("attention", 16)
def attention(keras):
    x = sequences(128, 64, 64)
    inputs = keras.Input(x.shape[1:])
    y = keras.layers.MultiHeadAttention(4, 16)(inputs, inputs)
    y = keras.layers.LayerNormalization()(y + inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(y))), x


def application(name, label):
    CASES[label] = (
        lambda keras: (
            getattr(keras.applications, name)(
                input_shape=(64, 64, 3), weights=None, classes=10, classifier_activation=None
            ),
            images(16, 64, 3),
        ),
        8,
    )


application("MobileNetV2", "mobilenet v2")
application("ResNet50", "resnet 50")
application("EfficientNetB0", "efficientnet b0")
application("DenseNet121", "densenet 121")


@case("autoencoder", 32)
def autoencoder(keras):
    L, x = keras.layers, images(128, 28, 1)
    narrow = [part for _ in range(2) for part in (L.Conv2D(32, 3, **same), L.MaxPooling2D())]
    wide = [L.Conv2DTranspose(32, 3, strides=2, activation="relu", **same) for _ in range(2)]
    return chain(keras, x, [*narrow, *wide, L.Conv2D(1, 3, **same)], head=False), x


@case("generator", 16)
def generator(keras):
    L, x = keras.layers, rng().normal(size=(64, 64)).astype("float32")
    layers = [L.Dense(8 * 8 * 64), L.Reshape((8, 8, 64))]
    for filters in (64, 32, 3):
        layers += [L.Conv2DTranspose(filters, 4, strides=2, **same), L.LeakyReLU()]
    return chain(keras, x, layers, head=False), x


@case("segmentation", 16)
def segmentation(keras):
    L, x = keras.layers, images(64, 64, 3)
    inputs = keras.Input(x.shape[1:])
    fine = L.Conv2D(16, 3, activation="relu", **same)(inputs)
    y = L.Conv2D(32, 3, activation="relu", **same)(L.MaxPooling2D()(fine))
    y = L.Concatenate()([L.UpSampling2D()(y), fine])
    y = L.Conv2D(16, 3, activation="relu", **same)(y)
    return keras.Model(inputs, L.Conv2D(3, 3, **same)(y)), x


def generic_nodes(model):
    """The most that a compiled step of ours has; None of Keras's models."""
    steps = getattr(model, "_steps", None)
    if steps is None:
        return None
    entries = [e for step in steps.values() for e in getattr(step, "_entries", {}).values()]
    return max((e.native.generic for e in entries if e.native is not None), default=0)


def run(name, only):
    keras = importlib.import_module(name)
    for label, (make, batch) in CASES.items():
        if only and label not in only:
            continue
        keras.utils.set_random_seed(0)
        model, x = make(keras)
        y = rng().normal(size=(len(x), *model.output_shape[1:])).astype("float32")
        model.compile("adam", "mse")
        model.fit(x, y, batch_size=batch, verbose=0)
        times, start = [], time.perf_counter()
        while len(times) < 3 or time.perf_counter() - start < SECONDS:
            before = time.perf_counter()
            model.fit(x, y, batch_size=batch, verbose=0)
            times.append((time.perf_counter() - before) * 1e3 / -(-len(x) // batch))
        found = {"case": label, "step_ms": min(times), "generic": generic_nodes(model)}
        print(json.dumps(found), flush=True)
        keras.utils.clear_session()


def table(paths):
    found = []
    for path in paths:
        with open(path) as file:
            rows = [json.loads(line) for line in file if line.startswith("{")]
        found.append({row["case"]: row for row in rows})
    ours, *others = found
    print(
        f"{'case':24}{'step, ms':>10}{'generic':>9}" + "".join(f"{p[:12]:>14}" for p in paths[1:])
    )
    for label, row in ours.items():
        ratios = [
            f"{other[label]['step_ms'] / row['step_ms']:12.2f} x" if label in other else " " * 14
            for other in others
        ]
        print(f"{label:24}{row['step_ms']:10.3f}{row['generic']!s:>9}" + "".join(ratios))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run")
    one.add_argument("--keras", default="kerasish", help="the module")
    one.add_argument("--only", default="")
    several = commands.add_parser("table")
    several.add_argument("files", nargs="+")
    args = parser.parse_args()
    if args.command == "run":
        run(args.keras, [n for n in args.only.split(",") if n])
    else:
        table(args.files)


if __name__ == "__main__":
    main()
