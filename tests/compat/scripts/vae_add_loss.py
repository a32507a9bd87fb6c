"""Keras 2: a variational autoencoder whose loss is added as a symbolic tensor."""

import numpy as np
from keras import backend as K
from keras import metrics
from keras.layers import Dense, Input, Lambda
from keras.models import Model

np.random.seed(6)
codes = np.random.randn(512, 2)
data = 1 / (1 + np.exp(-codes.dot(np.random.randn(2, 12)) * 2))

x = Input(shape=(12,))
h = Dense(32, activation="relu")(x)
z_mean = Dense(2)(h)
z_log_var = Dense(2)(h)


def sampling(args):
    mean, log_var = args
    epsilon = K.random_normal(shape=(K.shape(mean)[0], 2), mean=0.0, stddev=1.0)
    return mean + K.exp(log_var / 2) * epsilon


z = Lambda(sampling, output_shape=(2,))([z_mean, z_log_var])
decoder_h = Dense(32, activation="relu")
decoder_mean = Dense(12, activation="sigmoid")
decoded = decoder_mean(decoder_h(z))

vae = Model(x, decoded)
xent_loss = 12 * metrics.binary_crossentropy(x, decoded)
kl_loss = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
vae.add_loss(K.mean(xent_loss + kl_loss))
vae.add_metric(K.mean(kl_loss), name="kl", aggregation="mean")
vae.compile(optimizer="rmsprop")
history = vae.fit(
    data, shuffle=True, epochs=80, batch_size=64, validation_data=(data, None), verbose=0
)
assert history.history["kl"][-1] > 0.3, history.history["kl"]
assert history.history["val_loss"][-1] < history.history["val_loss"][0]

encoder = Model(x, z_mean)
given = Input(shape=(2,))
generator = Model(given, decoder_mean(decoder_h(given)))
rebuilt = generator.predict(encoder.predict(data))
print("figure", np.mean(np.abs(rebuilt - data)) / np.mean(np.abs(data.mean(axis=0) - data)))
