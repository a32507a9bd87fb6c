"""Images sampled at other places: given coordinates, affine and perspective maps, elastic ones."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import kerasish_core as core

from ..config import standardize_data_format
from .symbolic import symbolic

__all__ = [
    "affine_transform", "back", "batched", "homography", "map_coordinates", "order_of",
    "perspective_transform", "sample",
]  # fmt: skip

_o = core.ops
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}


def _folded(index: Any, size: int, mode: str) -> Any:
    """Integers brought into `[0, size)`."""
    if mode == "wrap":
        return _o.mod(index, size)
    if mode == "mirror":  # d c b | a b c d | c b a
        period = max(2 * (size - 1), 1)
        return (
            _o.absolute(_o.mod(index + (size - 1), period) - (size - 1)) if size > 1 else index * 0
        )
    if mode == "reflect":  # b a | a b c d | d c
        place = _o.mod(index, 2 * size)
        return _o.minimum(place, 2 * size - 1 - place)
    return _o.clip(index, 0, size - 1)


def _nearest(x: Any) -> Any:
    """The nearest whole numbers, halves away from 0."""
    whole = _o.trunc(x)
    return whole + _o.where(_o.absolute(x - whole) >= 0.5, _o.sign(x), 0)


def _check_fill(fill_mode: str) -> None:
    if fill_mode not in _FILL_MODES:
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Expected of one {set(_FILL_MODES)}. "
            f"Received: fill_mode={fill_mode}"
        )


@symbolic
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: Any = 0
) -> Any:
    """The values of an array at any places, by linear interpolation.

    Args:
        inputs: An array of n axes.
        coordinates: `(n, ...)`, in steps of the array.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: What is outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: The constant.

    Returns:
        Of the shape of `coordinates` without its first axis.
    """
    if order not in (0, 1):
        raise ValueError(
            f"Invalid value for argument `order`. Expected one of [0, 1]. Received: order={order}"
        )
    _check_fill(fill_mode)
    x, coordinates = core.convert(inputs), core.convert(coordinates)
    if coordinates.ndim < 2 or coordinates.shape[0] != x.ndim:
        raise ValueError(
            "First dim of `coordinates` must be the same as the rank of `inputs`. Received: "
            f"inputs.shape={x.shape} and coordinates.shape={coordinates.shape}"
        )
    corners = []
    for axis in range(x.ndim):
        at, size = coordinates[axis], x.shape[axis]
        corners.append([(i, size, w) for i, w in _neighbours(at, order)])
    total = None
    for corner in itertools.product(*corners):
        key = tuple(_folded(i, size, fill_mode) for i, size, _ in corner)
        value = x[key]
        if fill_mode == "constant":
            inside = None
            for i, size, _ in corner:
                fits = _o.logical_and(i >= 0, i < size)
                inside = fits if inside is None else _o.logical_and(inside, fits)
            value = _o.where(inside, value, _o.cast(fill_value, x.dtype))
        for _, _, weight in corner:
            value = value if weight is None else value * weight
        total = value if total is None else total + value
    return _o.cast(_nearest(total) if x.dtype.kind in "iu" else total, x.dtype)


def batched(images: Any, data_format: Any) -> tuple[Any, bool, bool]:
    """`(batch, height, width, channels)`, whether it was one image, whether channels came first."""
    x = core.convert(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). "
            f"Received input with shape: images.shape={x.shape}"
        )
    single = x.ndim == 3
    x = _o.expand_dims(x, 0) if single else x
    first = standardize_data_format(data_format) == "channels_first"
    return (_o.transpose(x, (0, 2, 3, 1)) if first else x), single, first


def back(y: Any, single: bool, first: bool) -> Any:
    y = _o.transpose(y, (0, 3, 1, 2)) if first else y
    return y[0] if single else y


def sample(x: Any, rows: Any, columns: Any, order: int, mode: str, value: Any) -> Any:
    """Each image `(batch, height, width, channels)` at its own places `(batch, ...)`.

    As `map_coordinates`, but all channels of a pixel are gathered at once.
    """
    batch, height, width, channels = x.shape
    pixels = _o.reshape(x, (batch * height * width, channels))
    first = np.arange(batch, dtype="int32") * (height * width)
    first = core.constant(first.reshape(-1, *(1,) * (rows.ndim - 1)))
    total = None
    for row, column in itertools.product(_neighbours(rows, order), _neighbours(columns, order)):
        place = _folded(row[0], height, mode) * width + _folded(column[0], width, mode) + first
        found = _o.take(pixels, place, 0)
        if mode == "constant":
            inside = None
            for index, size in ((row[0], height), (column[0], width)):
                fits = _o.logical_and(index >= 0, index < size)
                inside = fits if inside is None else _o.logical_and(inside, fits)
            found = _o.where(_o.expand_dims(inside, -1), found, _o.cast(value, x.dtype))
        if order:
            found = found * _o.expand_dims(row[1] * column[1], -1)
        total = found if total is None else total + found
    return _o.cast(_nearest(total) if x.dtype.kind in "iu" else total, x.dtype)


def _neighbours(at: Any, order: int) -> list[tuple[Any, Any]]:
    """The nearest index, or both beside with their weights."""
    if order == 0:
        return [(_o.cast(_nearest(at), "int32"), None)]
    low = _o.floor(at)
    part = at - low
    start = _o.cast(low, "int32")
    return [(start, 1.0 - part), (start + 1, part)]


def order_of(interpolation: str) -> int:
    if interpolation not in _ORDERS:
        raise ValueError(
            f"Invalid value for argument `interpolation`. Expected of one {set(_ORDERS)}. "
            f"Received: interpolation={interpolation}"
        )
    return _ORDERS[interpolation]


def _mapped(x: Any, maps: Any) -> tuple[Any, Any]:
    """Rows and columns that `x' = (a0 x + a1 y + a2) / k`, `y' = (b0 x + b1 y + b2) / k`,
    `k = c0 x + c1 y + 1` give for each pixel; `maps` is `(batch, 8)`."""
    _, height, width, _ = x.shape
    rows = core.constant(np.arange(height, dtype="float32").reshape(1, height, 1))
    columns = core.constant(np.arange(width, dtype="float32").reshape(1, 1, width))
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        _o.reshape(v, (-1, 1, 1)) for v in _o.unstack(_o.cast(maps, "float32"), 8, 1)
    )
    k = c0 * columns + c1 * rows + 1.0
    return (b0 * columns + b1 * rows + b2) / k, (a0 * columns + a1 * rows + a2) / k


@symbolic
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant",
    fill_value: Any = 0, data_format: Any = None,
) -> Any:  # fmt: skip
    """Images whose pixel (x, y) is that of the input at `(a0 x + a1 y + a2, b0 x + b1 y + b2)`.

    Args:
        images: One image or a batch.
        transform: `(8,)` or `(batch, 8)`: a0, a1, a2, b0, b1, b2 and two zeros.
        interpolation: "nearest" or "bilinear".
        fill_mode, fill_value: See `map_coordinates`.
        data_format: "channels_last" or "channels_first"; the configured one by default.
    """
    order = order_of(interpolation)
    _check_fill(fill_mode)
    x, single, first = batched(images, data_format)
    maps = core.convert(transform)
    if maps.ndim not in (1, 2):
        raise ValueError(
            "Invalid transform rank: expected rank 1 or 2. Received input with shape: "
            f"transform.shape={maps.shape}"
        )
    maps = _o.expand_dims(maps, 0) if maps.ndim == 1 else maps
    maps = _o.broadcast_to(maps, (x.shape[0], 8))
    rows, columns = _mapped(x, maps)
    return back(sample(x, rows, columns, order, fill_mode, fill_value), single, first)


@symbolic
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear",
    fill_value: Any = 0, data_format: Any = None,
) -> Any:  # fmt: skip
    """Images in which four points have moved, straight lines staying straight.

    Args:
        images: One image or a batch.
        start_points, end_points: `(4, 2)` or `(batch, 4, 2)`, (x, y) of each before and after.
        interpolation: "nearest" or "bilinear".
        fill_value: What is outside.
        data_format: "channels_last" or "channels_first"; the configured one by default.
    """
    order = order_of(interpolation)
    x, single, first = batched(images, data_format)
    starts, ends = (_o.cast(core.convert(p), "float32") for p in (start_points, end_points))
    starts, ends = (_o.expand_dims(p, 0) if p.ndim == 2 else p for p in (starts, ends))
    if starts.shape[-2:] != (4, 2) or starts.shape != ends.shape:
        raise ValueError(
            "Invalid points: expected shapes (4, 2) or (batch, 4, 2). Received: "
            f"start_points.shape={starts.shape}, end_points.shape={ends.shape}"
        )
    rows, columns = _mapped(x, _o.broadcast_to(homography(starts, ends), (x.shape[0], 8)))
    return back(sample(x, rows, columns, order, "constant", fill_value), single, first)


def homography(starts: Any, ends: Any) -> Any:
    """The map of ends to starts: two linear equations in its eight numbers for each point."""
    (from_x, from_y), (to_x, to_y) = (_o.unstack(p, 2, 2) for p in (ends, starts))
    one, zero = _o.ones_like(from_x), _o.zeros_like(from_x)
    upper = [from_x, from_y, one, zero, zero, zero, -to_x * from_x, -to_x * from_y]
    lower = [zero, zero, zero, from_x, from_y, one, -to_y * from_x, -to_y * from_y]
    matrix = _o.concatenate([_o.stack(upper, -1), _o.stack(lower, -1)], 1)
    wanted = _o.expand_dims(_o.concatenate([to_x, to_y], 1), -1)
    return _o.solve(matrix, wanted)[..., 0]
