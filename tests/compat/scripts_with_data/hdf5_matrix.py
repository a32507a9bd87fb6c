"""Samples read from an HDF5 file as they are needed."""
# generation: 2
# needs: mnist.npz
# shows: test accuracy >= 0.8 (untrained 0.1)

import os
import tempfile

import h5py
import numpy as np
from keras.datasets import mnist
from keras.layers import Dense
from keras.models import Sequential
from keras.utils.io_utils import HDF5Matrix

np.random.seed(0)
path = os.path.join(tempfile.mkdtemp(), "digits.h5")
(x, y), _ = mnist.load_data()
with h5py.File(path, "w") as f:
    f.create_dataset("x", data=x[:6000].reshape(-1, 784))
    f.create_dataset("y", data=np.eye(10)[y[:6000]])


def normalize(rows):
    return rows.astype("float32") / 255


X_train = HDF5Matrix(path, "x", start=0, end=5000, normalizer=normalize)
y_train = HDF5Matrix(path, "y", 0, 5000)
X_test = HDF5Matrix(path, "x", start=5000, end=6000, normalizer=normalize)
y_test = HDF5Matrix(path, "y", start=5000, end=6000)
assert X_train.shape == (5000, 784) and len(y_test) == 1000

model = Sequential()
model.add(Dense(64, input_shape=(784,), activation="relu"))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
# Rows of a file are read in order: batches change places, not samples.
model.fit(X_train, y_train, batch_size=50, epochs=5, shuffle="batch", verbose=2)
score = model.evaluate(X_test, y_test, batch_size=50, verbose=0)
assert model.predict(X_test, batch_size=50).shape == (1000, 10)
print("test accuracy", score[1])
