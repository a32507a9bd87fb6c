"""fit, evaluate, predict and single batches give the figures of the published Keras."""

import keras
import numpy as np
import pytest

import kerasish

# JAX compiles every step anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(0)
N = 50
X = RNG.normal(size=(N, 8)).astype("float32")
LABELS = RNG.integers(0, 3, N)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
TARGET = RNG.normal(size=(N, 1)).astype("float32")
BITS = RNG.integers(0, 2, N)
SERIES = RNG.normal(size=(N, 5, 3)).astype("float32")
SERIES[:, 3:] = 0


def mlp(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((8,)), layers.Dense(16, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def masked(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((5, 3)), layers.Masking(), layers.GRU(4, return_sequences=True),
        layers.Dense(2),
    ])  # fmt: skip


def regression(k):
    return k.Sequential([k.layers.Input((8,)), k.layers.Dense(4, "tanh"), k.layers.Dense(1)])


def two_outputs(k, as_dict=False):
    layers = k.layers
    a, b = layers.Input((8,), name="a"), layers.Input((8,), name="b")
    shared = layers.Dense(6, activation="tanh")
    h = layers.concatenate([shared(a), shared(b)])
    cls = layers.Dense(3, activation="softmax", name="cls")(h)
    reg = layers.Dense(1, name="reg")(h)
    return k.Model([a, b], {"cls": cls, "reg": reg} if as_dict else [cls, reg])


def two_outputs_dict(k):
    return two_outputs(k, as_dict=True)


PAIR = [X, X[::-1].copy()]
SCE = "sparse_categorical_crossentropy"
WEIGHTS = RNG.uniform(size=N).astype("float32")


# name: (model, x, y, compile, fit); a callable compile value is given the library.
CASES = {
    "mlp, one-hot": (mlp, X, ONE_HOT, dict(
        optimizer="rmsprop", loss="categorical_crossentropy", metrics=["acc", "mse"]), {}),
    "validation data, weighted": (mlp, X, LABELS, dict(
        optimizer="sgd", loss=SCE, metrics=["accuracy"], weighted_metrics=["accuracy"]),
        dict(validation_data=(X[:20], LABELS[:20], WEIGHTS[:20]), validation_batch_size=7)),
    "validation freq": (mlp, X, LABELS, dict(optimizer="sgd", loss=SCE),
                        dict(validation_data=(X[:20], LABELS[:20]), validation_freq=2)),
    "class weight, one-hot": (mlp, X, ONE_HOT, dict(
        optimizer="adam", loss="categorical_crossentropy"), dict(class_weight={0: 1.0, 1: 3.0})),
    "sample weight": (mlp, X, LABELS, dict(
        optimizer="rmsprop", loss=SCE, metrics=["accuracy"],
        weighted_metrics=["accuracy", SCE]), dict(sample_weight=WEIGHTS)),
    "mask reaches loss and metrics": (masked, SERIES, SERIES[..., :2], dict(
        optimizer="sgd", loss="mse", metrics=["mae"], weighted_metrics=["mae"]), {}),
    "mask and sample weight": (masked, SERIES, SERIES[..., :2], dict(
        optimizer="sgd", loss="mse", weighted_metrics=["mae"]),
        dict(sample_weight=RNG.uniform(size=(N, 5)).astype("float32"))),
    "sum reduction": (regression, X, TARGET, dict(
        optimizer=lambda k: k.optimizers.SGD(1e-3),
        loss=lambda k: k.losses.MeanSquaredError(reduction="sum")), {}),
    "labels without last axis": (regression, X, TARGET[:, 0], dict(
        optimizer="sgd", loss="mse", metrics=["mae", "mse"]), {}),
    "loss function": (regression, X, TARGET, dict(
        optimizer="sgd", loss=lambda k: lambda t, p: k.ops.square(t - p) * 2), {}),
    "loss weight of one output": (regression, X, TARGET, dict(
        optimizer="sgd", loss="mse", loss_weights=0.5, metrics=["mae"]), {}),
    "metric function": (regression, X, TARGET, dict(
        optimizer="sgd", loss="mse",
        metrics=lambda k: [own_metric(k), k.metrics.MeanSquaredError(name="again")]), {}),
    "two outputs, lists": (two_outputs, PAIR, [LABELS, TARGET], dict(
        optimizer="adam", loss=[SCE, "mse"], loss_weights=[1.0, 0.3],
        metrics=[["accuracy"], ["mae"]]), dict(validation_split=0.2)),
    "two outputs, dictionaries": (two_outputs, PAIR, {"cls": LABELS, "reg": TARGET}, dict(
        optimizer="adam", loss={"cls": SCE, "reg": "mse"}, loss_weights={"cls": 0.5, "reg": 2.0},
        metrics={"cls": ["accuracy"], "reg": ["mae"]}), {}),
    "two outputs, one loss": (two_outputs, PAIR, [ONE_HOT, TARGET], dict(
        optimizer="adam", loss=["mse", "mae"], metrics=["mse", "mae"]), {}),
    "two outputs, one trained": (two_outputs, PAIR, {"cls": LABELS, "reg": TARGET}, dict(
        optimizer="adam", loss={"cls": SCE, "reg": None}, metrics={"reg": "mae"}), {}),
    "two outputs, weights by output": (two_outputs, PAIR, [LABELS, TARGET], dict(
        optimizer="adam", loss=[SCE, "mse"], weighted_metrics=[["accuracy"], ["mae"]]),
        dict(sample_weight=[WEIGHTS, WEIGHTS[::-1].copy()])),
    "dictionary of outputs": (two_outputs_dict, {"a": X, "b": PAIR[1]},
                              {"cls": LABELS, "reg": TARGET}, dict(
        optimizer="adam", loss={"cls": SCE, "reg": "mse"},
        metrics={"cls": ["accuracy"], "reg": ["mae", "mse"]}), {}),
}  # fmt: skip


def own_metric(k):
    def largest_error(y_true, y_pred):
        return k.ops.max(k.ops.abs(y_true - y_pred), axis=-1)

    return largest_error


def pair(make):
    judge, ours = make(keras), make(kerasish)
    ours.set_weights(judge.get_weights())
    return (keras, judge), (kerasish, ours)


def compiled(k, model, settings):
    model.compile(**{n: v(k) if callable(v) else v for n, v in settings.items()})
    return model


def assert_same_logs(ours, judge, tolerance=1e-4):
    assert list(ours) == list(judge)
    for name in judge:
        np.testing.assert_allclose(
            ours[name], judge[name], rtol=tolerance, atol=tolerance, err_msg=name
        )


# Keras on JAX does not say that an output has no gradients.
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("name", CASES)
def test_fit_evaluate_predict(name):
    make, x, y, settings, fit = CASES[name]
    found = []
    for k, model in pair(make):
        compiled(k, model, settings)
        history = model.fit(x, y, epochs=3, shuffle=False, verbose=0, batch_size=16, **fit)
        weights = fit.get("sample_weight")
        found.append((
            history.history,
            model.evaluate(x, y, batch_size=16, verbose=0, sample_weight=weights),
            model.evaluate(x, y, batch_size=16, verbose=0, sample_weight=weights, return_dict=True),
            list(model.metrics_names),
            model.predict(x, verbose=0, batch_size=16),
        ))  # fmt: skip
    judge, ours = found
    if make is masked:
        # On JAX, Keras loses the mask between the training step's loss and its metrics.
        for history in (ours[0], judge[0]):
            history.pop("mae", None), history.pop("weighted_mae", None)
    assert_same_logs(ours[0], judge[0])
    np.testing.assert_allclose(ours[1], judge[1], rtol=1e-4, atol=1e-4)
    assert_same_logs(ours[2], judge[2])
    assert ours[3] == judge[3]
    assert type(ours[4]) is type(judge[4])
    for a, b in zip(keras.tree.flatten(ours[4]), keras.tree.flatten(judge[4]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["sample weight", "two outputs, lists"])
def test_single_batches(name):
    make, x, y, settings, fit = CASES[name]
    weights = fit.get("sample_weight")
    judge, ours = [], []
    for (k, model), found in zip(pair(make), (judge, ours), strict=True):
        compiled(k, model, settings)
        found.append(model.train_on_batch(x, y, sample_weight=weights))
        found.append(model.train_on_batch(x, y, sample_weight=weights, return_dict=True))
        found.append(model.test_on_batch(x, y, sample_weight=weights))
        found.append(model.test_on_batch(x, y, sample_weight=weights, return_dict=True))
    for a, b in zip(ours, judge, strict=True):
        if isinstance(b, dict):
            assert_same_logs(a, b)
        else:
            assert isinstance(a, list) == isinstance(b, list)
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_a_compiled_model_inside_another():
    """As in a GAN: each model's figures are its own."""
    logs = []
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=n) for n in ((2, 4), (4,), (4, 3), (3,), (3, 1), (1,))]
    for k in (keras, kerasish):
        layers = k.layers
        inner = k.Sequential(
            [layers.Input((4,)), layers.Dense(3), layers.Dense(1, activation="sigmoid")]
        )
        inner.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        outer = k.Sequential([layers.Input((2,)), layers.Dense(4), inner])
        inner.trainable = False
        outer.compile("sgd", "binary_crossentropy", metrics=["mae"])
        inner.trainable = True
        outer.set_weights(weights)
        found = []
        for _ in range(3):
            inner.trainable = True
            found.append(inner.train_on_batch(X[:, :4], BITS[:, None], return_dict=True))
            inner.trainable = False
            found.append(outer.train_on_batch(X[:, :2], BITS[:, None], return_dict=True))
        logs.append(found)
    for judge, ours in zip(*logs, strict=True):
        assert_same_logs(ours, judge)


