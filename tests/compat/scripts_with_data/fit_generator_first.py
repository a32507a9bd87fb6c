"""Batches from a Python generator, counted in samples, as in Keras 1."""
# generation: 1
# needs: mnist.npz
# shows: test accuracy >= 0.75 (untrained 0.1)

import numpy as np
from keras.datasets import mnist
from keras.layers import Dense, MaxoutDense
from keras.models import Sequential
from keras.utils import np_utils

np.random.seed(3)
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train[:6000].reshape(-1, 784) / 255.0
X_test = X_test[:1024].reshape(-1, 784) / 255.0
Y_train, Y_test = (np_utils.to_categorical(y, nb_classes=10) for y in (y_train, y_test[:1024]))
asked = []


def batches(X, Y, size):
    while True:
        rows = np.random.randint(0, len(X), size)
        asked.append(size)
        yield X[rows], Y[rows]


model = Sequential(
    [MaxoutDense(48, nb_feature=2, input_dim=784), Dense(10, init="normal", activation="softmax")]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
history = model.fit_generator(
    batches(X_train, Y_train, 60),
    samples_per_epoch=6000,
    nb_epoch=4,
    verbose=2,
    validation_data=batches(X_test, Y_test, 64),
    nb_val_samples=512,
    max_q_size=2,
    nb_worker=1,
)
assert len(history.history["val_acc"]) == 4
assert asked.count(60) >= 4 * 100, "an epoch has 6000 samples in batches of 60"
score = model.evaluate_generator(batches(X_test, Y_test, 128), val_samples=1024)
predicted = model.predict_generator(batches(X_test, Y_test, 128), val_samples=256)
assert predicted.shape == (256, 10)
print("test accuracy", score[1])
