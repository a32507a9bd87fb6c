"""Names that a module had in earlier releases."""

from __future__ import annotations

from typing import Any

from .lookup import modern_name, module_of, target
from .tables.names import NAMES
from .tables.paths import PATHS
from .warning import warn_once

__all__ = ["find"]

_OURS = __name__.partition(".")[0]
_MISSING = object()


def find(module: str, name: str) -> Any:
    """What a name of an earlier release means in a module.

    Args:
        module: Such as `"kerasish.layers"`, or a path of `tables/paths.py` below `kerasish`.
        name: That the module itself does not have.

    Raises:
        AttributeError: No release had it there.
    """
    room = module[len(_OURS) + 1 :]
    row = NAMES.get(room, {}).get(name)
    if row is not None:
        where, modern = (row, modern_name(row)) if isinstance(row, str) else row
        warn_once(f"keras.{room}.{name}" if room else f"keras.{name}", modern)
        return target(where)
    inner = f"{room}.{name}" if room else name
    if inner in PATHS or inner == "src":
        return module_of(inner)
    for source in PATHS.get(room, ()):
        found = getattr(module_of(source), name, _MISSING)
        if found is not _MISSING:
            _say_path(room)
            return found
    raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)


def _say_path(room: str) -> None:
    """A path with a counterpart of today is named with it."""
    modern = [source for source in PATHS[room] if not source.startswith("compat.")]
    if modern:
        warn_once(f"keras.{room}", f"keras.{modern[0]}" if modern[0] else "keras")
