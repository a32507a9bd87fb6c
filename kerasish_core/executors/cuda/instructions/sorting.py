"""Sorting, searching in what is sorted, and cumulative sums and products."""

from __future__ import annotations

import math

from ....codegen.cuda.fused import grid_of
from ....ir import Node
from ..builder import ITEMS, CudaBuilder, lowers

__all__ = ["SORTED", "merged_runs"]

SORTED = 1024  # entries that a block sorts: kSorted in sort.cuh
# Types whose order is that of numbers of 32 bits.
_RANKED = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "bfloat16",
           "float32")  # fmt: skip
_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
            "bfloat16", "float32", "float64")  # fmt: skip
# Lines that are at least as many, or no longer than this, are walked by a thread each.
_MANY, _SHORT = 1 << 14, 32


def merged_runs(b: CudaBuilder, entries: int, end: int) -> int:
    """The entries, sorted in runs of `SORTED`, sorted in runs of `end`."""
    (total,) = b.spec(entries).shape
    run = SORTED
    while run < end:
        made = b.temp((total,), "uint64")
        b.launch(
            "merge_runs", "const uint64_t* in, uint64_t* out, int64_t run, int64_t total",
            "  merge_runs(in, out, run, total);", [entries], [made], [run, total],
            -(-total // 256), "sort",
        )  # fmt: skip
        entries, run = made, 2 * run
    return entries


def _entries(node: Node, b: CudaBuilder, axis: int, backwards: bool) -> tuple[int, int, int]:
    """The sorted entries of all lines along an axis, the width of a line, the elements beside."""
    (x,) = node.inputs
    shape, kind = b.spec(x).shape, b.kind(x)
    n, inner = shape[axis], math.prod(shape[axis + 1 :])
    lines = math.prod(shape[:axis]) * inner
    width = 1 << max(n - 1, 0).bit_length()
    made = b.temp((lines * width,), "uint64")
    b.launch(
        f"sort_lines_{kind}",
        f"const {kind}* x, uint64_t* out, int64_t lines, int64_t n, int64_t inner, int64_t width, "
        "int64_t backwards",
        f"  sort_lines<{kind}>(x, out, lines, n, inner, width, backwards != 0);",
        [x], [made], [lines, n, inner, width, int(backwards)], -(-lines * width // SORTED),
        f"{lines} lines of {n}",
    )  # fmt: skip
    return merged_runs(b, made, width), width, inner


def _serves(node: Node, b: CudaBuilder) -> bool:
    spec = b.spec(node.inputs[0])
    return spec.dtype.name in _RANKED and 0 not in spec.shape and len(spec.shape) > 0


def _places(node: Node, b: CudaBuilder, axis: int, backwards: bool) -> bool:
    if not _serves(node, b) or 0 in b.spec(node.outputs[0]).shape:
        return False
    entries, width, inner = _entries(node, b, axis, backwards)
    (out,) = node.outputs
    count = b.count(out)
    b.launch(
        "sorted_places",
        "const uint64_t* entries, int32_t* y, int64_t kept, int64_t inner, int64_t width, "
        "int64_t count",
        "  sorted_places(entries, y, kept, inner, width, count);",
        [entries], [out], [b.spec(out).shape[axis], inner, width, count], grid_of(count),
        "places",
    )  # fmt: skip
    return True


@lowers("argsort")
def argsort(node: Node, b: CudaBuilder) -> bool:
    return _places(node, b, node.attrs["axis"], False)


@lowers("top_k_indices")
def top_k_indices(node: Node, b: CudaBuilder) -> bool:
    return _places(node, b, len(b.spec(node.inputs[0]).shape) - 1, True)


@lowers("sort")
def sort(node: Node, b: CudaBuilder) -> bool:
    if not _serves(node, b):
        return False
    axis = node.attrs["axis"]
    entries, width, inner = _entries(node, b, axis, False)
    (x,), (out,) = node.inputs, node.outputs
    kind, count = b.kind(x), b.count(x)
    b.launch(
        f"sorted_elements_{kind}",
        f"const uint64_t* entries, const {kind}* x, {kind}* y, int64_t n, int64_t inner, "
        "int64_t width, int64_t count",
        f"  sorted_elements<{kind}>(entries, x, y, n, inner, width, count);",
        [entries, x], [out], [b.spec(x).shape[axis], inner, width, count], grid_of(count),
        "elements",
    )  # fmt: skip
    return True


@lowers("searchsorted")
def searchsorted(node: Node, b: CudaBuilder) -> bool:
    x, values = node.inputs
    (out,) = node.outputs
    dtype, kind, count = b.spec(x).dtype, b.kind(x), b.count(values)
    if dtype != b.spec(values).dtype or dtype.name not in _NUMBERS or count == 0:
        return False
    b.launch(
        f"search_sorted_{kind}",
        f"const {kind}* x, const {kind}* values, int32_t* y, int64_t n, int64_t right, "
        "int64_t count",
        f"  search_sorted<{kind}>(x, values, y, n, right != 0, count);",
        [x, values], [out], [b.count(x), int(node.attrs["side"] == "right"), count],
        grid_of(count), f"among {b.count(x)}",
    )  # fmt: skip
    return True


@lowers("cumsum", "cumprod")
def cumulative(node: Node, b: CudaBuilder) -> bool:
    (x,), (out,) = node.inputs, node.outputs
    shape, dtype = b.spec(x)
    if dtype.name not in _NUMBERS or 0 in shape or not shape:
        return False
    axis, kind = node.attrs["axis"], b.kind(x)
    n, inner = shape[axis], math.prod(shape[axis + 1 :])
    lines = math.prod(shape[:axis]) * inner
    how = {"cumsum": "Added", "cumprod": "Multiplied"}[node.op.name]
    alone = n <= _SHORT or lines >= _MANY
    name, listed = ("cumulate_lines", "lines, n") if alone else ("cumulate_blocks", "n")
    b.launch(
        f"{name}_{kind}",
        f"const {kind}* x, {kind}* y, int64_t lines, int64_t n, int64_t inner, int64_t reverse",
        f"  {name}<{kind}, {how}>(x, y, {listed}, inner, reverse != 0);",
        [x], [out], [lines, n, inner, int(node.attrs["reverse"])],
        grid_of(lines) if alone else lines, f"{lines} lines of {n}",
    )  # fmt: skip
    return True


@lowers("bitcast")
def bitcast(node: Node, b: CudaBuilder) -> bool:
    (x,), (out,) = node.inputs, node.outputs
    of_x, of_out = b.spec(x).dtype, b.spec(out).dtype
    item = min(of_x.itemsize, of_out.itemsize)
    if item not in ITEMS or b.count(out) == 0:
        return False
    b.copy_bits(x, out, item, f"as {of_out.name}")
    return True
