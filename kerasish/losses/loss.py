"""The base of all losses: conversion, masks, sample weights, reduction."""

from __future__ import annotations

import math
from typing import Any

from .. import dtype_policies, ops
from ..config import floatx
from ..naming import auto_name
from ..serialization import builtin
from ..shard import current_shard, whole_sum

__all__ = [
    "Loss",
    "apply_mask",
    "convert_structure",
    "reduce_weighted_values",
    "squeeze_or_expand_to_same_rank",
    "standardize_reduction",
]

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


@builtin("keras.losses")
class Loss:
    """Base class of losses.

    A subclass computes one value per sample in `call(y_true, y_pred)`; calling the loss weights
    these values by `sample_weight` and the mask of `y_pred`, and reduces them.

    Args:
        name: Name of the loss; made from the class name if None.
        reduction: `"sum_over_batch_size"` or `"mean"` (sum over the number of values), `"sum"`,
            `"mean_with_sample_weight"` (sum over the sum of the weights), `"none"` or None.
        dtype: Dtype or dtype policy of the computation, `floatx()` if None.

    Raises:
        ValueError: `reduction` is none of these.

    Source: https://keras.io/api/losses/
    """

    def __init__(
        self, name: str | None = None, reduction: Any = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self._dtype_policy = dtype_policies.get(dtype or floatx())
        self._dtype = self._dtype_policy.compute_dtype

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: Targets, an array or a structure of arrays; what is no array passes as it is.
            y_pred: Predictions; their mask leaves entries out.
            sample_weight: Weights that broadcast to the values that `call` returns.

        Returns:
            A scalar, or one value per sample if `reduction` is None.
        """
        mask = getattr(y_pred, "mask", None)
        y_pred = convert_structure(y_pred, self._dtype)
        y_true = convert_structure(y_true, self._dtype)
        losses = self.call(y_true, y_pred)
        mask = _both(mask, getattr(losses, "mask", None))
        return reduce_weighted_values(
            losses, sample_weight, mask, reduction=self.reduction, dtype=self._dtype
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss value per sample, to be written by subclasses."""
        raise NotImplementedError(
            f"{type(self).__name__} must define call(self, y_true, y_pred), which returns one "
            "loss value per sample."
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments that rebuild the loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A loss from what `get_config` returned."""
        return cls(**config)


def standardize_reduction(reduction: Any) -> Any:
    """The reduction itself if it is known.

    Raises:
        ValueError: It is not.
    """
    if not (reduction is None or isinstance(reduction, str)) or reduction not in REDUCTIONS:
        raise ValueError(
            "Invalid value for argument `reduction`. Expected one of "
            f"{list(REDUCTIONS)}. Received: reduction={reduction}"
        )
    return reduction


def convert_structure(x: Any, dtype: Any) -> Any:
    """Arrays as tensors of `dtype`, in dicts, lists and tuples too.

    A nested list of numbers is one array. What is no array (a distribution that a model
    returned, None) passes through.
    """
    if isinstance(x, dict):
        return type(x)((k, convert_structure(v, dtype)) for k, v in x.items())
    if isinstance(x, list | tuple):
        if _only_numbers(x):
            return ops.convert_to_tensor(x, dtype=dtype)
        items = [convert_structure(v, dtype) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, bool | int | float) or _is_array(x):
        return ops.convert_to_tensor(x, dtype=dtype)
    return x


def _is_array(x: Any) -> bool:
    return (hasattr(x, "dtype") and hasattr(x, "shape")) or hasattr(x, "__array__")


def _only_numbers(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return all(_only_numbers(v) for v in x)
    return isinstance(x, bool | int | float) or (hasattr(x, "item") and getattr(x, "ndim", 1) == 0)


def _both(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return ops.logical_and(first, second)


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Mend ranks that differ by a last axis of size 1.

    The tensor of higher rank loses that axis, except that a vector beside a matrix gains one.

    Args:
        x1: A tensor.
        x2: A tensor.
        expand_rank_1: Whether a vector gains an axis (instead of the matrix losing it).

    Returns:
        Both tensors; unchanged if ranks are equal or the last axis is not of size 1.
    """
    shape1, shape2 = tuple(x1.shape), tuple(x2.shape)
    if len(shape1) == len(shape2) + 1 and shape1[-1] == 1:
        if len(shape2) == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, -1)
        return ops.squeeze(x1, -1), x2
    if len(shape2) == len(shape1) + 1 and shape2[-1] == 1:
        if len(shape1) == 1 and expand_rank_1:
            return ops.expand_dims(x1, -1), x2
        return x1, ops.squeeze(x2, -1)
    return x1, x2


def _over_the_batch(count: Any) -> Any:
    """What divides a sum over this process's rows, from the count of entries in them.

    A process's loss counts by its part of the rows, so the count of the whole batch does too.
    """
    shard = current_shard()
    return count if shard is None else whole_sum(count) * shard.part


def apply_mask(sample_weight: Any, mask: Any, dtype: Any, reduction: Any) -> Any:
    """Sample weights with a mask multiplied in.

    For the mean reductions kept entries weigh `entries / kept entries`, so that dividing by the
    number of all entries gives the mean over those kept.
    """
    if mask is None:
        return sample_weight
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        total = math.prod(mask.shape)
        mask = mask * ops.divide_no_nan(ops.cast(total, dtype), _over_the_batch(ops.sum(mask)))
    if sample_weight is None:
        return mask
    sample_weight = ops.cast(sample_weight, dtype)
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, sample_weight)
    return sample_weight * mask


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Any = "sum_over_batch_size",
    dtype: Any = None,
) -> Any:
    """Values times weights and mask, reduced.

    Args:
        values: One value per sample or entry.
        sample_weight: Broadcasts to `values`, up to a last axis of size 1.
        mask: What to leave out is false; broadcasts likewise.
        reduction: See `Loss`.
        dtype: Of the result, or None for that of the values.
    """
    reduction = standardize_reduction(reduction)
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=values.dtype)
    sample_weight = apply_mask(sample_weight, mask, dtype=values.dtype, reduction=reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        values = values * sample_weight
    shape = tuple(values.shape)
    if reduction in (None, "none") or shape in ((), (0,)):
        return values
    total = ops.sum(values)
    if reduction == "sum":
        shard = current_shard()
        return total if shard is None else total / shard.part
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(total, _over_the_batch(ops.sum(sample_weight)))
    if None in shape:  # a symbolic tensor of unknown batch size
        return ops.mean(values)
    return total / max(math.prod(shape), 1)
