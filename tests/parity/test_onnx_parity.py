"""ONNX files of ours give the same outputs in onnxruntime."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import scipy.stats

import kerasish as keras
import kerasish_core as core
from kerasish import Input, Model, Sequential, layers, ops, tree
from kerasish.export.onnx import RULES, export_onnx
from kerasish_core.dispatch import apply
from kerasish_core.op import REGISTRY

pytestmark = pytest.mark.parity
RNG = np.random.default_rng(0)
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def dense():
    return Sequential(
        [Input((6,)), layers.Dense(8, "gelu"), layers.Dropout(0.5), layers.Dense(3, "softmax")]
    )


def two_inputs():
    a, b = Input((3,)), Input((2,))
    joined = layers.Concatenate()([a, b])
    return Model([a, b], [layers.Dense(2, "elu")(joined), layers.Dense(1, "swish")(a)])


def convolutional():
    x = Input((9, 9, 4))
    y = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    y = layers.Conv2DTranspose(2, 3, strides=2, padding="same")(y)
    y = layers.AveragePooling2D(2)(layers.MaxPooling2D(2, strides=1)(y))
    y = layers.ZeroPadding2D(1)(layers.SeparableConv2D(3, 3, dilation_rate=1)(y))
    return Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))


def attention():
    x = Input((5, 4))
    y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 3)(x, x) + x)
    return Model(x, layers.Dense(2)(layers.RMSNormalization()(y)[:, ::2]))


def recurrent():
    return Sequential(
        [
            Input((5, 3)), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(3, return_sequences=True), layers.SimpleRNN(4), layers.Dense(1),
        ]
    )  # fmt: skip


def masked():
    return Sequential(
        [
            Input((5,)), layers.Embedding(20, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.GRU(4),
            layers.Dense(2),
        ]
    )  # fmt: skip


def functions():
    x = Input((4, 3))
    y = ops.where(x > 0, ops.sqrt(ops.abs(x)), x**2) * 2.0 - ops.mean(x, 1, keepdims=True)
    return Model(x, [y, ops.softmax(ops.transpose(y, (0, 2, 1))), ops.max(y, axis=(1, 2))])


def loops():
    """A scan both ways, a loop without a bound, a branch, steps that nothing is scanned for."""
    x = Input((6, 3))

    @keras.saving.register_keras_serializable("tests")
    class Loops(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(3, 3))

        def call(self, x):
            rows = ops.transpose(x, (1, 0, 2))
            first = ops.zeros_like(rows[0])
            last, all_of = ops.scan(
                lambda h, r: ((h := ops.tanh(h @ self.kernel + r)), h * 2), first, rows
            )
            _, back = ops.scan(lambda h, r: (h + r, h), last, rows, reverse=True)
            doubled = ops.while_loop(lambda v, n: ops.all(n < 3), lambda v, n: (v * 2, n + 1),
                                     (last, ops.zeros((), "int32")))[0]  # fmt: skip
            chosen = ops.cond(ops.sum(last) > 0, lambda: last * self.kernel[0], lambda: last - 1)
            picked = ops.switch(ops.argmax(self.kernel[0]),
                                [lambda: last, lambda: last + 1, lambda: last * 3])  # fmt: skip
            powers = ops.fori_loop(0, 4, lambda i, v: v * 1.5, last)
            return [all_of, back, doubled, chosen, picked, powers]

        def compute_output_shape(self, shape):
            return [(6, None, 3)] * 2 + [(None, 3)] * 4

    return Model(x, Loops()(x))


def opened(path):
    """A function of a list of inputs."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return lambda xs: session.run(None, dict(zip(names, xs, strict=True)))


def run(path, xs):
    return opened(path)(xs)


def outputs(model, xs):
    found = model(xs if len(xs) > 1 else xs[0])
    return [np.asarray(y) for y in keras.tree.flatten(found)]


