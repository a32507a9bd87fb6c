"""Trains with a backup, and kills itself. Run by `test_killed_training.py`:

    python tests/api/killed_training.py FOLDER [BATCHES]

After so many batches the process is killed; without that, or at the end, the weights, the state of
the optimizer and the figures of the last epoch are in `FOLDER/result.npz`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np

import kerasish
from kerasish import Input, Sequential, callbacks, layers

DATA = np.random.default_rng(0)
X = DATA.normal(size=(50, 6)).astype("float32")
Y = DATA.normal(size=(50, 2)).astype("float32")


class Kill(callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder, after):
    kerasish.utils.set_random_seed(3)
    model = Sequential(
        [
            Input((6,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(),
            layers.Dropout(0.3), layers.GaussianNoise(0.1), layers.Dense(2),
        ]
    )  # fmt: skip
    rate = kerasish.optimizers.schedules.ExponentialDecay(0.02, 5, 0.9)
    model.compile(kerasish.optimizers.Adam(rate), "mse", metrics=["mae"])
    hooks = [callbacks.BackupAndRestore(folder / "backup"), Kill(after)]
    hooks.append(callbacks.ModelCheckpoint(folder / "checkpoint.keras"))
    history = model.fit(X, Y, batch_size=8, epochs=6, callbacks=hooks, verbose=0).history
    kept = kerasish.models.load_model(folder / "checkpoint.keras")
    arrays = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    np.savez(
        folder / "result.npz",
        *arrays,
        figures=[history["loss"][-1], history["mae"][-1]],
        checkpoint=np.concatenate([w.ravel() for w in kept.get_weights()]),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else -1)
