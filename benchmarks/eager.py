"""What an eager op costs beyond its kernel: microseconds over NumPy's call on one element.

Usage: python benchmarks/eager.py
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import kerasish_core as core

ALLOWED, ALLOWED_TAPED = 3.0, 8.0


def microseconds(function: Callable[[], object], number: int = 1000, repeat: int = 40) -> float:
    """The best of many short timings of one call, which other processes disturb least."""
    return min(timeit.repeat(function, number=number, repeat=repeat)) / number * 1e6


def main() -> None:
    ops, array = core.ops, np.ones(1, "float32")
    x, scalar = core.convert(array), np.asarray(2.0, "float32")
    zero = np.asarray(0.0, "float32")
    cases = {
        "add(x, x)": (lambda: ops.add(x, x), lambda: np.add(array, array)),
        "x + 2.0": (lambda: x + 2.0, lambda: np.add(array, scalar)),
        "x * x": (lambda: x * x, lambda: np.multiply(array, array)),
        "x / x": (lambda: x / x, lambda: np.true_divide(array, array)),
        "x > 2.0": (lambda: x > 2.0, lambda: np.greater(array, scalar)),
        "x > 0.0": (lambda: x > 0.0, lambda: np.greater(array, zero)),
        "exp(x)": (lambda: ops.exp(x), lambda: np.exp(array)),
        "relu(x)": (lambda: ops.relu(x), lambda: np.maximum(array, 0)),
        "sum(x)": (lambda: ops.sum(x), lambda: array.sum(axis=(0,))),
    }
    print(
        f"{'op':12} {'numpy':>8} {'eager':>8} {'over':>8} {'taped':>8} {'over':>8}   microseconds"
    )
    for name, (ours, numpy) in cases.items():
        base, plain = microseconds(numpy), microseconds(ours)
        with core.GradientTape() as tape:
            tape.watch(x)
            taped = microseconds(ours, number=300)
        marks = "" if plain - base <= ALLOWED and taped - base <= ALLOWED_TAPED else "  too slow"
        print(
            f"{name:12} {base:8.2f} {plain:8.2f} {plain - base:8.2f} {taped:8.2f} "
            f"{taped - base:8.2f}{marks}"
        )


if __name__ == "__main__":
    main()
