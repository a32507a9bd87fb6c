"""What earlier releases had, row by row."""

from __future__ import annotations

import functools
import importlib

from ..row import Row

__all__ = ["rows"]

# Modules of this folder whose `ROWS` are the arguments of calls.
_ARGUMENTS = ("layer_arguments", "call_arguments", "library_arguments", "first_arguments")


@functools.cache
def rows() -> dict[str, Row]:
    """The rows of all calls: `"Dense"` (a constructor), `"Trainer.fit"`, `"arrays.pad_sequences"`
    (a function, after the last part of its module's name)."""
    found: dict[str, Row] = {}
    for module in _ARGUMENTS:
        for key, row in importlib.import_module(f".{module}", __name__).ROWS.items():
            found[key] = found[key].joined(row) if key in found else row
    return found
