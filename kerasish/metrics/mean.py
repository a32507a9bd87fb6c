"""Means and sums of a stream of values; the mean of any function of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import ops
from ..losses import _FUNCTIONS as LOSS_FUNCTIONS
from ..losses import deserialize as deserialize_function
from ..losses.loss import apply_mask, convert_structure, squeeze_or_expand_to_same_rank
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .metric import Metric

__all__ = ["Mean", "MeanMetricWrapper", "Sum", "per_sample"]


def per_sample(
    values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: Any
) -> tuple[Any, Any]:
    """Values times weights, reduced to one per sample, and the weights likewise.

    Args:
        values: `(n, ...)`; their mask joins the weights if there are any.
        sample_weight: None, or weights of the leading axes of `values`.
        reduce: `ops.mean` or `ops.sum`, over all axes but the first.
        dtype: Of both results.
    """
    mask = getattr(values, "mask", None)
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        sample_weight = apply_mask(sample_weight, mask, dtype=dtype, reduction="sum")
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        rank, weight_rank = len(values.shape), len(sample_weight.shape)
        if rank > weight_rank:
            values = reduce(values, axis=tuple(range(weight_rank, rank)))
        # The product would broadcast by itself, but the weights' own mean needs the full shape.
        sample_weight = ops.broadcast_to(sample_weight, values.shape)
        values = values * sample_weight
        if weight_rank > 1:
            sample_weight = reduce(sample_weight, axis=tuple(range(1, weight_rank)))
    rank = len(values.shape)
    if rank > 1:
        values = reduce(values, axis=tuple(range(1, rank)))
    return values, sample_weight


@builtin("keras.metrics")
class Sum(Metric):
    """The (weighted) sum of all values, `sum(w x)`.

    Args:
        name: Name of the metric.
        dtype: Dtype of the sum.
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add `values`, `(n, ...)`, weighted by `sample_weight`."""
        values, _ = per_sample(values, sample_weight, ops.sum, self._state_dtype)
        self.total.assign(self.total + ops.sum(values))

    def result(self) -> Any:
        return ops.cast(self.total, self.dtype)


@builtin("keras.metrics")
class Mean(Metric):
    """The (weighted) mean of all values, `sum(w x) / sum(w)`; 0 before the first.

    Args:
        name: Name of the metric.
        dtype: Dtype of the mean.
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in `values`, `(n, ...)`, weighted by `sample_weight`."""
        values, sample_weight = per_sample(values, sample_weight, ops.mean, self._state_dtype)
        self.total.assign(self.total + ops.sum(values))
        if sample_weight is not None:
            self.count.assign(self.count + ops.sum(sample_weight))
        else:
            self.count.assign(self.count + float(values.shape[0] if values.shape else 1))

    def reset_state(self) -> None:
        self.total.assign(0.0)
        self.count.assign(0.0)

    def result(self) -> Any:
        return ops.cast(ops.divide_no_nan(self.total.value, self.count.value), self.dtype)


@builtin("keras.metrics")
class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions, one value per sample.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` to values of shape `(n, ...)`.
        name: Name of the metric.
        dtype: Dtype of the mean.
        **kwargs: Further arguments of `fn`.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if fn in LOSS_FUNCTIONS:
            self._direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; the mask of `y_pred` joins the weights."""
        mask = getattr(y_pred, "mask", None)
        y_pred = convert_structure(y_pred, None)
        y_true = convert_structure(y_true, None)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        sample_weight = apply_mask(sample_weight, mask, dtype=self._state_dtype, reduction="sum")
        super().update_state(values, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_keras_object(self._fn)
        config.update({k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()})
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        config = dict(config)
        fn = config.get("fn")
        if isinstance(fn, dict):
            ours = {f.__name__: f for f in LOSS_FUNCTIONS}
            known = fn.get("config") in ours
            config["fn"] = deserialize_function(fn) if known else deserialize_keras_object(fn)
        return cls(**config)
