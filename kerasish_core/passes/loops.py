"""Scans: those that run the same loop become one, results that nobody uses are not made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ir import Graph, Node
from .cse import cse
from .dce import dce

__all__ = ["join_scans", "trim_scans"]


def join_scans(graph: Graph) -> Graph:
    """Let scans of equal carries, over the same slices, run as one that makes all results.

    The gradient of a scan wants the carries before each step, which it gets by a scan of its own:
    with the one forwards they are one loop.
    """
    if not any(node.op.name == "scan" for node in graph.nodes):
        return graph
    nodes: list[Node] = []
    same: dict[int, int] = {}
    places: dict[Any, int] = {}
    known = set(graph.inputs) | set(graph.constants)
    before: dict[int, set[int]] = {}  # values known at the place of a scan
    for found in graph.nodes:
        node = found._replace(inputs=tuple(same.get(v, v) for v in found.inputs))
        if node.op.name == "scan":
            key = _key(node)
            place = places.get(key)
            if place is not None and before[place].issuperset(node.inputs):
                joined = _joined(nodes[place], node)
                if joined is not None:
                    carries = node.attrs["carries"]
                    same.update(zip(node.outputs[:carries], joined.outputs, strict=False))
                    nodes[place] = joined
                    known.update(node.outputs)
                    continue
            places[key] = len(nodes)
            before[len(nodes)] = set(known)
        nodes.append(node)
        known.update(node.outputs)
    outputs = tuple(same.get(v, v) for v in graph.outputs)
    return graph._replace(nodes=tuple(nodes), outputs=outputs)


def _key(node: Node) -> Any:
    attrs = node.attrs
    own = attrs["carries"] + attrs["sequences"]
    return (node.inputs[:own], *(attrs[k] for k in ("carries", "sequences", "length", "reverse")))


def _joined(first: Node, second: Node) -> Node | None:
    """One scan with the results of both, or None if their carries are not seen to be equal."""
    carries = first.attrs["carries"]
    own = carries + first.attrs["sequences"]
    a, b = first.attrs["body"], second.attrs["body"]
    fixed = dict(zip(first.inputs[own:], a.inputs[own:], strict=True))
    names = dict(zip(b.inputs[:own], a.inputs[:own], strict=True))
    specs, inputs, outer = dict(a.specs), list(a.inputs), list(first.inputs)
    following = iter(range(max(specs, default=-1) + 1, 1 << 62))
    for value, given in zip(b.inputs[own:], second.inputs[own:], strict=True):
        if given not in fixed:
            fixed[given] = next(following)
            inputs.append(fixed[given])
            outer.append(given)
        names[value] = fixed[given]
        specs[fixed[given]] = b.specs[value]
    for value, spec in b.specs.items():
        if value not in names:
            names[value] = next(following)
            specs[names[value]] = spec
    moved = [
        n._replace(
            inputs=tuple(names[v] for v in n.inputs), outputs=tuple(names[v] for v in n.outputs)
        )
        for n in b.nodes
    ]
    body = cse(
        Graph(
            a.name, tuple(inputs), {**a.constants, **{names[v]: c for v, c in b.constants.items()}},
            (*a.nodes, *moved), (*a.outputs, *(names[v] for v in b.outputs)), specs,
        )
    )  # fmt: skip
    count = len(a.outputs)
    if body.outputs[:carries] != body.outputs[count : count + carries]:
        return None
    body = body._replace(outputs=body.outputs[:count] + body.outputs[count + carries :])
    return first._replace(
        inputs=tuple(outer), outputs=first.outputs + second.outputs[carries:],
        attrs={**first.attrs, "body": dce(body)},
    )  # fmt: skip


def trim_scans(graph: Graph) -> Graph:
    """Leave out stacked results that nobody uses, and what only they needed."""
    if not any(node.op.name == "scan" for node in graph.nodes):
        return graph
    used = set(graph.outputs)
    nodes = []
    for node in reversed(graph.nodes):  # what a later loop does not read is not made for it
        if node.op.name == "scan":
            body = _without_copies(node.attrs["body"])
            node = _trimmed(node._replace(attrs={**node.attrs, "body": body}), used.__contains__)
        nodes.append(node)
        used.update(node.inputs)
    return graph._replace(nodes=tuple(reversed(nodes)))


def _without_copies(graph: Graph) -> Graph:
    """Equal nodes once, and what `identity` gives is its input."""
    same: dict[int, int] = {}
    nodes = []
    for node in graph.nodes:
        inputs = tuple(same.get(v, v) for v in node.inputs)
        if node.op.name == "identity":
            same[node.outputs[0]] = inputs[0]
        else:
            nodes.append(node._replace(inputs=inputs))
    outputs = tuple(same.get(v, v) for v in graph.outputs)
    return dce(cse(graph._replace(nodes=tuple(nodes), outputs=outputs)))


def _trimmed(node: Node, used: Callable[[int], bool]) -> Node:
    body, carries, sequences = (node.attrs[k] for k in ("body", "carries", "sequences"))
    kept = [i for i, v in enumerate(node.outputs) if i < carries or used(v)]
    body = dce(body._replace(outputs=tuple(body.outputs[i] for i in kept)))
    read = {v for n in body.nodes for v in n.inputs} | set(body.outputs)
    given = [i for i, v in enumerate(body.inputs) if i < carries or v in read]
    left = sum(carries <= i < carries + sequences for i in given)
    if len(kept) == len(node.outputs) and len(given) == len(node.inputs):
        return node
    inputs = tuple(body.inputs[i] for i in given)
    return node._replace(
        inputs=tuple(node.inputs[i] for i in given),
        outputs=tuple(node.outputs[i] for i in kept),
        attrs={**node.attrs, "body": body._replace(inputs=inputs), "sequences": left},
    )
