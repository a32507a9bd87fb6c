"""Metrics that Keras 1 computed batch by batch: their logs are means over batches.

Today's `keras.metrics.Precision`, `Recall` and `F1Score` count over all samples instead.
"""

from __future__ import annotations

from typing import Any

from .. import ops
from ..settings import epsilon

__all__ = [
    "f1score", "fbeta_score", "fmeasure", "fscore", "matthews_correlation", "precision", "recall",
    "with_column_of_labels",
]  # fmt: skip


def _counted(x: Any) -> Any:
    return ops.sum(ops.round(ops.clip(x, 0, 1)))


def with_column_of_labels(
    before: Any, self: Any, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> None:
    """`update_state` of metrics that are functions: labels `(samples,)` beside predictions
    `(samples, 1)` were turned into a column first, so that functions need not do it."""
    shape = getattr(y_pred, "shape", ())
    if len(shape) == 2 and shape[1] == 1 and len(getattr(y_true, "shape", shape)) == 1:
        y_true = ops.expand_dims(y_true, -1)
    before(self, y_true, y_pred, sample_weight)


def precision(y_true: Any, y_pred: Any) -> Any:
    """The share of predicted positives that are positive."""
    return _counted(y_true * y_pred) / (_counted(y_pred) + epsilon())


def recall(y_true: Any, y_pred: Any) -> Any:
    """The share of positives that are predicted."""
    return _counted(y_true * y_pred) / (_counted(y_true) + epsilon())


def fbeta_score(y_true: Any, y_pred: Any, beta: float = 1) -> Any:
    """`(1 + b^2) p r / (b^2 p + r)` of precision p and recall r; 0 without positives.

    Raises:
        ValueError: beta is negative.
    """
    if beta < 0:
        raise ValueError(f"beta must be 0 (only precision) or more. Received: {beta}")
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    score = (1 + beta**2) * (p * r) / (beta**2 * p + r + epsilon())
    return ops.where(_counted(y_true) > 0, score, ops.zeros_like(score))


def fmeasure(y_true: Any, y_pred: Any) -> Any:
    """`fbeta_score` with beta 1: the harmonic mean of precision and recall."""
    return fbeta_score(y_true, y_pred, beta=1)


f1score = fscore = fmeasure


def matthews_correlation(y_true: Any, y_pred: Any) -> Any:
    """The correlation of labels and predictions, of two classes."""
    found, wanted = (ops.round(ops.clip(y, 0, 1)) for y in (y_pred, y_true))
    tp, tn = ops.sum(wanted * found), ops.sum((1 - wanted) * (1 - found))
    fp, fn = ops.sum((1 - wanted) * found), ops.sum(wanted * (1 - found))
    size = ops.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / (size + epsilon())
