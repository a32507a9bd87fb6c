"""An image's pixels at places between them: the nearest, or the four around weighed.

What SciPy's `ndimage.affine_transform` gives for orders 0 and 1, for all channels at once.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

__all__ = ["MODES", "resample"]

MODES = ("constant", "nearest", "reflect", "wrap")


@functools.lru_cache(maxsize=32)
def _grid(height: int, width: int) -> tuple[Any, Any]:
    """Row and column of each pixel."""
    rows, columns = np.indices((height, width), dtype="float64").reshape(2, -1)
    return rows, columns


def _into_range(x: Any, n: int, mode: str) -> Any:
    """Coordinates outside of `0 ... n - 1` where `mode` looks for them.

    "wrap" repeats after n - 1 pixels, as SciPy's does; "reflect" has its mirrors half a pixel
    outside, so that results lie between -1/2 and n - 1/2.
    """
    if mode == "nearest":
        return np.minimum(np.maximum(x, 0), n - 1)
    if mode == "reflect":
        x = np.mod(x + 0.5, 2 * n)
        return np.where(x > n, 2 * n - x, x) - 0.5
    if mode == "wrap" and n > 1:
        below, above = x < 0, x > n - 1
        period = n - 1
        x = np.where(below, x + period * (np.trunc(-x / period) + 1), x)
        return np.where(above, x - period * np.trunc(x / period), x)
    return x if mode == "constant" else np.zeros_like(x)


def resample(x: Any, matrix: Any, offset: Any, order: int, mode: str, cval: float) -> Any:
    """An image whose pixel p is `x` at `matrix @ p + offset`.

    Args:
        x: `(height, width, channels)`.
        matrix, offset: `(2, 2)` and `(2,)`, for rows and columns.
        order: 0 for the nearest pixel, 1 for linear interpolation.
        mode: One of `MODES`, for places outside.
        cval: The value there for "constant".
    """
    height, width, channels = x.shape
    i, j = _grid(height, width)
    rows, columns = (
        _into_range(line[0] * i + line[1] * j + shift, n, mode)
        for line, shift, n in zip(matrix, offset, (height, width))
    )
    # One line for each channel: what is done with coordinates is done for all alike.
    pixels = np.ascontiguousarray(x.reshape(-1, channels).T)
    if order == 0:
        row, column = _whole(np.floor(rows + 0.5), height), _whole(np.floor(columns + 0.5), width)
        found = pixels.take(row * width + column, axis=1)
    else:
        found = _linear(pixels, rows, columns, height, width)
    if mode == "constant":
        outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
        found[:, outside] = cval
    return found.astype(x.dtype, copy=False).T.reshape(x.shape)


def _whole(x: Any, n: int) -> Any:
    return np.minimum(np.maximum(x, 0), n - 1).astype(np.intp)


def _linear(pixels: Any, rows: Any, columns: Any, height: int, width: int) -> Any:
    weigh = np.result_type(pixels.dtype, "float32")
    top, left = np.floor(rows), np.floor(columns)
    down, across = (rows - top).astype(weigh), (columns - left).astype(weigh)
    up, low = _whole(top, height) * width, _whole(top + 1, height) * width
    left, right = _whole(left, width), _whole(left + 1, width)
    lines = []
    for row in (up, low):
        first = pixels.take(row + left, axis=1)
        step = pixels.take(row + right, axis=1)
        step -= first
        step *= across
        first += step
        lines.append(first)
    above, below = lines
    below -= above
    below *= down
    above += below
    return above
