"""Blocks, patches and named axes: other views of images and sequences; more of `keras.ops.nn`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from ..config import standardize_data_format
from .symbolic import symbolic

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "cdist", "depth_to_space", "extract_sequences",
    "fold", "psnr", "rearrange", "space_to_depth", "sparsemax", "unfold",
]  # fmt: skip

_o = core.ops


# -- blocks to channels and back


def _blocked(x: Any, block_size: int, data_format: str) -> Any:
    standardize_data_format(data_format)
    if block_size < 2:
        raise ValueError(f"`block_size` must be at least 2. Received: block_size={block_size}")
    return core.convert(x)


@symbolic
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Channels spread over blocks of pixels."""
    x = _blocked(x, block_size, data_format)
    first = data_format == "channels_first"
    x = _o.transpose(x, (0, 2, 3, 1)) if first else x
    n, h, w, c = x.shape
    b = block_size
    if c % (b * b):
        raise ValueError(f"Number of channels ({c}) must be divisible by block_size**2 ({b * b}).")
    if first:
        y = _o.transpose(_o.reshape(x, (n, h, w, c // (b * b), b, b)), (0, 1, 4, 2, 5, 3))
    else:
        y = _o.transpose(_o.reshape(x, (n, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    y = _o.reshape(y, (n, h * b, w * b, c // (b * b)))
    return _o.transpose(y, (0, 3, 1, 2)) if first else y


@symbolic
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Blocks of pixels gathered in channels."""
    x = _blocked(x, block_size, data_format)
    first = data_format == "channels_first"
    x = _o.transpose(x, (0, 2, 3, 1)) if first else x
    n, h, w, c = x.shape
    b = block_size
    if h % b or w % b:
        raise ValueError(f"Height ({h}) and width ({w}) must be divisible by block_size ({b}).")
    y = _o.reshape(x, (n, h // b, b, w // b, b, c))
    y = _o.transpose(y, (0, 1, 3, 5, 2, 4) if first else (0, 1, 3, 2, 4, 5))
    y = _o.reshape(y, (n, h // b, w // b, c * b * b))
    return _o.transpose(y, (0, 3, 1, 2)) if first else y


# -- patches


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _patch_places(size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """Rows and columns, in the padded image, of each element of each patch."""
    places = []
    for n, k, d, p, s in zip(size, kernel, dilation, padding, stride, strict=True):
        count = (n + 2 * p - d * (k - 1) - 1) // s + 1
        places.append(np.arange(k)[:, None] * d + np.arange(count)[None, :] * s)
    rows, columns = places
    shape = (rows.shape[0], columns.shape[0], rows.shape[1], columns.shape[1])
    rows = np.broadcast_to(rows[:, None, :, None], shape)
    columns = np.broadcast_to(columns[None, :, None, :], shape)
    patches = shape[2] * shape[3]
    return rows.reshape(-1, patches), columns.reshape(-1, patches)


@symbolic
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Sliding patches of `(N, C, H, W)` as columns `(N, C * kernel, patches)`."""
    x = core.convert(x)
    k, d, p, s = (_pair(v) for v in (kernel_size, dilation, padding, stride))
    n, c, h, w = x.shape
    rows, columns = _patch_places((h, w), k, d, p, s)
    padded = _o.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    flat = _o.reshape(padded, (n, c, -1))
    found = _o.take(flat, (rows * (w + 2 * p[1]) + columns).astype("int32"), 2)
    return _o.reshape(found, (n, -1, rows.shape[1]))


@symbolic
def fold(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Any:  # fmt: skip
    """Columns `(N, C * kernel, patches)` added up in an image: the transpose of `unfold`."""
    x = core.convert(x)
    k, d, p, s = (_pair(v) for v in (kernel_size, dilation, padding, stride))
    h, w = _pair(output_size)
    n, c = x.shape[0], x.shape[1] // (k[0] * k[1])
    rows, columns = _patch_places((h, w), k, d, p, s)
    width = w + 2 * p[1]
    place = (rows * width + columns).reshape(-1).astype("int32")
    values = _o.transpose(_o.reshape(x, (n * c, -1)))
    total = _o.segment_sum(values, core.convert(place), (h + 2 * p[0]) * width)
    image = _o.reshape(_o.transpose(total), (n, c, h + 2 * p[0], width))
    return image[:, :, p[0] : p[0] + h, p[1] : p[1] + w]


@symbolic
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Windows of the last axis, as a new axis before it."""
    x = core.convert(x)
    if x.ndim < 1 or sequence_length < 1 or sequence_stride < 1:
        raise ValueError(
            "extract_sequences: x needs an axis, and lengths and strides must be positive. "
            f"Received: x.shape={x.shape}, sequence_length={sequence_length}, "
            f"sequence_stride={sequence_stride}"
        )
    count = 1 + (x.shape[-1] - sequence_length) // sequence_stride
    at = np.arange(count)[:, None] * sequence_stride + np.arange(sequence_length)[None, :]
    return _o.take(x, at.astype("int32"), x.ndim - 1)


# -- named axes


def _groups(side: str) -> list[list[str]]:
    found: list[list[str]] = []
    inside = False
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(":
            inside = True
            found.append([])
        elif token == ")":
            inside = False
        elif inside:
            found[-1].append(token)
        else:
            found.append([token])
    return found


@symbolic
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes split, joined and reordered as a pattern says: `"b h w c -> b (h w) c"`.

    Args:
        tensor: A tensor.
        pattern: Names of axes before and after; brackets hold the factors of one axis.
        **axes_lengths: Sizes of factors that can't be found out.
    """
    x = core.convert(tensor)
    before, after = (_groups(side) for side in pattern.split("->"))
    if len(before) != x.ndim:
        raise ValueError(f"rearrange: pattern {pattern!r} has {len(before)} axes, x has {x.ndim}.")
    sizes = dict(axes_lengths)
    for group, size in zip(before, x.shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        if len(unknown) > 1:
            raise ValueError(f"rearrange: give the sizes of all but one of {group} in {pattern!r}.")
        known = math.prod(sizes[name] for name in group if name in sizes)
        if size % max(known, 1) or (not unknown and known != size):
            raise ValueError(f"rearrange: an axis of size {size} is not {group} with {sizes}.")
        if unknown:
            sizes[unknown[0]] = size // known
    names = [name for group in before for name in group]
    wanted = [name for group in after for name in group]
    if sorted(names) != sorted(wanted):
        raise ValueError(f"rearrange: both sides of {pattern!r} must have the same axes.")
    y = _o.reshape(x, tuple(sizes[name] for name in names))
    y = _o.transpose(y, tuple(names.index(name) for name in wanted))
    return _o.reshape(y, tuple(math.prod(sizes[name] for name in group) for group in after))


# -- more of nn


def _adaptive(reduce: Any, x: Any, output_size: Any, data_format: Any) -> Any:
    x = core.convert(x)
    spatial = x.ndim - 2
    wanted = (output_size,) * spatial if isinstance(output_size, int) else tuple(output_size)
    if not 1 <= spatial <= 3 or len(wanted) != spatial:
        raise ValueError(
            "Adaptive pooling takes 1 to 3 spatial axes and a size for each. Received: "
            f"inputs.shape={x.shape}, output_size={output_size}"
        )
    start = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for i, count in enumerate(wanted):
        axis = start + i
        size = x.shape[axis]
        parts = []
        for j in range(size if count is None else count):
            count_ = size if count is None else count
            low, high = j * size // count_, -(-(j + 1) * size // count_)
            at = (slice(None),) * axis + (slice(low, high),)
            parts.append(reduce(x[at], axis, True))
        x = _o.concatenate(parts, axis)
    return x


@symbolic
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
    """Means over windows that divide each axis into `output_size` parts."""
    return _adaptive(_o.mean, inputs, output_size, data_format)


@symbolic
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
    """Largest elements of windows that divide each axis into `output_size` parts."""
    return _adaptive(_o.max, inputs, output_size, data_format)


@symbolic
def psnr(x1: Any, x2: Any, max_val: Any) -> Any:
    """Peak signal-to-noise ratio `20 log10(max) - 10 log10(mse)` in decibels."""
    x1, x2 = core.convert(x1), core.convert(x2)
    if x1.shape != x2.shape:
        raise ValueError(f"Input shapes {x1.shape} and {x2.shape} must match for PSNR calculation.")
    mse = _o.mean(_o.square(x1 - x2))
    return 20.0 * _o.log10(_o.cast(max_val, mse.dtype)) - 10.0 * _o.log10(mse)


@symbolic
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the probability simplex: `max(x - tau, 0)` with a sum of 1.

    Keras 3.15 gets tau wrong where more than one element is left, so that its results add up to
    less than 1.

    Args:
        x: Tensor; integers become `floatx`.
        axis: Along which.

    Source: Martins and Astudillo, "From softmax to sparsemax", ICML 2016, algorithm 1.
    """
    x = _o.multiply(x, 1.0)
    ordered = _o.flip(_o.sort(x, axis), axis)
    view = [1] * x.ndim
    view[axis] = -1
    rank = core.convert(np.arange(1.0, x.shape[axis] + 1).reshape(view).astype(x.dtype))
    inside = _o.greater(1.0 + rank * ordered, _o.cumsum(ordered, axis))
    size = _o.sum(_o.cast(inside, x.dtype), axis, True)
    tau = (_o.sum(_o.where(inside, ordered, 0), axis, True) - 1.0) / size
    return _o.maximum(x - tau, 0)


@symbolic
def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances of all pairs of rows."""
    x, y = core.convert(x), core.convert(y)
    apart = _o.expand_dims(x, -2) - _o.expand_dims(y, -3)
    return _o.sqrt(_o.sum(_o.square(apart), -1))
