"""Kills itself in the middle of saving. Run by `test_saving_safety.py`, or by hand:

    python tests/api/killed_saves.py model.keras 100

A child writes one file again and again, with all weights equal to the number of the save; it is
killed at a random moment, and what is there then must be one whole save. Prints how many kills
there were, and how many of them found the save in progress (a temporary file was left).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from kerasish import Input, Sequential, layers, models

SHARD = 100 / 1024**2  # 100 KB


def make(number):
    model = Sequential([Input((100,)), layers.Dense(200), layers.Dense(100)])
    model.set_weights([np.full(w.shape, number, w.dtype) for w in model.get_weights()])
    return model


def save(model, path):
    if path.name.endswith(".weights.json"):
        model.save_weights(path, max_shard_size=SHARD)
    elif path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


def load(path):
    if ".weights." not in path.name:
        return models.load_model(path)
    model = make(-1)
    model.load_weights(path)
    return model


def main(name, kills):
    random.seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / name
        begun = time.perf_counter()
        save(make(0), path)
        usual = time.perf_counter() - begun
        middle = 0
        for kill in range(kills):
            child = os.fork()
            if child == 0:
                for number in range(1000 * kill + 1, 1000 * (kill + 1)):
                    save(make(number), path)
                os._exit(0)
            time.sleep(random.uniform(0, 3 * usual))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            numbers = {float(n) for w in load(path).get_weights() for n in np.unique(w)}
            if len(numbers) != 1:
                raise SystemExit(f"kill {kill}: the file holds parts of the saves {numbers}")
            left = [f for f in path.parent.iterdir() if f.name.startswith(".")]
            middle += bool(left)
            for file in left:
                if not file.name.endswith(".journal") and "weights.json" not in name:
                    file.unlink()
    print(f"{kills} kills, {middle} in the middle of a save")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
