"""Reading and writing by index tensors in ONNX: at places in the flat tensor, as the core does it.

What stands at `x[key]` is gathered from, or scattered into, the tensor as one row. ONNX has no
places out of range: what is read there is chosen afterwards, and what is written there goes to one
more place, which is cut off.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .rules import constant_like, rule, without_whole

__all__: list[str] = []


def _whole_key(key: Any, shape: Any) -> list[Any]:
    """One part for each axis, besides None, as the core's `full_key`; whole slices say no sizes."""
    gap = len(shape) - sum(p is not None and p != ("ellipsis",) for p in key)
    parts = list(key) if ("ellipsis",) in key else [*key, ("ellipsis",)]
    place = parts.index(("ellipsis",))
    parts[place : place + 1] = [("slice", None, None, None)] * gap
    return without_whole(parts, shape)


def _is_slice(part: Any) -> bool:
    return isinstance(part, tuple) and part[0] == "slice"


def _layout(key: list[Any], ranks: list[int]) -> tuple[list[int], int, int]:
    """Where each part of a key stands in what it reads: by NumPy's rules for advanced indices.

    Returns:
        The axis of each part in the result (of index tensors and integers: where their block
        begins), the rank of the block, and that of the result.
    """
    block = max(ranks, default=0)
    chosen = [i for i, p in enumerate(key) if p is not None and not _is_slice(p)]
    together = bool(chosen) and chosen[-1] - chosen[0] + 1 == len(chosen)
    front = chosen[0] if together else 0
    axes, next_axis = [], 0 if together else block
    for i, part in enumerate(key):
        if chosen and together and i == front:
            next_axis += block
        if part is None or _is_slice(part):
            axes.append(next_axis)
            next_axis += 1
        else:
            axes.append(front)
    return axes, block, next_axis


def _counted(e: Any, part: Any, sizes: Any) -> str:
    """The numbers of the elements that a slice takes of an axis, of these sizes in the traces."""
    if len(set(sizes)) == 1:
        return e.constant(np.arange(sizes[0])[slice(*part[1:])], "int64")  # type: ignore[no-any-return]
    if part[1:] != (None, None, None):
        raise NotImplementedError("export: a slice goes with a size that is free.")
    return e.range(sizes)  # type: ignore[no-any-return]


def _spread(e: Any, x: str, rank: int, last: int, whole: int) -> str:
    """`x` with axes of size 1, so that its last axis is axis `last` of `whole` ones."""
    added = [i for i in range(whole) if not last - rank < i <= last]
    return e.op("Unsqueeze", x, e.constant(added, "int64")) if added else x  # type: ignore[no-any-return]


def _places(e: Any, node: Any, nodes: Any, indices: Any, first: int) -> tuple[str, str | None]:
    """The flat places of `x[key]`, and where they are out of range (None: never).

    Args:
        e: The emitter.
        node: Whose first input is x.
        nodes: The same of all traces.
        indices: Names of the index tensors.
        first: Which input the first of them is.
    """
    shapes = e.shapes(nodes)
    if math.prod(shapes[0]) == 0:
        raise NotImplementedError("export: indexing of a tensor without elements.")
    key, *others = (_whole_key(n.attrs["key"], s) for n, s in zip(nodes, shapes, strict=True))
    if any(other != key for other in others):
        raise NotImplementedError("export: a slice goes with a size that is free.")
    ranks = [len(e.graph.specs[n].shape) for n in node.inputs[first:]]
    places, block, whole = _layout(key, ranks)
    total = outside = None
    axis = 0
    for part, place in zip(key, places, strict=True):
        if part is None:
            continue
        sizes = [s[axis] for s in shapes]
        count = e.op("Squeeze", e.shape(*([n] for n in sizes)))
        axis += 1
        if _is_slice(part):
            found = _spread(e, _counted(e, part, sizes), 1, place, whole)
        elif isinstance(part, int):
            found = e.constant(part, "int64")
            found = found if part >= 0 else e.op("Add", count, found)
            found = _spread(e, found, 0, place + block - 1, whole)
        else:
            given = e.op("Cast", indices[part[1]], to=e.type_of("int64"))
            zero = e.constant(0, "int64")
            found = e.op("Where", e.op("Less", given, zero), e.op("Add", given, count), given)
            found = _spread(e, found, ranks[part[1]], place + block - 1, whole)
            if "fill" in node.attrs or "drop" in node.attrs:
                off = e.op("Or", e.op("Less", found, zero), e.op("GreaterOrEqual", found, count))
                outside = off if outside is None else e.op("Or", outside, off)
        row = e.shape(*([math.prod(s[axis:])] for s in shapes))
        found = e.op("Mul", found, e.op("Squeeze", row))
        total = found if total is None else e.op("Add", total, found)
    assert total is not None
    return total, outside


def _flat(e: Any, x: str) -> str:
    return e.op("Reshape", x, e.constant([-1], "int64"))  # type: ignore[no-any-return]


@rule("gather")
def _gather(e: Any, node: Any, nodes: Any, x: str, *indices: str) -> str:
    *before, last = node.attrs["key"]
    rows = all(p == ("slice", None, None, None) for p in before) and last == ("tensor", 0)
    if rows and node.attrs.get("fill") is None:
        return e.op("Gather", x, indices[0], axis=len(before))  # type: ignore[no-any-return]
    place, outside = _places(e, node, nodes, indices, 1)
    if outside is None:
        return e.op("Gather", _flat(e, x), place)  # type: ignore[no-any-return]
    found = e.op("Gather", _flat(e, x), e.op("Where", outside, e.constant(0, "int64"), place))
    spec = e.graph.specs[node.inputs[0]]
    return e.op("Where", outside, constant_like(e, node, _fill(spec, node)), found)  # type: ignore[no-any-return]


def _fill(spec: Any, node: Any) -> Any:
    """What is read out of range, as the core has it: NaN or the extreme integer, or zero."""
    if node.attrs["fill"] == "zero" or spec.dtype.kind == "b":
        return node.attrs["fill"] != "zero"
    if spec.dtype.kind == "f":
        return np.nan
    limits = np.iinfo(spec.dtype)
    return limits.min if limits.min < 0 else limits.max


def _scatter(reduction: str) -> Any:
    def emit(e: Any, node: Any, nodes: Any, x: str, values: str, *indices: str) -> str:
        specs = [e.graph.specs[n] for n in node.inputs[:2]]
        if reduction == "add" and specs[0].dtype.kind == "b":
            raise NotImplementedError("export: sums of booleans at places.")
        place, outside = _places(e, node, nodes, indices, 2)
        row = _flat(e, x)
        shapes = e.shapes(nodes)
        size = e.shape(*([math.prod(shape)] for shape in shapes))
        if outside is not None:
            row = e.op("Concat", row, constant_like(e, node, [0]), axis=0)
            place = e.op("Where", outside, e.op("Squeeze", size), place)
        found = e.op("ScatterElements", row, _flat(e, place), _flat(e, values), axis=0,
                     reduction=reduction)  # fmt: skip
        if outside is not None:
            found = e.op("Slice", found, e.constant([0], "int64"), size)
        return e.op("Reshape", found, e.shape(*shapes))  # type: ignore[no-any-return]

    return emit


rule("index_set")(_scatter("none"))
rule("index_add")(_scatter("add"))
