"""Area under a curve of rates over thresholds."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import epsilon
from ..serialization import builtin
from .confusion import KINDS, count_at, evenly_spaced
from .metric import Metric

__all__ = ["AUC"]

CURVES = {"pr": "PR", "roc": "ROC", "prgain": "PRGAIN"}
SUMMATIONS = ("interpolation", "majoring", "minoring")


@builtin("keras.metrics")
class AUC(Metric):
    """Area under the ROC, precision-recall or precision-recall-gain curve, by a Riemann sum.

    Args:
        num_thresholds: Number of points of the curve, more than 1.
        curve: `"ROC"` (recall over false positive rate), `"PR"` (precision over recall) or
            `"PRGAIN"` (precision gain over recall gain).
        summation_method: `"interpolation"` (mid-points; for PR the formula of Davis and
            Goadrich), `"minoring"` (lower bound) or `"majoring"` (upper bound).
        name: Name of the metric.
        dtype: Dtype of the result.
        thresholds: Thresholds in [0, 1] to use instead of evenly spaced ones.
        multi_label: Whether to take the area of each label (last axis) and then their mean.
        num_labels: Number of labels, so that state is made at once.
        label_weights: With `multi_label` weights of the mean, otherwise of predictions.
        from_logits: Whether predictions are logits.

    Raises:
        ValueError: An argument is out of range.

    Source: Davis and Goadrich (2006), The Relationship Between Precision-Recall and ROC Curves;
    Flach and Kull (2015), Precision-Recall-Gain Curves.
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if str(curve).lower() not in CURVES:
            raise ValueError(
                f'Invalid AUC curve value: "{curve}". Expected values are ["PR", "ROC", "PRGAIN"]'
            )
        if summation_method not in SUMMATIONS:
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are '
                '["interpolation", "majoring", "minoring"]'
            )
        super().__init__(name=name, dtype=dtype)
        self._init_from_thresholds = thresholds is not None
        self._thresholds = _bounded(num_thresholds, thresholds)
        self.num_thresholds = len(self._thresholds)
        self._evenly = evenly_spaced(self._thresholds)
        self.curve, self.summation_method = CURVES[curve.lower()], summation_method
        self.multi_label, self.num_labels = multi_label, num_labels
        self._from_logits = from_logits
        self.label_weights = None if label_weights is None else list(label_weights)
        self._built = False
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if not multi_label:
            self._build(None)
        elif num_labels:
            self._build((None, num_labels))

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, with one below 0 and one above 1."""
        return list(self._thresholds)

    def _build(self, shape: Any) -> None:
        state = (self.num_thresholds,)
        if self.multi_label:
            if len(shape) != 2:
                raise ValueError(
                    "`y_pred` must have rank 2 when `multi_label=True`. Found rank "
                    f"{len(shape)}. Full shape received for `y_pred`: {shape}"
                )
            self._num_labels = shape[1]
            state += (shape[1],)
        for kind in KINDS:
            setattr(self, kind, self.add_variable(state, "zeros", name=kind))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch of labels 0 and 1 and predictions in [0, 1] (or logits)."""
        y_pred = ops.convert_to_tensor(y_pred, dtype=self._state_dtype)
        if not self._built:
            self._build(tuple(y_pred.shape))
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        counts = count_at(
            self._thresholds, y_true, y_pred, sample_weight, dtype=self._state_dtype,
            multi_label=self.multi_label, evenly=self._evenly,
            label_weights=None if self.multi_label else self.label_weights,
        )  # fmt: skip
        for kind in KINDS:
            variable = getattr(self, kind)
            variable.assign(variable + getattr(counts, kind))

    def _values(self) -> tuple[Any, Any, Any, Any]:
        return tuple(getattr(self, kind).value for kind in KINDS)

    def interpolate_pr_auc(self) -> Any:
        """Area under the precision-recall curve, TP being linear in FP between two points.

        Source: Davis and Goadrich (2006), section 4.
        """
        tp, fp, _, fn = self._values()
        positive = tp + fp
        low, high = positive[1:], positive[:-1]
        d_tp = tp[:-1] - tp[1:]
        slope = ops.divide_no_nan(d_tp, ops.maximum(high - low, 0.0))
        intercept = tp[1:] - slope * low
        both = ops.logical_and(ops.greater(high, 0.0), ops.greater(low, 0.0))
        ones = ops.ones_like(low)
        ratio = ops.where(both, high / ops.where(both, low, ones), ones)
        gain = slope * (d_tp + intercept * ops.log(ratio))
        areas = ops.divide_no_nan(gain, ops.maximum(tp[1:] + fn[1:], 0.0))
        return self._combine(ops.sum(areas, axis=0))

    def result(self) -> Any:
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        tp, fp, tn, fn = self._values()
        recall = ops.divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            x, y = ops.divide_no_nan(fp, fp + tn), recall
        elif self.curve == "PR":
            x, y = recall, ops.divide_no_nan(tp, tp + fp)
        else:
            odds = ops.divide_no_nan(tp + fn, tn + fp)
            gain = ops.clip(1.0 - odds * ops.divide_no_nan(fn, tp), 0.0, 1.0)
            x = ops.where(ops.greater(tp, 0.0), gain, 0.0)
            y = 1.0 - odds * ops.divide_no_nan(fp, tp)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method == "minoring":
            heights = ops.minimum(y[:-1], y[1:])
        else:
            heights = ops.maximum(y[:-1], y[1:])
        return self._combine(ops.sum((x[:-1] - x[1:]) * heights, axis=0))

    def _combine(self, areas: Any) -> Any:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, dtype=self._state_dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))

    def reset_state(self) -> None:
        if self._built:
            super().reset_state()

    def get_config(self) -> dict[str, Any]:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:
            config["thresholds"] = self._thresholds[1:-1]
        return config


def _bounded(number: int, thresholds: Any) -> list[float]:
    """Given or evenly spaced thresholds, with one just below 0 and one just above 1."""
    if thresholds is not None:
        inner = sorted(float(t) for t in thresholds)
        if any(not 0 <= t <= 1 for t in inner):
            raise ValueError(f"Threshold values must be in [0, 1]. Received: {list(thresholds)}")
    else:
        if number <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. "
                f"Received: num_thresholds={number}"
            )
        inner = [i / (number - 1) for i in range(1, number - 1)]
    return [-epsilon(), *inner, 1.0 + epsilon()]
