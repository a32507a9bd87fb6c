"""Compute equal things once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir import Graph, Node

__all__ = ["cse", "key_of"]


def cse(graph: Graph) -> Graph:
    """Merge constants of equal bits and nodes of equal op, inputs and attributes.

    Ops are functions of their inputs, random ones of their seed, so every kind may be merged.
    """
    same: dict[int, int] = {}
    seen: dict[Any, tuple[int, ...]] = {}
    constants = {}
    for value, array in graph.constants.items():
        if not isinstance(array, np.ndarray) or array.nbytes > 4096:
            constants[value] = array
            continue
        key = ("constant", graph.specs[value], array.tobytes())
        first = seen.setdefault(key, (value,))[0]
        if first == value:
            constants[value] = array
        else:
            same[value] = first
    nodes = []
    for node in graph.nodes:
        inputs = tuple(same.get(v, v) for v in node.inputs)
        key = key_of(node, inputs)
        before = seen.setdefault(key, node.outputs)
        if before is not node.outputs:
            same.update(zip(node.outputs, before, strict=True))
            continue
        nodes.append(node._replace(inputs=inputs))
    outputs = tuple(same.get(v, v) for v in graph.outputs)
    return graph._replace(constants=constants, nodes=tuple(nodes), outputs=outputs)


def key_of(node: Node, inputs: tuple[int, ...]) -> Any:
    """What nodes of equal results have in common."""
    attrs = tuple((k, _text(v)) for k, v in sorted(node.attrs.items()))
    return (node.op.name, inputs, attrs)


def _text(value: Any) -> Any:
    # repr tells 0.0 from -0.0 and 1 from 1.0, which == does not. Bodies are hashed by identity.
    if isinstance(value, Graph):
        return value
    if isinstance(value, tuple) and any(isinstance(part, Graph) for part in value):
        return value
    return repr(value)
