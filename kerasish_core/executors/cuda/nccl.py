"""Sums over GPUs, of several processes or of threads of one, by NCCL through CuPy.

CuPy brings the bindings, the package `nvidia-nccl-cu12` (or `-cu13`) the library. Calls only put
work on a stream, so that a graph captures them.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...collective import Communicator, communicator
from ...device import current_device, device_of
from ...errors import DeviceError

__all__ = ["NcclSums", "connect_gpus", "sum_call"]

# What is summed as which of NCCL's types, and how many of them an element is.
_TYPES = {
    "int8": ("INT8", 1), "uint8": ("UINT8", 1), "int32": ("INT32", 1), "uint32": ("UINT32", 1),
    "int64": ("INT64", 1), "uint64": ("UINT64", 1), "float16": ("FLOAT16", 1),
    "float32": ("FLOAT32", 1), "float64": ("FLOAT64", 1), "complex64": ("FLOAT32", 2),
    "complex128": ("FLOAT64", 2),
}  # fmt: skip


class NcclSums:
    """The GPUs of all members of a communicator, one each.

    Args:
        cupy: CuPy.
        nccl: Its module of that name.
        communicator: What connects the processes. All of them make this call.
        number: The GPU of this process.
    """

    def __init__(self, cupy: Any, nccl: Any, communicator: Communicator, number: int) -> None:
        self._cupy, self._nccl, self._number = cupy, nccl, number
        first = nccl.get_unique_id() if communicator.rank == 0 else None
        name = communicator.all_gather(first)[0]
        with cupy.cuda.Device(number):
            self._group = nccl.NcclCommunicator(communicator.size, name, communicator.rank)
        # Never destroyed: NCCL would wait for ever for graphs that hold one of its sums, and at the
        # end of a process nobody says which of them goes first.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._group))

    def serves(self, dtype: np.dtype[Any]) -> bool:
        """Whether NCCL sums elements of the dtype."""
        return dtype.name in _TYPES

    def all_reduce(self, array: Any) -> Any:
        """The sum of all processes' arrays of one shape and dtype.

        Raises:
            DeviceError: The array lies on another GPU than the one that is connected.
        """
        if device_of(array) != f"gpu:{self._number}":
            raise DeviceError(
                f"all_reduce: x is on {device_of(array)}, but this process is connected with the "
                f"others by gpu:{self._number}. Move it there: to_device(x, 'gpu:{self._number}')."
            )
        with self._cupy.cuda.Device(self._number):
            given = self._cupy.ascontiguousarray(array)
            total = self._cupy.empty(given.shape, given.dtype)
            self.sum_into(
                int(given.data.ptr), int(total.data.ptr), math.prod(given.shape), given.dtype
            )
        return total

    def sum_into(self, source: int, target: int, count: int, dtype: np.dtype[Any]) -> None:
        """Sum on the current stream; `source` and `target` are addresses, which may be the same."""
        if count == 0:
            return
        name, parts = _TYPES[dtype.name]
        kind = getattr(self._nccl, f"NCCL_{name}")
        stream = int(self._cupy.cuda.get_current_stream().ptr)
        self._group.allReduce(source, target, count * parts, kind, self._nccl.NCCL_SUM, stream)

    def abort(self) -> None:
        """End what waits for the others, which will not come.

        By a thread: NCCL raises its flag at once, and returns when no graph holds one of its sums.
        """
        threading.Thread(target=self._group.abort, daemon=True).start()


def sum_call(
    addresses: Sequence[int], count: int, dtype: np.dtype[Any]
) -> Callable[[], None] | None:
    """A call that sums `count` elements of all processes, from one address to another."""
    sums = communicator().on_device()
    source, target = addresses
    return None if sums is None else lambda: sums.sum_into(source, target, count, dtype)


def connect_gpus(communicator: Communicator) -> NcclSums | None:
    """Connect the current GPUs of all processes, which all make this call.

    Returns:
        The sums; or None in all of them if one has no GPU as its current device or no NCCL, or if
        two share a GPU.
    """
    kind, _, number = current_device().partition(":")
    place = None
    cupy = nccl = None
    if kind == "gpu":
        cupy = importlib.import_module("cupy")
        # Without the library this warns, and says how it is installed.
        nccl = importlib.import_module("cupy.cuda.nccl")
        if nccl.available:
            place = (socket.gethostname(), cupy.cuda.runtime.deviceGetPCIBusId(int(number)))
    places = communicator.all_gather(place)
    if None in places or len(set(places)) < len(places):
        return None
    return NcclSums(cupy, nccl, communicator, int(number))
