"""Losses of overlap (Dice, Tversky) and of pairs of embeddings (circle)."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import epsilon
from ..shard import whole_sum
from .regression import as_pair
from .wrapper import aligned

__all__ = ["circle", "dice", "tversky"]


@aligned
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """Dice loss `1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: Masks, any shape.
        y_pred: Predicted masks of the same shape.
        axis: Axes to sum over; all if None.

    Source: Milletari et al. (2016), V-Net, arXiv:1606.04797, section 3.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    overlap = _sum(y_true * y_pred, axis)
    sizes = _sum(y_true, axis) + _sum(y_pred, axis)
    return 1.0 - 2.0 * overlap / (sizes + epsilon())


@aligned
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """Tversky loss `1 - both / (both + alpha missed + beta added)` of soft masks.

    `both = sum(y_true y_pred)`, `missed = sum(y_true (1 - y_pred))`,
    `added = sum((1 - y_true) y_pred)`. Keras weighs the two in this order.

    Args:
        y_true: Masks, any shape.
        y_pred: Predicted masks of the same shape.
        alpha: Weight of what `y_pred` misses.
        beta: Weight of what `y_pred` adds.
        axis: Axes to sum over; all if None.

    Source: Salehi et al. (2017), Tversky Loss Function, arXiv:1706.05721, eq. 3.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    both = _sum(y_true * y_pred, axis)
    missed = _sum(y_true * (1.0 - y_pred), axis)
    added = _sum((1.0 - y_true) * y_pred, axis)
    return 1.0 - both / (both + alpha * missed + beta * added + epsilon())


def _sum(values: Any, axis: Any) -> Any:
    """Over the axes; over all of them, where other processes have rows of the batch, over theirs
    too."""
    total = ops.sum(values, axis=axis)
    return whole_sum(total) if axis is None else total


@aligned
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss of L2-normalised embeddings: similar within a class, dissimilar between.

    With cosine distances `d`, over positive pairs p and negative pairs n of each row:
    `softplus(logsumexp_p(gamma [m + d]+ (d - m)) + logsumexp_n(gamma [1 + m - d]+ (1 - m - d)))`.

    Args:
        y_true: Integer labels, `(n,)`.
        y_pred: Embeddings, `(n, d)`.
        ref_labels: Labels of the reference embeddings; `y_true` if None.
        ref_embeddings: Embeddings to compare with, `(m, d)`; `y_pred` if None.
        remove_diagonal: Whether not to compare an embedding with itself.
        gamma: Scale.
        margin: Relaxation m.

    Returns:
        `(n,)`; a row that has no pair of either kind is 0 and masked.

    Source: Sun et al. (2020), Circle Loss, arXiv:2002.10857, eq. 4 to 8.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
    references = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings)
    others = labels if ref_labels is None else ops.reshape(ops.cast(ref_labels, "int32"), (-1, 1))
    distance = 1.0 - ops.matmul(y_pred, ops.transpose(references))
    distance = ops.maximum(distance, 0.0)
    positive = ops.equal(labels, ops.transpose(others))
    negative = ops.logical_not(positive)
    if remove_diagonal:
        itself = ops.eye(positive.shape[0], positive.shape[1], dtype="bool")
        positive = ops.logical_and(positive, ops.logical_not(itself))
    attract = gamma * ops.maximum(margin + distance, 0.0) * (distance - margin)
    repel = gamma * ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    far = ops.cast(-1e30 if y_pred.dtype != "float16" else -3e4, y_pred.dtype)
    attract = ops.logsumexp(ops.where(positive, attract, far), axis=1)
    repel = ops.logsumexp(ops.where(negative, repel, far), axis=1)
    values = ops.softplus(attract + repel)
    values.mask = ops.greater(values, 0.0)  # as in Keras: rows without a pair are left out
    return values
