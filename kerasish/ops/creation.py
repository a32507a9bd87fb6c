"""The functions of `keras.ops.numpy` that make tensors."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .core import convert_to_tensor
from .symbolic import symbolic

__all__ = [
    "arange", "array", "empty", "eye", "full", "full_like", "identity", "linspace", "meshgrid",
    "ones", "ones_like", "tri", "zeros", "zeros_like",
]  # fmt: skip


@symbolic
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of `x`."""
    return core.ops.zeros_like(x, dtype)


@symbolic
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of `x`."""
    return core.ops.ones_like(x, dtype)


@symbolic
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in the shape of `x`."""
    return core.ops.full_like(x, fill_value, dtype)


@symbolic
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Coordinates of a grid of vectors.

    Raises:
        ValueError: One is no vector.
    """
    if any(core.convert(v).ndim != 1 for v in x):
        raise ValueError("meshgrid: all arguments must be vectors (rank 1).")
    return core.ops.meshgrid(*x, indexing=indexing)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros."""
    return core.ops.zeros(shape, dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones."""
    return core.ops.ones(shape, dtype)


empty = zeros


@symbolic
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value everywhere."""
    return core.ops.full(shape, fill_value, dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Evenly spaced values in `[start, stop)`."""
    if isinstance(start, str):
        raise TypeError(f"arange: numbers are needed. Received: start={start!r}")
    return core.ops.arange(start, stop, 1 if step is None else step, dtype)


@symbolic
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
             dtype: Any = None, axis: int = 0) -> Any:  # fmt: skip
    """Evenly spaced values from `start` to `stop`.

    Raises:
        ValueError: `num` is negative.
    """
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    return core.ops.linspace(start, stop, num, endpoint, retstep, dtype, axis)


def eye(N: int, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones on a diagonal."""
    return core.ops.eye(N, M, k, dtype)


def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix."""
    return core.ops.eye(n, dtype=dtype)


def tri(N: int, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Ones at and below a diagonal."""
    return core.ops.tri(N, M, k, dtype)


def array(x: Any, dtype: Any = None) -> Any:
    """A tensor of `x`."""
    return convert_to_tensor(x, dtype)