def test_hooks_with_several_steps_per_execution():
    logs = []
    for k in (keras, kerasish):
        seen = []

        class Spy(k.callbacks.Callback):
            pass

        def spy(hook, seen=seen):
            def called(self, *args, **kwargs):
                number = args[0] if args and not isinstance(args[0], dict) else None
                given = args[-1] if args and isinstance(args[-1], dict) else kwargs.get("logs")
                seen.append((hook, number, sorted(given or {})))

            return called

        for kind in ("train", "test", "predict"):
            for hook in (f"on_{kind}_begin", f"on_{kind}_end", f"on_{kind}_batch_begin",
                         f"on_{kind}_batch_end", "on_epoch_begin", "on_epoch_end"):  # fmt: skip
                setattr(Spy, hook, spy(hook))
        model = regression(k)
        model.compile("sgd", "mse", steps_per_execution=2)
        callback = Spy()
        options = dict(batch_size=10, verbose=0, callbacks=[callback])
        model.fit(X, TARGET, validation_data=(X[:25], TARGET[:25]), **options)
        seen.append(callback.params)
        model.evaluate(X[:30], TARGET[:30], **options)
        model.predict(X, **options)
        seen.append(callback.params)
        logs.append(seen)
    assert logs[0] == logs[1]


def test_generator_and_steps():
    def batches(count):
        for i in range(count):
            rows = slice(10 * (i % 5), 10 * (i % 5) + 10)
            yield X[rows], LABELS[rows], WEIGHTS[rows]

    found = []
    for k, model in pair(mlp):
        compiled(k, model, dict(optimizer="sgd", loss=SCE, weighted_metrics=["accuracy"]))
        history = model.fit(batches(12), epochs=3, steps_per_epoch=4, verbose=0, shuffle=False,
                            validation_data=batches(30), validation_steps=2)  # fmt: skip
        found.append(history.history)
    assert_same_logs(found[1], found[0])


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_several_steps_per_execution_give_the_same_figures(steps):
    """Also where the last execution is a shorter one, and the last batch a smaller one."""
    found = []
    for k, model in pair(regression):
        model.compile(k.optimizers.SGD(0.01), "mse", metrics=["mae"], steps_per_execution=steps)
        history = model.fit(X, TARGET, batch_size=8, epochs=2, shuffle=False, verbose=0)
        figures = model.evaluate(X, TARGET, batch_size=8, verbose=0, return_dict=True)
        found.append((history.history, figures, model.predict(X, batch_size=8, verbose=0)))
    assert_same_logs(found[1][0], found[0][0])
    assert_same_logs(found[1][1], found[0][1])
    np.testing.assert_allclose(found[1][2], found[0][2], atol=1e-5)


@pytest.mark.parametrize("loss, metrics", [
    ({"a": ["mse", "mae"], "b": "mae"}, None),
    ({"a": ["mse", "mae"], "b": "mae"}, {"a": [["mae"], ["mse"]], "b": ["mae"]}),
])  # fmt: skip
def test_names_of_losses_and_metrics_of_nested_outputs(loss, metrics):
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    found = []
    for k in (keras, kerasish):
        k.utils.clear_session()
        i = k.Input((3,))
        outputs = {"a": [k.layers.Dense(1)(i), k.layers.Dense(1)(i)],
                   "b": k.layers.Dense(1)(i)}  # fmt: skip
        model = k.Model(i, outputs)
        model.compile("sgd", loss, metrics=metrics)
        logs = model.fit(x, {"a": [y, y], "b": y}, verbose=0).history
        found.append([list(logs), model.metrics_names, [v.path for v in model.metrics_variables]])
    assert found[0] == found[1]
