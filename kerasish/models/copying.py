"""What deep copies and pickles keep of a graph of symbolic tensors.

Layers are copied without their nodes: those reach every other layer that ever was called on their
results. A model keeps a plan instead, a flat list of calls, from which its copy makes the nodes
of the copied layers again.
"""

from __future__ import annotations

import itertools
from typing import Any

import kerasish_core as core

from ..ops.symbolic import KerasTensor, Node, map_symbolic
from .graph import Graph, key_of

__all__ = ["Plan"]

tree = core.tree


class _Slot:
    """Stands for a symbolic tensor in a plan."""

    def __init__(self, number: int) -> None:
        self.number = number


class Plan:
    """The calls of a graph, in order, with numbers in place of symbolic tensors.

    Args:
        graph: The graph.
        **structures: Structures of its tensors, by name.
    """

    def __init__(self, graph: Graph, **structures: Any) -> None:
        slots: dict[Any, int] = {}
        self.operations = list(graph.operations)
        places = {id(op): i for i, op in enumerate(self.operations)}
        sources = [t._keras_history[0] for t in graph.inputs if t._keras_history is not None]
        starts = [op._inbound_nodes[0] for op in {id(op): op for op in sources}.values()]
        self.specs: list[tuple[Any, str, str]] = []
        calls = []
        for node in [*starts, *_in_order_of_calls(graph)]:
            for t in node.outputs:
                slots[key_of(t)] = len(self.specs)
                self.specs.append((t.shape, t.dtype, t.name))
            calls.append((places[id(node.operation)], node))

        def slot(t: KerasTensor) -> _Slot:
            return _Slot(slots[key_of(t)])

        self.calls = [
            (
                place,
                map_symbolic(slot, list(node.args)),
                map_symbolic(slot, dict(node.kwargs)),
                map_symbolic(slot, node.result),
            )
            for place, node in calls
        ]
        self.structures = {k: map_symbolic(slot, v) for k, v in structures.items()}

    def restore(self) -> dict[str, Any]:
        """Make tensors and nodes again; returns the structures."""
        tensors = [KerasTensor(shape, dtype, name=name) for shape, dtype, name in self.specs]

        def fill(structure: Any) -> Any:
            return tree.map_structure(
                lambda x: tensors[x.number] if isinstance(x, _Slot) else x,
                structure,
                none_is_leaf=True,
            )

        for place, args, kwargs, result in self.calls:
            Node(self.operations[place], tuple(fill(args)), fill(kwargs), fill(result))
        return {k: fill(v) for k, v in self.structures.items()}


def _in_order_of_calls(graph: Graph) -> list[Node]:
    """The nodes after those they depend on, and those of one operation in the order of its calls,
    so that they keep their numbers."""
    inside = {id(n) for n in graph.nodes}
    before: dict[int, Node] = {}
    for operation in graph.operations:
        own = [n for n in operation._inbound_nodes if id(n) in inside]
        before |= {id(b): a for a, b in itertools.pairwise(own)}
    done: set[int] = set()
    known = {key_of(t) for t in graph.inputs}
    found: list[Node] = []
    waiting = list(graph.nodes)
    while waiting:
        left = []
        for node in waiting:
            earlier = before.get(id(node))
            ready = earlier is None or id(earlier) in done
            if ready and all(key_of(t) in known for t in node.inputs):
                found.append(node)
                done.add(id(node))
                known |= {key_of(t) for t in node.outputs}
            else:
                left.append(node)
        waiting = left
    return found
