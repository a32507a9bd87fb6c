"""Programs of generated kernels, captured as CUDA graphs.

`compiled` and `connect_gpus` are the only ways in; CuPy is imported, by `device.py`, before they
are called.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Sequence
from typing import Any

from ...collective import Communicator, DeviceSums
from ...ir import Graph

__all__ = ["available", "compiled", "connect_gpus", "forget_copies", "share_among"]


def available() -> bool:
    """Whether CuPy can compile kernels and capture graphs here."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and hasattr(cupy.cuda, "nvrtc")


@functools.cache
def _room(name: str) -> Any:
    return importlib.import_module(f".{name}", __name__)


def compiled(graph: Graph, variables: int, read: int, updates: Sequence[int], device: str) -> Any:
    """The graph as a `CudaProgram` on a device such as `gpu:0`; see there."""
    number = int(device.split(":")[1])
    backend = _room("backend").CupyBackend(number)
    return _room("program").CudaProgram(graph, variables, read, updates, backend)


def share_among(devices: Sequence[str]) -> None:
    """These GPUs are about to make the same updates to variables; see `homes.py`."""
    _room("homes").share_among([int(name.split(":")[1]) for name in devices])


def forget_copies(variables: Sequence[Any]) -> None:
    """Bring the values of these variables anew to all GPUs but their own."""
    _room("homes").change_alone(variables)


def connect_gpus(communicator: Communicator) -> DeviceSums | None:
    """Sums over the current GPUs of all processes, or None; see `nccl.py`."""
    return _room("nccl").connect_gpus(communicator)  # type: ignore[no-any-return]
