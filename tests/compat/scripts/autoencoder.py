"""Keras 2: a convolutional autoencoder and a sparse one, by a penalty on activity."""

import numpy as np
from keras import regularizers
from keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D, Reshape, UpSampling2D
from keras.models import Model

np.random.seed(31)
rows, columns = np.mgrid[0:8, 0:8]
angles = np.random.rand(300) * np.pi
x = 0.5 + 0.5 * np.sin(
    rows * np.cos(angles)[:, None, None] + columns * np.sin(angles)[:, None, None]
)
x = x[..., None]

input_img = Input(shape=(8, 8, 1))
h = Conv2D(8, (3, 3), activation="relu", padding="same")(input_img)
h = MaxPooling2D((2, 2), padding="same")(h)
h = Conv2D(4, (3, 3), activation="relu", padding="same")(h)
encoded = MaxPooling2D((2, 2), padding="same")(h)
h = Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
h = UpSampling2D((2, 2))(h)
h = Conv2D(8, (3, 3), activation="relu", padding="same")(h)
h = UpSampling2D((2, 2))(h)
decoded = Conv2D(1, (3, 3), activation="sigmoid", padding="same")(h)
autoencoder = Model(input_img, decoded)
autoencoder.compile(optimizer="adadelta", loss="binary_crossentropy")
autoencoder.optimizer.lr = 1.0
autoencoder.fit(x, x, epochs=30, batch_size=32, shuffle=True, verbose=0, validation_data=(x, x))
assert Model(input_img, encoded).predict(x).shape == (300, 2, 2, 4)

flat = Flatten()(input_img)
code = Dense(16, activation="relu", activity_regularizer=regularizers.l1(1e-5))(flat)
sparse = Model(input_img, Reshape((8, 8, 1))(Dense(64, activation="sigmoid")(code)))
sparse.compile("adam", "mse")
history = sparse.fit(x, x, epochs=10, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
error = np.mean((autoencoder.predict(x) - x) ** 2)
print("figure", error / x.var())
