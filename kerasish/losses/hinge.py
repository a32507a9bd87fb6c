"""Hinge losses: margins between scores."""

from __future__ import annotations

from typing import Any

from .. import ops
from .regression import as_pair
from .wrapper import aligned

__all__ = ["categorical_hinge", "hinge", "squared_hinge"]


def signs(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; other labels as they are."""
    is_binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(is_binary, 2.0 * y_true - 1.0, y_true)


@aligned
def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(0, 1 - y_true y_pred))` over the last axis; labels -1 and 1 (or 0 and 1)."""
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    return ops.mean(ops.maximum(1.0 - signs(y_true) * y_pred, 0.0), axis=-1)


@aligned
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(0, 1 - y_true y_pred)**2)` over the last axis; labels as in `hinge`."""
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    return ops.mean(ops.square(ops.maximum(1.0 - signs(y_true) * y_pred, 0.0)), axis=-1)


@aligned
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`max(0, neg - pos + 1)`: `pos` is the true class's score, `neg` the best other one.

    `pos = sum(y_true y_pred)`, `neg = max((1 - y_true) y_pred)`, `y_true` one-hot.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    positive = ops.sum(y_true * y_pred, axis=-1)
    negative = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(negative - positive + 1.0, 0.0)
