"""Programs of native kernels over one arena.

`compiled` is the only way in: it loads the library when the first program is made.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Sequence
from typing import Any

from ... import config
from ...ir import Graph
from ...tensor import Tensor
from ...variable import Writers

__all__ = ["available", "compiled"]


@functools.cache
def _library() -> Any:
    """The class of programs, or None if the native library was not built."""
    try:
        native = importlib.import_module("._native", __name__)
    except ImportError:
        logging.getLogger("kerasish").warning(
            "The native library of kerasish is not there: programs run on NumPy, which is slower. "
            "Install a C++17 compiler and kerasish again, or set KERASISH_NATIVE=0."
        )
        return None
    native.set_threads(config.threads())
    native.set_tensor_type(Tensor)
    Writers.active, Writers.wait = native.writing, native.wait
    if config.shadow():
        return importlib.import_module(".shadow", __name__).ShadowProgram
    return importlib.import_module(".program", __name__).NativeProgram


def available() -> bool:
    """Whether programs run natively here."""
    return config.native() and _library() is not None


def compiled(graph: Graph, variables: int, read: int, updates: Sequence[int]) -> Any:
    """The graph as a `NativeProgram`; see there."""
    return _library()(graph, variables, read, updates)
