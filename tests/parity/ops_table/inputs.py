"""Arrays that the calls share, so that the judge compiles few shapes."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np

SHAPES = [(), (4,), (3, 4), (2, 3, 4), (2, 1, 3, 4)]
FLOATS = ["float16", "bfloat16", "float32"]
DTYPES = ["bool", "uint8", "int8", "int32", *FLOATS]
INF, NAN = np.inf, np.nan
# Where functions bend, jump, overflow or end.
POINTS = np.array([-INF, -200, -6, -3, -1, -0.5, -0.0, 0, 0.5, 1, 3, 6, 200, INF, NAN], "float32")


def as_type(x: np.ndarray, dtype: str) -> np.ndarray:
    return x.astype(getattr(ml_dtypes, dtype) if dtype == "bfloat16" else dtype)


@functools.cache
def draw(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """float32, uniform, the same each time."""
    rng = np.random.default_rng([seed, len(shape), *shape])
    found = rng.uniform(low, high, shape).astype("float32")
    found.setflags(write=False)
    return found


@functools.cache
def whole(*shape: int, low: int = 1, high: int = 6, dtype: str = "int32", seed: int = 0):
    """Whole numbers in `[low, high)` of any dtype; of bool, those at or above the middle."""
    rng = np.random.default_rng([seed, 7, *shape])
    found = rng.integers(low, high, shape)
    found = found >= (low + high) // 2 if dtype == "bool" else as_type(found, dtype)
    found = np.asarray(found)
    found.setflags(write=False)
    return found


def typed(dtype: str, *shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0):
    """`draw` of a floating dtype, `whole` of another."""
    if dtype in FLOATS:
        return as_type(draw(*shape, low=low, high=high, seed=seed), dtype)
    return whole(*shape, low=max(int(low), 0), high=max(int(high), 1) + 2, dtype=dtype, seed=seed)


A, B, C = draw(3, 4), draw(3, 4, seed=1), draw(2, 3, 4)
POSITIVE = draw(3, 4, low=0.2, high=0.9)
V = draw(4)
I, J = whole(3, 4, high=9), whole(3, 4, high=5, seed=1)
FLAGS = np.asarray(A > 0)
HOLED = np.where(draw(3, 4, seed=2) > 0.7, np.float32(NAN), A)
HOLED[1] = NAN
NOTHING = np.zeros((0, 4), "float32")
