"""Casts from half types are made again by each reader, who then reads half the bytes.

A large array in float32 that was made of a half-type array, and is read more than once, costs its
writing and twice the reading each time. In a chain a cast costs next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..ir import Graph, Node
from .rewriting import Rewriting

__all__ = ["repeat_casts"]

_HALVES = ("float16", "bfloat16")
_WIDE = ("float32", "float64")
# Smaller ones stay in a cache.
_LARGE = 1 << 16


def repeat_casts(
    graph: Graph, fuses: Callable[[Node], bool], takes: Callable[[Node], bool]
) -> Graph:
    """Give each reader of a widening cast its own.

    Args:
        graph: The graph.
        fuses: Whether a node becomes part of a chain, a cast before it too.
        takes: Whether a node's kernel reads half types where the graph says float32.

    Returns:
        The graph; where a node `takes`, its inputs are the half-type values, and its results stay
        what they were.
    """
    casts = {node.outputs[0]: node for node in graph.nodes if _widens(node, graph)}
    if not casts:
        return graph
    readers: dict[int, list[Node]] = {v: [] for v in casts}
    for node in graph.nodes:
        for v in dict.fromkeys(node.inputs):
            if v in casts:
                readers[v].append(node)
    chosen = {
        v: casts[v] for v, nodes in readers.items()
        if len(nodes) > 1 or v in graph.outputs or any(map(takes, nodes))
    }  # fmt: skip
    kept = set(graph.outputs)
    kept |= {v for v in chosen for n in readers[v] if not (fuses(n) or takes(n))}
    made = _Repeating(graph)
    for node in graph.nodes:
        if node.outputs[0] in chosen and node.outputs[0] not in kept:
            continue
        own = [v for v in dict.fromkeys(node.inputs) if v in chosen]
        if not own:
            made.nodes.append(node)
        elif takes(node):
            made.read_half(node, {v: chosen[v].inputs[0] for v in own})
        elif fuses(node):
            made.read_again(node, {v: chosen[v] for v in own})
        else:
            made.nodes.append(node)
    return made.made()


def _widens(node: Node, graph: Graph) -> bool:
    if node.op.name != "cast":
        return False
    source, made = graph.specs[node.inputs[0]], graph.specs[node.outputs[0]]
    halves = source.dtype.name in _HALVES and made.dtype.name in _WIDE
    return halves and math.prod(made.shape) >= _LARGE


class _Repeating(Rewriting):
    def read_half(self, node: Node, sources: dict[int, int]) -> None:
        """Append the node, which reads what was cast."""
        inputs = tuple(sources.get(v, v) for v in node.inputs)
        self.nodes.append(node._replace(inputs=inputs))

    def read_again(self, node: Node, casts: dict[int, Node]) -> None:
        """Append the node behind casts of its own."""
        own = {v: self.fresh(self.specs[v]) for v in casts}
        for v, cast in casts.items():
            self.nodes.append(cast._replace(outputs=(own[v],)))
        self.nodes.append(node._replace(inputs=tuple(own.get(v, v) for v in node.inputs)))
