"""Counts of outcomes, precision and recall."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..serialization import builtin
from .confusion import NEG_INF, count_at, evenly_spaced, parse_thresholds
from .metric import Metric

__all__ = [
    "FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives",
]  # fmt: skip


class _Count(Metric):
    """One of the four counts at each threshold.

    Args:
        thresholds: A number or list of numbers in [0, 1]; 0.5 if None. Predictions above count
            as positive.
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    _kind = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(thresholds)
        self._evenly = evenly_spaced(self.thresholds)
        shape = (len(self.thresholds),)
        self.accumulator = self.add_variable(shape, "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch of labels 0 and 1 and predictions of the same shape."""
        counts = count_at(
            self.thresholds,
            y_true,
            y_pred,
            sample_weight,
            dtype=self._state_dtype,
            evenly=self._evenly,
        )
        self.accumulator.assign(self.accumulator + getattr(counts, self._kind))

    def result(self) -> Any:
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


@builtin("keras.metrics")
class TruePositives(_Count):
    __doc__ = f"Number (or weight) of true positives.\n\n{_Count.__doc__}"
    _kind = "true_positives"


@builtin("keras.metrics")
class FalsePositives(_Count):
    __doc__ = f"Number (or weight) of false positives.\n\n{_Count.__doc__}"
    _kind = "false_positives"


@builtin("keras.metrics")
class TrueNegatives(_Count):
    __doc__ = f"Number (or weight) of true negatives.\n\n{_Count.__doc__}"
    _kind = "true_negatives"


@builtin("keras.metrics")
class FalseNegatives(_Count):
    __doc__ = f"Number (or weight) of false negatives.\n\n{_Count.__doc__}"
    _kind = "false_negatives"


class _Share(Metric):
    """True positives over true positives and one kind of error.

    Args:
        thresholds: A number or list of numbers in [0, 1]; 0.5 if None and `top_k` is None.
        top_k: Let only the `top_k` best predictions of each sample count as positive.
        class_id: Look at this class only.
        name: Name of the metric.
        dtype: Dtype of the result.
    """

    _direction = "up"
    _error = ""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        self.thresholds = parse_thresholds(thresholds, 0.5 if top_k is None else NEG_INF)
        self._evenly = evenly_spaced(self.thresholds)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        setattr(self, self._error, self.add_variable(shape, "zeros", name=self._error))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch of labels 0 and 1 and predictions of the same shape."""
        counts = count_at(
            self.thresholds, y_true, y_pred, sample_weight, dtype=self._state_dtype,
            top_k=self.top_k, class_id=self.class_id, evenly=self._evenly,
        )  # fmt: skip
        self.true_positives.assign(self.true_positives + counts.true_positives)
        errors = getattr(self, self._error)
        errors.assign(errors + getattr(counts, self._error))

    def result(self) -> Any:
        hits = self.true_positives.value
        value = ops.divide_no_nan(hits, hits + getattr(self, self._error))
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@builtin("keras.metrics")
class Precision(_Share):
    __doc__ = f"Share of true ones among positives, `TP / (TP + FP)`.\n\n{_Share.__doc__}"
    _error = "false_positives"


@builtin("keras.metrics")
class Recall(_Share):
    __doc__ = f"Share of positives among true ones, `TP / (TP + FN)`.\n\n{_Share.__doc__}"
    _error = "false_negatives"
