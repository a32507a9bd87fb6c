"""`import tensorflow as tf`, for programs that use it beside `tf.keras`.

`tables/tensorflow.py` says what each name is: an op of ours with TensorFlow's names for its
arguments, or something in the modules here. Nothing is loaded before a program uses it.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from ...ops.keras_tensor import PUBLIC
from ...ops.symbolic import FunctionCall, any_symbolic
from ...text_arrays import Text, means_text
from ..lookup import target
from ..tables.tensorflow import RECORDED, SIZES, TENSORFLOW

__all__ = ["exists", "find", "namespace"]

_MISSING = object()
_VERSIONS = ("compat.v1", "compat.v2")


@functools.cache
def _found(path: str, name: str) -> Any:
    row = TENSORFLOW[path][name]
    if not isinstance(row, str) or ":" not in row:
        return row
    full = f"{path}.{name}" if path else name
    if " " in row:
        return _adapter(full, row)
    found = target(row)
    return _own(full, found) if isinstance(found, types.FunctionType) else found


def find(path: str, name: str) -> Any:
    """A name of `tensorflow` or of a namespace in it.

    Raises:
        AttributeError: It has no counterpart.
    """
    if name == "keras" and path in ("", *_VERSIONS):
        return importlib.import_module("tensorflow.keras")
    if name in TENSORFLOW.get(path, ()):
        return _found(path, name)
    inner = f"{path}.{name}" if path else name
    if exists(inner):
        return namespace(inner)
    for version in _VERSIONS:  # what they do not say otherwise is as elsewhere
        if inner.startswith(f"{version}."):
            return find(path[len(version) + 1 :], name)
    raise AttributeError(
        f"tensorflow.{inner} is not there: this script runs on kerasish, which has "
        "tensorflow.keras and the part of tensorflow that docs/status.md names. More operations "
        "are in keras.ops, random numbers in keras.random."
    )


def exists(path: str) -> bool:
    """Whether there is such a namespace in `tensorflow`."""
    for version in _VERSIONS:
        path = path.removeprefix(f"{version}.")
    return path in (*TENSORFLOW, *_VERSIONS) or any(k.startswith(path + ".") for k in TENSORFLOW)


def namespace(path: str) -> types.ModuleType:
    """`tensorflow`, or a namespace in it."""
    if path:
        return _inner(path)
    importlib.import_module(".values", __name__).install_methods()
    module = _module("")
    module.__version__ = TENSORFLOW[""]["__version__"]
    return module


@functools.cache
def _inner(path: str) -> types.ModuleType:
    return _module(path)


def _module(path: str) -> types.ModuleType:
    module = types.ModuleType(f"tensorflow.{path}" if path else "tensorflow", __doc__)
    module.__path__ = []  # a package, so that `import tensorflow.keras` looks inside

    def get(name: str) -> Any:
        found = module.__dict__[name] = find(path, name)  # asked for once
        return found

    module.__getattr__ = get
    return module


# -- TensorFlow's names for the arguments of ours


def _adapter(full: str, row: str) -> Callable[..., Any]:
    """A function of ours under TensorFlow's names for its arguments.

    `"ops:sum input_tensor axis keepdims"`: the target, then TensorFlow's names in the order of our
    arguments; `axis=-1` is a default of TensorFlow's, `~seed` is left out, `text:tile` the
    function of NumPy that does the same for text.
    """
    goal_row, *words = row.split()
    goal = target(goal_row)
    for_text = next((getattr(np, w[5:]) for w in words if w.startswith("text:")), None)
    params = [_parameter(w) for w in words if not w.startswith("text:")]
    names = [name for name, _ in params]
    ours = list(inspect.signature(goal).parameters)

    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)
        if len(args) > len(params):
            if len(args) == len(params) + 1 and isinstance(args[-1], str | None):
                args = args[:-1]  # the name
            else:
                raise TypeError(f"tf.{full} takes {names}, got {len(args)} arguments.")
        given = dict(zip(names, args))
        for name, value in kwargs.items():
            if name not in names or name in given:
                raise TypeError(f"tf.{full} takes {names}; {name!r} is unknown or given twice.")
            given[name] = value
        kept = [(n, d) for n, d in params if not n.startswith("~")]
        values = [given.get(name, default) for name, default in kept]
        function = goal
        if for_text is not None and any(
            means_text(v) for v in values[:2] if not isinstance(v, str)
        ):
            function, values = for_text, [as_texts(v) for v in values]
            found = function(*[v for v in values if v is not _MISSING])
            return (
                Text(found) if getattr(getattr(found, "dtype", None), "kind", "") == "O" else found
            )
        whole = next((i for i, v in enumerate(values) if v is _MISSING), len(values))
        named = {
            ours[i]: v for i, v in enumerate(values[whole:], whole) if v is not _MISSING
        }  # fmt: skip
        if core.is_tracing() and full in SIZES and _known(values):
            with core.eager_scope():
                return function(*values[:whole], **named)
        return function(*values[:whole], **named)

    call.__name__ = call.__qualname__ = full.rpartition(".")[2]
    call.__doc__ = goal.__doc__
    return call


def _known(values: Any) -> bool:
    """Whether all are whole numbers that are known though a function is traced: sizes, which
    programs compute with and then ask for by value."""
    for leaf in core.tree.flatten(values):
        if isinstance(leaf, core.Tensor):
            try:
                if leaf.dtype.kind not in "iub" or leaf.size > 64:
                    return False
                _ = leaf.value
            except core.TraceError:
                return False
        elif leaf is not _MISSING and not isinstance(leaf, int | str | None):
            return False
    return True


def _parameter(word: str) -> tuple[str, Any]:
    name, equals, default = word.partition("=")
    if not equals:
        return name, _MISSING
    try:
        return name, ast.literal_eval(default)
    except (ValueError, SyntaxError):
        return name, default


def as_texts(value: Any) -> Any:
    """Lists of strings as arrays of text, tensors as NumPy's arrays, the rest as it is."""
    if isinstance(value, list | tuple):
        if value and all(isinstance(v, np.ndarray) for v in value):
            return [np.asarray(v) for v in value]
        return np.array(value, object) if means_text(value) else value
    return np.asarray(value) if hasattr(value, "__array__") else value


def _own(full: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the modules here, which also takes `name=` and records one node for the
    symbolic tensors of the functional API."""
    code = function.__code__
    keeps_name = "name" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    room = function.__module__.rpartition(".")[2]
    recorded = room in RECORDED and not getattr(function, "plain", False)
    if keeps_name and not recorded:
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not keeps_name:
            kwargs.pop("name", None)
        if recorded and any_symbolic(args, kwargs):
            return node(call).symbolic_call(*args, **kwargs)
        if core.is_tracing() and full in SIZES and _known([*args, *kwargs.values()]):
            with core.eager_scope():
                return function(*args, **kwargs)
        return function(*args, **kwargs)

    short = full.rpartition(".")[2]
    camel = "".join(part.capitalize() for part in short.split("_"))
    call.__signature__ = inspect.signature(function)
    if recorded:
        node = type(camel, (FunctionCall,), {"__module__": __name__})
        call.node, call.public_name = node, f"{__name__}.{full}"
        PUBLIC[call.public_name] = call
    return call


def restore(public_name: str) -> None:
    """Let files name a function: the one that they know by this name is found from here on."""
    path, _, name = public_name.removeprefix(f"{__name__}.").rpartition(".")
    find(path, name)
