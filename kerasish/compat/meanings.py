"""What the same spelling meant in earlier generations.

`install` puts the meanings of a generation over today's; for the present one it takes them away.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from .tables.meanings import MEANINGS

__all__ = ["install"]

_OURS = __name__.partition(".")[0]
# What stood where a meaning was put: class, name, what was there.
_replaced: list[tuple[Any, str, Any]] = []
_NOTHING = object()


def install(generation: int) -> None:
    """Let names mean what they meant in a generation."""
    while _replaced:
        owner, name, before = _replaced.pop()
        if before is _NOTHING:
            delattr(owner, name)
        else:
            setattr(owner, name, before)
    if generation < 3:
        for where, meaning in MEANINGS.items():
            _put(where, meaning)


def _put(where: str, meaning: str) -> None:
    """Put a function of compat in place of a method: it gets the method first."""
    room, _, path = where.partition(":")
    owner_name, _, name = path.rpartition(".")
    core = room == "kerasish_core"
    owner = importlib.import_module(room if core else f"{_OURS}.{room}")
    owner = getattr(owner, owner_name) if owner_name else owner
    module, _, function_name = meaning.partition(":")
    function = getattr(importlib.import_module(f"{_OURS}.{module}"), function_name)
    before = vars(owner).get(name, _NOTHING)
    _replaced.append((owner, name, before))
    setattr(owner, name, _over(function, before))


def _over(function: Callable[..., Any], before: Any) -> Any:
    if before is _NOTHING:
        return function
    if isinstance(before, property):
        return function(before)

    @functools.wraps(before)
    def meant(*args: Any, **kwargs: Any) -> Any:
        return function(before, *args, **kwargs)

    return meant
