"""Python functions as text: marshalled byte code, which only the same Python version can read."""

from __future__ import annotations

import codecs
import importlib
import marshal
import types
from typing import Any

import numpy as np

from .safe_mode import is_safe

__all__ = ["func_dump", "func_load"]


def func_dump(func: types.FunctionType) -> tuple[str, Any, Any]:
    """A function's code (base64), defaults and closure."""
    code = codecs.encode(marshal.dumps(func.__code__), "base64").decode("ascii")
    closure = func.__closure__
    cells = None if closure is None else tuple(c.cell_contents for c in closure)
    return code, func.__defaults__, cells


def func_load(code: Any, defaults: Any = None, closure: Any = None) -> types.FunctionType:
    """The function of `func_dump`.

    Its global names are those of this package and NumPy only: `keras`, `ops`, `np`.

    Raises:
        ValueError: Safe mode is on: the code is foreign and running it is a risk.
    """
    if is_safe():
        raise ValueError(
            "Requested the deserialization of a Python lambda. This carries a potential risk of "
            "arbitrary code execution and thus it is disallowed by default. If you trust the "
            "source of the artifact, you can override this error by passing `safe_mode=False` to "
            "the loading function, or calling `keras.config.enable_unsafe_deserialization()`."
        )
    if isinstance(code, list | tuple):
        code, defaults, closure = code
    loaded = marshal.loads(codecs.decode(code.encode("ascii"), "base64"))
    cells = None if closure is None else tuple(_cell(c) for c in closure)
    package = importlib.import_module(__name__.partition(".")[0])
    names = {"keras": package, package.__name__: package, "np": np, "numpy": np}
    for room in ("ops", "backend", "layers"):
        names[room] = getattr(package, room, None)
    names["K"] = names["backend"]
    return types.FunctionType(
        loaded,
        {**names, "__builtins__": __builtins__},
        loaded.co_name,
        None if defaults is None else tuple(defaults),
        cells,
    )


def _cell(value: Any) -> types.CellType:
    return value if isinstance(value, types.CellType) else types.CellType(value)
