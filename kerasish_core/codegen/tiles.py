"""Tile functions of the native executor: the scalar expression of an op, looped over a tile.

From every elementwise op's `scalar` string comes one C++ function per dtype,

    void function(const void* const* in, void* out, int64_t n, const double* attrs)

over n contiguous elements. `out` may be the address of an input whose items have the same size.
Names in the expression are the op's inputs; names that are not called are attributes, which the
function finds in `attrs` in sorted order. float16 and bfloat16 are computed in float32 and rounded
once. What distinguishes dtypes (integers wrap around, `a + b` of booleans is their disjunction) is
decided here; what the functions in an expression do is in `vmath.h`.
"""

from __future__ import annotations

import functools
import re
import zlib
from typing import NamedTuple

import numpy as np

from .. import dtypes
from ..errors import DTypeError
from ..op import REGISTRY, Op, Spec  # filled when the package is imported
from . import chains

__all__ = ["CALLED", "FINGERPRINT", "INDEX", "NAME", "VARIANTS", "attributes", "source", "tile_of"]

_FLOATS = ("float32", "float64")
_HALVES = ("float16", "bfloat16")
_INTEGERS = tuple(f"{sign}int{bits}" for bits in (8, 16, 32, 64) for sign in ("u", ""))
_TYPES = {
    "float32": "float",
    "float64": "double",
    "bool": "uint8_t",
    **dict.fromkeys(_HALVES, "uint16_t"),
    **{n: f"{n}_t" for n in _INTEGERS},
}

# Functions of vmath.h that are defined for integers.
_OF_INTEGERS = {
    "abs", "floor_divide", "left_shift", "maximum", "minimum", "mod", "pow", "right_shift", "rint",
    "sign", "trunc", "isnan", "isinf", "isfinite", "signbit",
}  # fmt: skip
# What arithmetic means for booleans, and what may be computed as of bytes that are 0 or 1.
_OF_BOOLEANS = {"a + b": "a | b", "a * b": "a & b", "~x": "!x", "abs(x)": "x"}
_AS_BYTES = {"maximum", "minimum", "isnan", "isinf", "isfinite"}

# Functions of vmath.h that some operands are too hard for: those go to the C library.
_HARD = {"sin", "cos", "tan", "mod", "floor_divide"}
# Attributes for which there is a shorter way. NumPy too takes the root for 1/2: -inf and -0 differ.
VARIANTS = {
    "pow(x, exponent)": (
        ("exponent == 0.5", "sqrt(x)"),
        ("exponent == -0.5", "rsqrt(x)"),
        ("exponent == -1", "1 / x"),
        ("exponent == 3", "x * x * x"),
        ("", "pow(x, beside(x, exponent, n))"),
    )
}

NAME = re.compile(r"[A-Za-z_]\w*(?!\w|\s*\()")
CALLED = re.compile(r"[A-Za-z_]\w*(?=\s*\()")
# Expressions whose result in two's complement does not depend on the sign of the type.
_SIGNLESS = re.compile(r"(?:[\w\s+\-*&|^~?:]|==|!=)+")
_BITWISE = re.compile(r"[^&]&[^&]|[^|]\|[^|]|[\^~]")
_LOGICAL = re.compile(r"&&|\|\||!(?!=)")


class _Tile(NamedTuple):
    """A function to generate; equal ones are generated once."""

    section: str
    inputs: tuple[tuple[int, str, str], ...]  # place, name and C type of those that are used
    within: str  # C type of the inputs within the expression, if not their own
    result: str
    attributes: tuple[str, ...]
    expression: str
    through: tuple[str, str] = ("", "")  # of half types: the type, and the key of the wide tile


@functools.cache
def attributes(op: Op) -> tuple[str, ...]:
    """The attributes in an op's scalar expression, in the order of `attrs`."""
    found = NAME.findall(op.scalar or "")
    return tuple(sorted({n for n in found if n not in op.inputs}))


@functools.cache
def _to_bool(op: Op, kind: str) -> bool | None:
    """Whether the result is boolean, for operands of a kind; None if the op refuses them."""
    operand, condition = Spec((), np.dtype(kind)), Spec((), np.dtype(bool))
    specs = [condition if n == "condition" else operand for n in op.inputs]
    try:
        result = op.infer(*specs, **dict.fromkeys(attributes(op), 1.0))
    except DTypeError:
        return None
    return bool(result.dtype == np.bool_)


