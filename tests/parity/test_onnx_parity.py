"""ONNX files of ours give the same outputs in onnxruntime."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

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


def run(path, xs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return session.run(None, dict(zip(names, xs, strict=True)))


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
        if REGISTRY[name].kind != "control":  # `loops` above has those
            for i, (xs, attrs) in enumerate(REGISTRY[name].samples(np.random.default_rng(0))):
                yield pytest.param(name, xs, attrs, id=f"{name}-{i}")


# How many results of an operation are for its gradient only.
FOR_GRADIENTS = {"layer_norm": 2, "rms_norm": 1, "lstm": 2, "gru": 1}


def refused(name, attrs):
    """What ONNX files of ours do not have: other forms of operations that they do."""
    return attrs.get("mode") == "symmetric" or (
        name == "gather" and ("tensor", 1) in attrs["key"]
    )  # fmt: skip


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
    with pytest.raises(ValueError, match="only the first size may be free"):
        sizes = Input((None, 4))
        Model(sizes, layers.Dense(1)(sizes)).export(tmp_path / "x.onnx", format="onnx")