def compare(model, path, xs):
    for a, b in zip(run(path, xs), outputs(model, xs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6 * max(1.0, np.abs(b).max()))


@pytest.mark.parametrize(
    "make", [dense, two_inputs, convolutional, attention, recurrent, functions, loops, masked]
)
def test_outputs_of_any_batch(make, tmp_path):
    model, path = make(), tmp_path / "model.onnx"
    model.export(path, format="onnx")
    for batch in (1, 5):
        shapes = [(batch, *t.shape[1:]) for t in model.inputs]
        xs = [RNG.normal(size=s).astype("float32") for s in shapes]
        compare(model, path, xs if make is not masked else [np.floor(np.abs(xs[0]) * 3)])


def program(folder, name):
    """The module in benchmarks/ or examples/, not run as a script."""
    spec = importlib.util.spec_from_file_location(f"{name}_exported", ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def samples():
    for name in sorted(RULES.keys() & REGISTRY.keys()):
        # `loops` above and `test_what_is_drawn` below have those
        if REGISTRY[name].kind not in ("control", "random"):
            for i, (xs, attrs) in enumerate(REGISTRY[name].samples(np.random.default_rng(0))):
                yield pytest.param(name, xs, attrs, id=f"{name}-{i}")


# How many results of an operation are for its gradient only.
FOR_GRADIENTS = {"layer_norm": 2, "rms_norm": 1, "lstm": 2, "gru": 1}


def refused(name, attrs):
    """What ONNX files of ours do not have: other forms of operations that they do."""
    return attrs.get("mode") == "symmetric"


@pytest.mark.parametrize("name, xs, attrs", list(samples()))
def test_rule_of_every_operation(name, xs, attrs, tmp_path):
    """As the operation gives it on its own samples, in float32."""
    xs = [np.asarray(x) for x in xs]
    xs = [x.astype("float32") if x.dtype == "float64" else x for x in xs]
    signature = [keras.KerasTensor(x.shape, str(x.dtype)) for x in xs]

    def call(*tensors):
        found = apply(REGISTRY[name], *tensors, **attrs)
        return list(found)[: len(found) - few] if isinstance(found, tuple) else found

    few, path = FOR_GRADIENTS.get(name, 0), tmp_path / "op.onnx"
    if refused(name, attrs):
        with pytest.raises(NotImplementedError, match="export: "):
            export_onnx(call, path, signature)
        return
    export_onnx(call, path, signature)
    found = tree.flatten(call(*(core.constant(x) for x in xs)))
    for a, b in zip(run(path, xs), map(np.asarray, found), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=3e-5, atol=1e-5)


def workloads():
    return program("benchmarks", "workloads")


class Found(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(workloads().WORKLOADS))
def test_models_of_the_benchmarks(name, tmp_path, monkeypatch):
    """Each workload up to its first use of a model, with the batch that it would have used."""
    module = workloads()
    found = []

    def note(model, x, *args, **kwargs):
        found.append((model, x))
        raise Found

    for method in ("fit", "predict", "predict_on_batch", "train_on_batch", "__call__"):
        if method != "__call__":
            monkeypatch.setattr(Model, method, note)
    with pytest.raises(Found):
        module.WORKLOADS[name](keras)
    monkeypatch.undo()
    model, x = found[0]
    xs = [np.asarray(part)[:3] for part in (x if isinstance(x, list | tuple) else [x])]
    if not getattr(model, "inputs", None):
        model(xs[0])
    path = tmp_path / "model.onnx"
    signature = None
    if not getattr(model, "inputs", None):
        signature = [keras.KerasTensor((None, *xs[0].shape[1:]), str(xs[0].dtype))]
    model.export(path, format="onnx", input_signature=signature)
    types = onnxruntime.InferenceSession(str(path)).get_inputs()
    names = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(int64)": "int64"}
    compare(model, path, [v.astype(names[t.type]) for v, t in zip(xs, types, strict=True)])


def normal_parameters(example):
    actor = example.build_actor()

    def parameters(x):
        normal = actor(x)
        return normal.loc, normal.scale

    return parameters


def stacks(example, name):
    found = {key: (stack, shape) for key, stack, shape in example.models()}
    return Sequential([Input(found[name][1][1:]), *found[name][0]])


def gated(example):
    cell = example.MinimalGatedCell(20)
    return Sequential([Input((50, 10)), layers.RNN(cell), layers.Dense(1)])


# The model of each example and the shape of one sample, where the model does not say it.
MODELS = {
    "a2c_cartpole": [(lambda e: e.ActorCritic(), (4,))],
    "a2c_mountaincar": [(normal_parameters, (2,)), (lambda e: e.build_critic(), None)],
    "ddpg_pendulum": [(lambda e: e.DDPG(), (3,)), (lambda e: e.network(4), None)],
    "digits": [(lambda e: e.build_model(), None)],
    "dqn_targets": [(lambda e: e.build_q(), None), (lambda e: e.DQN(), (4,))],
    "graph_basics": [(lambda e: e.tied_model(), None)],
    "gumbel_softmax": [
        (lambda e: e.VAE(64).encoder, (64,)),
        (lambda e: e.VAE(64).decoder, (60,)),
    ],
    "higher_order": [
        (lambda e, name=name: stacks(e, name), None)
        for name in ("convolution", "normalization", "recurrent", "attention")
    ] + [(lambda e: e.Penalized(), (3,))],
    "input_gradients": [(lambda e: e.build_model(), None)],
    "maxout": [(lambda e: Sequential([Input((5,)), e.Maxout(4, pieces=3)]), None)],
    "ppo_pendulum": [(lambda e: e.build_model(), None)],
    "reinforce_cartpole": [(lambda e: e.build_policy(), None)],
    "rnn_cells": [(gated, None)],
}  # fmt: skip
# Examples whose only models are stacks of Dense layers inside `main`, or that have none.
WITHOUT = {
    "curves", "gradient_processing", "mlp_tape", "normal_policy_gradient", "ornstein_uhlenbeck",
    "softmax_regression", "softmax_regression_manual", "tensorboard_summaries", "variables_basics",
}  # fmt: skip


def test_every_example_is_in_the_table():
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == MODELS.keys() | WITHOUT


@pytest.mark.slow
@pytest.mark.parametrize("name, place", [(n, i) for n in MODELS for i in range(len(MODELS[n]))])
def test_models_of_the_examples(name, place, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    make, shape = MODELS[name][place]
    keras.utils.set_random_seed(1)
    model, path = make(program("examples", name)), tmp_path / "model.onnx"
    signature = None
    if shape is None:
        shapes = [tuple(t.shape[1:]) for t in model.inputs]
    else:
        shapes = [shape]
        model(np.zeros((1, *shape), "float32"))
        signature = [keras.InputSpec(shape=(None, *shape), dtype="float32")]
    export_onnx(model, path, signature)
    xs = [RNG.normal(size=(3, *s)).astype("float32") for s in shapes]
    compare(model, path, xs)


@pytest.mark.parametrize(
    "layer",
    [layers.CenterCrop(3, 4), layers.Lambda(lambda x: x[:, 1:3]),
     layers.Lambda(lambda x: x[..., None, 0:2]), layers.Lambda(lambda x: x[:1])],
    ids=["crop", "slice", "ellipsis", "first"],
)  # fmt: skip
def test_slices_of_a_free_batch(layer, tmp_path):
    i = Input((6, 6, 3))
    model, path = Model(i, layer(i)), tmp_path / "model.onnx"
    export_onnx(model, path)
    for batch in (1, 2, 5):
        compare(model, path, [RNG.normal(size=(batch, 6, 6, 3)).astype("float32")])


def diagonals(x):
    """Reads by two index tensors beside slices, an integer, and between axes."""
    rows, columns = np.array([[0, 2], [1, -1]]), np.array([3, 1])
    return [x[:, rows, columns], x[:, 1:3, rows, None, columns], x[..., 2, columns, 1],
            x[:, columns, :, rows], ops.diagonal(x, axis1=1, axis2=2)]  # fmt: skip


def looked_up(x):
    """By indices that go with the batch and lie out of range in part."""
    rows = ops.cast(x[:, :3, 0] * 3, "int32")
    return [ops.take_along_axis(x[:, :, 0], rows, 1), ops.take(x[:, 0], rows, 1),
            ops.take(x, ops.argsort(x[:, 0, 0]), 0), ops.take(ops.arange(4), rows)]  # fmt: skip


def written(x):
    """Blocks, rows that are named twice, and rows that go with the batch and lie beyond the end."""
    rows = np.array([[2, 1], [0, 3], [2, 1]])
    turn = np.tile([1.0, 0.1, -1, 0, 0.9, 0.5, 0, 0], (x.shape[0], 1)).astype("float32")
    last = ops.cast(ops.arange(x.shape[0]) - 1, "int32")
    return [
        ops.slice_update(x, (0, 1, 0), x[:, :2]), ops.slice_update(x, (0, 1, 2), x[:, :1, :2]),
        ops.scatter(rows, x[0, :3, 2], (3, 4)), ops.segment_sum(x, last, 2),
        ops.segment_max(x, last % 2, 3), ops.image.affine_transform(x[..., None], turn),
    ]  # fmt: skip


FREE = {
    "top_k": (lambda x: list(ops.top_k(x, 3)), (6,)),
    "take_along_axis": (lambda x: ops.take_along_axis(x, ops.argsort(-x), -1), (6,)),
    "quantile": (lambda x: [ops.quantile(x, [0.3, 0.9], axis=-1), ops.median(x, 1)], (6,)),
    "diagonals": (diagonals, (4, 4, 4)),
    "looked_up": (looked_up, (4, 4)),
    "written": (written, (4, 4)),
    "cumprod": (lambda x: [ops.cumprod(x, -1), ops.cumprod(x, 1)], (5, 6)),
    "multi_hot": (layers.CategoryEncoding(3, "multi_hot"), (4,)),
    "count": (layers.CategoryEncoding(3, "count"), (4,)),
    "one_hot": (layers.CategoryEncoding(3, "one_hot"), (1,)),
    "arange": (lambda x: x * ops.cast(ops.arange(x.shape[0])[:, None] * 3 - 1, x.dtype), (2,)),
}


@pytest.mark.parametrize("name", FREE)
def test_places_with_a_free_batch(name, tmp_path):
    function, shape = FREE[name]
    path = tmp_path / "model.onnx"
    export_onnx(lambda x: function(x), path, [keras.KerasTensor((None, *shape))])
    for batch in (1, 2, 5):
        x = RNG.normal(size=(batch, *shape)).astype("float32")
        x = np.abs(x) if isinstance(function, layers.Layer) else x
        expected = [np.asarray(y) for y in tree.flatten(function(core.constant(x)))]
        for found, y in zip(run(path, [x]), expected, strict=True):
            assert found.dtype == y.dtype and found.shape == y.shape
            np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-6)


def test_archives_hold_several_functions(tmp_path):
    model = dense()
    archive = keras.export.ExportArchive()
    archive.track_and_add_endpoint("serve", model, None)
    signature = [keras.InputSpec(shape=(None, 6), dtype="float32")]
    archive.add_endpoint("logits", lambda x: ops.log(model(x)), signature)
    with pytest.raises(ValueError, match="already taken"):
        archive.add_endpoint("serve", model)
    archive.write_out(tmp_path / "both", verbose=False)
    x = RNG.normal(size=(3, 6)).astype("float32")
    (serve,), (logits,) = (run(tmp_path / "both" / f"{n}.onnx", [x]) for n in ("serve", "logits"))
    np.testing.assert_allclose(np.log(serve), logits, atol=1e-5)
    with pytest.raises(ValueError, match="No endpoints"):
        keras.export.ExportArchive().write_out(tmp_path)


def test_what_cannot_be_exported_is_named(tmp_path):
    x = Input((4, 4))
    with pytest.raises(NotImplementedError, match=r"'inv' has no form in ONNX"):
        Model(x, ops.inv(x)).export(tmp_path / "x.onnx", format="onnx")
    with pytest.raises(NotImplementedError, match="tf_saved_model"):
        dense().export(tmp_path / "x")
    half = Model(x, layers.Lambda(lambda x: x[: x.shape[0] // 2])(x))
    with pytest.raises(NotImplementedError, match="a slice goes with"):
        half.export(tmp_path / "x.onnx", format="onnx")
    signals = Input((None, 4))
    lost = Model(signals, layers.Conv1D(3, 2, strides=500, padding="same")(signals))
    with pytest.raises(NotImplementedError, match="windows make 1 of"):
        lost.export(tmp_path / "x.onnx", format="onnx")
    lost = Model(signals, layers.Lambda(lambda x: ops.average_pool(x, x.shape[1]))(signals))
    with pytest.raises(NotImplementedError, match="windows"):
        lost.export(tmp_path / "x.onnx", format="onnx")


# -- other free sizes than the batch


def translator():
    """Tokens of two languages, of lengths of their own."""
    source, target = Input((None,), dtype="int32"), Input((None,), dtype="int32")

    def embedded(tokens):
        places = layers.Embedding(64, 8)(ops.arange(ops.shape(tokens)[1]))
        return layers.Embedding(20, 8, mask_zero=True)(tokens) + places

    x, y = embedded(source), embedded(target)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 4)(y, y, use_causal_mask=True))
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 4)(y, x))
    return Model([source, target], layers.Dense(20, "softmax")(y))


def tagger():
    tokens = Input((None,), dtype="int32")
    x = layers.Embedding(20, 6, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    return Model(tokens, layers.TimeDistributed(layers.Dense(3, "softmax"))(x))


def pictures():
    """A fully convolutional model: sizes in the middle that no input has."""
    x = Input((None, None, 3))
    y = layers.MaxPooling2D(2)(layers.Conv2D(4, 3, activation="relu")(x))
    y = layers.Conv2DTranspose(4, 2, strides=2)(layers.Conv2D(6, 3, padding="same")(y))
    pooled = layers.GlobalAveragePooling2D()(y)
    gate = layers.Reshape((1, 1, 4))(layers.Dense(4, "sigmoid")(pooled))
    flat = layers.Reshape((-1, 4))(y * gate)
    return Model(x, [y, layers.Attention()([flat, flat]), ops.mean(y, axis=(0, 1))])


def summed():
    """Lengths that must be equal, and causal masks as programs make them by hand."""
    a, b = Input((None, 4)), Input((None, 4))

    def mask(x):
        batch, n = x.shape[:2]
        i, j = np.arange(n)[:, None], np.arange(n)
        below = ops.tile(ops.convert_to_tensor(i >= j)[None], (batch, 1, 1))
        return x + ops.matmul(ops.cast(below, "float32") - np.eye(n, dtype="float32"), x) / n

    outputs = layers.Lambda(mask, output_shape=lambda s: s)(a + b)
    return Model([a, b], [outputs, layers.GRU(3)(outputs), ops.roll(a, 2, axis=1)])


@pytest.mark.parametrize("make, lengths, dtype", [
    (translator, [(2, 5), (7, 3), (1, 1)], "int32"), (tagger, [(4,), (9,), (1,)], "int32"),
    (pictures, [(8, 8), (13, 10), (6, 31)], "float32"), (summed, [(6, 6), (3, 3)], "float32"),
])  # fmt: skip
def test_other_free_sizes(make, lengths, dtype, tmp_path):
    model, path = make(), tmp_path / "model.onnx"
    model.export(path, format="onnx")
    for batch, sizes in itertools.product((1, 3), lengths):
        xs = []
        for t in model.inputs:
            rest = sizes if len(model.inputs) == 1 else (sizes[len(xs)],)
            shape = (batch, *rest, *t.shape[1 + len(rest) :])
            drawn = RNG.integers(0, 20, shape) if dtype == "int32" else RNG.normal(size=shape)
            xs.append(drawn.astype(dtype))
        compare(model, path, xs)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    "window, strides", [(1, 2), (2, 2), (2, 3), (3, 1), (3, 2), (4, 2), (5, 3)]
)
def test_windows_along_free_sizes(window, strides, padding, tmp_path):
    """Twice each, since sizes within are of either parity."""
    x, path = Input((None, 9, 3)), tmp_path / "model.onnx"
    given = {"strides": strides, "padding": padding}
    outputs = []
    for make in (
        lambda y: layers.Conv2D(3, window, **given)(y),
        lambda y: layers.DepthwiseConv2D(window, **given)(y),
        lambda y: layers.MaxPooling2D(window, **given)(y),
        lambda y: layers.AveragePooling2D(window, **given)(y),
    ):
        y = make(layers.ZeroPadding2D(9)(make(layers.ZeroPadding2D(9)(x))))
        outputs += [y, layers.GlobalAveragePooling2D()(y)]
    model = Model(x, outputs)
    if 1 < window < strides and padding == "same":
        with pytest.raises(NotImplementedError, match="lie apart"):
            model.export(path, format="onnx")
        return
    model.export(path, format="onnx")
    for length in range(1, 12):
        compare(model, path, [RNG.normal(size=(2, length, 9, 3)).astype("float32")])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "InceptionV3", "EfficientNetV2B0", "ConvNeXtTiny"])
