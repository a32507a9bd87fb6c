"""Methods and attributes that objects had in earlier releases."""

from __future__ import annotations

import types
from typing import Any

from .lookup import target
from .tables.attributes import ATTRIBUTES
from .warning import warn_once

__all__ = ["find"]


def find(owner: Any, name: str) -> Any:
    """An attribute of an earlier release.

    Args:
        owner: The object.
        name: That neither it nor its class has.

    Raises:
        AttributeError: No release had it.
    """
    for cls in type(owner).__mro__:
        row = ATTRIBUTES.get(cls.__name__, {}).get(name)
        if row is not None and cls.__module__.startswith("kerasish"):
            where, modern = row
            if modern is not None:  # else modern programs may ask whether it is there
                warn_once(f"{cls.__name__}.{name}", modern)
            found = target(where)
            if isinstance(found, property):
                return found.fget(owner)
            return types.MethodType(found, owner)
    kind = type(owner).__name__
    raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=owner)
