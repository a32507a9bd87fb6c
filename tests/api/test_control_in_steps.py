"""Control flow inside compiled steps: values and gradients as eagerly."""

import numpy as np
import pytest

import kerasish
import kerasish_core as core
from kerasish import layers, models, ops


def _while(x):
    return ops.while_loop(
        lambda i, v: ops.less(i, 3), lambda i, v: (i + 1, ops.tanh(v) + x), (0, x),
        maximum_iterations=5,
    )[1]  # fmt: skip


@ops.custom_gradient
def _clipped(x):
    def grad(*args, upstream=None):
        return ops.clip(upstream if upstream is not None else args[0], -0.1, 0.1)

    return ops.square(x), grad


# Functions of x, (4, 3), to a tensor of as many rows.
FUNCTIONS = {
    "vectorized_map": lambda x: ops.vectorized_map(lambda r: ops.cumsum(r) * ops.sum(r), x),
    "vectorized_map of a tuple": lambda x: ops.vectorized_map(
        lambda pair: ops.sin(pair[0]) * ops.max(pair[1]), (x, x * 2)
    ),
    "vectorized_map nested": lambda x: ops.vectorized_map(
        lambda r: ops.vectorized_map(lambda e: ops.exp(e) * ops.sum(r), r), x
    ),
    "vectorized_map of a matrix product": lambda x: ops.vectorized_map(
        lambda r: ops.matmul(ops.reshape(r, (1, 3)), ops.transpose(x))[0], x
    ),
    "associative_scan": lambda x: ops.associative_scan(lambda a, b: a * b + b, x, axis=1),
    "associative_scan reversed": lambda x: ops.associative_scan(
        ops.add, x, reverse=True, axis=0
    ),
    "map": lambda x: ops.map(lambda r: ops.softmax(r), x),
    "scan": lambda x: ops.scan(lambda c, r: (ops.tanh(c + r), c * r), ops.zeros((3,)), x)[1],
    "while_loop": _while,
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: x * x, lambda: -3 * x),
    "switch": lambda x: ops.switch(
        ops.cast(ops.sum(x) > 0, "int32") + 1, [ops.sin, ops.cos, ops.exp], x
    ),
    "fori_loop": lambda x: ops.fori_loop(0, 3, lambda i, v: ops.sin(v) * x, x),
    "custom_gradient": _clipped,
    "unstack": lambda x: ops.stack([r * (i + 1) for i, r in enumerate(ops.unstack(x, axis=1))], 1),
    "slice_update": lambda x: ops.slice_update(x, (1, 0), ops.sin(x[:2, :2])),
    "slice": lambda x: ops.pad(ops.slice(x, (0, 1), (4, 2)), ((0, 0), (1, 0))),
    "scatter": lambda x: ops.scatter(np.array([[3], [0], [3], [2]]), x * x, (4, 3)),
    "scatter_update": lambda x: ops.scatter_update(x, np.array([[0, 1], [2, 2]]), x[0, :2] * 5),
}  # fmt: skip
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def value_and_gradient(function, x):
    """The value, its gradient under uneven weights, and the gradient of that gradient's size."""
    weights = ops.reshape(ops.arange(12, dtype="float32"), (4, 3)) / 10 - 0.4
    x = core.convert(x)
    with core.GradientTape() as outer:
        outer.watch(x)
        with core.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            loss = ops.sum(y * weights[:, : y.shape[-1]]) if y.shape == (4, 3) else ops.sum(y * y)
        first = tape.gradient(loss, x)
        size = ops.sum(first * first)
    return y, first, outer.gradient(size, x, unconnected_gradients="zero")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_equals_eager(name):
    eager = value_and_gradient(FUNCTIONS[name], X)
    compiled = kerasish.function(lambda x: value_and_gradient(FUNCTIONS[name], x))(X)
    for a, b in zip(compiled, eager, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"custom_gradient"}))
def test_gradients_are_those_of_finite_differences(name):
    x = X.astype("float64")
    y, gradient, _ = value_and_gradient(FUNCTIONS[name], x)
    if y.dtype.name != "float64":
        pytest.fail(f"{name} gives {y.dtype.name} for float64")
    rng = np.random.default_rng(1)
    weights = np.arange(12).reshape(4, 3) / 10 - 0.4

    def loss(v):
        y = FUNCTIONS[name](core.convert(v)).numpy()
        return (y * weights).sum() if y.shape == (4, 3) else (y * y).sum()

    for _ in range(3):
        direction, h = rng.normal(size=x.shape), 1e-6
        slope = (loss(x + h * direction) - loss(x - h * direction)) / (2 * h)
        np.testing.assert_allclose(
            np.sum(gradient.numpy() * direction), slope, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_training_with_it_compiled_equals_eager(name):
    class Flow(layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(3,), initializer="ones")

        def call(self, x):
            return FUNCTIONS[name](x * self.scale)

    found = []
    for eager in (False, True):
        kerasish.utils.set_random_seed(0)
        model = models.Sequential([layers.Input((3,), batch_size=4), Flow(), layers.Dense(1)])
        model.compile(kerasish.optimizers.SGD(0.01), "mse", run_eagerly=eager)
        data = np.tile(X, (2, 1))
        logs = model.fit(data, data[:, :1], batch_size=4, epochs=2, shuffle=False, verbose=0)
        found.append([*logs.history["loss"], *model.get_weights(), model.predict(X, verbose=0)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
