"""Keras 2: batches by a Sequence, masks, and layers applied at each time."""

import numpy as np
from keras.layers import GRU, Bidirectional, Dense, Masking, TimeDistributed
from keras.layers.embeddings import Embedding
from keras.models import Sequential
from keras.utils.data_utils import Sequence

np.random.seed(33)


class Batches(Sequence):
    def __init__(self, count, batch_size):
        self.count, self.batch_size = count, batch_size
        self.ended = 0

    def __len__(self):
        return int(np.ceil(self.count / float(self.batch_size)))

    def __getitem__(self, idx):
        x = np.random.randint(1, 5, (self.batch_size, 6))
        lengths = np.random.randint(2, 7, self.batch_size)
        for row, length in zip(x, lengths):
            row[length:] = 0
        y = (x > np.roll(x, 1, axis=1)).astype("float32")
        y[:, 0] = 0
        return x, y[:, :, None]

    def on_epoch_end(self):
        self.ended += 1


model = Sequential()
model.add(Embedding(5, 8, input_length=6, mask_zero=True))
model.add(Bidirectional(GRU(16, return_sequences=True)))
model.add(TimeDistributed(Dense(1, activation="sigmoid")))
model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"], sample_weight_mode=None)
model.optimizer.lr = 0.01
data = Batches(640, 32)
history = model.fit_generator(
    data,
    epochs=12,
    verbose=0,
    workers=4,
    use_multiprocessing=False,
    validation_data=Batches(64, 32),
    max_queue_size=10,
)
assert len(history.history["acc"]) == 12 and data.ended >= 11
assert model.evaluate_generator(Batches(64, 32))[0] < 0.6
masked = Sequential([Masking(mask_value=0.0, input_shape=(6, 2)), GRU(3)])
assert masked.predict(np.zeros((2, 6, 2))).shape == (2, 3)
print("figure", history.history["val_acc"][-1])
