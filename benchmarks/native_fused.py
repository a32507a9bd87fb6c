"""Fused elementwise chains and Adam's update against the bandwidth of copying.

    python benchmarks/native_fused.py

Arrays of 64 MiB, far larger than the caches. Bytes are those of the operands, each read or written
once; the copy, by both halves of the pool's width in NumPy, is timed in turn with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from profile_step import measured_bandwidth

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


def main() -> None:
    x = np.random.default_rng(0).random(COUNT, dtype="float32")
    cases = {"chain of four ops": chain(), "Adam": adam()}
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


if __name__ == "__main__":
    main()