def test_applications_for_pictures_of_any_size(name, tmp_path):
    make, path = getattr(keras.applications, name), tmp_path / "model.onnx"
    model = make(weights=None, include_top=False, input_shape=(None, None, 3), pooling="avg")
    model.export(path, format="onnx")
    for shape in ((2, 96, 97, 3), (1, 130, 75, 3)):
        x = RNG.normal(size=shape).astype("float32")
        found, expected = run(path, [x])[0], np.asarray(model(x, training=False))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_numbers_that_follow_from_free_sizes(tmp_path):
    """What a trace knows of the batch is no constant of the file."""
    path = tmp_path / "model.onnx"

    def function(x):
        n, d = x.shape
        similar = ops.matmul(x, ops.transpose(x)) * (1 - ops.eye(n))
        return [
            ops.mean(x, 0), ops.std(x), ops.var(x, 0), x / n, x * (n - 1), x / (n * d), similar,
            ops.tril(similar, -1), ops.triu(similar), ops.roll(x, 3, axis=0),
        ]  # fmt: skip

    export_onnx(function, path, [keras.KerasTensor((None, 6))])
    for batch in (1, 2, 5):
        x = RNG.normal(size=(batch, 6)).astype("float32")
        expected = [np.asarray(y) for y in function(core.constant(x))]
        for found, y in zip(run(path, [x]), expected, strict=True):
            np.testing.assert_allclose(found, y, rtol=1e-5, atol=1e-5)
    with pytest.raises(NotImplementedError, match="depends on a size that is free"):
        export_onnx(lambda x: x * np.sin(x.shape[0]), path, [keras.KerasTensor((None, 6))])


