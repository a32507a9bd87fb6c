"""Losses under the names of earlier releases."""

from __future__ import annotations

from typing import Any

from .. import losses

__all__ = ["cosine_proximity", "is_categorical_crossentropy"]


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between the vectors."""
    return losses.cosine_similarity(y_true, y_pred, axis=axis)


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss is categorical crossentropy, in any of its spellings."""
    return (
        loss in ("categorical_crossentropy", losses.categorical_crossentropy)
        or getattr(loss, "__name__", "") == "categorical_crossentropy"
        or isinstance(loss, losses.CategoricalCrossentropy)
    )
