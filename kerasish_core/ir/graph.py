"""An immutable graph: inputs, constants, nodes in order of execution, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..op import Op, Spec

__all__ = ["Graph", "Node"]


class Node(NamedTuple):
    """One application of an op. Values are numbers; `Graph.specs` tells what they are."""

    op: Op
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attrs: Mapping[str, Any]
    location: str = ""


class Graph(NamedTuple):
    """A function of tensors. Every value is defined once, before its use.

    Attributes:
        name: What printed text calls it.
        inputs: Values given by the caller.
        constants: Value to its array; nobody writes to these.
        nodes: In order of execution.
        outputs: Values returned.
        specs: Value to its shape and dtype.
    """

    name: str
    inputs: tuple[int, ...]
    constants: Mapping[int, Any]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    specs: Mapping[int, Spec]

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    # Sub-graphs are attributes of control nodes, so graphs are hashed by identity.
    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<graph {self.name}: {len(self.nodes)} nodes>"

    @property
    def input_specs(self) -> tuple[Spec, ...]:
        return tuple(self.specs[v] for v in self.inputs)

    @property
    def output_specs(self) -> tuple[Spec, ...]:
        return tuple(self.specs[v] for v in self.outputs)
