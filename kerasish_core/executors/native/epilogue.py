"""Bias and relu after a product or convolution, which its kernel adds while it writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...ir import Graph, Node
from ...passes.fuse import Group

__all__ = ["Epilogue", "describe", "find_epilogues"]

_PRODUCTS = ("matmul", "conv")


class Epilogue(NamedTuple):
    """What a product does to its result before it writes it.

    Attributes:
        bias: Value of shape `(n,)`, n the last axis of the result; added to each row.
        relu: Whether negative results become zero.
        output: The value that is written instead of the product itself.
        nodes: The nodes that this makes superfluous, by their outputs.
    """

    bias: int
    relu: bool
    output: int
    nodes: frozenset[int]


def describe(end: Epilogue | None) -> str:
    """For `explain`."""
    return "" if end is None else " + bias, relu" if end.relu else " + bias"


def find_epilogues(graph: Graph, units: Sequence[Group | Node]) -> dict[int, Epilogue]:
    """Epilogues by the value of their product.

    Args:
        graph: The graph.
        units: Its nodes in groups; an epilogue is the beginning of a group's chain.
    """
    users: dict[int, list[Node]] = {}
    grouped: dict[int, Group] = {}
    turn: dict[int, int] = {}  # when a value is made
    for place, unit in enumerate(units):
        for node in unit.nodes if isinstance(unit, Group) else (unit,):
            turn.update(dict.fromkeys(node.outputs, place))
            for v in dict.fromkeys(node.inputs):
                users.setdefault(v, []).append(node)
            if isinstance(unit, Group):
                grouped[node.outputs[0]] = unit
    kept = set(graph.outputs)
    given = {v: v for v in (*graph.inputs, *graph.constants)}
    for node in graph.nodes:  # other names of them: what a gradient is taken by has one
        if node.op.name in ("identity", "reshape") and node.inputs[0] in given:
            given[node.outputs[0]] = given[node.inputs[0]]
    found = {}
    for place, unit in enumerate(units):
        if isinstance(unit, Group) or unit.op.name not in _PRODUCTS:
            continue
        v = unit.outputs[0]
        shape = graph.specs[v].shape
        after = users.get(v, [])
        if len(after) != 1 or v in kept or after[0].op.name != "add":
            continue
        add = after[0]
        bias = add.inputs[1] if add.inputs[0] == v else add.inputs[0]
        group = grouped.get(add.outputs[0])
        if bias not in given and turn[bias] > place:
            continue
        if group is None or graph.specs[bias].shape != shape[-1:]:
            continue
        if graph.specs[add.outputs[0]].shape != shape:
            continue
        total = add.outputs[0]
        then = users.get(total, [])
        relu = (
            len(then) == 1 and total not in kept and then[0].op.name == "relu"
            and grouped.get(then[0].outputs[0]) is group
        )  # fmt: skip
        output = then[0].outputs[0] if relu else total
        found[v] = Epilogue(given.get(bias, bias), relu, output, frozenset({total, output}))
    return found
