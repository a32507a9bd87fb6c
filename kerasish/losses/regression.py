"""Losses between numbers: squared, absolute and relative errors, Huber, log-cosh, Poisson, …

Every function returns one value per sample: the last axis is averaged or summed.
"""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..config import epsilon
from .loss import squeeze_or_expand_to_same_rank
from .wrapper import aligned

__all__ = [
    "cosine_similarity", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "poisson",
]  # fmt: skip


def as_pair(y_true: Any, y_pred: Any, align: bool = True) -> tuple[Any, Any]:
    """Both as tensors of the predictions' dtype, brought to one rank."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    return squeeze_or_expand_to_same_rank(y_true, y_pred) if align else (y_true, y_pred)


@aligned
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean squared error `mean((y_true - y_pred)**2)` over the last axis.

    Args:
        y_true: Targets, `(..., d)`.
        y_pred: Predictions, `(..., d)`.

    Returns:
        `(...)`.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@aligned
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean absolute error `mean(|y_true - y_pred|)` over the last axis."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@aligned
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean absolute error in percent of the target, `100 mean(|y_true - y_pred| / |y_true|)`.

    Targets smaller than `epsilon()` count as `epsilon()`.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    relative = ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), epsilon()))
    return ops.mean(relative, axis=-1) * 100.0


@aligned
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(y_true + 1) - log(y_pred + 1))**2)`; values below `epsilon()` are raised to it."""
    y_true, y_pred = as_pair(y_true, y_pred)
    logs = [ops.log(ops.maximum(y, epsilon()) + 1.0) for y in (y_true, y_pred)]
    return ops.mean(ops.square(logs[0] - logs[1]), axis=-1)


@aligned
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Huber loss: quadratic for errors up to `delta`, linear beyond.

    `mean(e**2 / 2 if |e| <= delta else delta |e| - delta**2 / 2)`, `e = y_true - y_pred`.

    Source: Huber (1964), Robust Estimation of a Location Parameter.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    error = ops.abs(y_true - y_pred)
    quadratic = ops.minimum(error, delta)
    # q (e - q/2) is e**2/2 where q = e, and delta e - delta**2/2 where q = delta.
    return ops.mean(quadratic * (error - 0.5 * quadratic), axis=-1)


@aligned
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))`, close to `e**2 / 2` for small and `|e|` for large e."""
    y_true, y_pred = as_pair(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(ops.logaddexp(error, -error) - math.log(2.0), axis=-1)


@aligned
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Kullback-Leibler divergence `sum(y_true log(y_true / y_pred))` of probabilities.

    Both are clipped to `[epsilon(), 1]`, and broadcast: they are not brought to one rank here.

    Source: Kullback and Leibler (1951), On Information and Sufficiency.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    y_true = ops.clip(y_true, epsilon(), 1.0)
    y_pred = ops.clip(y_pred, epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@aligned
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Negative Poisson log-likelihood without its constant, `mean(y_pred - y_true log(y_pred))`.

    Both are broadcast: they are not brought to one rank here.
    """
    y_true, y_pred = as_pair(y_true, y_pred, align=False)
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


@aligned
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle, `-sum(y_true / |y_true| * y_pred / |y_pred|)`.

    Args:
        y_true: Targets, `(..., d)`.
        y_pred: Predictions, `(..., d)`.
        axis: The axis of the vectors.

    Returns:
        Between -1 (same direction) and 1; 0 if one of the vectors is 0.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    y_true = ops.normalize(y_true, axis=axis)
    y_pred = ops.normalize(y_pred, axis=axis)
    return -ops.sum(y_true * y_pred, axis=axis)
