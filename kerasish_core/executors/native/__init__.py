"""Programs of native kernels over one arena.

`compiled` is the only way in: it loads the library when the first program is made.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
from collections.abc import Sequence
from typing import Any

from ... import config
from ...ir import Graph, Node
from ...op import Op, Spec
from ...tensor import Tensor
from ...variable import Writers
from ..reference import eager

__all__ = ["available", "compiled"]


@functools.cache
def _library() -> Any:
    """The class of programs, or None if the native library was not built."""
    try:
        native = importlib.import_module("._native", __name__)
    except ImportError as error:
        logging.getLogger("kerasish").warning(
            "kerasish has no native library (%s): programs run on NumPy, which is slower. Install "
            "a C++17 compiler, then `pip install --force-reinstall --no-cache-dir kerasish`; "
            "KERASISH_NATIVE=0 silences this.",
            error,
        )
        return None
    tiles = importlib.import_module("...codegen.tiles", __name__)
    if not native.has(tiles.FINGERPRINT):  # its functions would be called by wrong numbers
        logging.getLogger("kerasish").warning(
            "The native library of kerasish was built from other sources than the installed ones: "
            "programs run on NumPy, which is slower. Build it again by `python setup.py build_ext "
            "--inplace`, or install kerasish again."
        )
        return None
    native.set_threads(config.threads())
    native.set_tensor_type(Tensor)
    Writers.active, Writers.read, Writers.assign = native.writing, native.read, native.assign
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=native.before_fork, after_in_parent=native.after_fork)
    if config.shadow():
        return importlib.import_module(".shadow", __name__).ShadowProgram
    return importlib.import_module(".program", __name__).NativeProgram


_MOST_SINGLES = 256
_singles: dict[Any, Any] = {}


def _single(op: Op, specs: list[Spec], attrs: dict[str, Any]) -> Any:
    """A program of one op, or None if a native kernel does not serve it."""
    made = op.infer(*specs, **attrs)
    results = tuple(made) if op.multiple else (made,)
    count = len(specs)
    inputs, outputs = tuple(range(count)), tuple(range(count, count + len(results)))
    node = Node(op, inputs, outputs, attrs)
    values = dict(enumerate([*specs, *results]))
    program = compiled(Graph(op.name, inputs, {}, (node,), outputs, values), 0, 0, ())
    return None if program.generic else program


def _accelerate(op: Op, arrays: Any, attrs: dict[str, Any]) -> Any:
    """The op's results by its native kernel, or None where there is none."""
    if not available():
        return None
    key = (op, tuple([(a.shape, a.dtype) for a in arrays]), tuple(sorted(attrs.items())))
    program = _singles.get(key, key)
    if program is key:
        program = _single(op, [Spec(a.shape, a.dtype) for a in arrays], attrs)
        if len(_singles) >= _MOST_SINGLES:
            _singles.pop(next(iter(_singles)))
        _singles[key] = program
    return None if program is None else program.run(list(arrays), [])


eager.accelerate = _accelerate


def available() -> bool:
    """Whether programs run natively here."""
    return config.native() and _library() is not None


def compiled(graph: Graph, variables: int, read: int, updates: Sequence[int]) -> Any:
    """The graph as a `NativeProgram`; see there."""
    return _library()(graph, variables, read, updates)
