"""Curvature: gradients of gradients, Hessians, their largest eigenvalue, a gradient penalty.

Everything is checked against finite differences in float64, on a convolutional, a normalising, a
recurrent and an attention model.

    python examples/higher_order.py
"""

import numpy as np

import kerasish as keras
from kerasish import layers, ops
from kerasish.autodiff import grad, hessian, hvp

RNG = np.random.default_rng(0)


class SelfAttention(layers.Layer):
    """Every step of a sequence looks at all of them."""

    def __init__(self):
        super().__init__()
        self.attention = layers.MultiHeadAttention(2, 2)

    def call(self, x):
        return self.attention(x, x)


def models():
    """A small model of each kind, with an input, in float64."""
    yield (
        "convolution",
        [layers.Conv2D(2, 3, activation="tanh"), layers.Flatten(), layers.Dense(1)],
        (2, 5, 5, 1),
    )
    yield "normalization", [layers.Dense(3), layers.LayerNormalization(), layers.Dense(1)], (4, 3)
    yield "recurrent", [layers.LSTM(2), layers.Dense(1)], (2, 4, 2)
    yield (
        "attention",
        [SelfAttention(), layers.GlobalAveragePooling1D(), layers.Dense(1)],
        (2, 3, 2),
    )


def flat_loss(model, x):
    """The loss as a function of all weights in one vector, and the vector."""
    variables = model.trainable_variables
    sizes = [int(np.prod(v.shape)) for v in variables]
    cuts = np.cumsum(sizes)[:-1]
    others = model.non_trainable_variables

    def loss(vector):
        parts = [ops.reshape(p, v.shape) for p, v in zip(ops.split(vector, cuts), variables)]
        y, _ = model.stateless_call(parts, others, x)
        return ops.mean(ops.square(y - 1.0)) + 0.1 * ops.mean(y**3)

    return loss, np.concatenate([v.numpy().ravel() for v in variables])


def check(name, stack, shape):
    """Hessian, Hessian-vector product and largest eigenvalue of one model."""
    model = keras.Sequential(stack)
    x = RNG.normal(size=shape)
    model(x)
    loss, start = flat_loss(model, x)
    vector = ops.convert_to_tensor(start)
    slope = grad(loss)
    step = 1e-5
    numeric = np.stack(
        [
            np.asarray(slope(start + step * e) - slope(start - step * e)) / (2 * step)
            for e in np.eye(len(start))
        ]
    )
    exact = np.asarray(hessian(loss)(vector))
    error = np.abs(exact - numeric).max()
    direction = RNG.normal(size=start.shape)
    product = np.asarray(hvp(loss, (vector,), (direction,))[0])
    gap = np.abs(product - exact @ direction).max()

    v = direction / np.linalg.norm(direction)
    for _ in range(500):
        w = np.asarray(hvp(loss, (vector,), (v,))[0])
        v = w / np.linalg.norm(w)
    top = float(v @ np.asarray(hvp(loss, (vector,), (v,))[0]))
    largest = max(np.linalg.eigvalsh(exact), key=abs)
    print(f"{name}: {len(start)} weights, Hessian error {error:.1e}, product error {gap:.1e}, "
          f"largest eigenvalue {top:.6f} (exact {largest:.6f})")  # fmt: skip
    assert error < 1e-6 and gap < 1e-9 and abs(top - largest) < 1e-3 * abs(largest)


class Penalized(keras.Model):
    """A model whose loss holds the squared norm of its gradient by the input."""

    def __init__(self):
        super().__init__()
        self.hidden, self.head = layers.Dense(8, activation="tanh"), layers.Dense(1)

    def call(self, x):
        return self.head(self.hidden(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        with keras.GradientTape() as tape:
            tape.watch(x)
            out = ops.sum(self(x))
        penalty = ops.mean(ops.sum(ops.square(tape.gradient(out, x)), axis=-1))
        return super().compute_loss(x, y, y_pred, sample_weight, training) + 0.1 * penalty


def main():
    keras.utils.set_random_seed(0)
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        for name, stack, shape in models():
            check(name, stack, shape)
        model = Penalized()
        model.compile(keras.optimizers.Adam(0.02), "mse")
        x = RNG.normal(size=(64, 3))
        history = model.fit(x, np.sin(x.sum(1)), epochs=20, verbose=0).history["loss"]
        print(f"gradient penalty inside fit: loss {history[0]:.4f} -> {history[-1]:.4f}")
        assert history[-1] < history[0] and not model.run_eagerly
    finally:
        keras.config.set_floatx(before)


if __name__ == "__main__":
    main()
