"""Fused chains, Adam, softmax and layer norm against bandwidth; an LSTM against arithmetic.

    python benchmarks/native_fused.py

Arrays of 64 MiB, far larger than the caches. Bytes are those of the operands, each read or written
once; the copy, by both halves of the pool's width in NumPy, is timed in turn with them. The LSTM's
floor is the product of its states with the recurrent kernel over the measured peak of all threads;
the products that do not depend on states are not in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from profile_step import measured_bandwidth, measured_peak

import kerasish_core as core
from kerasish_core import ops

COUNT = 1 << 24
ROUNDS = 7


def chain() -> tuple[Callable[[Any], Any], int]:
    """`v <- relu(v * 2 + x) * 0.5 - x`: two arrays read, one written."""
    v = core.Variable(np.zeros(COUNT, "float32"))

    def step(x: Any) -> Any:
        v.assign(ops.relu(v * 2.0 + x) * 0.5 - x)
        return ops.max(x[:1])

    return core.function(step), 3 * 4 * COUNT


def adam() -> tuple[Callable[[Any], Any], int]:
    """Kingma and Ba 2014, algorithm 1: four arrays read, three written."""
    weights, mean, square = (core.Variable(np.zeros(COUNT, "float32")) for _ in range(3))

    def step(g: Any) -> Any:
        mean.assign(mean + (g - mean) * 0.1)
        square.assign(square + (ops.square(g) - square) * 0.001)
        weights.assign(weights - mean * 0.001 / (ops.sqrt(square) + 1e-7))
        return ops.max(g[:1])

    return core.function(step), 7 * 4 * COUNT


def rows(fn: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], int]:
    """A function of rows of 1024: one array read, one written."""
    v = core.Variable(np.zeros((COUNT >> 10, 1024), "float32"))

    def step(x: Any) -> Any:
        v.assign(fn(ops.reshape(x, v.shape)))
        return ops.max(x[:1])

    return core.function(step), 2 * 4 * COUNT


def lstm() -> None:
    """64 sequences of 100 steps, 128 units."""
    batch, steps, units = 64, 100, 128
    rng = np.random.default_rng(0)
    z = rng.normal(size=(batch, steps, 4 * units)).astype("float32")
    kernel = rng.normal(size=(units, 4 * units)).astype("float32") / units
    zeros = np.zeros((batch, units), "float32")
    run = core.function(lambda *args: ops.lstm(*args)[1])
    best, peak = float("inf"), 0.0
    for _ in range(ROUNDS * 3):
        peak = max(peak, measured_peak())
        start = time.perf_counter()
        run(z, kernel, zeros, zeros)
        best = min(best, time.perf_counter() - start)
    floor = 2 * batch * steps * units * 4 * units / peak
    print(f"LSTM               {best * 1e3:.2f} ms, floor {floor * 1e3:.2f} ms, {floor / best:.0%}")


def main() -> None:
    x = np.random.default_rng(0).random(COUNT, dtype="float32")
    cases = {"chain of four ops": chain(), "Adam": adam()}
    cases["softmax"] = rows(ops.softmax)
    cases["layer norm"] = rows(ops.layer_normalization)
    best = dict.fromkeys(cases, float("inf"))
    bandwidth = 0.0
    for _ in range(ROUNDS):
        bandwidth = max(bandwidth, measured_bandwidth())
        for name, (step, _) in cases.items():
            step(x)
            start = time.perf_counter()
            step(x)
            best[name] = min(best[name], time.perf_counter() - start)
    print(f"copy {bandwidth / 1e9:.1f} GB/s, read and written")
    for name, (_, moved) in cases.items():
        rate = moved / best[name]
        print(f"{name:18} {rate / 1e9:6.1f} GB/s, {rate / bandwidth:.0%} of copying")
    lstm()


if __name__ == "__main__":
    main()
