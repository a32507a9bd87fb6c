"""Whole steps as programs of CUDA kernels, their text run on the host, beside the CPU's."""

import cuda_host
import numpy as np
import pytest

import kerasish as keras
import kerasish_core as core
from kerasish import layers
from kerasish_core.codegen.cuda.source import Source
from kerasish_core.executors import native
from kerasish_core.executors.cuda import epoch
from kerasish_core.executors.cuda.program import CudaProgram

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(8, 20)).astype("float32")
IMAGES = RNG.normal(size=(8, 12, 12, 3)).astype("float32")
WORDS = RNG.integers(0, 50, (8, 9))
LABELS = RNG.integers(0, 3, 8)


@pytest.fixture
def programs(monkeypatch, request):
    """Programs made while a test has set `on["cuda"]`; else steps run as they do on the CPU."""
    made, on = [], {"cuda": False}
    real, there = native.compiled, native.available()

    def compiled(graph, *rest):
        if not on["cuda"]:
            return real(graph, *rest)
        made.append(CudaProgram(graph, *rest, cuda_host.HostBackend()))
        return made[-1]

    monkeypatch.setattr(native, "compiled", compiled)
    monkeypatch.setattr(native, "available", lambda: on["cuda"] or there)
    return made, on


def dense():
    return keras.Sequential(
        [keras.Input((20,)), layers.Dense(16, "relu"), layers.Dropout(0.2),
         layers.Dense(8, "relu"), layers.Dense(3, "softmax")]
    ), ROWS  # fmt: skip


def convolutional():
    return keras.Sequential(
        [keras.Input((12, 12, 3)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(),
         layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU(),
         layers.GlobalAveragePooling2D(), layers.Dense(3, "softmax")]
    ), IMAGES  # fmt: skip


def recurrent():
    return keras.Sequential(
        [keras.Input((9,)), layers.Embedding(50, 8, mask_zero=True),
         layers.LSTM(16, return_sequences=True), layers.GRU(16), layers.Dense(3, "softmax")]
    ), WORDS  # fmt: skip


def transformer():
    inputs = keras.Input((9,))
    x = layers.Embedding(50, 16)(inputs)
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(2, 8, dropout=0.1)(y, y)
        y = layers.Dense(32, "gelu")(layers.LayerNormalization()(x))
        x = x + layers.Dense(16)(y)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(inputs, layers.Dense(3, "softmax")(x)), WORDS


def train(build, optimizer):
    keras.utils.set_random_seed(1)
    model, data = build()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(data, LABELS, batch_size=4, epochs=2, verbose=0, shuffle=False,
                        validation_data=(data, LABELS))  # fmt: skip
    return history.history, model.predict(data, verbose=0), model.get_weights()


def check(programs, build, optimizer, tolerance=1e-4):
    made, on = programs
    expected = train(build, optimizer)
    on["cuda"] = True
    found = train(build, optimizer)
    for name, values in expected[0].items():
        np.testing.assert_allclose(found[0][name], values, rtol=tolerance, atol=tolerance / 10)
    np.testing.assert_allclose(found[1], expected[1], rtol=tolerance, atol=tolerance / 10)
    for got, weight in zip(found[2], expected[2], strict=True):
        np.testing.assert_allclose(got, weight, rtol=tolerance, atol=tolerance)
    assert [p.graph.name for p in made] == ["train_step", "test_step", "predict_step"]
    # Nothing runs outside the graphs.
    assert [s.node for p in made for s in p.instructions if s.node is not None] == []
    return made[0]


def test_a_dense_model_trains(programs):
    step = check(programs, dense, "adam")
    # The variables' updates in one launch.
    assert [len(many.items) for many in step.builder.many.values()] == [5]
    assert "5 alike" in step.explain_kernels() or "6 alike" in step.explain_kernels()
    assert "arena:" in step.explain_memory()


def test_what_a_read_hands_out_never_changes(programs):
    _, on = programs
    on["cuda"] = True
    v = core.Variable(np.zeros(3, "float32"), name="v")

    @core.function
    def step(x):
        v.assign(v + x)
        return core.ops.sum(v)

    x = np.ones(3, "float32")
    assert float(step(x)) == 3.0
    kept = v.read()
    view = core.ops.reshape(kept, (3, 1))
    assert float(step(x)) == 6.0
    np.testing.assert_array_equal(kept, [1, 1, 1])
    np.testing.assert_array_equal(view, [[1], [1], [1]])
    v.assign([5.0, 5.0, 5.0])
    assert float(step(x)) == 18.0
    np.testing.assert_array_equal(v, [6, 6, 6])


def test_a_bias_that_the_step_has_changed(programs):
    _, on = programs
    on["cuda"] = True
    bias = core.Variable(np.zeros(5, "float32"), name="bias")

    @core.function
    def step(x, w):
        bias.assign(bias + 1)
        return core.ops.relu(x @ w + bias)

    x, w = RNG.normal(size=(4, 3)).astype("float32"), RNG.normal(size=(3, 5)).astype("float32")
    for count in (1, 2, 3):
        np.testing.assert_allclose(step(x, w), np.maximum(x @ w + count, 0), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "build, optimizer",
    [(convolutional, "sgd"), (recurrent, "rmsprop"), (transformer, "adamw")],
)
def test_models_train(programs, build, optimizer):
    check(programs, build, optimizer)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_types_train(programs, policy):
    keras.config.set_dtype_policy(policy)
    check(programs, convolutional, "adam", tolerance=2e-2)


def attending():
    """Attention in one kernel: plain, causal, and of padded words."""
    inputs = keras.Input((9,))
    x = layers.Embedding(50, 16, mask_zero=True)(inputs)
    x = x + layers.MultiHeadAttention(2, 8)(x, x)
    x = x + layers.GroupQueryAttention(8, 4, 2)(x, x, use_causal_mask=True)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(3, "softmax")(x)), WORDS


