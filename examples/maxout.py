"""Maxout: the largest of k linear pieces, whose gradient goes to the piece that won.

I. Goodfellow et al., "Maxout Networks", ICML 2013.

    python examples/maxout.py
"""

import numpy as np

import kerasish as keras
from kerasish import layers, ops


class Maxout(layers.Layer):
    """`max over k of (x W_k + b_k)`.

    Args:
        units: Outputs.
        pieces: How many linear functions each is the largest of.
    """

    def __init__(self, units, pieces=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.pieces = units, pieces

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units * self.pieces), name="kernel"
        )
        self.bias = self.add_weight(
            shape=(self.units * self.pieces,), initializer="zeros", name="bias"
        )

    def call(self, x):
        y = ops.matmul(x, self.kernel) + self.bias
        y = ops.reshape(y, (-1, self.units, self.pieces))
        return ops.max(y, axis=-1)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "pieces": self.pieces}


def hand_rule(layer, x, g):
    """The gradients by kernel, bias and input for a gradient g of the output."""
    kernel, bias = (w.numpy() for w in (layer.kernel, layer.bias))
    pieces = (x @ kernel + bias).reshape(len(x), layer.units, layer.pieces)
    won = np.eye(layer.pieces)[pieces.argmax(-1)]
    spread = (won * g[..., None]).reshape(len(x), -1)
    return x.T @ spread, spread.sum(0), spread @ kernel.T


def main():
    """Compare with the rule, then fit a function; the last loss."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    layer = Maxout(3, pieces=4)
    x = rng.normal(size=(16, 5)).astype("float32")
    g = rng.normal(size=(16, 3)).astype("float32")
    inputs = ops.convert_to_tensor(x)
    layer(inputs)
    with keras.GradientTape() as tape:
        tape.watch(inputs)
        total = ops.sum(layer(inputs) * g)
    found = tape.gradient(total, [*layer.trainable_variables, inputs])
    for a, b in zip(found, hand_rule(layer, x, g), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    print("gradients equal the hand rule")

    x = rng.uniform(-2, 2, (512, 1)).astype("float32")
    model = keras.Sequential(
        [layers.Input((1,)), Maxout(4, pieces=3), layers.Dense(1, use_bias=False)]
    )
    model.compile(keras.optimizers.Adam(0.03), "mse")
    losses = model.fit(x, x**2, epochs=60, batch_size=64, verbose=0).history["loss"]
    print(f"a parabola of linear pieces: loss {losses[0]:.3f} -> {losses[-1]:.4f}")
    assert losses[-1] < 0.03
    return losses[-1]


if __name__ == "__main__":
    main()
