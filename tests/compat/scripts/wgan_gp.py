"""Keras 2: the gradient penalty of a Wasserstein GAN, as a loss with a tensor bound by partial."""

from functools import partial

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, LeakyReLU
from keras.layers.merge import _Merge
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(37)


class RandomWeightedAverage(_Merge):
    def _merge_function(self, inputs):
        alpha = K.random_uniform((K.shape(inputs[0])[0], 1))
        return (alpha * inputs[0]) + ((1 - alpha) * inputs[1])


def wasserstein_loss(y_true, y_pred):
    return K.mean(y_true * y_pred)


def gradient_penalty_loss(y_true, y_pred, averaged_samples):
    gradients = K.gradients(y_pred, averaged_samples)[0]
    norms = K.sqrt(K.sum(K.square(gradients), axis=np.arange(1, len(gradients.shape))))
    return K.mean(K.square(1 - norms))


critic = Sequential([Dense(32, input_dim=2), LeakyReLU(0.2), Dense(32), LeakyReLU(0.2), Dense(1)])
generator = Sequential([Dense(32, input_dim=3, activation="relu"), Dense(2)])
generator.trainable = False
real_img, z_disc = Input(shape=(2,)), Input(shape=(3,))
fake_img = generator(z_disc)
interpolated = RandomWeightedAverage()([real_img, fake_img])
partial_gp_loss = partial(gradient_penalty_loss, averaged_samples=interpolated)
partial_gp_loss.__name__ = "gradient_penalty"
critic_model = Model(
    inputs=[real_img, z_disc], outputs=[critic(real_img), critic(fake_img), critic(interpolated)]
)
critic_model.compile(
    loss=[wasserstein_loss, wasserstein_loss, partial_gp_loss],
    optimizer=Adam(lr=0.01, beta_1=0.5),
    loss_weights=[1, 1, 10],
)
critic.trainable, generator.trainable = False, True
z_gen = Input(shape=(3,))
generator_model = Model(z_gen, critic(generator(z_gen)))
generator_model.compile(loss=wasserstein_loss, optimizer=Adam(lr=0.01, beta_1=0.5))
valid, fake, dummy = -np.ones((32, 1)), np.ones((32, 1)), np.zeros((32, 1))
for epoch in range(400):
    for _ in range(3):
        x = np.random.randn(32, 2) * 0.2 + [2.0, -1.0]
        losses = critic_model.train_on_batch([x, np.random.randn(32, 3)], [valid, fake, dummy])
    generator_model.train_on_batch(np.random.randn(32, 3), valid)
assert len(losses) == 4
made = generator.predict(np.random.randn(400, 3))
print("figure", np.linalg.norm(made.mean(axis=0) - [2.0, -1.0]))
