"""Keras 2: a character model that writes text, with a callback made of a function."""

import numpy as np
from keras.callbacks import LambdaCallback
from keras.layers import LSTM, Activation, Dense
from keras.models import Sequential
from keras.optimizers import RMSprop

text = "the quick brown fox jumps over the lazy dog. " * 12
characters = sorted(set(text))
place = {c: i for i, c in enumerate(characters)}
SIZE, STEP = 10, 1
pieces = [text[i : i + SIZE] for i in range(0, len(text) - SIZE, STEP)]
following = [text[i + SIZE] for i in range(0, len(text) - SIZE, STEP)]
x = np.zeros((len(pieces), SIZE, len(characters)), dtype=bool)
y = np.zeros((len(pieces), len(characters)), dtype=bool)
for i, piece in enumerate(pieces):
    for t, c in enumerate(piece):
        x[i, t, place[c]] = 1
    y[i, place[following[i]]] = 1

model = Sequential()
model.add(LSTM(48, input_shape=(SIZE, len(characters))))
model.add(Dense(len(characters)))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.02))


def sample(probabilities, temperature=0.2):
    logs = np.log(np.asarray(probabilities).astype("float64") + 1e-9) / temperature
    shares = np.exp(logs) / np.sum(np.exp(logs))
    return np.argmax(np.random.multinomial(1, shares / shares.sum() * 0.999999, 1))


written = []


def on_epoch_end(epoch, logs):
    piece = text[:SIZE]
    for _ in range(20):
        data = np.zeros((1, SIZE, len(characters)))
        for t, c in enumerate(piece[-SIZE:]):
            data[0, t, place[c]] = 1.0
        piece += characters[sample(model.predict(data, verbose=0)[0])]
    written.append(piece)


np.random.seed(4)
model.fit(
    x, y, batch_size=32, epochs=15, verbose=0, callbacks=[LambdaCallback(on_epoch_end=on_epoch_end)]
)
assert len(written) == 15
print("figure", model.evaluate(x, y, verbose=0))
