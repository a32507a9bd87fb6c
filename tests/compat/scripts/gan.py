"""Keras 2: a GAN whose discriminator is frozen inside the combined model after its own compile."""

import numpy as np
from keras.layers import Dense, Input
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(8)


def real(count):
    angle = np.random.rand(count) * 2 * np.pi
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) + np.random.randn(count, 2) * 0.05


optimizer = Adam(0.005, 0.5)
discriminator = Sequential()
discriminator.add(Dense(32, input_shape=(2,)))
discriminator.add(LeakyReLU(alpha=0.2))
discriminator.add(Dense(32))
discriminator.add(LeakyReLU(alpha=0.2))
discriminator.add(Dense(1, activation="sigmoid"))
discriminator.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])

generator = Sequential(
    [Dense(32, activation="relu", input_dim=4), Dense(32, activation="relu"), Dense(2)]
)
z = Input(shape=(4,))
discriminator.trainable = False
combined = Model(z, discriminator(generator(z)))
combined.compile(loss="binary_crossentropy", optimizer=Adam(0.005, 0.5))
assert len(combined.trainable_weights) == 6

valid, fake = np.ones((64, 1)), np.zeros((64, 1))
before = discriminator.get_weights()[0].copy()
for step in range(600):
    noise = np.random.normal(0, 1, (64, 4))
    made = generator.predict(noise)
    first = discriminator.train_on_batch(real(64), valid)
    second = discriminator.train_on_batch(made, fake)
    frozen = discriminator.get_weights()[0].copy() if step == 0 else None
    combined.train_on_batch(np.random.normal(0, 1, (64, 4)), valid)
    if step == 0:
        assert np.array_equal(frozen, discriminator.get_weights()[0])
        assert len(first) == 2
assert not np.array_equal(before, discriminator.get_weights()[0])
made = generator.predict(np.random.normal(0, 1, (500, 4)))
print("figure", np.mean(np.abs(np.linalg.norm(made, axis=1) - 1)))
