"""Methods and attributes that objects had: class, then name, then target and today's spelling.

A target that is a property is read, a function becomes a method. Rows of a class hold for its
subclasses.
"""

from __future__ import annotations

__all__ = ["ATTRIBUTES"]

ATTRIBUTES: dict[str, dict[str, tuple[str, str | None]]] = {
    "KerasTensor": {"_keras_shape": ("compat.methods:keras_shape", "tensor.shape")},
}
