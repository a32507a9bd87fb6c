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

__all__ = ["available", "compiled", "connect_gpus"]


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


def connect_gpus(communicator: Communicator) -> DeviceSums | None:
    """Sums over the current GPUs of all processes, or None; see `nccl.py`."""
    return _room("nccl").connect_gpus(communicator)  # type: ignore[no-any-return]
