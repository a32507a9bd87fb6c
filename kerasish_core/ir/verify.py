"""The invariants of a graph, checked after tracing and after each pass in tests."""

from __future__ import annotations

from ..errors import VerifyError
from .graph import Graph, Node

__all__ = ["verify"]


def verify(graph: Graph) -> Graph:
    """Check that every value is defined once, before its use, with the spec its op infers.

    Returns:
        The graph.

    Raises:
        VerifyError: It breaks an invariant.
    """
    defined: set[int] = set()

    def define(value: int, by: str) -> None:
        if value in defined:
            raise VerifyError(f"{graph.name}: %{value} is defined twice, again by {by}.")
        if value not in graph.specs:
            raise VerifyError(f"{graph.name}: %{value}, defined by {by}, has no spec.")
        defined.add(value)

    for value in graph.inputs:
        define(value, "an input")
    for value, array in graph.constants.items():
        define(value, "a constant")
        spec = graph.specs[value]
        if tuple(array.shape) != spec.shape or array.dtype != spec.dtype:
            raise VerifyError(
                f"{graph.name}: constant %{value} is {array.dtype}{array.shape}, its spec {spec}."
            )
    for node in graph.nodes:
        for value in node.inputs:
            if value not in defined:
                raise VerifyError(f"{graph.name}: {node.op.name} uses %{value} before it exists.")
        for value in node.outputs:
            define(value, node.op.name)
        _verify_specs(graph, node)
    for value in graph.outputs:
        if value not in defined:
            raise VerifyError(f"{graph.name}: it returns %{value}, which is not defined.")
    return graph


def _verify_specs(graph: Graph, node: Node) -> None:
    inferred = node.op.infer(*(graph.specs[v] for v in node.inputs), **node.attrs)
    expected = tuple(inferred) if node.op.multiple else (inferred,)
    actual = tuple(graph.specs[v] for v in node.outputs)
    if expected != actual:
        shown = [", ".join(map(str, specs)) for specs in (actual, expected)]
        raise VerifyError(f"{graph.name}: {node.op.name} gives {shown[0]}; it infers {shown[1]}.")
