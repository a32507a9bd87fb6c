"""Clipping gradients by value, by norm, and by the norm of all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value"]

ops = core.ops


def clip_by_value(gradient: Any, bound: float) -> Any:
    """Entries limited to `[-bound, bound]`."""
    return ops.clip(gradient, -bound, bound)


def clip_by_norm(gradient: Any, bound: float, axes: Any = None) -> Any:
    """The gradient, scaled down if its norm is larger: `g * bound / max(|g|, bound)`.

    The norm is over all axes or those named.
    """
    norm = ops.sqrt(ops.sum(ops.square(gradient), axes, keepdims=axes is not None))
    return gradient * (bound / ops.maximum(norm, bound))


def clip_by_global_norm(gradients: Sequence[Any], bound: float) -> list[Any]:
    """All gradients, scaled by one factor so that their common norm is at most `bound`.

    An infinite norm gives NaN everywhere, so that it is noticed.

    Source: Pascanu et al. (2013), On the Difficulty of Training Recurrent Neural Networks.
    """
    total: Any = None
    for gradient in gradients:
        square = ops.sum(ops.square(gradient))
        total = square if total is None else total + square
    norm = ops.sqrt(total)
    scale = bound / ops.maximum(norm, bound) + (norm - norm)
    return [g * ops.cast(scale, g.dtype) for g in gradients]
