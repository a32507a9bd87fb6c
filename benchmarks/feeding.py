"""What goes in and what comes out: a pass over data sets, and `predict` with large outputs.

Usage: python benchmarks/feeding.py                       (ours)
       python benchmarks/feeding.py --keras keras tensorflow   (another Keras, another `tf.data`)
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def milliseconds(call: Callable[[], object], repeat: int = 8) -> float:
    """The best of some calls, after one that does not count."""
    call()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def passes(dataset: Any) -> dict[str, Callable[[], object]]:
    """Data sets of 20,000 images in batches of 64, gone through once."""
    x = np.random.default_rng(0).random((20_000, 28, 28), "float32")
    rows = dataset.from_tensor_slices((x, np.arange(20_000) % 10))
    scaled = rows.map(lambda a, b: (a / 255.0, b))
    sets = {
        "rows, batch": rows.batch(64),
        "rows, shuffle(20000), batch": rows.shuffle(20_000).batch(64),
        "rows, shuffle(1000), batch": rows.shuffle(1000).batch(64),
        "rows, shuffle, repeat(2), batch": rows.shuffle(5000).repeat(2).batch(64),
        "rows, batch, map": rows.batch(64).map(lambda a, b: (a / 255.0, b)),
        "rows, map, batch": scaled.batch(64),
        "rows, map, cache, shuffle, batch": scaled.cache().shuffle(5000).batch(64),
    }
    return {name: lambda d=d: [None for _ in d] for name, d in sets.items()}


def predictions(keras: Any) -> dict[str, Callable[[], object]]:
    """`predict` of 256 rows of (32, 64) in batches of 16."""
    x = np.random.default_rng(0).random((256, 32, 64), "float32")
    found = {}
    for units, attends in ((10, True), (1000, False), (1000, True), (4000, True)):
        i = keras.Input((32, 64))
        h = keras.layers.MultiHeadAttention(4, 16)(i, i) if attends else i
        model = keras.Model(i, keras.layers.Dense(units)(h))
        name = f"predict, {'attention, ' if attends else ''}{units} units"
        found[name] = lambda m=model: m.predict(x, batch_size=16, verbose=0)
    return found


def main() -> None:
    if sys.argv[1:2] == ["--keras"]:
        keras, data = map(importlib.import_module, sys.argv[2:4])
        dataset = data.data.Dataset
    else:
        keras = importlib.import_module("kerasish")
        dataset = importlib.import_module("kerasish.utils.dataset").Dataset
    for name, call in {**passes(dataset), **predictions(keras)}.items():
        print(f"{name:36} {milliseconds(call):9.2f} ms")


if __name__ == "__main__":
    main()
