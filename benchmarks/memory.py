"""Resident memory while models are built, trained and dropped, and over many predictions.

python benchmarks/memory.py
"""

import gc
import resource

import numpy as np

import kerasish as keras
from kerasish import layers


def resident():
    """MiB in use now (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def one(x, y):
    model = keras.Sequential(
        [layers.Input((32,)), layers.Dense(256, activation="relu"), layers.Dense(10)]
    )
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=64, verbose=0)
    return model


def main():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 32)).astype("float32"), rng.normal(size=(64, 10)).astype("float32")
    for i in range(101):
        model = one(x, y)
        if i % 25 == 0:
            gc.collect()
            print(f"{i:4d} models built, trained, dropped: {resident():7.1f} MiB")
    for i in range(10_001):
        model.predict(x[:1], verbose=0)
        if i % 2500 == 0:
            print(f"{i:6d} predictions: {resident():7.1f} MiB")


if __name__ == "__main__":
    main()
