"""Keras 2's functions that move, join, repeat and pick elements."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

import kerasish_core as core

from .. import older
from ..ops.symbolic import PUBLIC, classic
from ..settings import standardize_data_format
from .sparse import to_dense

__all__ = [
    "batch_flatten", "concatenate", "expand_dims", "flatten", "gather", "in_top_k", "one_hot",
    "permute_dimensions", "repeat", "repeat_elements", "reshape", "resize_images",
    "resize_volumes", "reverse", "slice", "spatial_2d_padding", "spatial_3d_padding", "squeeze",
    "stack", "temporal_padding", "tile", "transpose",
]  # fmt: skip

_o = core.ops


@classic
def transpose(x: Any) -> Any:
    """The axes in the opposite order."""
    return _o.transpose(x)


@classic
def permute_dimensions(x: Any, pattern: Any) -> Any:
    """The axes in the order of `pattern`."""
    return _o.transpose(x, tuple(pattern))


@classic
def reshape(x: Any, shape: Any) -> Any:
    """The elements in another shape; one size may be -1 (or None)."""
    if not isinstance(shape, list | tuple):
        shape = np.asarray(shape).reshape(-1)
    return _o.reshape(x, tuple(-1 if n is None else int(n) for n in shape))


@classic
def flatten(x: Any) -> Any:
    """All elements in one axis."""
    return _o.reshape(x, (-1,))


@classic
def batch_flatten(x: Any) -> Any:
    """The elements of each sample in one axis."""
    x = core.convert(x)
    return _o.reshape(x, (x.shape[0], int(np.prod(x.shape[1:]))))


@classic
def expand_dims(x: Any, axis: int = -1) -> Any:
    """An axis of size 1 inserted."""
    return _o.expand_dims(x, axis)


@classic
def squeeze(x: Any, axis: Any) -> Any:
    """An axis of size 1 removed."""
    return _o.squeeze(x, axis)


@classic
def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Tensors one after the other along an axis."""
    return _o.concatenate([core.convert(to_dense(t)) for t in tensors], axis)


@classic
def stack(x: Any, axis: int = 0) -> Any:
    """Tensors along a new axis."""
    return _o.stack([core.convert(t) for t in x], axis)


@classic
def tile(x: Any, n: Any) -> Any:
    """`x` repeated `n` times along each axis (a number: along its only one)."""
    n = (n,) if isinstance(n, int) else tuple(int(k) for k in n)
    return _o.tile(x, n)


@classic
def repeat(x: Any, n: int) -> Any:
    """`(batch, size)` to `(batch, n, size)`."""
    x = core.convert(x)
    if x.ndim != 2:
        raise ValueError(f"K.repeat takes 2D tensors. Received: x.shape={x.shape}")
    return _o.tile(_o.expand_dims(x, 1), (1, n, 1))


@classic
def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each element `rep` times along an axis, as `np.repeat`."""
    return _o.repeat(x, rep, axis)


@classic
def reverse(x: Any, axes: Any) -> Any:
    """The opposite order along axes."""
    return _o.flip(x, axes if isinstance(axes, int) else tuple(axes))


@classic
def slice(x: Any, start: Any, size: Any) -> Any:
    """The block of `size` at `start`; a size of -1 reaches to the end."""
    x = core.convert(x)
    start = [int(i) for i in start]
    ends = [n if k == -1 else i + int(k) for i, k, n in zip(start, size, x.shape, strict=True)]
    return x[tuple(builtins.slice(i, j) for i, j in zip(start, ends, strict=True))]


@classic
def gather(reference: Any, indices: Any) -> Any:
    """The rows at `indices`."""
    return _o.take(reference, _o.cast(indices, "int32"), 0)


@classic
def one_hot(indices: Any, num_classes: int) -> Any:
    """1 at each index along a new last axis, as float32."""
    return _o.one_hot(_o.cast(indices, "int32"), num_classes, -1, "float32")


@classic
def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether each row's target is among its `k` largest predictions."""
    return PUBLIC["in_top_k"](targets, predictions, k)


# -- padding


def _pad_axes(x: Any, padding: Any, layout: str) -> Any:
    none = ((0, 0),)
    spatial = tuple((int(a), int(b)) for a, b in padding)
    first = layout == "channels_first"
    return _o.pad(x, none + none + spatial if first else none + spatial + none)


@classic
def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    """Zeros before and after along the middle of three axes."""
    return _pad_axes(x, (padding,), "channels_last")


@older.arguments
@classic
def spatial_2d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1)), data_format: Any = None
) -> Any:  # fmt: skip
    """Zeros before and after along two spatial axes."""
    return _pad_axes(x, padding, standardize_data_format(data_format))


@older.arguments
@classic
def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: Any = None
) -> Any:
    """Zeros before and after along three spatial axes."""
    return _pad_axes(x, padding, standardize_data_format(data_format))


# -- sizes of images


@older.arguments
@classic
def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: Any, interpolation: str = "nearest"
) -> Any:
    """Images of `height_factor` times the height and `width_factor` times the width.

    Args:
        x: `(batch, height, width, channels)`, or as `data_format` says.
        height_factor, width_factor: Positive integers.
        data_format: "channels_last" or "channels_first".
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """
    layout = standardize_data_format(data_format)
    x = core.convert(x)
    rows = 2 if layout == "channels_first" else 1
    if interpolation == "nearest":
        return _o.repeat(_o.repeat(x, height_factor, rows), width_factor, rows + 1)
    size = (x.shape[rows] * height_factor, x.shape[rows + 1] * width_factor)
    return PUBLIC["resize"](x, size, interpolation, data_format=layout)


@older.arguments
@classic
def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: Any
) -> Any:
    """Volumes with each element repeated along the three spatial axes."""
    first = 2 if standardize_data_format(data_format) == "channels_first" else 1
    for i, factor in enumerate((depth_factor, height_factor, width_factor)):
        x = _o.repeat(x, factor, first + i)
    return x
