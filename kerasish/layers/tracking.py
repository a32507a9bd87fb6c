"""Find variables, layers, metrics and seed generators in attributes, lists and dicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kerasish_core as core

from ..metrics import Metric
from ..random import SeedGenerator
from ..settings import bump_structure_version, structure_version
from ..variable import Variable

__all__ = ["bump_structure_version", "structure_version", "tracked"]

_LEAVES = (str, bytes, int, float, bool, type(None), core.Tensor)


def tracked(value: Any, layer_class: type, seen: set[int]) -> Iterator[Any]:
    """The variables, layers, metrics and seed generators in an attribute, in order."""
    if isinstance(value, _LEAVES):
        return
    if isinstance(value, Variable | layer_class | Metric | SeedGenerator):
        if id(value) not in seen:
            seen.add(id(value))
            yield value
    elif isinstance(value, list | tuple | set):
        if id(value) in seen and not isinstance(value, tuple):
            return
        seen.add(id(value))
        for part in value:
            yield from tracked(part, layer_class, seen)
    elif isinstance(value, dict):
        if id(value) in seen:
            return
        seen.add(id(value))
        for part in value.values():
            yield from tracked(part, layer_class, seen)
