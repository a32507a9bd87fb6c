"""Counts of true and false positives and negatives at many thresholds, without branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import kerasish_core as core

from .. import ops
from ..losses.loss import squeeze_or_expand_to_same_rank

__all__ = ["Counts", "count_at", "evenly_spaced", "parse_thresholds"]

NEG_INF = -1e10
# Names of the four variables, in the order in which they are made.
KINDS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def parse_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list.

    Raises:
        ValueError: One is None or outside [0, 1].
    """
    if thresholds is None:
        return [default]
    given = list(thresholds) if isinstance(thresholds, list | tuple) else [thresholds]
    invalid = [t for t in given if t is None or not 0 <= t <= 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
    return given


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether thresholds lie at equal distances in [0, 1], so that counting by buckets works."""
    if len(thresholds) < 3:
        return False
    even = np.arange(len(thresholds), dtype=np.float32) / (len(thresholds) - 1)
    return bool(np.allclose(thresholds, even, atol=1e-6))


class Counts:
    """The four counts of a batch, each computed when asked for.

    Positive and negative are those *above* each threshold; the rest follows from the totals.
    """

    def __init__(self, above_true: Any, above_false: Any, total_true: Any, total_false: Any):
        self.true_positives, self.false_positives = above_true, above_false
        self._total_true, self._total_false = total_true, total_false

    @property
    def true_negatives(self) -> Any:
        return self._total_false - self.false_positives

    @property
    def false_negatives(self) -> Any:
        return self._total_true - self.true_positives


def count_at(
    thresholds: Sequence[float],
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    *,
    dtype: Any,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
    label_weights: Any = None,
    evenly: bool = False,
) -> Counts:
    """Count predictions above each threshold, by their label.

    Args:
        thresholds: T thresholds; a prediction counts as positive if it is greater.
        y_true: Labels 0 and 1, any shape.
        y_pred: Predictions of the same shape.
        sample_weight: Weights of the leading axes.
        dtype: Of the counts.
        top_k: Let only the `top_k` best predictions along the last axis count as positive.
        class_id: Look at this entry of the last axis only.
        multi_label: Whether to count each label (last axis, L of them) by itself.
        label_weights: One weight per label.
        evenly: Whether the thresholds are `i / (T - 1)`: then one pass over the predictions
            sorts them into buckets, instead of comparing each with every threshold.

    Returns:
        Counts of shape `(T,)`, or `(T, L)` with `multi_label`.

    Raises:
        ValueError: Shapes of labels and predictions differ.
    """
    y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
    y_true = ops.convert_to_tensor(y_true, dtype=dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"Labels and predictions must have the same shape. Received: y_true.shape="
            f"{tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    if top_k is not None:
        y_pred = _keep_top_k(y_pred, top_k)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    if class_id is not None:
        if sample_weight is not None and tuple(sample_weight.shape) == tuple(y_pred.shape):
            sample_weight = sample_weight[..., class_id]
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        if sample_weight is not None and len(sample_weight.shape) > len(y_pred.shape):
            sample_weight = ops.squeeze(sample_weight, -1)
    weight = _weights(sample_weight, label_weights, y_pred)
    labels = y_pred.shape[-1] if multi_label and len(y_pred.shape) > 1 else 1
    y_pred = ops.reshape(y_pred, (-1, labels))
    y_true = ops.reshape(y_true, (-1, labels))
    weight = None if weight is None else ops.reshape(weight, (-1, labels))
    by_label = (_by_bucket if evenly else _by_comparison)(thresholds, y_true, y_pred, weight, dtype)
    return Counts(*(c if multi_label else c[..., 0] for c in by_label))


def _keep_top_k(y_pred: Any, k: int) -> Any:
    _, best = ops.top_k(y_pred, k, sorted=False)
    kept = ops.sum(ops.one_hot(best, y_pred.shape[-1], axis=-1, dtype=y_pred.dtype), axis=-2)
    return ops.where(ops.greater(kept, 0.0), y_pred, NEG_INF)


def _weights(sample_weight: Any, label_weights: Any, y_pred: Any) -> Any:
    weight = None
    if sample_weight is not None:
        weight = sample_weight
        while len(weight.shape) < len(y_pred.shape):
            weight = ops.expand_dims(weight, -1)
        weight = ops.broadcast_to(weight, y_pred.shape)
    if label_weights is not None:
        columns = ops.broadcast_to(
            ops.convert_to_tensor(label_weights, dtype=y_pred.dtype), y_pred.shape
        )
        weight = columns if weight is None else weight * columns
    return weight


def _by_comparison(
    thresholds: Sequence[float], y_true: Any, y_pred: Any, weight: Any, dtype: Any
) -> tuple[Any, ...]:
    """Counts `(T, L)` from labels, predictions and weights `(n, L)`."""
    true = ops.cast(ops.not_equal(y_true, 0.0), dtype)
    false = 1.0 - true
    if weight is not None:
        true, false = true * weight, false * weight
    bounds = ops.convert_to_tensor(np.asarray(thresholds).reshape(-1, 1, 1), dtype=dtype)
    above = ops.cast(ops.greater(ops.expand_dims(y_pred, 0), bounds), dtype)
    return (
        ops.sum(above * true, axis=1),
        ops.sum(above * false, axis=1),
        ops.sum(true, axis=0),
        ops.sum(false, axis=0),
    )


def _by_bucket(
    thresholds: Sequence[float], y_true: Any, y_pred: Any, weight: Any, dtype: Any
) -> tuple[Any, ...]:
    """The same for thresholds `i / (T - 1)`: histogram, then sums from the right."""
    number, labels = len(thresholds), y_pred.shape[-1]
    true, false = y_true, 1.0 - y_true
    if weight is not None:
        true, false = true * weight, false * weight
    # Number k holds ((k - 1) / (T - 1), k / (T - 1)]: what is above exactly the first k
    # thresholds, since a prediction on a threshold is not above it.
    bucket = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * (number - 1.0))
    bucket = ops.cast(bucket, "int32") * labels
    segments = ops.reshape(bucket + ops.arange(labels, dtype="int32"), (-1,))

    def from_right(values: Any) -> Any:
        histogram = core.ops.segment_sum(
            ops.reshape(values, (-1,)), segments, num_segments=number * labels
        )
        histogram = ops.reshape(histogram, (number, labels))
        return ops.flip(ops.cumsum(ops.flip(histogram, axis=0), axis=0), axis=0)

    sums = from_right(true), from_right(false)
    # A first threshold just below 0, as AUC has, lets everything through.
    first = 0 if thresholds[0] < 0 else 1
    nothing = ops.zeros((1, labels), dtype=dtype)
    above = (ops.concatenate([s[first : first + 1], s[2:], nothing], axis=0) for s in sums)
    return (*above, sums[0][0], sums[1][0])
