"""A `Sequence` whose batches threads make ahead, with class weights."""
# generation: 2
# needs: mnist.npz
# shows: test accuracy >= 0.75 (untrained 0.1)

import math
import threading

import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.utils import Sequence

np.random.seed(4)
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
threads, ends = set(), []


class Digits(Sequence):
    """Batches made when they are asked for."""

    def __init__(self, x_set, y_set, batch_size):
        self.x, self.y = x_set, y_set
        self.batch_size = batch_size

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, idx):
        threads.add(threading.get_ident())
        rows = slice(idx * self.batch_size, (idx + 1) * self.batch_size)
        return self.x[rows].reshape(-1, 784) / 255.0, np.array(self.y[rows])

    def on_epoch_end(self):
        ends.append(len(self))
        order = np.random.permutation(len(self.x))
        self.x, self.y = self.x[order], self.y[order]


train = Digits(x_train[:6000], y_train[:6000], 50)
test = Digits(x_test[:1010], y_test[:1010], 100)
model = keras.Sequential(
    [
        Dense(64, activation="relu", input_shape=(784,)),
        Dropout(0.1),
        Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    train,
    epochs=3,
    workers=3,
    max_queue_size=8,
    use_multiprocessing=False,
    shuffle=True,
    validation_data=test,
    class_weight={0: 1.0, 1: 1.5},
    verbose=2,
)
assert ends.count(len(train)) == 3, ends
assert len(threads) > 1, "workers=3"
history = model.fit_generator(generator=train, epochs=1, workers=2, verbose=0)
loss, accuracy = model.evaluate_generator(test, workers=2)
predictions = model.predict_generator(test, max_queue_size=2)
assert predictions.shape == (1010, 10)
print("test accuracy", accuracy)
