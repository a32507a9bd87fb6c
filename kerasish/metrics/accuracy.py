"""Accuracies: how often predictions match labels.

Every function returns one 0 or 1 per sample in `floatx`.
"""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import floatx
from ..losses.loss import squeeze_or_expand_to_same_rank
from ..losses.regression import as_pair
from ..serialization import builtin
from .mean import MeanMetricWrapper

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy", "accuracy", "binary_accuracy",
    "categorical_accuracy", "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]  # fmt: skip


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether predictions equal labels, entry by entry."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether `y_pred > threshold` equals the label 0 or 1, entry by entry.

    Args:
        y_true: Labels, `(...)`.
        y_pred: Probabilities of the same shape.
        threshold: Above it a prediction counts as 1.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    threshold = ops.convert_to_tensor(threshold, dtype=y_pred.dtype)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    guess = ops.cast(ops.greater(y_pred, threshold), y_true.dtype)
    return ops.cast(ops.equal(y_true, guess), floatx())


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest entries of label and prediction, `(..., classes)`, are the same."""
    y_true = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    y_pred = ops.argmax(ops.convert_to_tensor(y_pred), axis=-1)
    return ops.cast(ops.equal(y_true, y_pred), floatx())


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest entry of a prediction is at the integer label.

    Args:
        y_true: Labels, `(...)` or `(..., 1)`.
        y_pred: Scores, `(..., classes)`.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if y_true.shape and len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    guess = ops.argmax(y_pred, axis=-1)
    return ops.cast(ops.equal(ops.cast(y_true, guess.dtype), guess), floatx())


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the class of a one-hot label is among the `k` best scores, `(..., classes)`."""
    y_true = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    return sparse_top_k_categorical_accuracy(y_true, y_pred, k=k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Whether the integer label is among the `k` best scores.

    Args:
        y_true: Labels, `(...)`.
        y_pred: Scores, `(..., classes)`; or class ids, best first.
        k: How many to look at.
        from_sorted_ids: Whether `y_pred` holds class ids.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    shape = y_true.shape
    classes = y_pred.shape[-1]
    labels = ops.reshape(y_true, (-1,))
    y_pred = ops.reshape(y_pred, (-1, classes))
    if from_sorted_ids:
        best = y_pred[:, :k]
        found = ops.any(ops.equal(ops.expand_dims(ops.cast(labels, best.dtype), -1), best), axis=-1)
    else:
        found = ops.in_top_k(ops.cast(labels, "int32"), y_pred, k=k)
    return ops.reshape(ops.cast(found, floatx()), shape)


class _Accuracy(MeanMetricWrapper):
    _direction = "up"

    def _config(self, *names: str) -> dict[str, Any]:
        config = {"name": self.name, "dtype": self.dtype}
        return config | {n: self._fn_kwargs[n] for n in names}


@builtin("keras.metrics")
class Accuracy(_Accuracy):
    """How often predictions equal labels.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)


@builtin("keras.metrics")
class BinaryAccuracy(_Accuracy):
    """How often `y_pred > threshold` equals labels 0 and 1.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        threshold: Above it a prediction counts as 1.
    """

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


@builtin("keras.metrics")
class CategoricalAccuracy(_Accuracy):
    """How often the largest entry of a prediction is that of the one-hot label.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


@builtin("keras.metrics")
class SparseCategoricalAccuracy(_Accuracy):
    """How often the largest entry of a prediction is at the integer label.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)


@builtin("keras.metrics")
class TopKCategoricalAccuracy(_Accuracy):
    """How often the class of a one-hot label is among the `k` best scores.

    Args:
        k: How many to look at.
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k


@builtin("keras.metrics")
class SparseTopKCategoricalAccuracy(_Accuracy):
    """How often the integer label is among the `k` best scores.

    Args:
        k: How many to look at.
        name: Name of the metric.
        dtype: Dtype of the result.
        from_sorted_ids: Whether predictions are class ids, best first.
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k,
            from_sorted_ids=from_sorted_ids,
        )  # fmt: skip
        self.k, self.from_sorted_ids = k, from_sorted_ids

    def get_config(self) -> dict[str, Any]:
        # Keras writes `from_sorted_ids` only where it is set.
        return self._config("k", *(["from_sorted_ids"] if self.from_sorted_ids else []))
