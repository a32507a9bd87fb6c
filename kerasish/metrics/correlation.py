"""Correlations between targets and predictions, and the coefficient of determination."""

from __future__ import annotations

import warnings
from typing import Any

import kerasish_core as core

from .. import ops
from ..config import epsilon
from ..losses.regression import as_pair
from ..serialization import builtin
from .mean import MeanMetricWrapper
from .metric import Metric

__all__ = [
    "ConcordanceCorrelation", "PearsonCorrelation", "R2Score", "concordance_correlation",
    "pearson_correlation",
]  # fmt: skip


def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Pearson's correlation coefficient, `cov(t, p) / (std(t) std(p))`.

    Args:
        y_true: Targets, `(n, ...)`.
        y_pred: Predictions of the same shape.
        axis: Over which to correlate.

    Returns:
        In [-1, 1]; NaN where either is constant.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    t = y_true - ops.mean(y_true, axis=axis, keepdims=True)
    p = y_pred - ops.mean(y_pred, axis=axis, keepdims=True)
    norms = ops.sqrt(ops.sum(t * t, axis=axis)) * ops.sqrt(ops.sum(p * p, axis=axis))
    return ops.sum(t * p, axis=axis) / norms


def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Lin's concordance, `2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))**2)`.

    Args:
        y_true: Targets, `(n, ...)`.
        y_pred: Predictions of the same shape.
        axis: Over which to correlate.

    Source: Lin (1989), A Concordance Correlation Coefficient to Evaluate Reproducibility.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    mean_t = ops.mean(y_true, axis=axis, keepdims=True)
    mean_p = ops.mean(y_pred, axis=axis, keepdims=True)
    t, p = y_true - mean_t, y_pred - mean_p
    spread = ops.mean(t * t, axis=axis) + ops.mean(p * p, axis=axis)
    shift = ops.mean(ops.square(mean_t - mean_p), axis=axis)
    return 2.0 * ops.mean(t * p, axis=axis) / (spread + shift + epsilon())


@builtin("keras.metrics")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlation coefficient over samples. See `pearson_correlation`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: Over which to correlate.
    """

    _direction = "up"

    def __init__(
        self, name: str = "pearson_correlation", dtype: Any = None, axis: Any = -1
    ) -> None:
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis


@builtin("keras.metrics")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of Lin's concordance over samples. See `concordance_correlation`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.
        axis: Over which to correlate.
    """

    _direction = "up"

    def __init__(
        self, name: str = "concordance_correlation", dtype: Any = None, axis: Any = -1
    ) -> None:
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis


AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@builtin("keras.metrics")
class R2Score(Metric):
    """Coefficient of determination, `1 - sum((t - p)**2) / sum((t - mean(t))**2)`.

    Args:
        class_aggregation: How scores of several outputs are combined: None, `"uniform_average"`
            or `"variance_weighted_average"`.
        num_regressors: Number of independent variables, for the adjusted score; 0 for the plain.
        name: Name of the metric.
        dtype: Dtype of the result.

    Raises:
        ValueError: An argument is none of these.
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in AGGREGATIONS:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{AGGREGATIONS}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input "
                f"shapes: y_pred.shape={tuple(y_pred_shape)} and "
                f"y_true.shape={tuple(y_true_shape)}."
            )
        if y_pred_shape[-1] is None or y_true_shape[-1] is None:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim), with output_dim "
                f"fully defined (not None). Received input shapes: y_pred.shape={y_pred_shape} "
                f"and y_true.shape={y_true_shape}."
            )
        shape = (y_pred_shape[-1],)
        self.squared_sum = self.add_variable(shape, "zeros", name="squared_sum")
        self.sum = self.add_variable(shape, "zeros", name="sum")
        self.total_mse = self.add_variable(shape, "zeros", name="residual")
        self.count = self.add_variable(shape, "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch, `(n, outputs)` each, weighted by `sample_weight`, `(n,)`."""
        y_true = ops.convert_to_tensor(y_true, dtype=self._state_dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self._state_dtype)
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        if sample_weight is None:
            weight = ops.ones((1, 1), dtype=self._state_dtype)
        else:
            weight = ops.convert_to_tensor(sample_weight, dtype=self._state_dtype)
            if len(weight.shape) == 1:
                weight = ops.expand_dims(weight, 1)
        weight = ops.broadcast_to(weight, y_true.shape)
        weighted = y_true * weight
        self.sum.assign(self.sum + ops.sum(weighted, axis=0))
        self.squared_sum.assign(self.squared_sum + ops.sum(y_true * weighted, axis=0))
        error = ops.square(y_true - y_pred) * weight
        self.total_mse.assign(self.total_mse + ops.sum(error, axis=0))
        self.count.assign(self.count + ops.sum(weight, axis=0))
        self.num_samples.assign(self.num_samples + float(y_true.size))

    def result(self) -> Any:
        total = self.squared_sum - self.sum * (self.sum / self.count)
        scores = 1.0 - self.total_mse / total
        scores = ops.where(ops.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.sum(total * scores) / ops.sum(total)
        else:
            score = scores
        if self.num_regressors:
            score = self._adjusted(score)
        return score

    def _adjusted(self, score: Any) -> Any:
        degrees = self.num_samples - (self.num_regressors + 1.0)
        if not core.is_tracing() and float(degrees) <= 0:
            warnings.warn(
                f"Adjusted R2 score needs more data points ({int(self.num_samples.numpy())}) than "
                f"predictors ({self.num_regressors}) plus one. Falling back to the standard R2.",
                stacklevel=3,
            )
        adjusted = 1.0 - (1.0 - score) * (self.num_samples - 1.0) / ops.maximum(degrees, 1.0)
        return ops.where(ops.greater(degrees, 0.0), adjusted, score)

    def reset_state(self) -> None:
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
