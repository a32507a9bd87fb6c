"""ONNX files of ours give the same outputs in onnxruntime."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import kerasish as keras
from kerasish import Input, Model, Sequential, layers, ops

pytestmark = pytest.mark.parity
RNG = np.random.default_rng(0)
WORKLOADS = Path(__file__).parents[2] / "benchmarks" / "workloads.py"


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


def functions():
    x = Input((4, 3))
    y = ops.where(x > 0, ops.sqrt(ops.abs(x)), x**2) * 2.0 - ops.mean(x, 1, keepdims=True)
    return Model(x, [y, ops.softmax(ops.transpose(y, (0, 2, 1))), ops.max(y, axis=(1, 2))])


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
    "make", [dense, two_inputs, convolutional, attention, recurrent, functions]
)
def test_outputs_of_any_batch(make, tmp_path):
    model, path = make(), tmp_path / "model.onnx"
    model.export(path, format="onnx")
    for batch in (1, 5):
        shapes = [(batch, *t.shape[1:]) for t in model.inputs]
        compare(model, path, [RNG.normal(size=s).astype("float32") for s in shapes])


def workloads():
    spec = importlib.util.spec_from_file_location("workloads_of_benchmarks", WORKLOADS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
