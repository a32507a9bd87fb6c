"""The passes by name, in order."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from .cse import cse
from .dce import dce
from .fission import split_scans
from .fold import fold
from .loops import join_scans, trim_scans
from .pools import mask_pooled
from .residuals import keep_results
from .rules import drop_rules

__all__ = ["PIPELINE", "optimize"]

PIPELINE: dict[str, Callable[[Graph], Graph]] = {
    "rules": drop_rules, "dce": dce, "fold": fold, "cse": cse, "pools": mask_pooled,
    "join": join_scans, "clean": dce,
    "trim": trim_scans, "sweep": dce, "keep": keep_results, "split": split_scans, "merge": cse,
    "last": dce,
}  # fmt: skip


def optimize(graph: Graph) -> Graph:
    """All passes that need no backend."""
    for run in PIPELINE.values():
        graph = run(graph)
    return graph
