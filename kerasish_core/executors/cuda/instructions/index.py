"""Reading and writing what index tensors name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ....codegen.cuda.fused import grid_of
from ....codegen.cuda.scalar import register
from ....device import to_device
from ....ir import Node
from ....ops.indexing import fill_value
from ....passes.layout import dense_strides
from ...native.instructions.dtype_codes import value_bytes
from ...native.instructions.index import Part, part_of
from ...native.lowering import Strided
from ..builder import CudaBuilder, item_type, lowers
from .sorting import SORTED, merged_runs

__all__: list[str] = []

_TILE = 32  # kTile
_NUMBERS = ("float16", "bfloat16", "float32", "float64", "int32", "int64", "uint32", "uint64",
            "int8", "uint8", "int16", "uint16")  # fmt: skip
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _walk(pairs: Sequence[tuple[int, int]], index: str) -> str:
    """C++ of the offset at a flat index over axes of (size, step)."""
    terms, below = [], 1
    for place, (size, step) in reversed(list(enumerate(pairs))):
        at = f"{index} / {below}" if below > 1 else index
        at = f"({at}) % {size}" if place else f"({at})"
        terms.append(f"({at}) * {step}LL")
        below *= size
    return " + ".join(terms) or "0"


def _place(part: Part, position: str) -> list[str]:
    """Statements that define `at`, what the index tensors name, and `bad`."""
    lines = ["bool bad = false;", "int64_t at = 0;"]
    for t, (_, size, step, steps) in enumerate(part.tensors):
        offset = _walk(list(zip(part.positions, steps, strict=True)), position)
        lines += [
            f"int64_t i{t} = int64_t(index{t}[{offset}]);",
            f"i{t} += i{t} < 0 ? {size} : 0;",
            f"bad = bad || i{t} < 0 || i{t} >= {size};",
            f"at += i{t} * {step}LL;",
        ]
    return lines


def _indices(b: CudaBuilder, part: Part, indices: Sequence[int]) -> tuple[str, list[Strided]]:
    listed = [f"const {b.kind(indices[i])}* index{t}" for t, (i, *_) in enumerate(part.tensors)]
    return ", ".join(listed), [Strided(indices[i]) for i, *_ in part.tensors]


def _plain(b: CudaBuilder, indices: Sequence[int]) -> bool:
    return all(b.spec(v).dtype.name in _INTEGERS for v in indices)


def _size(pairs: Sequence[tuple[int, int]]) -> int:
    return math.prod(n for n, _ in pairs)


def _split(part: Part) -> tuple[int, int, int]:
    """Elements of the result before, along and behind the positions."""
    return _size(part.front), math.prod(part.positions), _size(part.rest)


@lowers("gather")
def gather(node: Node, b: CudaBuilder) -> bool:
    x, *indices = node.inputs
    spec = b.spec(x)
    if spec.dtype.itemsize > 8 or not _plain(b, indices) or 0 in spec.shape:
        return False
    part = part_of(b, spec.shape, b.layout(x).strides, node.attrs["key"], indices)
    if not part.tensors:
        return False
    fill = node.attrs.get("fill") or ("nan" if spec.dtype.kind in "fV" else "zero")
    bits = value_bytes(fill_value(spec.dtype, fill), spec.dtype)[0]
    front, positions, rest = _split(part)
    count, kind = front * positions * rest, item_type(spec.dtype)
    listed, given = _indices(b, part, indices)
    lines = [
        "  const int64_t step = int64_t(gridDim.x) * 256;",
        f"  for (int64_t e = blockIdx.x * int64_t(256) + threadIdx.x; e < {count}; e += step) {{",
        f"    [[maybe_unused]] const int64_t r = e % {rest}, p = e / {rest} % {positions}, "
        f"f = e / {rest * positions};",
        *(f"    {line}" for line in _place(part, "p")),
        f"    at += {part.start} + {_walk(part.front, 'f')} + {_walk(part.rest, 'r')};",
        f"    y[e] = bad ? {kind}({bits}LL) : x[at];",
        "  }",
    ]
    b.launch(
        "gather", f"const {kind}* x, {listed}, {kind}* y", "\n".join(lines), [Strided(x), *given],
        node.outputs, [], grid_of(count) if count else 0, f"{positions} positions of {spec}",
    )  # fmt: skip
    return True


def _copied(b: CudaBuilder, x: int, out: int) -> None:
    """Begin with the values that are not written over."""
    shape = b.spec(x).shape
    b.copy_part(x, out, shape, b.layout(x).strides, dense_strides(shape), 0, 0, "what stays")


@lowers("index_set")
def index_set(node: Node, b: CudaBuilder) -> bool:
    x, values, *indices = node.inputs
    (out,) = node.outputs
    spec = b.spec(x)
    if spec.dtype.itemsize > 8 or not _plain(b, indices) or 0 in spec.shape:
        return False
    part = part_of(b, spec.shape, dense_strides(spec.shape), node.attrs["key"], indices)
    dense, positions = b.dense(values), math.prod(part.positions)
    distinct = node.attrs.get("distinct") or positions < 2 or _distinct(b, part, indices, positions)
    if not distinct and math.prod(spec.shape) >= 1 << 31:
        return False
    _copied(b, x, out)
    kind = item_type(spec.dtype)
    lasts = [] if distinct else [_lasts(b, part, indices, positions)]
    _each(b, "index_set", part, indices, dense, out, kind, "y[at] = values[e];", lasts)
    return True


def _lasts(b: CudaBuilder, part: Part, indices: Sequence[int], positions: int) -> int:
    """For each position whether no later one names the same; nothing for those out of range."""
    entries, total = _sorted(b, part, indices, positions)
    lasts = b.temp((positions,), "int32")
    b.launch(
        "lasts", "const uint64_t* entries, int32_t* lasts, int64_t total",
        "  last_of_runs(entries, lasts, total);", [entries], [lasts], [total], -(-total // 256),
        "which values stay",
    )  # fmt: skip
    return lasts


def _each(
    b: CudaBuilder, stem: str, part: Part, indices: Sequence[int], values: int, out: int, kind: str,
    statement: str, lasts: Sequence[int] = (),
) -> None:  # fmt: skip
    """A thread for each value does the statement at its place `at` in the result `y`.

    With `lasts` only those of positions that are the last for their place.
    """
    front, positions, rest = _split(part)
    count = front * positions * rest
    listed, given = _indices(b, part, indices)
    lines = [
        "  const int64_t step = int64_t(gridDim.x) * 256;",
        f"  for (int64_t e = blockIdx.x * int64_t(256) + threadIdx.x; e < {count}; e += step) {{",
        f"    [[maybe_unused]] const int64_t r = e % {rest}, p = e / {rest} % {positions}, "
        f"f = e / {rest * positions};",
        *(f"    {line}" for line in _place(part, "p")),
        f"    at += {part.start} + {_walk(part.front, 'f')} + {_walk(part.rest, 'r')};",
        f"    if (!bad{' && lasts[p]' if lasts else ''}) {statement}",
        "  }",
    ]
    told = "const int32_t* lasts" if lasts else ""
    parameters = ", ".join(p for p in (f"const {kind}* values", listed, told, f"{kind}* y") if p)
    if count:
        b.launch(
            stem, parameters, "\n".join(lines), [values, *given, *lasts], [out], [], grid_of(count),
            f"{positions} positions of {b.spec(out)}",
        )  # fmt: skip


def _distinct(b: CudaBuilder, part: Part, indices: Sequence[int], positions: int) -> bool:
    """Whether an index is a constant that names no element twice: `range(batch)` beside labels."""
    for i, size, _, _ in part.tensors:
        array = b.constants.get(indices[i])
        if array is None or array.size != positions:
            continue
        known = to_device(array, "cpu").reshape(-1)
        if known.size and -size <= known.min() and known.max() < size:
            return bool(np.unique(known % size).size == positions)
    return False


@lowers("index_add")
def index_add(node: Node, b: CudaBuilder) -> bool:
    """Positions sorted by what they name, then each run of equal ones summed in order."""
    x, values, *indices = node.inputs
    (out,) = node.outputs
    spec = b.spec(x)
    elements = math.prod(spec.shape)
    if spec.dtype.name not in _NUMBERS or not _plain(b, indices) or not 0 < elements < 1 << 31:
        return False
    part = part_of(b, spec.shape, dense_strides(spec.shape), node.attrs["key"], indices)
    if len(part.front) > 1 or len(part.rest) > 1 or not part.tensors:
        return False
    front, positions, rest = _split(part)
    dense = b.dense(values)
    _copied(b, x, out)
    if front * positions * rest == 0:
        return True
    if _distinct(b, part, indices, positions):
        kind = b.kind(out)
        statement = f"y[at] = k::put<{kind}>(k::get(y[at]) + k::get(values[e]));"
        _each(b, "index_add", part, indices, dense, out, kind, statement)
        return True
    entries, total = _sorted(b, part, indices, positions)
    columns, tiles = front * rest, total // _TILE
    wide = register(spec.dtype.name)
    head, tail = (b.temp((tiles, columns), _dtype(wide)) for _ in range(2))
    kind = b.kind(out)
    numbers = [
        total, front, rest, positions, part.front[0][1] if part.front else 0,
        part.rest[0][1] if part.rest else 0, part.start,
    ]  # fmt: skip
    names = ", ".join(f"int64_t n{i}" for i in range(7))
    start = "  const Columns c = {n1, n2, n3, n4, n5, n6};\n"
    blocks = tiles * -(-columns // 256)
    b.launch(
        f"add_runs_{kind}",
        f"const uint64_t* entries, const {kind}* values, {kind}* out, {wide}* head, {wide}* tail, "
        + names,
        f"{start}  add_runs<{kind}>(entries, values, out, head, tail, n0, c);",
        [entries, dense], [out, head, tail], numbers, blocks, f"{positions} positions of {spec}",
    )  # fmt: skip
    b.launch(
        f"add_long_runs_{kind}",
        f"const uint64_t* entries, const {wide}* head, const {wide}* tail, {kind}* out, {names}",
        f"{start}  add_long_runs<{kind}>(entries, out, head, tail, n0, c);",
        [entries, head, tail], [out], numbers, blocks, "runs that are longer than a tile",
    )  # fmt: skip
    return True


def _dtype(kind: str) -> str:
    return {"float": "float32", "double": "float64"}.get(kind, kind.removesuffix("_t"))


def _sorted(b: CudaBuilder, part: Part, indices: Sequence[int], positions: int) -> tuple[int, int]:
    """The sorted entries and how many there are, filled up."""
    listed, given = _indices(b, part, indices)
    places = b.temp((positions,), "int32")
    lines = [
        "  const int64_t p = blockIdx.x * int64_t(256) + threadIdx.x;",
        f"  if (p >= {positions}) return;",
        *(f"  {line}" for line in _place(part, "p")),
        "  places[p] = bad ? -1 : int32_t(at);",
    ]
    b.launch(
        "places", f"{listed}, int32_t* places", "\n".join(lines), given, [places], [],
        -(-positions // 256), "which rows",
    )  # fmt: skip
    blocks = -(-positions // SORTED)
    total = blocks * SORTED
    entries = b.temp((total,), "uint64")
    b.launch(
        "sort_blocks", "const int32_t* places, uint64_t* out, int64_t count",
        "  sort_blocks(places, out, count);", [places], [entries], [positions], blocks, "sort",
    )  # fmt: skip
    return merged_runs(b, entries, total), total
