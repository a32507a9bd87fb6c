"""Masks of attention: which query may look at which key."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

__all__ = ["band_mask", "join_masks"]

_o = core.ops


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
