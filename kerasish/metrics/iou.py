"""Intersection over union, from a confusion matrix."""

from __future__ import annotations

import warnings
from typing import Any

import kerasish_core as core

from .. import ops
from ..serialization import builtin
from .metric import Metric

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class _ConfusionMetric(Metric):
    """Keeps `matrix[t, p]`, the number (or weight) of entries of class t predicted as p."""

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        # Counts are integers: dtype int unless another one is asked for.
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes, self.ignore_class, self.axis = num_classes, ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in class ids, or scores of classes along `axis`, as configured."""
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        y_true = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        y_pred = ops.reshape(ops.cast(y_pred, "int32"), (-1,))
        weight = self._weights(sample_weight, y_pred.shape)
        if self.ignore_class is not None:
            valid = ops.not_equal(y_true, self.ignore_class)
            weight = ops.where(valid, weight, ops.zeros_like(weight))
            y_true = ops.where(valid, y_true, ops.zeros_like(y_true))
        # Classes out of range count for nothing, as the cells that they name do not exist.
        n = self.num_classes
        inside = ops.logical_and(
            ops.logical_and(ops.greater_equal(y_true, 0), ops.less(y_true, n)),
            ops.logical_and(ops.greater_equal(y_pred, 0), ops.less(y_pred, n)),
        )
        weight = ops.where(inside, weight, ops.zeros_like(weight))
        cells = ops.where(inside, y_true * n + y_pred, ops.zeros_like(y_true))
        matrix = ops.reshape(core.ops.segment_sum(weight, cells, num_segments=n * n), (n, n))
        self.total_cm.assign(self.total_cm + ops.cast(matrix, self._state_dtype))

    def _weights(self, sample_weight: Any, shape: Any) -> Any:
        if sample_weight is None:
            return ops.ones(shape, dtype=self._state_dtype)
        weight = ops.convert_to_tensor(sample_weight)
        if "float" in str(weight.dtype) and "int" in self.dtype:
            warnings.warn(
                "You are passing weight as `float`, but dtype is `int`. This may result in an "
                "incorrect weight due to type casting. Consider using integer weights.",
                stacklevel=4,
            )
        weight = ops.cast(weight, self._state_dtype)
        if len(weight.shape) > 1:
            weight = ops.reshape(weight, (-1,))
        return ops.broadcast_to(weight, shape)

    def _scores(self, classes: Any) -> tuple[Any, Any]:
        """IoU of the classes, and whether each occurred at all."""
        dtype = "float32" if "int" in self.dtype else self._state_dtype
        matrix = ops.cast(self.total_cm.value, dtype)
        hits = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - hits
        if classes is not None:
            index = ops.convert_to_tensor(list(classes), dtype="int32")
            hits, union = ops.take(hits, index, axis=0), ops.take(union, index, axis=0)
        return ops.divide_no_nan(hits, union), ops.greater(union, 0.0)

    def _mean(self, classes: Any) -> Any:
        scores, occurred = self._scores(classes)
        return ops.divide_no_nan(ops.sum(scores), ops.sum(ops.cast(occurred, scores.dtype)))

    def result(self) -> Any:
        return self._mean(None)


@builtin("keras.metrics")
class IoU(_ConfusionMetric):
    """Mean over some classes of `TP / (TP + FP + FN)`; classes that never occur do not count.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes of the mean.
        name: Name of the metric.
        dtype: Dtype of the counts; int if None, which cuts off fractions of weights.
        ignore_class: A label to leave out.
        sparse_y_true: Whether labels are class ids instead of scores.
        sparse_y_pred: Whether predictions are class ids instead of scores.
        axis: The axis of the scores.

    Raises:
        ValueError: A target class is out of range.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        if target_class_ids and max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.target_class_ids = list(target_class_ids)

    def result(self) -> Any:
        return self._mean(self.target_class_ids)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


@builtin("keras.metrics")
class BinaryIoU(IoU):
    """IoU of class 0 and/or 1, a prediction being 1 if it is at least `threshold`.

    Args:
        target_class_ids: Of 0 and 1.
        threshold: For predictions.
        name: Name of the metric.
        dtype: See `IoU`.
    """

    def __init__(
        self,
        target_class_ids: Any = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in labels 0 and 1 and predictions of the same shape."""
        y_pred = ops.convert_to_tensor(y_pred)
        guess = ops.cast(ops.greater_equal(y_pred, self.threshold), "int32")
        super().update_state(y_true, guess, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


@builtin("keras.metrics")
class MeanIoU(IoU):
    """Mean over all classes of `TP / (TP + FP + FN)`.

    Args:
        num_classes: Number of classes.
        name: Name of the metric.
        dtype: See `IoU`.
        ignore_class: A label to leave out.
        sparse_y_true: Whether labels are class ids instead of scores.
        sparse_y_pred: Whether predictions are class ids instead of scores.
        axis: The axis of the scores.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, list(range(num_classes)), name, dtype, ignore_class, sparse_y_true,
            sparse_y_pred, axis,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["target_class_ids"]
        return config


@builtin("keras.metrics")
class OneHotIoU(IoU):
    """`IoU` of one-hot labels.

    Args:
        num_classes: Number of classes.
        target_class_ids: The classes of the mean.
        name: Name of the metric.
        dtype: See `IoU`.
        ignore_class: A label to leave out.
        sparse_y_pred: Whether predictions are class ids instead of scores.
        axis: The axis of labels and scores.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config


@builtin("keras.metrics")
class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot labels.

    Args:
        num_classes: Number of classes.
        name: Name of the metric.
        dtype: See `IoU`.
        ignore_class: A label to leave out.
        sparse_y_pred: Whether predictions are class ids instead of scores.
        axis: The axis of labels and scores.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse_y_true"]
        return config
