"""Numbers and bytes for kernels: the codes of dtypes in `src/types.h`, single values, axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["CODES", "code", "split_axis", "value_bytes"]

_NAMES = (
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
    "float16", "bfloat16", "bool", "complex64", "complex128",
)  # fmt: skip
CODES = {name: i for i, name in enumerate(_NAMES)}


def code(dtype: np.dtype[Any]) -> int | None:
    """The number of a dtype, or None if no kernel knows it."""
    return CODES.get(dtype.name)


def value_bytes(value: Any, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The bytes of one element as two parameters."""
    raw = np.array(value, dtype).tobytes().ljust(16, b"\0")
    low, high = np.frombuffer(raw, "<i8").tolist()
    return low, high


def split_axis(shape: Sequence[int], axis: int) -> tuple[int, int, int]:
    """The sizes before, of and after an axis."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
