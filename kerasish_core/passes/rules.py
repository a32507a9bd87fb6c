"""Leave out gradient rules: what is compiled has its gradients."""

from __future__ import annotations

from typing import Any

from ..ir import Graph

__all__ = ["drop_rules"]


def drop_rules(graph: Graph) -> Graph:
    """Replace the results of `ruled` nodes by their inputs, in bodies too."""
    return _without(graph, {}) if _holds_rules(graph) else graph


def _without(value: Any, known: dict[Graph, Graph]) -> Any:
    """A graph, or an attribute that may hold some, without rules; each graph once."""
    if not isinstance(value, Graph):
        return tuple(_without(v, known) for v in value) if _bodies(value) else value
    if value in known:
        return known[value]
    same: dict[int, int] = {}
    nodes = []
    for node in value.nodes:
        inputs = tuple(same.get(v, v) for v in node.inputs)
        if node.op.name == "ruled":
            same.update(zip(node.outputs, inputs))
            continue
        attrs = {key: _without(part, known) for key, part in node.attrs.items()}
        nodes.append(node._replace(inputs=inputs, attrs=attrs))
    outputs = tuple(same.get(v, v) for v in value.outputs)
    known[value] = value._replace(nodes=tuple(nodes), outputs=outputs)
    return known[value]


def _bodies(value: Any) -> tuple[Graph, ...]:
    if isinstance(value, Graph):
        return (value,)
    return tuple(v for v in value if isinstance(v, Graph)) if type(value) is tuple else ()


def _holds_rules(graph: Graph) -> bool:
    return any(
        node.op.name == "ruled"
        or any(_holds_rules(g) for value in node.attrs.values() for g in _bodies(value))
        for node in graph.nodes
        if node.op.kind == "control"
    )
