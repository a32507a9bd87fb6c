"""Nodes that have a composed form instead of a kernel: replaced by it."""

from __future__ import annotations

from typing import Any

from ...ir import Graph, Node
from ...passes import optimize
from ...tracing import trace

__all__ = ["expand"]


def expand(graph: Graph) -> Graph:
    """Put the composed forms of ops that have one (`Op.cuda`) in their place.

    A recurrence becomes its steps: products and fused groups, which one graph replays.
    """
    if not any(node.op.cuda is not None for node in graph.nodes):
        return graph
    nodes: list[Node] = []
    specs, constants = dict(graph.specs), dict(graph.constants)
    fresh = max(specs) + 1
    for node in graph.nodes:
        if node.op.cuda is None:
            nodes.append(node)
            continue
        inner = _traced(node, graph)
        # Fresh numbers for what is inside.
        number: dict[int, int] = dict(zip(inner.inputs, node.inputs, strict=True))
        outputs = _own_outputs(inner, node.outputs)
        number.update(outputs)
        for v, spec in inner.specs.items():
            if v not in number:
                number[v], fresh = fresh, fresh + 1
            specs[number[v]] = spec
        constants.update({number[v]: a for v, a in inner.constants.items()})
        for n in inner.nodes:
            nodes.append(
                n._replace(
                    inputs=tuple(number[v] for v in n.inputs),
                    outputs=tuple(number[v] for v in n.outputs), location=node.location,
                )
            )  # fmt: skip
    made = graph._replace(nodes=tuple(nodes), specs=specs, constants=constants)
    return optimize(made)


def _traced(node: Node, graph: Graph) -> Graph:
    def composed(*tensors: Any) -> Any:
        # Each result a value of its own, that no other output or input is.
        return [t + 0 for t in node.op.cuda(*tensors, **node.attrs)]

    inner = trace(composed, [graph.specs[v] for v in node.inputs], name=node.op.name)
    assert not inner.captures and not inner.variables
    return inner.graph


def _own_outputs(inner: Graph, outputs: tuple[int, ...]) -> dict[int, int]:
    return dict(zip(inner.outputs, outputs, strict=True))