def _inputs(op: Op, expression: str, kind: str) -> tuple[tuple[int, str, str], ...]:
    used = set(NAME.findall(expression))
    return tuple(
        (i, n, "uint8_t" if n == "condition" else kind)
        for i, n in enumerate(op.inputs)
        if n in used
    )


def _serves(expression: str, dtype: str) -> bool:
    """Whether an expression means something for a dtype."""
    called = set(CALLED.findall(expression))
    bitwise, logical = bool(_BITWISE.search(expression)), bool(_LOGICAL.search(expression))
    if dtype in _FLOATS or dtype in _HALVES:
        shifts = called & {"left_shift", "right_shift"}
        return not (bitwise or logical or shifts or (dtype in _HALVES and "nextafter" in called))
    if "/" in expression:
        return False
    if dtype == "bool":
        arithmetic = re.search(r"[+\-*~\d]", expression)
        return not arithmetic and called <= _AS_BYTES
    return called <= _OF_INTEGERS and not logical


@functools.cache
def tile_of(op: Op, dtype: str) -> _Tile | None:
    """The tile function of an op, or None if it has none for the dtype."""
    expression = op.scalar
    assert expression is not None
    if dtype == "bool":
        expression = _OF_BOOLEANS.get(expression, expression)
    names = attributes(op)
    inexact = dtype in _FLOATS or dtype in _HALVES
    if not _serves(expression, dtype) or (names and not inexact):
        return None
    truth = _to_bool(op, "float32" if inexact else "bool" if dtype == "bool" else "int32")
    if truth is None:
        return None
    copies = not CALLED.search(expression) and not re.search(r"[^\w\s?:]", expression)
    kind, within = _TYPES[dtype], ""
    result = "uint8_t" if truth else kind
    if copies or (not inexact and _SIGNLESS.fullmatch(expression)):
        bits = 8 * dtypes.as_dtype(dtype).itemsize
        kind, same = f"uint{bits}_t", result == kind
        within = "uint32_t" if bits < 32 and not copies else ""
        result = kind if same else result
        section = "integer"
    elif dtype in _HALVES:
        through = (dtype, f"{op.name}:float32")
        return _Tile("cast", _inputs(op, expression, kind), "", result, (), "", through)
    else:
        section = dtype if dtype in _FLOATS else "integer"
    inputs = _inputs(op, expression, kind)
    return _Tile(section, inputs, within, result, names, expression)


def _cast(source: str, target: str) -> _Tile:
    """The tile function that converts as NumPy's `astype` does."""
    kind, result = _TYPES[source], _TYPES[target]
    value = "x"
    if source in _HALVES:
        value = f"from_{source}(x)"
    if target == "bool":
        value = f"{value} != 0"
    elif target in _HALVES:
        wide = value if source in ("float64", *_HALVES) else "float(x)"
        value = f"to_{target}({wide})"
    elif target in _INTEGERS and (source in _FLOATS or source in _HALVES):
        value = f"to_integer<{result}>({value})"
    elif target in _INTEGERS:
        narrow = dtypes.as_dtype(source).itemsize >= dtypes.as_dtype(target).itemsize
        result = f"u{result.removeprefix('u')}"
        kind = f"u{kind.removeprefix('u')}" if narrow else kind
    if kind == result and value == "x":
        return _Tile("integer", ((0, "x", kind),), "", kind, (), "x")
    return _Tile("cast", ((0, "x", kind),), "", result, (), value)


def _tiles() -> dict[str, _Tile]:
    found = {}
    everything = (*_FLOATS, *_INTEGERS, "bool", *_HALVES)
    for op in REGISTRY.values():
        if op.kind == "elementwise" and op.scalar is not None and op.name != "cast":
            for dtype in everything:
                tile = tile_of(op, dtype)
                if tile is not None:
                    found[f"{op.name}:{dtype}"] = tile
    for name, tree in chains.CHAINS.items():
        for dtype in chains.DTYPES:
            kind = _TYPES[dtype]
            inputs = tuple((i, n, kind) for i, n in enumerate(chains.leaves(tree)))
            tile = _Tile("chain", inputs, "", kind, (), chains.expression(tree))
            found[f"{name}:{dtype}"] = tile
    for a in everything:
        found |= {f"cast:{a}:{b}": _cast(a, b) for b in everything if a != b}
    return found


