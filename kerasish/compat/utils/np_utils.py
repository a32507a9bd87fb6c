"""`keras.utils.np_utils`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...utils.arrays import normalize
from .conv_utils import conv_input_length, conv_output_length, convert_kernel

__all__ = [
    "accuracy", "binary_logloss", "categorical_probas_to_classes", "conv_input_length",
    "conv_output_length", "convert_kernel", "instead_of_to_categorical", "multiclass_logloss",
    "normalize", "probas_to_classes", "to_categorical",
]  # fmt: skip


def to_categorical(
    y: Any, num_classes: int | None = None, dtype: Any = "float32", nb_classes: int | None = None
) -> Any:
    """Numbers of classes as one-hot rows.

    Args:
        y: Integers; a last axis of size 1 is dropped.
        num_classes: How many there are; one more than the largest by default.
        dtype: Of the result, which is float64 in today's `to_categorical`.
        nb_classes: Older name of `num_classes`.
    """
    y = np.asarray(y, dtype="int64")
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y.reshape(y.shape[:-1])
    count = num_classes or nb_classes or int(y.max()) + 1
    return np.eye(count, dtype=dtype)[y]


def instead_of_to_categorical(modern: Any, *args: Any, **kwargs: Any) -> Any:
    """`keras.utils.to_categorical` in programs for Keras 1 and 2."""
    return to_categorical(*args, **kwargs)


def probas_to_classes(y_pred: Any) -> Any:
    """The number of each row's class: the largest column, or whether a single one is above 0.5."""
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return np.array([1 if p > 0.5 else 0 for p in y_pred.ravel()])


def categorical_probas_to_classes(p: Any) -> Any:
    """The largest column of each row."""
    return np.argmax(p, axis=1)


def accuracy(p: Any, y: Any) -> Any:
    """The share of equal elements."""
    return np.mean(np.asarray(p) == np.asarray(y))


def binary_logloss(p: Any, y: Any) -> Any:
    """Mean of `-y log p - (1 - y) log(1 - p)`, with p kept 1e-15 from 0 and 1."""
    p, y = np.clip(p, 1e-15, 1 - 1e-15), np.asarray(y)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def multiclass_logloss(P: Any, Y: Any) -> Any:
    """Mean of `-log P[i, c_i]`, where `c_i` is the column of the 1 in row i of `Y`."""
    P = np.asarray(P)
    return -np.mean(np.log(P[np.arange(len(P)), np.argmax(Y, axis=1)]))
