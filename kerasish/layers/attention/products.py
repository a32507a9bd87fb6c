"""Attention itself: who looks at whom (masks), and weighted sums of values.

All of it is transpositions, two batched matrix products and a softmax on core tensors.
"""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core

__all__ = ["band_mask", "join_masks", "lay_out", "masked", "scores_of", "weighted_sum"]

_o = core.ops


def lay_out(x: Any, axes: tuple[int, ...], turned: bool = False) -> Any:
    """Heads before the attended axes, which become one.

    Args:
        x: `(..., heads, size)`.
        axes: The attended ones, none of them the last two.
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


def scores_of(query: Any, key: Any, axes: tuple[int, ...]) -> Any:
    """Products of each query with each key: `(others, heads, *attended, *attended by)`."""
    y = _o.matmul(lay_out(query, axes), lay_out(key, axes, True))
    if len(axes) == 1:
        return y
    sizes = [x.shape[i] for x in (query, key) for i in axes]
    return _o.reshape(y, (*y.shape[:-2], *sizes))


def weighted_sum(weights: Any, value: Any, axes: tuple[int, ...]) -> Any:
    """Sums of values, laid out as `query` was: `(..., heads, size)`."""
    right = lay_out(value, axes)
    count, lead = len(axes), right.ndim - 2
    attended = weights.shape[lead : lead + count]
    if count > 1:
        weights = _o.reshape(weights, (*weights.shape[:lead], math.prod(attended), -1))
    y = _o.matmul(weights, right)
    if count > 1:
        y = _o.reshape(y, (*y.shape[:-2], *attended, y.shape[-1]))
    # From (others, heads, attended, size) back.
    rank = y.ndim
    others = [i for i in range(rank - 2) if i not in axes]
    order = [0] * rank
    for place, axis in enumerate([*others, rank - 2, *axes, rank - 1]):
        order[axis] = place
    return _o.transpose(y, order)


def masked(scores: Any, mask: Any) -> Any:
    """Scores so low where the mask is false that their weights are 0 beside any other's."""
    lowest = 0.7 * float(core.dtypes.limits(scores.dtype).min)
    return _o.where(mask, scores, _o.cast(lowest, scores.dtype))


def band_mask(queries: int, keys: int, causal: bool, window: int | None = None) -> Any:
    """`(1, queries, keys)`: true where a query may look; None if everywhere.

    Args:
        queries, keys: How many.
        causal: Whether only at keys not later than it.
        window: Only at keys less than so many places away.
    """
    if not causal and window is None:
        return None
    far = _o.expand_dims(_o.arange(queries), 1) - _o.arange(keys)
    mask = far >= 0 if causal else None
    if window is not None:
        near = _o.less(_o.absolute(far), window)
        mask = near if mask is None else _o.logical_and(mask, near)
    return _o.expand_dims(mask, 0)


def join_masks(*masks: Any) -> Any:
    """True where all of the masks that there are hold; None if there is none."""
    joined = None
    for mask in masks:
        if mask is not None:
            mask = _o.cast(mask, "bool")
            joined = mask if joined is None else _o.logical_and(joined, mask)
    return joined
