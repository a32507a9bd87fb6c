"""The best value of one rate where another one reaches a bound."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..serialization import builtin
from .confusion import KINDS, count_at, evenly_spaced
from .metric import Metric

__all__ = [
    "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]  # fmt: skip


class _BestAt(Metric):
    """The largest value of one rate over thresholds where another one is at least `value`.

    0 where no threshold reaches it.
    """

    _direction = "up"
    _bound = ""  # the argument's name

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: Any, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ValueError(
                f"Argument `{self._bound}` must be in the range [0, 1]. "
                f"Received: {self._bound}={value}"
            )
        if num_thresholds <= 0:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 0. "
                f"Received: num_thresholds={num_thresholds}"
            )
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        setattr(self, self._bound, value)
        if num_thresholds == 1:
            self.thresholds = [0.5]
        else:
            self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)]
        self._evenly = evenly_spaced(self.thresholds)
        for kind in KINDS:
            setattr(self, kind, self.add_variable((len(self.thresholds),), "zeros", name=kind))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch of labels 0 and 1 and predictions of the same shape."""
        counts = count_at(
            self.thresholds, y_true, y_pred, sample_weight, dtype=self._state_dtype,
            class_id=self.class_id, evenly=self._evenly,
        )  # fmt: skip
        for kind in KINDS:
            variable = getattr(self, kind)
            variable.assign(variable + getattr(counts, kind))

    def _rate(self, hits: str, errors: str) -> Any:
        hit = getattr(self, hits).value
        return ops.divide_no_nan(hit, hit + getattr(self, errors))

    def _best(self, bounded: Any, wanted: Any) -> Any:
        reached = ops.greater_equal(bounded, self.value)
        return ops.max(ops.where(reached, wanted, ops.zeros_like(wanted)))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._bound: self.value,
        }


@builtin("keras.metrics")
class SensitivityAtSpecificity(_BestAt):
    """Best sensitivity `TP / (TP + FN)` where specificity `TN / (TN + FP)` is large enough.

    Args:
        specificity: The bound, in [0, 1].
        num_thresholds: Number of thresholds to try.
        class_id: Look at this class only.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: A number is out of range.
    """

    _bound = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        return self._best(
            self._rate("true_negatives", "false_positives"),
            self._rate("true_positives", "false_negatives"),
        )


@builtin("keras.metrics")
class SpecificityAtSensitivity(_BestAt):
    """Best specificity `TN / (TN + FP)` where sensitivity `TP / (TP + FN)` is large enough.

    Args:
        sensitivity: The bound, in [0, 1].
        num_thresholds: Number of thresholds to try.
        class_id: Look at this class only.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: A number is out of range.
    """

    _bound = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        return self._best(
            self._rate("true_positives", "false_negatives"),
            self._rate("true_negatives", "false_positives"),
        )


@builtin("keras.metrics")
class PrecisionAtRecall(_BestAt):
    """Best precision `TP / (TP + FP)` where recall `TP / (TP + FN)` is large enough.

    Args:
        recall: The bound, in [0, 1].
        num_thresholds: Number of thresholds to try.
        class_id: Look at this class only.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: A number is out of range.
    """

    _bound = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        return self._best(
            self._rate("true_positives", "false_negatives"),
            self._rate("true_positives", "false_positives"),
        )


@builtin("keras.metrics")
class RecallAtPrecision(_BestAt):
    """Best recall `TP / (TP + FN)` where precision `TP / (TP + FP)` is large enough.

    Args:
        precision: The bound, in [0, 1].
        num_thresholds: Number of thresholds to try.
        class_id: Look at this class only.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: A number is out of range.
    """

    _bound = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> Any:
        return self._best(
            self._rate("true_positives", "false_positives"),
            self._rate("true_positives", "false_negatives"),
        )
