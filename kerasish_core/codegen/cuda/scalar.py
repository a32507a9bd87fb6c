"""The scalar expression of one op as C++ statements, as `tiles.py` has it for the native build."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...ir import Node
from ...op import Op
from ..tiles import CALLED, VARIANTS, attributes, tile_of
from .source import dtype_name

__all__ = ["CASTS", "register", "served", "statement"]

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_INTEGERS = tuple(f"{sign}int{bits}" for bits in (8, 16, 32, 64) for sign in ("u", ""))
CASTS = (*_FLOATS, *_INTEGERS, "bool")
_HALVES = ("float16", "bfloat16")


def served(op: Op, dtype: str) -> bool:
    """Whether the op has an expression for operands of the dtype."""
    return op.scalar is not None and dtype in CASTS and tile_of(op, dtype) is not None


def register(dtype: str) -> str:
    """The C++ type of a dtype's elements in registers."""
    if dtype == "bool":
        return "uint8_t"
    return "float" if dtype in _HALVES else dtype_name(dtype)


def _literal(value: float, kind: str) -> str:
    if value != value:
        return f"{kind}(0) / {kind}(0)"
    if value in (float("inf"), float("-inf")):
        return f"{'-' if value < 0 else ''}k::Format<{kind}>::infinity()"
    return f"{kind}({float(value).hex()})"


def _holds(condition: str, values: dict[str, float]) -> bool:
    name, _, wanted = condition.partition(" == ")
    return values[name] == float(wanted)


def _cast(source: str, target: str, value: str) -> str:
    kind = dtype_name(target)
    if target in _INTEGERS and source in _FLOATS:
        return f"k::to_integer<{kind}>({value})"
    return f"k::rounded<{kind}>({value})"


def statement(node: Node, dtypes: Sequence[str], made: str, values: Sequence[str]) -> str:
    """C++ that defines the node's result.

    Args:
        node: An elementwise node.
        dtypes: Of its operands and then its result.
        made: The variable to define.
        values: C++ variables of the operands, in registers.
    """
    *given, result = dtypes
    out = register(result)
    if node.op.name == "cast":
        return f"const {out} {made} = {_cast(given[0], result, values[0])};"
    if node.op.scalar in node.op.inputs:
        return f"const {out} {made} = {values[node.op.inputs.index(node.op.scalar)]};"
    dtype = given[-1] if node.op.inputs[0] == "condition" else given[0]
    half = dtype in _HALVES
    tile = tile_of(node.op, "float32" if half else dtype)
    assert tile is not None
    constants = {n: float(node.attrs[n]) for n in attributes(node.op)}
    *cases, (_, expression) = VARIANTS.get(tile.expression, (("", tile.expression),))
    for condition, shorter in cases:
        if _holds(condition, constants):
            expression = shorter
            break
    expression = re.sub(r"beside\(x, exponent, n\)", "exponent", expression)
    inexact = dtype in _FLOATS
    lines = []
    for place, name, kind in tile.inputs:
        # Integers wrap around: the build for the host says in which unsigned type.
        if inexact or given[place] == "bool":
            kind = register(given[place])
        else:
            kind = tile.within or kind
        lines.append(f"const {kind} {name} = static_cast<{kind}>({values[place]});")
    real = "double" if dtype == "float64" else "float"
    lines += [f"const {real} {n} = {_literal(v, real)};" for n, v in constants.items()]
    called = CALLED.sub(lambda m: f"k::{m[0]}", expression)
    if result == "bool":
        value = f"uint8_t(({called}) != 0)"
    elif result in _HALVES:
        value = f"k::rounded<{dtype_name(result)}>(float({called}))"
    elif inexact:
        value = f"static_cast<{out}>({called})"
    else:
        value = f"static_cast<{out}>(static_cast<{tile.result}>({called}))"
    return f"{out} {made}; {{ {' '.join(lines)} {made} = {value}; }}"
