"""Forms of outputs, targets and hooks in whole programs: logs are those of the published Keras."""

import json

import numpy as np
import pytest
from layer_pairs import both, scramble

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parity,
    # Keras's own Variable.numpy() under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RNG = np.random.default_rng(5)
X = RNG.normal(size=(16, 4)).astype("float32")
Y = RNG.normal(size=(16, 2)).astype("float32")
HOW = {"verbose": 0, "shuffle": False, "batch_size": 8}


def heads(k, names=("o1", "o2")):
    i = k.Input((4,))
    h = k.layers.Dense(4, activation="tanh")(i)
    return k.Model(i, [k.layers.Dense(n, name=m)(h) for n, m in zip((2, 1), names, strict=True)])


def within(k):
    """Outputs within outputs."""
    i, dense = k.Input((4,)), k.layers.Dense
    o = {"a": [dense(2, name="a0")(i), dense(1, name="a1")(i)], "b": dense(3, name="bb")(i)}
    model = k.Model(i, o)
    model.compile(
        "sgd", {"a": ["mse", "mae"], "b": "huber"},
        metrics={"a": [["mae"], ["mse"]], "b": ["mape"]},
    )  # fmt: skip
    return model, (X, {"a": [Y, Y[:, :1]], "b": np.ones((16, 3), "float32")}), {}


def partial(k):
    """Targets of only those outputs that have a loss."""
    model = heads(k)
    model.compile("sgd", ["mse", None], metrics=[["mae"], None])
    return model, (X, [Y]), {}


def none(k):
    """None in place of targets."""
    model = heads(k)
    model.compile("sgd", ["mse", None], metrics=[["mae"], None])
    return model, (X, [Y, None]), {}


def weighted(k):
    """Weighted metrics of the plain ones' names."""
    model = heads(k)
    model.compile("sgd", "mse", metrics=[["mae"], ["mse"]], weighted_metrics=[["mae"], []])
    weight = np.linspace(0, 1, 16).astype("float32")
    return model, (X, [Y, Y[:, :1]]), {"sample_weight": [weight, weight]}


def untrained(k):
    """`compute_loss` without `training`, a whole number among the logs."""

    class Own(k.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return 3.0 * k.ops.mean(k.ops.abs(y - y_pred))

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred), "rows": k.ops.shape(y)[0]}

    i = k.Input((4,))
    model = Own(i, k.layers.Dense(2)(i))
    model.compile("sgd")
    return model, (X, Y), {}


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("program", [within, partial, none, weighted, untrained])
def test_logs_and_hooks(program):
    found = []
    for k in both():
        seen = []

        class Watch(k.callbacks.Callback):
            def on_train_begin(self, logs=None, seen=seen):
                seen.append(["begin", logs])

            def on_epoch_end(self, epoch, logs=None, seen=seen):
                logs["added"] = 1.0
                seen.append(["epoch", sorted(logs)])

            def on_train_end(self, logs=None, seen=seen):
                seen.append(["end", sorted(logs)])

        model, data, more = program(k)
        scramble(model)
        history = model.fit(*data, epochs=2, callbacks=[Watch()], **HOW, **more).history
        found.append((history, json.loads(json.dumps(seen))))
    (theirs, hooks_there), (ours, hooks_here) = found
    assert hooks_here == hooks_there
    assert set(ours) == set(theirs)
    for name, values in theirs.items():
        assert [type(v) for v in ours[name]] == [type(v) for v in values], name
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
