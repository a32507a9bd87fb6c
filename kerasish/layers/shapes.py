"""Shapes and structures of shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.symbolic import KerasTensor

__all__ = ["as_shape", "is_shape", "symbolic_of"]


def as_shape(shape: Any) -> Any:
    """A shape (or structure of shapes) read from JSON, with tuples again."""
    if is_shape(shape):
        return tuple(shape)
    if isinstance(shape, dict):
        return {k: as_shape(v) for k, v in shape.items()}
    return [as_shape(s) for s in shape] if isinstance(shape, list | tuple) else shape


def is_shape(shape: Any) -> bool:
    """Whether it is one shape, not a structure of them."""
    return isinstance(shape, list | tuple) and all(
        n is None or isinstance(n, int | np.integer) for n in shape
    )


def symbolic_of(shape: Any, dtype: Any) -> Any:
    """A KerasTensor for a shape; the structure of them for a structure of shapes."""
    if is_shape(shape):
        return KerasTensor(shape, dtype)
    if isinstance(shape, dict):
        return {k: symbolic_of(v, dtype) for k, v in shape.items()}
    return [symbolic_of(s, dtype) for s in shape]
