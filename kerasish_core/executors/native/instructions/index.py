"""Reading and writing what index tensors name: `gather`, `index_add`, `index_set`, segments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .... import dtypes
from ....ir import Node
from ....op import Spec
from ....ops._keys import full_key
from ....ops.indexing import fill_value
from ....ops.scatter import least_value
from ....passes.layout import dense_strides
from ..lowering import Builder, Strided, lowers
from .dtype_codes import code, value_bytes

__all__ = ["Part", "part_of"]

_Pair = tuple[int, int]


class Part(NamedTuple):
    """What a key names; see `Part` in `src/kernels/index.cpp`.

    Attributes:
        start: Offset of all elements.
        front, rest: Sizes and steps of the sliced axes before and behind the positions.
        positions: Shape of the index tensors together.
        tensors: Place among the inputs, size and step of the axis, steps of each index tensor.
    """

    start: int
    front: list[_Pair]
    rest: list[_Pair]
    positions: tuple[int, ...]
    tensors: list[tuple[int, int, int, tuple[int, ...]]]


def _merged(axes: Sequence[_Pair]) -> list[_Pair]:
    """Axes of size 1 left out, and those that follow each other made one."""
    found: list[_Pair] = []
    for size, step in axes:
        if size == 1:
            continue
        if found and found[-1][1] == size * step:
            found[-1] = (found[-1][0] * size, step)
        else:
            found.append((size, step))
    return found


def _broadcast_steps(
    shape: Sequence[int], strides: Sequence[int], to: Sequence[int]
) -> tuple[int, ...]:
    lead = (0,) * (len(to) - len(shape))
    return lead + tuple(0 if n == 1 else s for n, s in zip(shape, strides, strict=True))


def _merge_positions(shape: tuple[int, ...], steps: list[tuple[int, ...]]) -> Any:
    """Axes of the positions made one where they follow each other in every index tensor."""
    sizes: list[int] = []
    kept: list[list[int]] = [[] for _ in steps]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if sizes and all(k[-1] == s[axis] * size for k, s in zip(kept, steps, strict=True)):
            sizes[-1] *= size
            for k, s in zip(kept, steps, strict=True):
                k[-1] = s[axis]
        else:
            sizes.append(size)
            for k, s in zip(kept, steps, strict=True):
                k.append(s[axis])
    return tuple(sizes), [tuple(k) for k in kept]


def part_of(
    b: Builder, shape: Sequence[int], strides: Sequence[int], key: Any, indices: Sequence[int]
) -> Part:
    specs = [b.spec(v) for v in indices]
    advanced = any(s.shape for s in specs)
    start = axis = 0
    sliced: list[tuple[int, _Pair]] = []  # with the place in the key
    places: list[int] = []  # of what the positions stand for
    used: list[tuple[int, int, int]] = []
    for place, part in enumerate(p for p in full_key(key, len(shape)) if p is not None):
        size, stride = shape[axis], strides[axis]
        axis += 1
        if isinstance(part, tuple) and part[0] == "slice":
            first, stop, step = slice(*part[1:]).indices(size)
            length = len(range(first, stop, step))
            start += first * stride if length else 0
            sliced.append((place, (length, step * stride)))
            continue
        if advanced:
            places.append(place)
        if isinstance(part, int):
            start += part % size * stride
        else:
            used.append((part[1], size, stride))
    block = np.broadcast_shapes(*(s.shape for s in specs))
    # Positions with nothing between them stand where they were, others in front.
    together = bool(places) and not any(places[0] < p < places[-1] for p, _ in sliced)
    split = places[0] if together else 0
    steps = [
        _broadcast_steps(specs[i].shape, b.layout(indices[i]).strides, block) for i, _, _ in used
    ]
    positions, steps = _merge_positions(block, steps)
    return Part(
        start,
        _merged([pair for place, pair in sliced if place < split]),
        _merged([pair for place, pair in sliced if place >= split]),
        positions,
        [(*u, s) for u, s in zip(used, steps, strict=True)],
    )


def _params(
    b: Builder, part: Part, spec: Spec, forgiving: bool, fill: _Pair, uniform: bool,
    indices: Sequence[int],
) -> list[int]:  # fmt: skip
    found = [
        code(spec.dtype), spec.dtype.itemsize, forgiving, *fill, math.prod(spec.shape), uniform,
        part.start, len(part.front), *(n for pair in part.front for n in pair), len(part.rest),
        *(n for pair in part.rest for n in pair), len(part.positions), *part.positions,
        len(part.tensors),
    ]  # fmt: skip
    for i, size, step, steps in part.tensors:
        found += [code(b.spec(indices[i]).dtype), size, step, *steps]
    return [int(n) for n in found if n is not None]


def _operands(b: Builder, part: Part, indices: Sequence[int]) -> list[int | Strided]:
    return [b.strided(indices[i]) for i, *_ in part.tensors]


@lowers("gather")
def gather(node: Node, b: Builder) -> bool:
    x, *indices = node.inputs
    spec, fill = b.spec(x), node.attrs.get("fill")
    if code(spec.dtype) is None or any(code(b.spec(v).dtype) is None for v in indices):
        return False
    value = value_bytes(fill_value(spec.dtype, fill), spec.dtype) if fill else (0, 0)
    part = part_of(b, spec.shape, b.layout(x).strides, node.attrs["key"], indices)
    b.emit(
        "gather",
        inputs=[b.strided(x), *_operands(b, part, indices)],
        outputs=node.outputs,
        params=_params(b, part, spec, bool(fill), value, False, indices),
        scratch=8 * math.prod(part.positions),
        note=f"{math.prod(part.positions)} positions of {spec}",
    )
    return True


def _uniform(b: Builder, value: int) -> bool:
    """Whether all elements are one in memory, as in a broadcast zero."""
    shape, strides = b.spec(value).shape, b.layout(value).strides
    return math.prod(shape) > 1 and all(
        n == 1 or s == 0 for n, s in zip(shape, strides, strict=True)
    )


def _write(kernel: str, node: Node, b: Builder, key: Any, forgiving: bool, sums: bool) -> bool:
    x, values, *indices = node.inputs
    spec = b.spec(x)
    if any(code(b.spec(v).dtype) is None for v in (x, *indices)):
        return False
    uniform = _uniform(b, x)
    part = part_of(b, spec.shape, dense_strides(spec.shape), key, indices)
    positions, elements = math.prod(part.positions), math.prod(spec.shape)
    b.emit(
        kernel,
        inputs=[b.strided(x) if uniform else x, values, *_operands(b, part, indices)],
        outputs=node.outputs,
        params=_params(b, part, spec, forgiving, (0, 0), uniform, indices),
        scratch=(8 * positions + 63) // 64 * 64 + (4 * elements if sums else 0),
        note=f"{positions} positions of {spec}",
        in_place=[] if uniform or sums else [(0, 0)],
    )
    return True


@lowers("index_add")
def index_add(node: Node, b: Builder) -> bool:
    dtype = b.spec(node.inputs[0]).dtype
    if dtype.kind in "bc":
        return False
    half = dtypes.is_float(dtype) and dtype.itemsize < 4
    return _write(
        "index_add", node, b, node.attrs["key"], bool(node.attrs.get("drop", False)), half
    )


@lowers("index_set")
def index_set(node: Node, b: Builder) -> bool:
    return _write(
        "index_set", node, b, node.attrs["key"], bool(node.attrs.get("drop", False)), False
    )


@lowers("segment_max")
def segment_max(node: Node, b: Builder) -> bool:
    data, ids = node.inputs
    out = b.spec(node.outputs[0])
    if code(out.dtype) is None or out.dtype.kind == "c" or code(b.spec(ids).dtype) is None:
        return False
    lowest = value_bytes(least_value(out.dtype), out.dtype)
    part = part_of(b, out.shape, dense_strides(out.shape), (("tensor", 0),), [ids])
    b.emit(
        "index_max",
        inputs=[data, *_operands(b, part, [ids])],
        outputs=node.outputs,
        params=_params(b, part, out, True, lowest, True, [ids]),
        scratch=8 * math.prod(part.positions),
        note=f"{math.prod(part.positions)} rows in {out.shape[0]} segments",
    )
    return True
