"""Sub-graphs: bodies traced once, with what they capture made explicit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dispatch, tree
from ..dispatch import STATE, apply
from ..ir import Graph
from ..op import Spec
from ..tensor import Tensor, convert
from ..tracing import trace
from ..variable import Variable

__all__ = ["Body", "Prepared", "flat_tensors", "run_graph", "trace_body"]


class Body(NamedTuple):
    """A traced body.

    Attributes:
        graph: Inputs: own arguments, captured tensors, variables. Outputs: results, then the new
            values of the variables updated.
        captures: Captured tensors of outer traces.
        variables: Variables read.
        updates: Variables assigned.
        result: The structure of the results.
        size: How many results there are.
    """

    graph: Graph
    captures: tuple[Tensor, ...]
    variables: tuple[Variable, ...]
    updates: tuple[Variable, ...]
    result: Any
    size: int


class Prepared(NamedTuple):
    """A body that an executor has made ready: it stands for the graph in a kernel's attributes.

    Attributes:
        run: The results of arrays.
        output_specs: As of the graph.
    """

    run: Callable[[list[Any]], Sequence[Any]]
    output_specs: tuple[Spec, ...]


def flat_tensors(structure: Any) -> list[Tensor]:
    """The leaves as tensors."""
    return [convert(x) for x in tree.flatten(structure)]


def trace_body(name: str, fn: Callable[..., Any], specs: Sequence[Spec]) -> Body:
    """Trace `fn(*tensors)`, whose result may be any structure."""

    def flat(*tensors: Tensor) -> Any:
        result = fn(*tensors)
        return tree.map_structure(convert, result) if result is not None else None

    traced = trace(flat, list(specs), name=name)
    return Body(
        traced.graph, traced.captures, traced.variables, traced.updates, traced.result,
        sum(leaf is not None for leaf in traced.leaves),
    )  # fmt: skip


def align(bodies: Sequence[Body], own: int) -> tuple[list[Graph], list[Tensor], list[Variable]]:
    """Give bodies the same inputs and outputs: the union of captures, variables and updates.

    Args:
        bodies: Bodies with equally many own arguments.
        own: How many those are.

    Returns:
        The graphs; the tensors to pass after the own arguments; the variables updated.
    """
    captures = list({id(t): t for b in bodies for t in b.captures}.values())
    updates = list({id(v): v for b in bodies for v in b.updates}.values())
    variables = list({id(v): v for b in bodies for v in (*b.variables, *updates)}.values())
    graphs = [_widen(b, own, captures, variables, updates) for b in bodies]
    return graphs, captures + [v.read() for v in variables], updates


def _widen(
    body: Body, own: int, captures: list[Tensor], variables: list[Variable], updates: list[Variable]
) -> Graph:
    graph = body.graph
    specs = dict(graph.specs)
    fresh = iter(range(max(specs, default=-1) + 1, 1 << 62))

    def number(spec: Spec) -> int:
        value = next(fresh)
        specs[value] = spec
        return value

    placed = dict(zip([id(t) for t in body.captures], graph.inputs[own:]))
    after = graph.inputs[own + len(body.captures) :]
    placed.update(zip([id(v) for v in body.variables], after))
    inputs = list(graph.inputs[:own])
    things: list[Any] = [*captures, *variables]
    for thing in things:
        if id(thing) not in placed:
            placed[id(thing)] = number(thing.spec)
        inputs.append(placed[id(thing)])
    outputs = list(graph.outputs[: body.size])
    updated = dict(zip([id(v) for v in body.updates], graph.outputs[body.size :]))
    outputs += [updated.get(id(v), placed[id(v)]) for v in updates]
    return graph._replace(inputs=tuple(inputs), outputs=tuple(outputs), specs=specs)


def run_graph(xp: Any, graph: Graph | Prepared, arrays: Sequence[Any]) -> Sequence[Any]:
    """Run a sub-graph on arrays: by generic kernels, or as its executor prepared it."""
    if isinstance(graph, Prepared):
        return graph.run([xp.asarray(a) for a in arrays])
    if xp is not np:
        return _run_on_gpu(graph, arrays)
    values = dict(graph.constants)
    values.update(zip(graph.inputs, arrays, strict=True))
    for node in graph.nodes:
        result = node.op.kernel(xp, *[values[v] for v in node.inputs], **node.attrs)
        found = result if node.op.multiple else (result,)
        for v, r in zip(node.outputs, found, strict=True):
            values[v] = xp.asarray(r)
    return [values[v] for v in graph.outputs]


def _run_on_gpu(graph: Graph, arrays: Sequence[Any]) -> Sequence[Any]:
    values = {v: Tensor(a) for v, a in graph.constants.items()}
    values.update(zip(graph.inputs, map(Tensor, arrays), strict=True))
    for node in graph.nodes:
        result = dispatch.run_eager(node.op, [values[v] for v in node.inputs], dict(node.attrs))
        values.update(zip(node.outputs, result if node.op.multiple else (result,), strict=True))
    return [values[v].value for v in graph.outputs]


def replay(graph: Graph, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Apply a graph's nodes to tensors through dispatch, so that tapes and traces see them."""
    values: dict[int, Any] = dict(zip(graph.inputs, tensors, strict=True))
    for v, array in graph.constants.items():
        values[v] = Tensor(array)
    for node in graph.nodes:
        result = apply(node.op, *[values[v] for v in node.inputs], **node.attrs)
        values.update(zip(node.outputs, result if node.op.multiple else (result,), strict=True))
    return [values[v] for v in graph.outputs]


def tracing() -> bool:
    """Whether control flow must become nodes: a Python loop needs values."""
    return STATE.trace is not None
