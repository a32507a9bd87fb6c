"""`import keras`, `tensorflow.keras` and `tf_keras` as kerasish, installed or not."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any

from .. import older
from . import private

__all__ = ["install", "load_ipython_extension", "resolve", "uninstall"]

_OURS = __name__.partition(".")[0]
# What scripts call Keras.
_ROOTS = ("tensorflow.python.keras", "tensorflow.keras", "tf_keras", "keras")
# Its parts that were once packages of their own.
_PARTS = {"keras_preprocessing": "preprocessing", "keras_applications": "applications"}
_PRIVATE = ("api", "_tf_keras")


def resolve(name: str) -> str | None:
    """Our module for the name of one of Keras's, None for modules of others.

    Modules under `keras.src`, which are files of Keras's own, have names of several rooms.

    >>> resolve("tensorflow.keras.layers")
    'kerasish.layers'
    >>> resolve("keras.src.layers.core.dense")
    'kerasish.src.layers.core.dense'
    >>> resolve("keras_preprocessing.text")
    'kerasish.preprocessing.text'
    """
    part, _, rest = name.partition(".")
    if part in _PARTS:
        found = ".".join([_OURS, _PARTS[part], *([rest] if rest else [])])
        return found if _exists(found) else None
    for root in _ROOTS:
        if name == root or name.startswith(root + "."):
            parts = name[len(root) + 1 :].split(".") if name != root else []
            break
    else:
        return None
    if parts[:1] == ["src"]:
        return ".".join([_OURS, *parts]) if private.exists(".".join(parts[1:])) else None
    inner = False
    while parts and parts[0] in (*_PRIVATE, "keras"):
        inner, parts = True, parts[1:]
    while parts:
        found = ".".join([_OURS, *parts])
        if _exists(found):
            return found
        if not inner:
            return None
        parts.pop()
    return _OURS


def _exists(name: str) -> bool:
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


class _Loader(importlib.abc.Loader):
    """Enters a module of ours under another name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: Any = None

    def create_module(self, spec: Any) -> types.ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        # The import system has given it the other name's: relative imports need its own.
        module.__spec__ = self._spec


class _TensorFlow(importlib.abc.Loader):
    """`import tensorflow as tf`, or a namespace in it, for scripts that use `tf.keras`."""

    def __init__(self, path: str = "") -> None:
        self._path = path

    def create_module(self, spec: Any) -> types.ModuleType:
        older.state.tensorflow = True
        found: types.ModuleType = _tensorflow().namespace(self._path)
        return found

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


def _tensorflow() -> Any:
    return importlib.import_module(f"{_OURS}.compat.tensorflow")


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname in ("tensorflow", "tensorflow.python"):
            return importlib.machinery.ModuleSpec(fullname, _TensorFlow(), is_package=True)
        name = resolve(fullname)
        root, _, inner = fullname.partition(".")
        if name is None and root == "tensorflow" and _tensorflow().exists(inner):
            return importlib.machinery.ModuleSpec(fullname, _TensorFlow(inner), is_package=True)
        if name is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, _Loader(name), is_package=True)


_FINDER = _Finder()


def _is_foreign(name: str) -> bool:
    return name.partition(".")[0] in ("keras", "tf_keras", "tensorflow", *_PARTS)


def install() -> None:
    """Let `import keras` mean kerasish from now on.

    Raises:
        ImportError: The real package was imported before: parts of it are in use.
    """
    if _FINDER in sys.meta_path:
        return
    loaded = sorted(n for n in ("keras", "tf_keras", "tensorflow") if n in sys.modules)
    if loaded:
        raise ImportError(
            f"{loaded[0]} is already imported, so that scripts would use parts of both. Install "
            "kerasish's imports before anything imports it."
        )
    sys.meta_path.insert(0, _FINDER)


def uninstall() -> None:
    """Let `import keras` mean Keras again."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
        for name in [n for n in sys.modules if _is_foreign(n)]:
            del sys.modules[name]


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext kerasish`: the notebook's `import keras` is kerasish from here on.

    Its cells show for which Keras it is written: what one shows holds for those after it.
    """
    install()
    events = getattr(ipython, "events", None)
    if events is not None:
        events.register("pre_run_cell", _read_cell)


def _read_cell(info: Any) -> None:
    generation = importlib.import_module(f"{_OURS}.compat.generation")
    generation.read_on(info.raw_cell)
