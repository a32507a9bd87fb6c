"""Keras 2: locally connected layers, whose kernel differs at each place."""

import numpy as np
from keras.layers import Dense, Flatten, LocallyConnected1D, LocallyConnected2D, Reshape
from keras.models import Sequential

np.random.seed(21)
x = np.random.randn(400, 8, 8, 1)
weights = np.random.randn(8, 8)
y = ((x[..., 0] * weights).sum(axis=(1, 2)) > 0).astype("float32")
model = Sequential()
model.add(LocallyConnected2D(4, (3, 3), strides=(1, 1), activation="tanh", input_shape=(8, 8, 1)))
assert model.output_shape == (None, 6, 6, 4)
model.add(Reshape((36, 4)))
model.add(LocallyConnected1D(2, 3, strides=3, kernel_initializer="he_normal"))
assert model.layers[2].output_shape == (None, 12, 2)
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=20, batch_size=32, verbose=0)
print("figure", model.evaluate(x, y, verbose=0)[1])
