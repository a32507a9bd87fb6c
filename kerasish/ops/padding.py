"""Padding: what goes before and behind each axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from .statistics import median
from .symbolic import symbolic

__all__ = ["pad"]

_o = core.ops
_CORE = ("constant", "reflect", "symmetric", "edge")
_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": _o.max, "minimum": _o.min, "mean": _o.mean, "median": median,
}  # fmt: skip


@symbolic
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Elements added before and after each axis.

    Args:
        x: Tensor.
        pad_width: A number, a pair (before, after), or a pair for each axis.
        mode: "constant", "empty" (zeros here), "edge", "linear_ramp" (down to 0), "maximum",
            "mean", "median", "minimum", "reflect", "symmetric", or "wrap".
        constant_values: Of mode "constant"; 0 by default.

    Raises:
        ValueError: The mode is none of these, or has no constant values.

    Source: https://keras.io/api/ops/numpy/#pad-function
    """
    mode = mode.lower()
    if constant_values is not None and mode != "constant":
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. "
            f"Received: mode={mode}"
        )
    if mode in _CORE:
        return _o.pad(x, pad_width, mode, constant_values)
    if mode == "empty":
        return _o.pad(x, pad_width)
    x = core.convert(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    for axis, (before, behind) in enumerate(widths):
        x = _padded(x, axis, before, behind, mode)
    return x


def _padded(x: Any, axis: int, before: int, behind: int, mode: str) -> Any:
    """One axis, by a mode that the core has not."""
    if mode == "wrap":
        places = np.arange(-before, x.shape[axis] + behind) % x.shape[axis]
        return _o.take(x, places.astype("int32"), axis)
    if mode == "linear_ramp":
        first, last = (_o.take(x, np.array([i], "int32"), axis) for i in (0, x.shape[axis] - 1))
        view = [-1 if i == axis else 1 for i in range(x.ndim)]
        up = (np.arange(before) / max(before, 1)).reshape(view)
        down = (np.arange(behind)[::-1] / max(behind, 1)).reshape(view)
        ends = [_o.cast(e * ramp.astype("float32"), x.dtype)
                for e, ramp in ((first, up), (last, down))]  # fmt: skip
        return _o.concatenate([ends[0], x, ends[1]], axis)
    if mode not in _STATISTICS:
        modes = (*_CORE, "empty", "linear_ramp", *_STATISTICS, "wrap")
        raise ValueError(f"pad: mode={mode!r}; expected one of {modes}.")
    one = _o.cast(_STATISTICS[mode](x, axis, True), x.dtype)
    return _o.concatenate([_o.repeat(one, before, axis), x, _o.repeat(one, behind, axis)], axis)
