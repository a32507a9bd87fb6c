"""Remove what no output needs."""

from __future__ import annotations

from ..ir import Graph

__all__ = ["dce"]


def dce(graph: Graph) -> Graph:
    """Drop nodes and constants whose values nobody uses. Inputs stay."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    constants = {v: a for v, a in graph.constants.items() if v in needed}
    defined = {*graph.inputs, *constants, *(v for n in kept for v in n.outputs)}
    specs = {v: s for v, s in graph.specs.items() if v in defined}
    return graph._replace(nodes=tuple(reversed(kept)), constants=constants, specs=specs)
