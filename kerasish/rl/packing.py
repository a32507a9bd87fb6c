"""Several targets in one array, for losses that get `(y_true, y_pred)` only."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops

__all__ = ["pack", "unpack"]

# Whole numbers beyond this are not all floats.
_MOST = 1 << 24


def pack(*arrays: Any) -> np.ndarray:
    """Columns side by side: `(n,)` and `(n, k)` arrays as one float32 `(n, columns)`.

    Raises:
        ValueError: Lengths differ, an array has more than two axes, or whole numbers are too
            large for float32.
    """
    parts = []
    for i, given in enumerate(arrays):
        a = np.asarray(given)
        a = a[:, None] if a.ndim == 1 else a
        if a.ndim != 2 or len(a) != len(np.asarray(arrays[0])):
            raise ValueError(
                f"pack: array {i} has shape {np.shape(given)}; expected ({len(arrays[0])},) or "
                f"({len(arrays[0])}, columns)."
            )
        if a.dtype.kind in "iu" and a.size and int(np.abs(a).max()) > _MOST:
            raise ValueError(
                f"pack: array {i} holds {int(np.abs(a).max())}; float32 is exact up to {_MOST}. "
                "Give the loss a dictionary of arrays for y_true instead."
            )
        parts.append(a.astype("float32"))
    return np.concatenate(parts, axis=1)


def unpack(packed: Any, *columns: int | None) -> list[Any]:
    """What `pack` made one, again apart, in a loss or outside.

    Args:
        packed: A tensor or array `(n, columns)`.
        *columns: For each part its number of columns; None for one column without its axis.

    Raises:
        ValueError: The numbers do not add up to the columns.
    """
    widths = [1 if c is None else int(c) for c in columns]
    if sum(widths) != packed.shape[-1]:
        raise ValueError(
            f"unpack: {packed.shape[-1]} columns can't be split into {list(columns)}, which are "
            f"{sum(widths)}."
        )
    ends = np.cumsum(widths)
    parts = [packed[:, end - width : end] for width, end in zip(widths, ends, strict=True)]
    return [
        (p[:, 0] if isinstance(p, np.ndarray) else ops.squeeze(p, -1)) if c is None else p
        for p, c in zip(parts, columns, strict=True)
    ]
