"""Keras 2: TensorBoard with its old arguments, beside other callbacks and one of one's own."""

import glob
import os
import tempfile

import keras
import numpy as np
from keras.callbacks import CSVLogger, ModelCheckpoint, TensorBoard
from keras.layers import Dense
from keras.models import Sequential, load_model

np.random.seed(15)
folder = tempfile.mkdtemp()


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs={}):
        self.losses, self.seen = [], None

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get("loss"))

    def on_epoch_end(self, epoch, logs={}):
        held, targets = self.validation_data[0], self.validation_data[1]
        self.seen = np.mean((self.model.predict(held) > 0.5) == targets)


x = np.random.randn(400, 4)
y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
model = Sequential([Dense(32, activation="relu", input_dim=4), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
keras.backend.set_value(model.optimizer.lr, 0.02)
history = LossHistory()
path = os.path.join(folder, "best-{epoch:02d}-{val_acc:.2f}.hdf5")
model.fit(
    x,
    y,
    epochs=20,
    batch_size=32,
    validation_split=0.25,
    verbose=0,
    callbacks=[
        TensorBoard(
            log_dir=os.path.join(folder, "logs"),
            histogram_freq=10,
            batch_size=32,
            write_graph=True,
            write_grads=False,
            write_images=False,
            embeddings_freq=0,
            embeddings_layer_names=None,
            embeddings_metadata=None,
        ),
        CSVLogger(os.path.join(folder, "training.csv")),
        ModelCheckpoint(path, monitor="val_acc", save_best_only=True, mode="max", period=2),
        history,
    ],
)
assert len(history.losses) == 20 * 10 and history.seen is not None
written = [
    f for f in glob.glob(os.path.join(folder, "logs", "**"), recursive=True) if "tfevents" in f
]
assert written and os.path.getsize(written[0]) > 100
assert len(open(os.path.join(folder, "training.csv")).readlines()) == 21
saved = sorted(glob.glob(os.path.join(folder, "*.hdf5")))
best = load_model(saved[-1])
print("figure", best.evaluate(x, y, verbose=0)[1])