@pytest.mark.parametrize("opset", [18, 19, 20, 21])
def test_versions_of_operations(opset, tmp_path):
    i = Input((64,))
    y = layers.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4, sampling_rate=800)(
        i
    )
    model, path = Model(i, [y, ops.cumprod(y, 2), ops.roll(y, 1, 2)]), tmp_path / "model.onnx"
    model.export(path, format="onnx", opset_version=opset)
    compare(model, path, [RNG.normal(size=(2, 64)).astype("float32")])


class Sampling(layers.Layer):
    """As autoencoders that draw their code have it."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(0)

    def call(self, inputs):
        mean, spread = inputs
        return mean + spread * keras.random.normal(ops.shape(mean), seed=self.seed)


def test_what_is_drawn(tmp_path):
    """By the runtime's own generator, otherwise each time: judged by its distribution."""
    mean, spread = Input((40,)), Input((40,))
    model, path = Model([mean, spread], Sampling()([mean, spread])), tmp_path / "model.onnx"
    model.export(path, format="onnx")
    xs = [np.full((500, 40), v, "float32") for v in (3.0, 2.0)]
    call = opened(path)
    (found,), (again,) = call(xs), call(xs)
    assert found.shape == (500, 40) and len(np.unique(found)) > 19_000
    assert scipy.stats.kstest(found.ravel(), "norm", (3, 2)).pvalue > 1e-4
    assert not np.array_equal(found, again)


def test_gradients_of_ones_own_leave_no_trace(tmp_path):
    @ops.custom_gradient
    def turned(x):
        return (
            x * 2.0,
            lambda *args, upstream=None: -(upstream if upstream is not None else args[0]),
        )

    class Cell(layers.Layer):
        state_size = output_size = 3

        def call(self, x, states):
            state = turned(x) + states[0]
            return state, [state]

    model = Sequential([Input((None, 3)), layers.RNN(Cell())])
    path = tmp_path / "model.onnx"
    model.export(path, format="onnx")
    for length in (1, 5):
        compare(model, path, [RNG.normal(size=(4, length, 3)).astype("float32")])
