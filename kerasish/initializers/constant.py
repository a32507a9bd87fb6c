"""Initializers without randomness."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..config import floatx
from ..serialization import builtin, serialize_keras_object
from .base import Initializer

__all__ = ["Constant", "Identity", "Ones", "Zeros"]


@builtin("keras.initializers")
class Constant(Initializer):
    """One value everywhere (a number, or an array that broadcasts)."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        value = core.ops.cast(self.value, dtype or floatx())
        return core.ops.broadcast_to(value, tuple(shape))

    def get_config(self) -> dict[str, Any]:
        return {"value": serialize_keras_object(self.value)}


@builtin("keras.initializers")
class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return core.ops.zeros(shape, dtype or floatx())


@builtin("keras.initializers")
class Ones(Initializer):
    """Ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return core.ops.ones(shape, dtype or floatx())


@builtin("keras.initializers")
class Identity(Initializer):
    """The identity matrix times `gain`; for matrices only."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        return core.ops.eye(*shape, dtype=dtype or floatx()) * self.gain

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}
