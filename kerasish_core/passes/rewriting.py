"""A graph that is being made from another one."""

from __future__ import annotations

from typing import Any

from ..ir import Graph, Node
from ..op import Spec

__all__ = ["Rewriting"]


class Rewriting:
    """What the graph that is being made consists of; values of the old one keep numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node] = []
        self.specs: dict[int, Spec] = dict(graph.specs)
        self.constants: dict[int, Any] = dict(graph.constants)
        self._next = max(self.specs, default=-1) + 1

    def fresh(self, spec: Spec) -> int:
        """A new value."""
        self._next += 1
        self.specs[self._next - 1] = spec
        return self._next - 1

    def constant(self, array: Any) -> int:
        """A new constant."""
        value = self.fresh(Spec(tuple(array.shape), array.dtype))
        self.constants[value] = array
        return value

    def made(self) -> Graph:
        """The new graph."""
        return self.graph._replace(
            nodes=tuple(self.nodes), specs=self.specs, constants=self.constants
        )
