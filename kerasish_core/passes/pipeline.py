"""The passes by name, in order."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from .cse import cse
from .dce import dce
from .fold import fold

__all__ = ["PIPELINE", "optimize"]

PIPELINE: dict[str, Callable[[Graph], Graph]] = {"dce": dce, "fold": fold, "cse": cse, "clean": dce}


def optimize(graph: Graph) -> Graph:
    """All passes that need no backend."""
    for run in PIPELINE.values():
        graph = run(graph)
    return graph
