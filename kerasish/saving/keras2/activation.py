"""Keras 2's hard sigmoid, for the models that were trained with it."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...serialization import register_keras_serializable

__all__ = ["hard_sigmoid_of_keras_2"]


@register_keras_serializable("kerasish")
def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """`min(max(0.2 x + 0.5, 0), 1)`. Keras 3's `hard_sigmoid` has slope 1/6.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of that shape.

    Source: Keras 2, `keras.activations.hard_sigmoid`.
    """
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
