"""`RematScope` and `remat`: the same training with less memory."""

import re

import numpy as np
import pytest

import kerasish
from kerasish import layers, ops
from kerasish.optimizers import SGD

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 64)).astype("float32")
Y = RNG.normal(size=(256, 1)).astype("float32")
MODES = {
    "full": {"mode": "full"},
    "activations": {"mode": "activations"},
    "larger_than": {"mode": "larger_than", "output_size_threshold": 256 * 32},
    "list_of_layers": {"mode": "list_of_layers", "layer_names": ["block"]},
    "none": {"mode": None},
}


class Block(layers.Layer):
    """Six products, with dropout, a moving average and a loss of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = [layers.Dense(64, activation="tanh") for _ in range(6)]
        self.normal, self.dropout = layers.BatchNormalization(), layers.Dropout(0.3, seed=1)

    def call(self, x):
        for layer in self.dense:
            x = layer(x)
        x = self.dropout(self.normal(x))
        self.add_loss(0.01 * ops.sum(ops.square(x)) / 256)
        return x


def model(**scope):
    kerasish.utils.set_random_seed(1)
    with kerasish.RematScope(**scope):
        made = kerasish.Sequential(
            [
                layers.Input((64,)),
                Block(name="block"),
                layers.Dense(64, "gelu", name="wide", activity_regularizer="l2"),
                layers.Dense(1, name="last"),
            ]
        )
    made.compile(SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    return made


def train(made):
    logs = made.fit(X, Y, batch_size=128, epochs=2, shuffle=False, verbose=0).history
    return logs, made.get_weights()


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("mode", [m for m in MODES if m != "none"])
def test_training_is_the_same(mode, eager):
    expected, twice = model(mode=None), model(**MODES[mode])
    expected.run_eagerly = twice.run_eagerly = eager
    (logs, values), (logs2, values2) = train(expected), train(twice)
    for name in logs:
        np.testing.assert_allclose(logs2[name], logs[name], rtol=1e-5)
    for a, b in zip(values2, values, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def arena(**scope):
    made = model(**scope)
    made.train_on_batch(X, Y)
    return int(re.search(r"arena: (\d+)", made.explain("train", "memory"))[1])


def test_the_compiled_step_needs_less_memory(native):
    plain = arena(mode=None)
    assert arena(**MODES["list_of_layers"]) < 0.8 * plain
    # Layers inside layers run three times here, and keep what each of them starts from.
    assert arena(**MODES["full"]) < 0.9 * plain


def test_which_layers_a_mode_means():
    def runs_twice(layer, x):
        return layer.rematerialized_call(layer.call, x) != layer.call

    x = ops.ones((4, 8))
    for mode, expected in {
        "full": [True, True, True],
        "activations": [True, False, False],
        "larger_than": [True, False, False],
        "list_of_layers": [False, True, False],
        "none": [False, False, False],
    }.items():
        options = {**MODES[mode]}
        if mode == "larger_than":
            options["output_size_threshold"] = 4 * 31
        if mode == "list_of_layers":
            options["layer_names"] = ["b"]
        with kerasish.RematScope(**options):
            made = [
                layers.Dense(32, activation="relu", name="a"),
                layers.Dropout(0.1, name="b"),
                layers.Identity(name="c"),
            ]
        for layer in made:
            layer(x)
        assert [runs_twice(layer, x) for layer in made] == expected, mode


def test_scopes_nest_and_end():
    with kerasish.RematScope("full"):
        outer = layers.Identity()
        with kerasish.RematScope(None):
            inner = layers.Identity()
        again = layers.Identity()
    after = layers.Identity()
    modes = [each._remat_mode and each._remat_mode.mode for each in (outer, inner, again, after)]
    assert modes == ["full", None, "full", None]


def test_an_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="Invalid mode 'some'"):
        kerasish.RematScope("some")


def test_operations_of_a_functional_graph_too():
    with kerasish.RematScope("full"):
        x = layers.Input((3,))
        y = ops.tanh(ops.exp(x))
    made = kerasish.Model(x, y)
    assert all(op._remat_mode for op in made.operations)
    value = kerasish.ops.convert_to_tensor(np.ones((2, 3), "float32"))
    with kerasish.GradientTape() as tape:
        tape.watch(value)
        total = ops.sum(made(value))
    e = np.exp(1.0)
    np.testing.assert_allclose(
        np.asarray(tape.gradient(total, value)), np.full((2, 3), e / np.cosh(e) ** 2), rtol=1e-5
    )


def test_remat_of_a_layer_knows_whether_it_trains():
    dropout = layers.Dropout(0.5, seed=3)
    run = kerasish.remat(dropout)

    class Around(layers.Layer):
        def call(self, x):
            return run(x) * 2.0

    around, x = Around(), ops.ones((100,))
    with kerasish.GradientTape() as tape:
        tape.watch(x)
        y = around(x, training=True)
    slope = np.asarray(tape.gradient(y, x))
    np.testing.assert_array_equal(slope, np.asarray(y))  # 4 where kept, 0 where dropped
    assert set(slope) == {0.0, 4.0}


def test_mixed_precision():
    with kerasish.RematScope():
        layer = layers.Dense(3, dtype="mixed_bfloat16", activation="tanh")
    x = ops.ones((2, 4))
    with kerasish.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    assert y.dtype == "bfloat16"
    gradient = tape.gradient(y, layer.trainable_weights)
    assert [g.dtype.name for g in gradient] == ["float32", "float32"]
