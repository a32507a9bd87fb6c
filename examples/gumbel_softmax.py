"""Gumbel-softmax samples, straight-through gradients, and a small categorical VAE.

A sample is `softmax((logits + gumbel) / temperature)`; with `hard=True` it is one-hot, yet its
gradient is that of the soft sample: `stop_gradient(hard - soft) + soft`.

E. Jang et al., "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017.

    python examples/gumbel_softmax.py     the VAE's loss falls below 21 within 30 epochs
"""

import numpy as np
from sklearn.datasets import load_digits

import kerasish as keras
from kerasish import layers, ops
from kerasish.distributions import Bernoulli, OneHotCategorical

TARGET = 21.0  # nats an 8 x 8 picture


def gumbel_softmax(logits, temperature, hard=False, seed=None):
    """Samples of the relaxed categorical distribution, over the last axis."""
    u = keras.random.uniform(ops.shape(logits), 1e-7, 1.0 - 1e-7, seed=seed)
    soft = ops.softmax((logits - ops.log(-ops.log(u))) / temperature, axis=-1)
    if not hard:
        return soft
    one_hot = ops.one_hot(ops.argmax(soft, axis=-1), logits.shape[-1], dtype=soft.dtype)
    return ops.stop_gradient(one_hot - soft) + soft


class VAE(keras.Model):
    """`groups` categorical variables of `classes` each explain a picture of bits."""

    def __init__(self, pixels, groups=10, classes=6):
        super().__init__()
        self.groups, self.classes = groups, classes
        self.encoder = keras.Sequential(
            [layers.Dense(128, activation="relu"), layers.Dense(groups * classes)]
        )
        self.decoder = keras.Sequential(
            [layers.Dense(128, activation="relu"), layers.Dense(pixels)]
        )
        self.temperature = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="temperature"
        )

    def call(self, x, training=False):
        logits = ops.reshape(self.encoder(x), (-1, self.groups, self.classes))
        code = gumbel_softmax(logits, self.temperature, hard=True)
        prior = OneHotCategorical(logits=ops.zeros_like(logits))
        divergence = OneHotCategorical(logits=logits).kl_divergence(prior)
        self.add_loss(ops.mean(ops.sum(divergence, axis=-1)))
        return self.decoder(ops.reshape(code, (-1, self.groups * self.classes)))


class Annealing(keras.callbacks.Callback):
    """The temperature falls from epoch to epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.temperature.assign(max(0.5, 0.95**epoch))


def check_samples():
    """Rows are one-hot, and their gradients those of the soft samples."""
    logits = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(64, 5)).astype("float32"))
    weights = ops.arange(5, dtype="float32")
    with keras.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        hard = gumbel_softmax(logits, 0.7, hard=True, seed=3)
        soft = gumbel_softmax(logits, 0.7, seed=3)
        totals = [ops.sum(s * weights) for s in (hard, soft)]
    rows = hard.numpy()
    np.testing.assert_allclose(rows.max(-1), 1, atol=1e-6)
    np.testing.assert_allclose(rows.sum(-1), 1, atol=1e-6)
    a, b = (tape.gradient(t, logits) for t in totals)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def main(folder=None):
    """Check the samples, train the VAE; its losses by epoch."""
    keras.utils.set_random_seed(0)
    check_samples()
    pictures = load_digits().data
    x = (pictures > 7).astype("float32")
    model = VAE(x.shape[1])

    def reconstruction(y_true, y_pred):
        return -ops.sum(Bernoulli(logits=y_pred).log_prob(y_true), axis=-1)

    model.compile(keras.optimizers.Adam(3e-3), reconstruction)
    losses = model.fit(x, x, epochs=30, batch_size=64, verbose=0, callbacks=[Annealing()]).history[
        "loss"
    ]
    print(f"evidence bound, nats: {losses[0]:.2f} -> {losses[-1]:.2f}")
    assert losses[-1] < TARGET
    if folder is not None:
        from curves import draw_curve

        draw_curve(losses, f"{folder}/gumbel_softmax.png", "nats", TARGET)
    return losses


if __name__ == "__main__":
    main(".")
