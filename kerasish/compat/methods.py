"""Methods and attributes of earlier releases."""

from __future__ import annotations

from typing import Any

__all__ = ["keras_shape"]


@property
def keras_shape(self: Any) -> Any:
    """The shape, as symbolic tensors once called it."""
    return self.shape
