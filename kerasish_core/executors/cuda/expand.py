"""Nodes that are replaced by others: a composed form, or all branches and a choice of results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...ir import Graph, Node
from ...ops.elementwise import identity
from ...passes import optimize
from ...tracing import trace
from .instructions.attention import ATTENDING, reason_against

__all__ = ["expand"]

_CHEAP = ("elementwise", "reduce", "view", "random")
_MOVES = ("bitcast", "concatenate", "gather", "index_add", "index_set", "pad", "roll")


def expand(graph: Graph, tensor_cores: bool) -> tuple[Graph, list[str]]:
    """Put the composed forms of ops that have one (`Op.cuda`) in their place.

    Attention becomes products where its kernel does not serve. A switch of cheap branches becomes
    all of them and a choice of their results: no graph can be captured around a question that the
    host answers.

    Returns:
        The graph, and why kernels that there are do not serve.
    """
    reasons: dict[str, None] = {}
    while True:
        found = {}
        for node in graph.nodes:
            composed = _composed(node, graph, tensor_cores, reasons)
            if composed is not None:
                found[id(node)] = composed
        if not found:
            return graph, list(reasons)
        graph = optimize(_replaced(graph, found))  # a branch may hold what is replaced too


def _replaced(graph: Graph, chosen: dict[int, Callable[..., Sequence[Any]]]) -> Graph:
    """The graph with the composed forms of these nodes, by `id`."""
    nodes: list[Node] = []
    specs, constants = dict(graph.specs), dict(graph.constants)
    fresh = max(specs) + 1
    for node in graph.nodes:
        if id(node) not in chosen:
            nodes.append(node)
            continue
        inner = _traced(node, graph, chosen[id(node)])
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
    return graph._replace(nodes=tuple(nodes), specs=specs, constants=constants)


def _composed(
    node: Node, graph: Graph, tensor_cores: bool, reasons: dict[str, None]
) -> Callable[..., Sequence[Any]] | None:
    """What does the work of a node by others; None if it stays."""
    if node.op.name == "switch" and not all(map(_is_cheap, node.attrs["branches"])):
        return None
    if node.op.name in ATTENDING:
        why = reason_against([graph.specs[v] for v in node.inputs], tensor_cores)
        if why is None:
            return None
        reasons[f"{node.op.name} as products and a softmax: {why}  @ {node.location}"] = None
    composed: Callable[..., Sequence[Any]] | None = node.op.cuda
    return composed


def _is_cheap(branch: Graph) -> bool:
    """Whether running a branch in vain costs little: no products, no loops, nothing summed."""
    return all(
        all(map(_is_cheap, node.attrs["branches"])) if node.op.name == "switch"
        else node.op.kind in _CHEAP or node.op.name in _MOVES for node in branch.nodes
    )  # fmt: skip


def _traced(node: Node, graph: Graph, composed: Callable[..., Sequence[Any]]) -> Graph:
    def run(*tensors: Any) -> Any:
        # Each result a value of its own, that no other output or input is.
        return [identity(t) for t in composed(*tensors, **node.attrs)]

    inner = trace(run, [graph.specs[v] for v in node.inputs], name=node.op.name)
    assert not inner.captures and not inner.variables
    return inner.graph


def _own_outputs(inner: Graph, outputs: tuple[int, ...]) -> dict[int, int]:
    return dict(zip(inner.outputs, outputs, strict=True))