_SECTIONS = ("float32", "float64", "integer", "cast", "chain")
_TILES = _tiles()
_ORDER = {
    tile: i
    for i, tile in enumerate(
        dict.fromkeys(t for s in _SECTIONS for t in _TILES.values() if t.section == s)
    )
}
# Where to find a function: the number that `find_tile` takes, by op and dtype.
INDEX: dict[str, int] = {key: _ORDER[tile] for key, tile in _TILES.items()}
# A library serves this index if it holds a kernel of this name.
FINGERPRINT = f"tiles_{zlib.crc32(repr(list(INDEX.items())).encode()):08x}"


def _loop(tile: _Tile, expression: str) -> list[str]:
    return [
        "  KERASISH_INDEPENDENT",
        "  for (int64_t i = 0; i < n; ++i) {",
        *(f"    const {tile.within or kind} {n} = p_{n}[i];" for _, n, kind in tile.inputs),
        f"    result[i] = static_cast<{tile.result}>({expression});",
        "  }",
    ]


def _function(name: str, tile: _Tile) -> str:
    """The C++ text of one function."""
    if tile.through[0]:
        half, wide = tile.through
        inputs = tuple(kind == "uint8_t" for *_, kind in tile.inputs)
        flags = ", ".join(
            ("true" if inputs[0] else "false", "true" if tile.result == "uint8_t" else "false")
        )
        return (
            f"void {name}(const void* const* in, void* out, int64_t n, const double* attrs) {{\n"
            f"  through_half<{half}, {len(inputs)}, {flags}>"
            f"(tile_{INDEX[wide]}, in, out, n, attrs);\n}}\n"
        )
    lines = [
        f"  const {kind}* p_{n} = static_cast<const {kind}*>(in[{i}]);"
        for i, n, kind in tile.inputs
    ]
    lines.append(f"  {tile.result}* result = static_cast<{tile.result}*>(out);")
    real = tile.inputs[-1][2]
    lines += [
        f"  const {real} {n} = static_cast<{real}>(attrs[{i}]);"
        for i, n in enumerate(tile.attributes)
    ]
    *cases, (_, otherwise) = VARIANTS.get(tile.expression, (("", tile.expression),))
    for condition, expression in cases:
        lines += [f"  if ({condition}) {{", *_loop(tile, expression), "    return;", "  }"]
    called = _HARD & set(CALLED.findall(tile.expression))
    if called and tile.section in _FLOATS:
        given = ", ".join(f"p_{n}[i]" for _, n, _ in tile.inputs)
        named = ", ".join(n for _, n, _ in tile.inputs)
        lines += [
            "  int hard = 0;",
            f"  for (int64_t i = 0; i < n; ++i) hard |= is_hard({given});",
            "  if (hard) {",
            *_loop(tile, f"is_hard({named}) ? library::{tile.expression} : {tile.expression}"),
            "    return;",
            "  }",
        ]
    lines += _loop(tile, otherwise)
    if not tile.attributes:
        lines.append("  (void)attrs;")
    body = "\n".join(lines)
    return (
        f"void {name}(const void* const* in, void* out, int64_t n, const double* attrs) {{\n"
        f"{body}\n}}\n"
    )


def source() -> str:
    """The text of `tiles.inc`: one section per file that includes it, and the table."""
    first = {tile: key for key, tile in reversed(_TILES.items())}
    declared = "".join(
        f"void tile_{i}(const void* const*, void*, int64_t, const double*);  // {first[tile]}\n"
        for tile, i in _ORDER.items()
    )
    parts = ["// Generated from the ops' scalar expressions.\n", declared]
    for section in _SECTIONS:
        functions = [
            _function(f"tile_{i}", tile) for tile, i in _ORDER.items() if tile.section == section
        ]
        parts += [f"#ifdef KERASISH_TILES_{section.upper()}\n", *functions, "#endif\n"]
    table = ",\n    ".join(f"tile_{i}" for i in _ORDER.values())
    parts += [
        "#ifdef KERASISH_TILES_TABLE\n",
        f"const TileFunction tile_functions[] = {{\n    {table}}};\n",
        f'#define KERASISH_TILES_FINGERPRINT "{FINGERPRINT}"\n#endif\n',
    ]
    return "".join(parts)
