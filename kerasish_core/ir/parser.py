"""Text back to a graph: the inverse of `printer.to_text`."""

from __future__ import annotations

import ast
import base64
import re
from typing import Any

import numpy as np

from .. import dtypes
from ..op import REGISTRY, Spec
from .graph import Graph, Node

__all__ = ["ParseError", "parse"]

_LONG = {"f": "float", "bf": "bfloat", "i": "int", "u": "uint", "c": "complex"}
_SPEC = re.compile(r"(bf|[fiuc])?(bool|\d+\w*)\[([\d,]*)\]")
_HEADER = re.compile(r"graph @(\S+?)\((.*)\) \{$")
_CONST = re.compile(r"%(\d+) = const (\S+) (.*)$")
_NODE = re.compile(r"(.*?) = (\w+)\(([^)]*)\)(?: \{(.*)\})? : (.*?)(?:  # (.*))?$")


class ParseError(ValueError):
    """Text that is no graph."""


def parse(text: str) -> Graph:
    """Read what `to_text` printed; the last graph of the text is the result.

    Raises:
        ParseError: The text is damaged, or names an op that does not exist.
    """
    graphs: dict[str, Graph] = {}
    lines: list[str] = []
    last: Graph | None = None
    for line in text.splitlines():
        if line.strip():
            lines.append(line.strip())
        if line.strip() == "}":
            last = _parse_graph(lines, graphs)
            graphs[last.name] = last
            lines = []
    if last is None or lines:
        raise ParseError("The text holds no complete graph: it must end with '}'.")
    return last


def _parse_graph(lines: list[str], graphs: dict[str, Graph]) -> Graph:
    header = _HEADER.match(lines[0])
    if header is None:
        raise ParseError(f"Expected 'graph @name(...) {{', got {lines[0]!r}.")
    specs: dict[int, Spec] = {}
    constants: dict[int, Any] = {}
    nodes: list[Node] = []
    inputs = []
    for item in re.findall(r"%(\d+): ([^%]+?)(?:, (?=%)|$)", header[2]):
        specs[int(item[0])] = _spec(item[1])
        inputs.append(int(item[0]))
    for line in lines[1:-2]:
        constant = _CONST.match(line)
        if constant is not None:
            value, spec = int(constant[1]), _spec(constant[2])
            specs[value], constants[value] = spec, _constant(spec, constant[3])
        else:
            nodes.append(_node(line, specs, graphs))
    if not lines[-2].startswith("return"):
        raise ParseError(f"Expected 'return ...', got {lines[-2]!r}.")
    return Graph(
        header[1], tuple(inputs), constants, tuple(nodes), _values(lines[-2][6:]), specs
    )  # fmt: skip


def _values(text: str) -> tuple[int, ...]:
    return tuple(int(v) for v in re.findall(r"%(\d+)", text))


def _spec(text: str) -> Spec:
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        raise ParseError(f"{text!r} is no spec such as f32[2,3].")
    shape = tuple(int(n) for n in match[3].split(",") if n)
    return Spec(shape, dtypes.as_dtype(_LONG.get(match[1], "") + match[2]))


def _constant(spec: Spec, text: str) -> Any:
    if text.startswith("b64:"):
        flat = np.frombuffer(base64.b64decode(text[4:]), dtype=spec.dtype)
    elif text.startswith("["):
        flat = np.array([_literal(v) for v in _elements(text)], dtype=spec.dtype)
    else:
        raise ParseError(f"The constant {text!r} was shortened and can't be read back.")
    return flat.reshape(spec.shape)


def _elements(text: str) -> list[ast.expr]:
    tree = ast.parse(text, mode="eval").body
    assert isinstance(tree, ast.List)
    return tree.elts


def _node(line: str, specs: dict[int, Spec], graphs: dict[str, Graph]) -> Node:
    match = _NODE.match(line)
    if match is None:
        raise ParseError(f"{line!r} is no node such as '%3 = add(%1, %2) : f32[2]'.")
    if match[2] not in REGISTRY:
        raise ParseError(f"There is no op {match[2]!r}.")
    outputs = _values(match[1])
    for value, text in zip(outputs, re.split(r", (?=[a-z])", match[5]), strict=True):
        specs[value] = _spec(text)
    attrs = _attrs(match[4], graphs) if match[4] else {}
    return Node(REGISTRY[match[2]], _values(match[3]), outputs, attrs, match[6] or "")


def _attrs(text: str, graphs: dict[str, Graph]) -> dict[str, Any]:
    source = re.sub(r"@(\S+?)(?=[,)}]|$)", r"graph('\1')", text)
    call = ast.parse(f"f({source})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {str(k.arg): _literal(k.value, graphs) for k in call.keywords}


def _literal(node: ast.expr, graphs: dict[str, Graph] | None = None) -> Any:
    if isinstance(node, ast.Tuple):
        return tuple(_literal(v, graphs) for v in node.elts)
    if isinstance(node, ast.Name):
        return {"inf": float("inf"), "nan": float("nan"), "Ellipsis": Ellipsis}[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Name):
        return -_literal(node.operand)
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        values = [_literal(v, graphs) for v in node.args]
        if node.func.id == "graph":
            return (graphs or {})[values[0]]
        makers: dict[str, Any] = {"dtype": dtypes.as_dtype, "slice": slice}
        return makers[node.func.id](*values)
    return ast.literal_eval(node)
