"""Modules below `keras.src`, in which programs look for what Keras does not show.

Such a module is empty; its names are looked up when they are asked for.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import types
import warnings
from collections.abc import Iterator
from typing import Any

from .lookup import module_of, target
from .tables.private import BACKENDS, FILES, NAMES, ROOMS
from .warning import OlderSpelling

__all__ = ["exists", "find_spec", "look_up"]

_OURS = __name__.partition(".")[0]
_MISSING = object()


def exists(path: str) -> bool:
    """Whether Keras has a file of this path below `keras.src`, or had one."""
    return not path or _known(path) in FILES or _is_module(path)


def _known(path: str) -> str:
    """A path, those within one of Keras's backends without it."""
    first, _, rest = path.partition(".")
    name = rest.partition(".")[0]
    return first if first == "backend" and name in BACKENDS.split() else path


def _is_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(f"{_OURS}.{path}") is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""


def look_up(path: str, name: str) -> Any:
    """What a name means in a module below `keras.src`.

    Raises:
        AttributeError: It has no counterpart here.
    """
    path = _known(path)
    for place in _upwards(path):
        row = NAMES.get(place, {}).get(name)
        if row is not None:
            return target(row)
        for room in ROOMS.get(place, (place,)):
            if not _is_module(room) and room:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OlderSpelling)  # Keras 2 had these files too
                found = getattr(module_of(room), name, _MISSING)
            above = place != path and isinstance(found, types.ModuleType)
            if found is not _MISSING and not above:
                return found
    raise AttributeError(f"module 'keras.src.{path}' has no attribute {name!r}", name=name)


def find_spec(fullname: str, path: str) -> importlib.machinery.ModuleSpec | None:
    """The module of a path below `keras.src`, None if Keras has no such file."""
    if not exists(path):
        return None
    return importlib.machinery.ModuleSpec(fullname, _Loader(path), is_package=True)


class _Private(types.ModuleType):
    """A module whose names are those of rooms of ours."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name, f"keras.src.{path}, as far as it has counterparts here.")
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            room = module_of(self._rooms()[0])
            return [n for n in getattr(room, "__all__", vars(room)) if n[0] != "_"]
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name)
        inner = f"{self._path}.{name}".lstrip(".")
        if inner in FILES:
            return module_of(f"src.{inner}")
        return look_up(self._path, name)

    def _rooms(self) -> tuple[str, ...]:
        return next(
            rooms for place in _upwards(_known(self._path))
            if (rooms := ROOMS.get(place, (place,))) and (not rooms[0] or _is_module(rooms[0]))
        )  # fmt: skip


class _Loader(importlib.abc.Loader):
    def __init__(self, path: str) -> None:
        self._path = path

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Private(spec.name, self._path)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""
