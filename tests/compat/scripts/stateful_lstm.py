"""Keras 2: a stateful LSTM that carries its state from batch to batch."""

import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential

np.random.seed(12)
# The target is the first number of the row, which only the state still knows.
first = np.random.randint(0, 2, 64).astype("float32")
rows = np.random.rand(64, 6, 1) * 0.1
rows[:, 0, 0] += first

model = Sequential()
model.add(LSTM(16, batch_input_shape=(32, 2, 1), return_sequences=False, stateful=True))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.optimizer.lr = 0.01
for epoch in range(40):
    for start in (0, 32):
        for time in (0, 2, 4):
            model.train_on_batch(
                rows[start : start + 32, time : time + 2], first[start : start + 32]
            )
        model.reset_states()


def scores():
    found = []
    for start in (0, 32):
        for time in (0, 2, 4):
            last = model.predict(rows[start : start + 32, time : time + 2], batch_size=32)
        found.append(last)
        model.reset_states()
    return np.concatenate(found).ravel()


model.layers[0].reset_states()
model.fit(rows[:, :2], first, batch_size=32, epochs=1, shuffle=False, verbose=0)
model.reset_states()
print("figure", np.mean((scores() > 0.5) == first))
