"""Attention itself on core tensors: transpositions, two batched matrix products, a softmax.

`axes` are the attended ones: of the queries in `query`, of the keys in `key` and `value`, which
may have fewer heads than the queries: then consecutive query heads share one.
"""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core

from .. import settings

__all__ = ["in_one_kernel", "join_heads", "masked", "scores_of", "weighted_sum"]

_o = core.ops


def in_one_kernel(flash_attention: Any, dtype: Any) -> bool:
    """Whether the core's `attention` is called: in steps for a GPU, where it has a kernel.

    Args:
        flash_attention: True or False where somebody says so. Else half types take it, whose kernel
            uses tensor cores; that of float32 saves memory, but products are quicker.
        dtype: Of the queries.
    """
    if not (core.is_tracing() and core.current_device().startswith("gpu")):
        return False
    allowed = flash_attention is not False and settings.is_flash_attention_enabled() is not False
    return allowed and (flash_attention is True or core.dtypes.as_dtype(dtype).itemsize < 4)


def _lay_out(x: Any, axes: tuple[int, ...], turned: bool = False) -> Any:
    """Heads before the attended axes, which become one.

    Args:
        x: `(..., heads, size)`.
        axes: The attended ones.
        turned: Whether the sizes come before the attended axis.

    Returns:
        `(others, heads, attended, size)`, or `(others, heads, size, attended)`.
    """
    rank = x.ndim
    others = [i for i in range(rank - 2) if i not in axes]
    tail = [rank - 1, *axes] if turned else [*axes, rank - 1]
    y = _o.transpose(x, [*others, rank - 2, *tail])
    if len(axes) == 1:
        return y
    count = math.prod(x.shape[i] for i in axes)
    lead = y.shape[: len(others) + 1]
    return _o.reshape(y, (*lead, x.shape[-1], count) if turned else (*lead, count, x.shape[-1]))


def _group(x: Any, heads: int) -> Any:
    """`(others, many heads, rows, columns)` with rows of heads that share one joined."""
    if x.shape[-3] == heads:
        return x
    return _o.reshape(x, (*x.shape[:-3], heads, -1, x.shape[-1]))


def scores_of(query: Any, key: Any, axes: tuple[int, ...]) -> Any:
    """Products of each query with each key.

    Returns:
        `(others, heads, *attended axes of queries, *attended axes of keys)`.
    """
    right = _lay_out(key, axes, True)
    y = _o.matmul(_group(_lay_out(query, axes), right.shape[-3]), right)
    sizes = [x.shape[i] for x in (query, key) for i in axes]
    shape = (*right.shape[:-3], query.shape[-2], *sizes)
    return y if y.shape == shape else _o.reshape(y, shape)


def weighted_sum(weights: Any, value: Any, axes: tuple[int, ...]) -> Any:
    """Sums of values.

    Args:
        weights: As `scores_of` lays out.
        value: `(..., heads, size)`.
        axes: The attended ones.

    Returns:
        `(others, heads, attended, size)`: what `join_heads` brings in the order of the query.
    """
    right = _lay_out(value, axes)
    lead, columns = weights.shape[: right.ndim - 2], right.shape[-2]
    rows = math.prod(weights.shape[len(lead) : len(lead) + len(axes)])
    shape = (*lead, rows, columns)
    left = weights if weights.shape == shape else _o.reshape(weights, shape)
    y = _o.matmul(_group(left, right.shape[-3]), right)
    shape = (*lead, rows, right.shape[-1])
    return y if y.shape == shape else _o.reshape(y, shape)


def join_heads(x: Any, query: Any, axes: tuple[int, ...]) -> Any:
    """`(others, heads, attended, size)` in the order of the query: `(..., heads, size)`."""
    rank = query.ndim
    attended = [query.shape[i] for i in axes]
    if len(axes) > 1:
        x = _o.reshape(x, (*x.shape[:-2], *attended, x.shape[-1]))
    others = [i for i in range(rank - 2) if i not in axes]
    order = [0] * rank
    for place, axis in enumerate([*others, rank - 2, *axes, rank - 1]):
        order[axis] = place
    return _o.transpose(x, order)


def masked(scores: Any, mask: Any) -> Any:
    """Scores so low where the mask is false that their weights are 0 beside any other's."""
    lowest = 0.7 * float(core.dtypes.limits(scores.dtype).min)
    # Not a Python number: that is held as `floatx()` first, which float64's limit overflows.
    return _o.where(_o.cast(mask, "bool"), scores, _o.full((), lowest, scores.dtype))
