"""Devices and their array modules. NumPy serves the CPU; CuPy is imported only for a GPU."""

from __future__ import annotations

import contextlib
import functools
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import config
from .errors import DeviceError

__all__ = ["array_module", "current_device", "device_of", "device_scope", "to_device"]


class _Current(threading.local):
    name: str = ""


_current = _Current()


def _cupy() -> Any:
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            "A GPU was asked for, but CuPy is not installed. "
            "Install the extra for your CUDA version: pip install 'kerasish[cuda12]' or [cuda13]."
        ) from error
    return cupy


def _canonical(name: str) -> str:
    match = re.fullmatch(r"(cpu|gpu|cuda)(?::(\d+))?", name.lower())
    if match is None:
        raise DeviceError(f"Unknown device {name!r}: expected 'cpu', 'gpu' or 'gpu:N'.")
    kind = "gpu" if match[1] == "cuda" else match[1]
    return f"{kind}:{match[2] or 0}"


def current_device() -> str:
    """The device on which new arrays are made, such as `cpu:0`."""
    return _current.name or _default_device()


@functools.cache
def _default_device() -> str:
    return _canonical(config.device() or "cpu")


@contextlib.contextmanager
def device_scope(name: str) -> Iterator[None]:
    """Make new arrays on the named device inside the block."""
    before, _current.name = _current.name, _canonical(name)
    try:
        yield
    finally:
        _current.name = before


def array_module(*values: Any) -> Any:
    """`numpy` or `cupy`: the module of the arrays.

    Raises:
        DeviceError: The arrays live on different devices.
    """
    if "cupy" not in sys.modules:
        return np
    cupy = sys.modules["cupy"]
    on_gpu = {isinstance(v, cupy.ndarray) for v in values if getattr(v, "ndim", 0)}
    if len(on_gpu) > 1:
        raise DeviceError(
            "Operands live on different devices: "
            + ", ".join(device_of(v) for v in values)
            + ". Move one with to_device(x, 'gpu:0') or to_device(x, 'cpu')."
        )
    return cupy if True in on_gpu else np


def device_of(value: Any) -> str:
    """The device of an array."""
    if isinstance(value, np.ndarray | np.generic):
        return "cpu:0"
    return f"gpu:{value.device.id}"


def to_device(value: Any, name: str) -> Any:
    """A copy of the array on the named device, or the array itself if it is there already."""
    name = _canonical(name)
    if device_of(value) == name:
        return value
    if name.startswith("cpu"):
        return _cupy().asnumpy(value)
    with _cupy().cuda.Device(int(name.split(":")[1])):
        return _cupy().asarray(value)
