"""Crossentropies and their focal and noise-robust kin, and CTC."""

from __future__ import annotations

import warnings
from typing import Any

from .. import ops
from ..config import epsilon
from ..ops.ctc import ctc_loss
from .regression import as_pair
from .wrapper import aligned

__all__ = [
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_generalized_cross_entropy", "ctc",
    "sparse_categorical_crossentropy",
]  # fmt: skip


def _check_classes(name: str, y_pred: Any) -> None:
    if y_pred.shape and y_pred.shape[-1] == 1:
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with "
            f"num_classes > 1. Received: y_pred.shape={tuple(y_pred.shape)}. Consider using "
            "'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=4,
        )


def _smooth(y_true: Any, label_smoothing: float, classes: int) -> Any:
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes


@aligned
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Crossentropy `-sum(y_true log(y_pred))` of one-hot labels.

    Args:
        y_true: One-hot labels or probabilities, `(..., classes)`.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: `a` in [0, 1]: labels become `y (1 - a) + a / classes`.
        axis: The axis of the classes.

    Returns:
        One value per sample.

    Raises:
        ValueError: `axis` is a bool.
    """
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type bool")
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    _check_classes("categorical_crossentropy", y_pred)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1] if y_true.shape else 1)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@aligned
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Focal crossentropy `-sum(alpha (1 - y_pred)**gamma y_true log(y_pred))` of one-hot labels.

    Args:
        y_true: One-hot labels, `(..., classes)`.
        y_pred: Probabilities (normalised over `axis` here) or logits.
        alpha: Weight of all classes, or a list with one weight per class.
        gamma: Focusing exponent; 0 gives the weighted crossentropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: As in `categorical_crossentropy`.
        axis: The axis of the classes.

    Source: Lin et al. (2018), Focal Loss for Dense Object Detection, arXiv:1708.02002, eq. 5.
    """
    if isinstance(axis, bool):
        raise ValueError(f"`axis` must be of type `int`. Received: axis={axis} of type bool")
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    _check_classes("categorical_focal_crossentropy", y_pred)
    y_true = _smooth(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    y_pred = ops.clip(y_pred, epsilon(), 1.0 - epsilon())
    if isinstance(alpha, list | tuple):
        alpha = ops.convert_to_tensor(alpha, dtype=y_pred.dtype)
    weight = alpha * ops.power(1.0 - y_pred, gamma)
    return ops.sum(-weight * y_true * ops.log(y_pred), axis=axis)


@aligned
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Crossentropy `-log(y_pred[y_true])` of integer labels.

    Args:
        y_true: Integer labels, `(...)` or `(..., 1)`.
        y_pred: Probabilities, or logits, `(..., classes)`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label that counts for nothing; the result is 0 and masked there.
        axis: The axis of the classes.

    Returns:
        One value per label.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    rank = len(y_true.shape)
    if rank == len(y_pred.shape) and rank and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(
            y_true, y_pred, from_logits=from_logits, axis=axis
        )
    valid = ops.not_equal(y_true, ops.cast(ignore_class, y_true.dtype))
    # An ignored label may be out of range: any class in range stands in for it.
    y_true = ops.where(valid, y_true, ops.zeros_like(y_true))
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    values = ops.where(valid, values, ops.zeros_like(values))
    values.mask = valid
    return values


@aligned
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-mean(y_true log(y_pred) + (1 - y_true) log(1 - y_pred))`.

    Args:
        y_true: Labels 0 and 1, `(..., d)`.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: `a` in [0, 1]: labels become `y (1 - a) + a / 2`.
        axis: The axis over which to average.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    y_true = _smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@aligned
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary crossentropy weighted by `(1 - p)**gamma`, p the probability of the true class.

    Args:
        y_true: Labels 0 and 1, `(..., d)`.
        y_pred: Probabilities, or logits, of the same shape.
        apply_class_balancing: Whether to weight class 1 by `alpha` and class 0 by `1 - alpha`.
        alpha: The weight of class 1.
        gamma: Focusing exponent; 0 gives the binary crossentropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: As in `binary_crossentropy`.
        axis: The axis over which to average.

    Source: Lin et al. (2018), Focal Loss for Dense Object Detection, arXiv:1708.02002, eq. 4, 5.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    y_true = _smooth(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred)
    # 1 - p, with p = y_true y_pred + (1 - y_true) (1 - y_pred)
    wrong = y_true + y_pred - 2.0 * y_true * y_pred
    values = ops.power(wrong, gamma) * values
    if apply_class_balancing:
        values = values * (y_true * (2.0 * alpha - 1.0) + (1.0 - alpha))
    return ops.mean(values, axis=axis)


@aligned
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Noise-robust crossentropy `(1 - p**q) / q`, p the probability of the true class.

    Args:
        y_true: Integer labels, `(n,)`, or one-hot ones.
        y_pred: Probabilities, `(n, classes)`.
        q: In (0, 1): near 0 the crossentropy, near 1 the mean absolute error.

    Source: Zhang and Sabuncu (2018), Generalized Cross Entropy Loss, arXiv:1805.07836, eq. 6.
    """
    y_pred = ops.clip(ops.convert_to_tensor(y_pred), epsilon(), 1.0 - epsilon())
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if len(y_true.shape) != len(y_pred.shape):
        y_true = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
    p = ops.sum(y_pred * ops.cast(y_true, y_pred.dtype), axis=-1)
    return (1.0 - ops.power(p, q)) / q


@aligned
def ctc(y_true: Any, y_pred: Any) -> Any:
    """Connectionist temporal classification: minus log of the labels' total path probability.

    Args:
        y_true: Integer labels from 1, `(batch, max_length)`, padded with 0, the blank.
        y_pred: Logits, `(batch, time, classes)`.

    Returns:
        `(batch,)`.

    Raises:
        ValueError: The ranks are not 2 and 3.

    Source: Graves et al. (2006), Connectionist Temporal Classification, eq. 5 to 8.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2:
        raise ValueError(
            "Targets `y_true` must be a tensor of shape `(batch_size, max_length)` in integer "
            f"format. Received: y_true.shape={tuple(y_true.shape)}"
        )
    if len(y_pred.shape) != 3:
        raise ValueError(
            "Logits `y_pred` must be a tensor of shape `(batch_size, max_length, num_classes)`. "
            f"Received: y_pred.shape={tuple(y_pred.shape)}"
        )
    y_true = ops.cast(y_true, "int32")
    label_length = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    time = ops.full((y_true.shape[0],), y_pred.shape[1], dtype="int32")
    return ctc_loss(y_true, y_pred, label_length, time, mask_index=0)
