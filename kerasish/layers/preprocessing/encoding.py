"""Integers as one-hot rows, sets and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["encode", "encode_now", "encoded_shape"]

_o = core.ops


def encoded_shape(shape: Any, mode: str, depth: Any) -> tuple[Any, ...]:
    """The shape of `encode`'s result: one-hot gives each element a row, others each sample."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    # As in Keras, the second axis is the one that is summed, whatever the rank.
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def encode(x: Any, mode: str, depth: int, dtype: Any, weights: Any = None) -> Any:
    """Encode integers by operations, so that it can be compiled.

    Args:
        x: Integers of any shape; those outside of 0 to `depth - 1` are left out.
        mode: "int", "one_hot", "multi_hot" or "count".
        depth: Size of the last axis of the result.
        dtype: Of the result.
        weights: For "count": what each element counts for, of the shape of `x`.
    """
    if mode == "int":
        return _o.cast(x, dtype)
    if x.ndim == 0:
        x = _o.reshape(x, (1,))
    if mode == "one_hot":
        if x.ndim > 1 and x.shape[-1] == 1:
            x = _o.reshape(x, x.shape[:-1])
        return _o.one_hot(x, depth, dtype=dtype)
    axis = 1 if x.ndim > 1 else 0
    rows = _o.moveaxis(x, axis, -1)
    outer = rows.shape[:-1]
    found = _counted(_o.reshape(rows, (-1, rows.shape[-1])), depth, dtype, weights, axis)
    if mode == "multi_hot":
        found = _o.cast(_o.greater(found, 0), dtype)
    return _o.reshape(found, (*outer, depth))


def _counted(rows: Any, depth: int, dtype: Any, weights: Any, axis: int) -> Any:
    """Counts in each row, added up where they belong: no one-hot tensor is made on the way.

    What is out of range goes into a column of its own, which is cut off.
    """
    count = rows.shape[0]
    inside = _o.logical_and(_o.greater_equal(rows, 0), _o.less(rows, depth))
    columns = _o.cast(_o.where(inside, rows, depth), "int32")
    first = core.constant(np.arange(count, dtype="int32")[:, None] * (depth + 1))
    places = _o.reshape(columns + first, (-1, 1))
    if weights is None:
        values = _o.ones((places.shape[0],), dtype)
    else:
        values = _o.reshape(_o.moveaxis(weights, axis, -1), (-1,))
    total = _o.scatter_add(_o.zeros((count * (depth + 1),), values.dtype), places, values)
    return _o.reshape(total, (count, depth + 1))[:, :depth]


def encode_now(x: Any, mode: str, depth: int, dtype: Any) -> Any:
    """`encode` of a NumPy array, at once."""
    if mode == "int":
        return x.astype(dtype)
    x = np.atleast_1d(x)
    if mode == "one_hot":
        if x.ndim > 1 and x.shape[-1] == 1:
            x = x.reshape(x.shape[:-1])
        return (x[..., None] == np.arange(depth)).astype(dtype)
    rows = np.moveaxis(x, 1 if x.ndim > 1 else 0, -1)
    outer, width = rows.shape[:-1], rows.shape[-1]
    count = int(np.prod(outer, dtype="int64"))
    flat = rows.reshape(count, width)
    keep = (flat >= 0) & (flat < depth)
    places = (np.arange(count)[:, None] * depth + np.where(keep, flat, 0))[keep]
    found = np.bincount(places, minlength=count * depth)
    found = (found > 0) if mode == "multi_hot" else found
    return found.astype(dtype).reshape((*outer, depth))
