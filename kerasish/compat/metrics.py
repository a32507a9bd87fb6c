"""Metrics that earlier releases had."""

from __future__ import annotations

from typing import Any

from .. import metrics, ops

__all__ = ["MeanRelativeError", "MeanTensor", "clone_metric", "clone_metrics"]


class MeanRelativeError(metrics.Mean):
    """The mean of `|y_pred - y_true| / normalizer`, 0 where the normalizer is 0."""

    def __init__(self, normalizer: Any, name: Any = None, dtype: Any = None) -> None:
        super().__init__(name=name or "mean_relative_error", dtype=dtype)
        self.normalizer = ops.cast(ops.convert_to_tensor(normalizer), self.dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        y_true, y_pred = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        error = ops.divide_no_nan(ops.absolute(y_true - y_pred), self.normalizer)
        return super().update_state(error, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "normalizer": ops.convert_to_numpy(self.normalizer)}


class MeanTensor(metrics.Metric):
    """The mean of each element over the calls.

    Args:
        shape: That of the values; by default that of the first ones.
    """

    def __init__(self, name: str = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total: Any = None
        if shape is not None:
            self._build(shape)

    def _build(self, shape: Any) -> None:
        shape = tuple(shape)
        self.total = self.add_variable(shape, "zeros", name="total")
        self.count = self.add_variable(shape, "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values = ops.cast(ops.convert_to_tensor(values), self.dtype)
        if self.total is None:
            self._build(values.shape)
        if tuple(values.shape) != tuple(self.total.shape):
            raise ValueError(
                "MeanTensor input values must always have the same shape. Expected "
                f"{tuple(self.total.shape)}, got {tuple(values.shape)}."
            )
        counts = ops.ones_like(values)
        if sample_weight is not None:
            weight = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
            weight = weight.reshape((*weight.shape, *(1,) * (len(values.shape) - weight.ndim)))
            values, counts = values * weight, counts * weight
        self.total.assign_add(values)
        self.count.assign_add(counts)

    def result(self) -> Any:
        if self.total is None:
            raise ValueError("MeanTensor has no result before its first values.")
        return ops.divide_no_nan(self.total, self.count)


def clone_metric(metric: Any) -> Any:
    """A fresh metric like this one; of a function, the function."""
    return type(metric).from_config(metric.get_config()) if hasattr(metric, "result") else metric


def clone_metrics(metrics: Any) -> list[Any]:
    """Fresh metrics like these."""
    return [clone_metric(m) for m in metrics]
