"""Activations that meant something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..saving.keras2 import hard_sigmoid_of_keras_2

__all__ = ["get", "hard_sigmoid"]


def get(before: Callable[..., Any], identifier: Any) -> Any:
    """The activation of a name: "hard_sigmoid" is Keras 2's."""
    if isinstance(identifier, str) and identifier == "hard_sigmoid":
        return hard_sigmoid_of_keras_2
    return before(identifier)


def hard_sigmoid(before: Callable[..., Any], x: Any) -> Any:
    """`0.2 x + 0.5`, limited to `[0, 1]`."""
    return hard_sigmoid_of_keras_2(x)