@pytest.mark.slow
def test_attention_in_one_kernel_trains(programs, monkeypatch):
    _, on = programs
    monkeypatch.setattr(
        keras.layers.attention.attending, "in_one_kernel", lambda flash, dtype: on["cuda"]
    )
    step = check(programs, attending, "sgd")
    text = step.explain_kernels()
    for name in ("attention_float", "attention_of_queries_float", "attention_of_keys_float"):
        assert text.count(name) == 2
    # The last layer's and its gradient.
    assert sum(line.startswith("softmax_") for line in text.splitlines()) == 2


def fitted(on, x, y, **how):
    """A model after two epochs in one program, and its losses."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((20,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    history = model.fit(x, y, **{"batch_size": 4, "epochs": 2, "verbose": 0} | how)
    return np.array([*history.history["loss"], *model.get_weights()[0].ravel()])


class Changing(keras.callbacks.Callback):
    """Writes over the data before the second epoch."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            self.x *= -0.5


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("most", [0, 1 << 20])
def test_batches_of_data_on_the_device(programs, monkeypatch, shuffle, most):
    """Small data sets lie there for an epoch, larger ones do not; the results are the same."""
    made, on = programs
    monkeypatch.setattr(epoch, "_MOST_BYTES", most)
    loads, load = [], cuda_host.HostBackend.put
    monkeypatch.setattr(
        cuda_host.HostBackend, "load", lambda self, *a: loads.append(1) or load(self, *a)
    )
    outcomes = []
    for on["cuda"] in (False, True):
        x = ROWS.astype("float64")  # cast on the way
        labels = LABELS[:, None] * np.ones((1, 3), "int8")
        outcomes.append(fitted(on, x, labels, shuffle=shuffle, callbacks=[Changing(x)]))
    np.testing.assert_allclose(outcomes[1], outcomes[0], rtol=1e-5, atol=1e-6)
    (program,) = made
    assert len(loads) == (8 if most == 0 else 0)  # two epochs of two steps with two inputs
    assert program._epoch is None  # nothing is kept


def hooked():
    made = keras.callbacks.Callback()
    made.on_epoch_end = lambda epoch, logs=None: None
    return made


OWN = ["own", hooked(), keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)]


@pytest.mark.parametrize("callback", [None, keras.callbacks.EarlyStopping("loss"), *OWN])
def test_data_stay_on_the_device_for_a_fit(programs, monkeypatch, callback):
    """They come there once, unless a callback of the user's own might change them."""
    made, on = programs
    copied, real = [], epoch.Epoch.of.__func__
    monkeypatch.setattr(epoch.Epoch, "of", classmethod(lambda *a: copied.append(1) or real(*a)))
    callbacks = [Changing(ROWS.copy())] if callback == "own" else [callback] if callback else []
    outcomes = []
    for on["cuda"] in (False, True):
        x = ROWS.copy()
        outcomes.append(fitted(on, x, np.ones((8, 3), "f4"), epochs=3, callbacks=callbacks,
                               validation_data=(x[:4], np.ones((4, 3), "f4"))))  # fmt: skip
    np.testing.assert_allclose(outcomes[1], outcomes[0], rtol=1e-5, atol=1e-6)
    assert len(copied) == (6 if callback in OWN else 2)  # to train and to validate
    assert len(made) == 2
    for program in made:  # and nothing is kept when it is over
        assert program._epoch is None or not program._epoch._arrays


def test_rows_of_all_sizes_are_taken(programs):
    """Items of 1 to 16 bytes, and rows that begin anywhere."""
    backend, b = cuda_host.HostBackend(), Source()
    rows = np.array([5, 0, 5, 2, 8])
    cases = [
        RNG.integers(0, 9, (9, *shape)).astype(dtype)
        for shape in ((), (3,), (2, 4)) for dtype in ("int8", "float16", "float32", "complex128")
    ]  # fmt: skip
    how = [epoch.Taking.of(core.Spec((5, *a.shape[1:]), a.dtype), b) for a in cases]
    targets = [np.zeros((5, *a.shape[1:]), a.dtype) for a in cases]
    module = backend.compile(b)
    taken = epoch.Epoch.of(cases, targets, how, backend)
    taken.take(rows.ctypes.data, module, backend)
    for got, a in zip(targets, cases, strict=True):
        np.testing.assert_array_equal(got, a[rows])
    assert epoch.Taking.of(core.Spec((), np.dtype("f4")), b) is None
