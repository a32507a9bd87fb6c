"""What `compile(loss=..., metrics=...)` makes of an identifier, given targets and predictions."""

from __future__ import annotations

from typing import Any

from .. import losses
from ..naming import to_snake_case
from . import get
from .accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from .from_losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from .mean import MeanMetricWrapper
from .metric import Metric

__all__ = ["loss_for", "metric_for", "object_name"]

# Binary, sparse and one-hot form of the names that depend on the shapes.
_BY_SHAPE = {
    "accuracy": (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy),
    "crossentropy": (
        BinaryCrossentropy,
        SparseCategoricalCrossentropy,
        CategoricalCrossentropy,
    ),
}
_BY_SHAPE["acc"], _BY_SHAPE["ce"] = _BY_SHAPE["accuracy"], _BY_SHAPE["crossentropy"]


def object_name(obj: Any) -> str:
    """The log name of a loss or metric: its `name`, or its own name in snake case."""
    name = getattr(obj, "name", None)
    if isinstance(name, str):
        return name
    return to_snake_case(getattr(obj, "__name__", type(obj).__name__))


def metric_for(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """The metric that `compile` means by an identifier.

    `"accuracy"` and `"acc"` (and Keras 2's `"crossentropy"`, `"ce"`) become the binary form if
    predictions have a last axis of size 1, the sparse one if labels have a lower rank or a last
    axis of size 1, and otherwise the one-hot form.

    Args:
        identifier: What `metrics.get` takes.
        y_true: Targets, or anything with their shape.
        y_pred: Predictions, likewise.

    Returns:
        A `Metric` that carries its log name, or None.
    """
    if identifier is None:
        return None
    forms = _BY_SHAPE.get(identifier.lower()) if isinstance(identifier, str) else None
    if forms is not None:
        shape_t, shape_p = tuple(y_true.shape), tuple(y_pred.shape)
        sparse = len(shape_t) < len(shape_p) or (shape_t[-1] == 1 and shape_p[-1] > 1)
        metric = forms[0 if shape_p[-1] == 1 else 1 if sparse else 2](name=identifier)
        return metric
    metric = get(identifier)
    name = identifier if isinstance(identifier, str) else object_name(metric)
    if not isinstance(metric, Metric):
        metric = MeanMetricWrapper(metric)
    metric.name = name
    return metric


def loss_for(identifier: Any, y_true: Any = None, y_pred: Any = None) -> Any:
    """The loss that `compile` means by an identifier: a `Loss` with its log name, or None.

    Args:
        identifier: What `losses.get` takes.
        y_true: Targets; losses need not know them, as metrics do.
        y_pred: Predictions, likewise.
    """
    if identifier is None:
        return None
    loss = losses.get(identifier)
    if isinstance(loss, losses.Loss):
        return loss
    name = identifier if isinstance(identifier, str) else object_name(loss)
    return losses.LossFunctionWrapper(loss, name=name)
