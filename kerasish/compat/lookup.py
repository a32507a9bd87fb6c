"""Targets of rows: `"layers:Dense"` is `kerasish.layers.Dense`."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["modern_name", "target"]

_OURS = __name__.partition(".")[0]


def module_of(room: str) -> Any:
    """The module of ours with this path below `kerasish`; "" is `kerasish` itself."""
    return importlib.import_module(f"{_OURS}.{room}" if room else _OURS)


def target(row: str) -> Any:
    """What a target names: a module (`"layers"`) or something in it (`"layers:Dense"`)."""
    room, _, name = row.partition(":")
    found = module_of(room)
    for part in name.split(".") if name else ():
        found = getattr(found, part)
    return found


def modern_name(row: str) -> str:
    """How a program spells a target."""
    return "keras." + row.replace(":", ".").lstrip(".")
