"""Modules under the paths of earlier releases: `kerasish.layers.core`, `kerasish.utils.np_utils`.

Such a module is empty; its names are looked up when they are asked for.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import types
from typing import Any

from .. import older
from . import private
from .lookup import target
from .tables.libraries import JOINING
from .tables.paths import PATHS
from .warning import warn_once

__all__ = ["find_spec"]

_OURS = __name__.partition(".")[0]


def find_spec(fullname: str) -> importlib.machinery.ModuleSpec | None:
    """The module of a path that no file of ours has, None if no release had it."""
    room = fullname[len(_OURS) + 1 :]
    first, _, rest = room.partition(".")
    if first == "src":
        return private.find_spec(fullname, rest)
    if room not in PATHS:
        return None
    return importlib.machinery.ModuleSpec(fullname, _Loader(room), is_package=True)


class _Merge(types.ModuleType):
    """`keras.layers.merge`: a function in Keras 1, a module in Keras 2."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        warn_once("keras.layers.merge(...)", JOINING)
        return target("compat.layers.merge:merge")(*args, **kwargs)


class _Loader(importlib.abc.Loader):
    def __init__(self, room: str) -> None:
        self._room = room

    def create_module(self, spec: Any) -> types.ModuleType:
        kind = _Merge if self._room == "layers.merge" else types.ModuleType
        module = kind(spec.name, f"keras.{self._room} as earlier releases had it.")
        module.__getattr__ = older.names(spec.name)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""
