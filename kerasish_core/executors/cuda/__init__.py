"""Programs of generated kernels, captured as CUDA graphs.

`compiled` is the only way in; CuPy is imported, by `device.py`, before it is called.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Sequence
from typing import Any

from ...ir import Graph

__all__ = ["available", "compiled"]


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
