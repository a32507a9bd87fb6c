"""Keras 2: a variational autoencoder whose loss closes over tensors of the model."""

import numpy as np
from keras import backend as K
from keras import objectives
from keras.layers import Dense, Input, Lambda
from keras.models import Model
from keras.optimizers import Adam

np.random.seed(7)
codes = np.random.randn(512, 2)
data = 1 / (1 + np.exp(-codes.dot(np.random.randn(2, 12)) * 2))
SIZE = 12

x = Input(shape=(SIZE,))
h = Dense(32, activation="relu")(x)
z_mean = Dense(2)(h)
z_log_var = Dense(2)(h)


def sampling(args):
    mean, log_var = args
    return mean + K.exp(log_var / 2) * K.random_normal(shape=K.shape(mean))


z = Lambda(sampling)([z_mean, z_log_var])
decoded = Dense(SIZE, activation="sigmoid")(Dense(32, activation="relu")(z))
vae = Model(x, decoded)


def kl(y_true, y_pred):
    return -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)


def vae_loss(x, x_decoded):
    return SIZE * objectives.binary_crossentropy(x, x_decoded) + kl(x, x_decoded)


vae.compile(optimizer=Adam(lr=0.005), loss=vae_loss, metrics=[kl])
history = vae.fit(data, data, epochs=60, batch_size=64, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
assert history.history["kl"][-1] > 0.3, history.history["kl"]
print(
    "figure", np.mean(np.abs(vae.predict(data) - data)) / np.mean(np.abs(data.mean(axis=0) - data))
)
