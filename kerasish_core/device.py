"""Devices and their array modules. NumPy serves the CPU; CuPy is imported only for a GPU.

An array lives where it was made, and moves only when told to. A NumPy array without axes is a
number: it goes anywhere, as a Python number does.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import config
from .errors import DeviceError

__all__ = [
    "Unchanging", "active", "array_module", "current_device", "device_of", "device_scope",
    "gpu_count", "is_gpu_array", "raising_linalg", "to_device", "together",
]  # fmt: skip


class Unchanging(list[Any]):
    """Arrays that stay as they are while this list lives: a device may keep copies of them."""

    __slots__ = ("__weakref__",)


class _Current(threading.local):
    name: str = ""


_current = _Current()
_modules = sys.modules
# Numbers that were brought to a device: programs repeat a few of them.
_KEPT: dict[Any, Any] = {}


def _cupy() -> Any:
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            "A GPU was asked for, but CuPy is not installed. "
            "Install the extra for your CUDA version: pip install 'kerasish[cuda12]' or [cuda13]."
        ) from error
    return cupy


def _parsed(name: str) -> tuple[str, int | None]:
    """The kind of device, and its number if it is given."""
    match = re.fullmatch(r"(cpu|gpu|cuda)(?::(\d+))?", name.lower())
    if match is None:
        raise DeviceError(f"Unknown device {name!r}: expected 'cpu', 'gpu' or 'gpu:N'.")
    return "gpu" if match[1] == "cuda" else match[1], int(match[2]) if match[2] else None


@functools.cache
def _checked(name: str) -> str:
    """The canonical name of a device that is there. Processes of one machine have a GPU each.

    Raises:
        DeviceError: It is not.
    """
    kind, number = _parsed(name)
    if kind == "cpu":
        if number:
            raise DeviceError(f"There is one CPU, 'cpu:0'; {name!r} was asked for.")
        return "cpu:0"
    try:
        count = _cupy().cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        raise DeviceError(f"{name!r} was asked for, but no GPU can be used: {error}") from error
    if number is None and count:
        number = config.local_rank() % count
    if number is None or number >= count:
        raise DeviceError(f"{name!r} was asked for, but this machine has {count} GPUs.")
    return f"gpu:{number}"


def current_device() -> str:
    """The device on which new arrays are made, such as `cpu:0`."""
    return _current.name or _default_device()


def gpu_count() -> int:
    """How many GPUs this machine has; 0 while new arrays are made on the CPU."""
    if current_device().startswith("cpu"):
        return 0
    return int(_cupy().cuda.runtime.getDeviceCount())


@functools.cache
def _default_device() -> str:
    """What `KERASISH_DEVICE` names, else a GPU if there is one and CuPy is installed."""
    return _checked(config.device() or ("gpu" if _has_gpu() else "cpu"))


def _has_gpu() -> bool:
    """Whether CuPy is installed and the driver has a GPU; CuPy is not imported to know it."""
    if importlib.util.find_spec("cupy") is None:
        return False
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and (
        count.value > 0
    )  # fmt: skip


@contextlib.contextmanager
def device_scope(name: str) -> Iterator[None]:
    """Make new arrays on the named device inside the block.

    Raises:
        DeviceError: There is no such device.
    """
    before, _current.name = _current.name, _checked(name)
    try:
        yield
    finally:
        _current.name = before


def is_gpu_array(value: Any) -> bool:
    """Whether this is a CuPy array."""
    return "cupy" in _modules and isinstance(value, _modules["cupy"].ndarray)


def array_module(*values: Any) -> Any:
    """`numpy` or `cupy`: the module of the arrays; of numbers alone that of the current device.

    Raises:
        DeviceError: The arrays live on different devices.
    """
    if "cupy" not in _modules:
        return np
    cupy = _modules["cupy"]
    found = {device_of(v) for v in values if isinstance(v, cupy.ndarray) or np.ndim(v)}
    if len(found) > 1:
        raise DeviceError(
            "Operands live on different devices: "
            + ", ".join(device_of(v) for v in values)
            + ". Move one with to_device(x, 'gpu:0') or to_device(x, 'cpu')."
        )
    name = found.pop() if found else current_device()
    return cupy if name.startswith("gpu") else np


def together(values: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """The arrays' module, and the arrays with numbers brought to where the others are.

    Raises:
        DeviceError: The arrays live on different devices.
    """
    xp = array_module(*values)
    if xp is np:
        return xp, values
    with active(values):
        return xp, [v if isinstance(v, xp.ndarray) else _number(xp, v) for v in values]


def _number(xp: Any, value: Any) -> Any:
    """A number as an array of the active device."""
    value = np.asarray(value)
    key = (xp.cuda.Device().id, value.dtype, value.tobytes())
    found = _KEPT.get(key)
    if found is None:
        if len(_KEPT) >= 512:
            _KEPT.clear()
        found = _KEPT[key] = xp.asarray(value)
    return found


def active(values: Sequence[Any]) -> contextlib.AbstractContextManager[Any]:
    """Inside the block CUDA's current device is that of the arrays, which are together."""
    cupy = _modules.get("cupy")
    if cupy is None:
        return contextlib.nullcontext()
    for v in values:
        if isinstance(v, cupy.ndarray):
            return v.device  # type: ignore[no-any-return]
    name = current_device()
    if name.startswith("cpu"):
        return contextlib.nullcontext()
    return cupy.cuda.Device(int(name.split(":")[1]))  # type: ignore[no-any-return]


def raising_linalg(xp: Any) -> contextlib.AbstractContextManager[Any]:
    """Inside the block, linear algebra of the module raises LinAlgError as NumPy's does.

    CuPy is not asked to look otherwise, for which it waits: a singular matrix gives some numbers.
    """
    if xp is np:
        return contextlib.nullcontext()
    import cupyx

    return cupyx.errstate(linalg="raise")  # type: ignore[no-any-return]


def device_of(value: Any) -> str:
    """The device of an array."""
    if isinstance(value, np.ndarray | np.generic):
        return "cpu:0"
    return f"gpu:{value.device.id}"


def to_device(value: Any, name: str) -> Any:
    """A copy of the array on the named device, or the array itself if it is there already."""
    name = _checked(name)
    if device_of(value) == name:
        return value
    if name.startswith("cpu"):
        return _cupy().asnumpy(value)
    with _cupy().cuda.Device(int(name.split(":")[1])):
        return value.copy() if is_gpu_array(value) else _cupy().asarray(value)
