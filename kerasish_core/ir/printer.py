"""A graph as text, which `parser.parse` reads back.

graph @step(%0: f32[2,3], %1: f32[3]) {
  %2 = const f32[] [2.0]
  %3 = multiply(%1, %2) : f32[3]  # train.py:12
  %4 = add(%0, %3) : f32[2,3]
  return %4
}
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from ..device import is_gpu_array, to_device
from .graph import Graph, Node

__all__ = ["to_text"]

_INLINE = 16


def to_text(graph: Graph, *, locations: bool = True, shorten: bool = False) -> str:
    """The graph and, before it, the sub-graphs that its nodes hold.

    Args:
        graph: What to print.
        locations: Whether to print the user's line beside each node.
        shorten: Leave out the contents of large constants. Such text reads well and can't be
            parsed.
    """
    names: dict[int, str] = {}
    blocks: list[str] = []
    _print(graph, names, blocks, locations, shorten)
    return "\n".join(blocks)


def _print(
    graph: Graph, names: dict[int, str], blocks: list[str], locations: bool, shorten: bool
) -> None:
    for node in graph.nodes:
        for value in node.attrs.values():
            for inner in _graphs(value):
                if id(inner) not in names:
                    _print(inner, names, blocks, locations, shorten)
    taken = set(names.values())
    name, count = graph.name, 1
    while name in taken:
        count += 1
        name = f"{graph.name}_{count}"
    names[id(graph)] = name
    args = ", ".join(f"%{v}: {graph.specs[v]}" for v in graph.inputs)
    lines = [f"graph @{name}({args}) {{"]
    for value, array in graph.constants.items():
        lines.append(f"  %{value} = const {graph.specs[value]} {_constant(array, shorten)}")
    lines += ["  " + _node(graph, node, names, locations) for node in graph.nodes]
    lines.append("  return " + ", ".join(f"%{v}" for v in graph.outputs))
    blocks.append("\n".join(lines) + "\n}\n")


def _graphs(value: Any) -> list[Graph]:
    if isinstance(value, Graph):
        return [value]
    if isinstance(value, tuple):
        return [g for v in value for g in _graphs(v)]
    return []


def _node(graph: Graph, node: Node, names: dict[int, str], locations: bool) -> str:
    results = ", ".join(f"%{v}" for v in node.outputs)
    operands = ", ".join(f"%{v}" for v in node.inputs)
    attrs = ", ".join(f"{k}={_attr(v, names)}" for k, v in node.attrs.items())
    specs = ", ".join(str(graph.specs[v]) for v in node.outputs)
    text = f"{results} = {node.op.name}({operands}){f' {{{attrs}}}' if attrs else ''} : {specs}"
    return f"{text}  # {node.location}" if locations and node.location else text


def _constant(array: Any, shorten: bool) -> str:
    array = to_device(array, "cpu") if is_gpu_array(array) else np.asarray(array)
    if array.size <= _INLINE and array.dtype.kind in "biuf" and array.dtype.name != "float16":
        return "[" + ", ".join(_number(v) for v in array.ravel().tolist()) + "]"
    if shorten:
        return "…"
    return "b64:" + base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _number(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    return repr(value)


def _attr(value: Any, names: dict[int, str]) -> str:
    if isinstance(value, Graph):
        return f"@{names[id(value)]}"
    if isinstance(value, np.dtype):
        return f"dtype({value.name!r})"
    if isinstance(value, np.generic):
        return _attr(value.item(), names)
    if isinstance(value, tuple):
        inner = ", ".join(_attr(v, names) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, slice):
        return f"slice({value.start}, {value.stop}, {value.step})"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str | int | complex) or value is None:
        return repr(value)
    if value is Ellipsis:
        return "Ellipsis"
    return f"<{type(value).__name__}>"
