"""Nodes that have a composed form instead of a kernel: replaced by it."""

from __future__ import annotations

from typing import Any

from ...ir import Graph, Node
from ...passes import optimize
from ...tracing import trace
from .instructions.attention import ATTENDING, reason_against

__all__ = ["expand"]


def expand(graph: Graph, tensor_cores: bool) -> tuple[Graph, list[str]]:
    """Put the composed forms of ops that have one (`Op.cuda`) in their place.

    A recurrence becomes its steps: products and fused groups, which one graph replays. Attention
    does where its kernel does not serve.

    Returns:
        The graph, and why kernels that there are do not serve.
    """
    reasons: dict[str, None] = {}
    chosen = {id(node) for node in graph.nodes if _expands(node, graph, tensor_cores, reasons)}
    if not chosen:
        return graph, []
    nodes: list[Node] = []
    specs, constants = dict(graph.specs), dict(graph.constants)
    fresh = max(specs) + 1
    for node in graph.nodes:
        if id(node) not in chosen:
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
    return optimize(made), list(reasons)


def _expands(node: Node, graph: Graph, tensor_cores: bool, reasons: dict[str, None]) -> bool:
    if node.op.name not in ATTENDING:
        return node.op.cuda is not None
    why = reason_against([graph.specs[v] for v in node.inputs], tensor_cores)
    if why is not None:
        reasons[f"{node.op.name} as products and a softmax: {why}  @ {node.location}"] = None
    return why is not None


def _traced(node: Node, graph: Graph) -> Graph:
    def composed(*tensors: Any) -> Any:
        # Each result a value of its own, that no other output or input is.
        return [t + 0 for t in node.op.cuda(*tensors, **node.attrs)]

    inner = trace(composed, [graph.specs[v] for v in node.inputs], name=node.op.name)
    assert not inner.captures and not inner.variables
    return inner.graph


def _own_outputs(inner: Graph, outputs: tuple[int, ...]) -> dict[int, int]:
    return dict(zip(inner.outputs, outputs, strict=True))
