"""A graph that is being made from another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ir import Graph, Node
from ..op import REGISTRY, Spec

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

    def emit(
        self, name: str, inputs: Sequence[int], node: Node, outputs: Sequence[int] = (), /,
        **attrs: Any,
    ) -> list[int]:  # fmt: skip
        """Append an op's node.

        Args:
            name: The op.
            inputs: What it reads.
            node: The node whose work it does; it has its location.
            outputs: The values that it makes; new ones by default.
            **attrs: The op's attributes.

        Returns:
            The values that it makes.
        """
        op = REGISTRY[name]
        if not outputs:
            spec = op.infer(*(self.specs[v] for v in inputs), **attrs)
            outputs = [self.fresh(s) for s in (spec if op.multiple else [spec])]
        self.nodes.append(Node(op, tuple(inputs), tuple(outputs), attrs, node.location))
        return list(outputs)

    def made(self) -> Graph:
        """The new graph."""
        return self.graph._replace(
            nodes=tuple(self.nodes), specs=self.specs, constants=self.constants
        )
