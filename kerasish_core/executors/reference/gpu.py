"""One op on arrays of a GPU: what CuPy wants beyond what NumPy does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import device
from ...errors import DTypeError
from ...op import Op, Spec

__all__ = ["run_kernel"]

# CuPy stores and casts these, and has no arithmetic of them.
_STORED = "bfloat16"
_COMPUTED = "float32"


def run_kernel(op: Op, values: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
    """The kernel's result: numbers are brought to the arrays' device, bfloat16 is widened.

    Raises:
        DeviceError: The arrays live on different devices.
        TypeError: An array has a dtype that CuPy has not.
    """
    xp, arrays = device.together(values)
    with device.active(arrays):
        for a in arrays:
            if a.dtype.kind == "V" and a.dtype.name != _STORED:
                raise TypeError(f"{a.dtype.name} is not supported on a GPU; cast it")
        if op.kind != "view" and any(a.dtype.name == _STORED for a in arrays):
            found = _widened(op, xp, arrays, attrs)
            if found is not None:
                return found
        found = op.kernel(xp, *arrays, **attrs)
        return tuple([_array(xp, y) for y in found]) if op.multiple else _array(xp, found)


def _array(xp: Any, value: Any) -> Any:
    return value if isinstance(value, xp.ndarray) else xp.asarray(value)


def _widened(op: Op, xp: Any, arrays: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
    """The op on float32, its results rounded; None where that would be another op."""
    wide = [a.astype(_COMPUTED) if a.dtype.name == _STORED else a for a in arrays]
    try:
        made = op.infer(*(Spec(a.shape, a.dtype) for a in arrays), **attrs)
        twin = op.infer(*(Spec(a.shape, a.dtype) for a in wide), **attrs)
    except DTypeError:
        return None
    specs, twins = (made, twin) if op.multiple else ((made,), (twin,))
    if [s.shape for s in specs] != [s.shape for s in twins]:
        return None
    found = op.kernel(xp, *wide, **attrs)
    results = [
        _array(xp, y).astype(s.dtype, copy=False)
        for y, s in zip(found if op.multiple else (found,), specs, strict=True)
    ]
    return tuple(results) if op.multiple else results[0]
