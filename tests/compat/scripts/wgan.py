"""Keras 2: a Wasserstein GAN with clipped weights, its critic frozen after its compile."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import RMSprop

np.random.seed(30)


def wasserstein_loss(y_true, y_pred):
    return K.mean(y_true * y_pred)


def real(count):
    return np.random.randn(count, 1) * 0.3 + 2.0


critic = Sequential([Dense(32, input_dim=1), LeakyReLU(alpha=0.2), Dense(1)])
critic.compile(loss=wasserstein_loss, optimizer=RMSprop(lr=0.005), metrics=["accuracy"])
generator = Sequential([Dense(16, input_dim=3, activation="relu"), Dense(1)])
z = Input(shape=(3,))
critic.trainable = False
combined = Model(z, critic(generator(z)))
combined.compile(loss=wasserstein_loss, optimizer=RMSprop(lr=0.005))
valid, fake = -np.ones((32, 1)), np.ones((32, 1))
for epoch in range(250):
    for _ in range(2):
        made = generator.predict(np.random.normal(0, 1, (32, 3)))
        d_loss_real = critic.train_on_batch(real(32), valid)
        d_loss_fake = critic.train_on_batch(made, fake)
        d_loss = 0.5 * np.add(d_loss_fake, d_loss_real)
        for layer in critic.layers:
            layer.set_weights([np.clip(w, -0.1, 0.1) for w in layer.get_weights()])
    combined.train_on_batch(np.random.normal(0, 1, (32, 3)), valid)
assert d_loss.shape == (2,)
print("figure", abs(generator.predict(np.random.normal(0, 1, (500, 3))).mean() - 2.0))
