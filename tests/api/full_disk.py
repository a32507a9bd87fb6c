"""Saves models where there is no room. Run by `test_saving_safety.py`: the limit would also hit
what pytest writes."""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
from pathlib import Path

import numpy as np

from kerasish import Input, Sequential, layers, models

FORMATS = {
    "a.keras": {}, "a.weights.h5": {}, "a.h5": {}, "a.weights.json": {"max_shard_size": 1.0},
}  # fmt: skip


def make():
    return Sequential([Input((300,)), layers.Dense(300), layers.Dense(300)])


def save(model, path, options):
    (model.save_weights if ".weights." in path.name else model.save)(path, **options)


def load(path):
    if ".weights." not in path.name:
        return models.load_model(path)
    model = make()
    model.load_weights(path)
    return model


@contextlib.contextmanager
def room(size):
    unlimited = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))


def main(folder):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old = make()
    for name, options in FORMATS.items():
        path = Path(folder) / name
        save(old, path, options)
        for size in (1000, 100_000, 400_000):
            error = None
            with room(size):
                try:
                    save(make(), path, options)
                except OSError as caught:
                    error = str(caught)
            assert error is not None, f"{name}, {size} bytes: no error"
            assert str(path) in error and "too large" in error.lower(), error
            for a, b in zip(load(path).get_weights(), old.get_weights(), strict=True):
                assert np.array_equal(a, b), f"{name}, {size} bytes: the old file has changed"
    left = sorted(f.name for f in Path(folder).iterdir() if f.name.startswith("."))
    assert not left, left
    print("survived")


if __name__ == "__main__":
    main(sys.argv[1])
