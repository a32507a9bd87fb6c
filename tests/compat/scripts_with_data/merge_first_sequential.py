"""Sums and orders of two sequences: branches joined by `Merge`, as in Keras 1."""
# generation: 1
# shows: test accuracy >= 0.8 (untrained 0.5)

import numpy as np
from keras.layers import LSTM, Dense, Embedding, Merge
from keras.models import Sequential

np.random.seed(7)
nb_words, length = 12, 6


def data(nb):
    words = np.random.randint(1, nb_words, (nb, length))
    numbers = np.random.rand(nb, 4)
    # More large words than small ones, and the numbers large: both must be looked at.
    y = (words > nb_words / 2).sum(axis=1) / length + numbers.mean(axis=1) > 1.0
    return [words, numbers], y.astype("int32")


left = Sequential()
left.add(Embedding(nb_words, 8, input_length=length))
left.add(LSTM(12, inner_activation="sigmoid", dropout_W=0.05))
right = Sequential([Dense(output_dim=12, input_dim=4, activation="tanh")])

model = Sequential()
model.add(Merge([left, right], mode="concat"))
model.add(Dense(16, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
assert len(model.inputs) == 2
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
x, y = data(3000)
model.fit(x, y, batch_size=32, nb_epoch=12, verbose=2)
x, y = data(1000)
print("test accuracy", model.evaluate(x, y, verbose=0)[1])
