"""Joining, padding and rolling: blocks of inputs copied to places of the output."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ....ir import Node
from ....passes.layout import dense_strides
from ..lowering import Builder, lowers
from .dtype_codes import code, value_bytes

__all__ = ["Block", "joined_blocks", "padded_blocks", "rolled_blocks"]

# Beyond this many blocks (a tiny axis reflected very often) the parameters would get long.
_MOST_BLOCKS = 1 << 12


class Block(NamedTuple):
    """Part of an input, or a value (`source` is -1), and where it goes; all in elements."""

    source: int
    start: int
    target: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Run(NamedTuple):
    """Elements `start`, `start + step`, … of an axis at `target`; `start` -1 is the value."""

    target: int
    start: int
    length: int
    step: int


def _emit_blocks(
    b: Builder, node: Node, blocks: Sequence[Block], fill: tuple[int, int], note: str
) -> bool:
    out = b.spec(node.outputs[0])
    if code(out.dtype) is None or len(blocks) > _MOST_BLOCKS:
        return False
    blocks = [block for block in blocks if 0 not in block.shape]
    head = (out.dtype.itemsize, len(node.inputs), len(blocks), len(out.shape), *fill)
    b.emit(
        "copy_blocks",
        inputs=[b.strided(v) for v in node.inputs],
        outputs=node.outputs,
        params=[
            *head, *dense_strides(out.shape),
            *(n for k in blocks for n in (*k[:3], *k.shape, *k.strides)),
        ],
        note=note,
    )  # fmt: skip
    return True


def joined_blocks(b: Builder, node: Node) -> list[Block]:
    """The inputs of a concatenation, one behind another."""
    axis = node.attrs["axis"]
    step = dense_strides(b.spec(node.outputs[0]).shape)[axis]
    blocks, place = [], 0
    for i, v in enumerate(node.inputs):
        shape = b.spec(v).shape
        blocks.append(Block(i, 0, place * step, shape, b.layout(v).strides))
        place += shape[axis]
    return blocks


@lowers("concatenate")
def concatenate(node: Node, b: Builder) -> bool:
    blocks = joined_blocks(b, node)
    return _emit_blocks(b, node, blocks, (0, 0), f"joins {len(blocks)} arrays")


def _runs(origin: Sequence[int]) -> list[_Run]:
    """The origins of an axis' elements (-1: the value) as runs of one step."""
    found: list[_Run] = []
    first = 0
    while first < len(origin):
        last, step = first + 1, 0
        if last < len(origin) and abs(origin[last] - origin[first]) <= 1:
            step = origin[last] - origin[first]
        if origin[first] < 0 or step < -origin[first]:
            step = 0
        while last < len(origin) and origin[last] - origin[last - 1] == step:
            if (origin[last] < 0) != (origin[first] < 0):
                break
            last += 1
        found.append(_Run(first, origin[first], last - first, step))
        first = last
    return found


def _blocks(b: Builder, node: Node, runs: Sequence[Sequence[_Run]]) -> list[Block]:
    """The blocks of all combinations of runs, an axis each."""
    strides = b.layout(node.inputs[0]).strides
    targets = dense_strides(b.spec(node.outputs[0]).shape)
    blocks = []
    for parts in itertools.product(*runs):
        outside = any(p.start < 0 for p in parts)
        blocks.append(
            Block(
                -1 if outside else 0,
                0 if outside else sum(p.start * s for p, s in zip(parts, strides, strict=True)),
                sum(p.target * s for p, s in zip(parts, targets, strict=True)),
                tuple(p.length for p in parts),
                tuple(0 if outside else p.step * s for p, s in zip(parts, strides, strict=True)),
            )
        )
    return blocks


def _padded_runs(size: int, before: int, after: int, mode: str) -> list[_Run]:
    if mode == "constant":
        runs = [_Run(0, -1, before, 0), _Run(before, 0, size, 1)]
        runs.append(_Run(before + size, -1, after, 0))
        return [r for r in runs if r.length]
    positions: Any = np.arange(size)
    return _runs(np.pad(positions, (before, after), mode=mode).tolist())  # type: ignore[call-overload]


def padded_blocks(b: Builder, node: Node) -> list[Block]:
    """The blocks of a `pad` node."""
    shape, mode = b.spec(node.inputs[0]).shape, node.attrs["mode"]
    widths = node.attrs["pad_width"]
    runs = [_padded_runs(n, a, z, mode) for n, (a, z) in zip(shape, widths, strict=True)]
    return _blocks(b, node, runs)


def rolled_blocks(b: Builder, node: Node) -> list[Block]:
    """The blocks of a `roll` node."""
    shape = b.spec(node.inputs[0]).shape
    shifts = [0] * len(shape)
    for axis, shift in zip(node.attrs["axis"], node.attrs["shift"], strict=True):
        shifts[axis] += shift
    runs = []
    for size, shift in zip(shape, shifts, strict=True):
        moved = shift % size if size else 0
        both = (_Run(0, size - moved, moved, 1), _Run(moved, 0, size - moved, 1))
        runs.append([r for r in both if r.length])
    return _blocks(b, node, runs)


@lowers("pad")
def pad(node: Node, b: Builder) -> bool:
    shape, dtype = b.spec(node.inputs[0])
    mode, value = node.attrs["mode"], node.attrs.get("value", 0)
    widths = node.attrs["pad_width"]
    empty = any(n == 0 and any(w) for n, w in zip(shape, widths, strict=True))
    if code(dtype) is None or (mode != "constant" and empty):
        return False  # the generic kernel says what is wrong
    if mode != "constant":
        return _emit_blocks(b, node, padded_blocks(b, node), (0, 0), f"pad, {mode}")
    try:
        fill = value_bytes(value, dtype)
    except (OverflowError, ValueError, TypeError):
        return False
    return _emit_blocks(b, node, padded_blocks(b, node), fill, "pad")


@lowers("roll")
def roll(node: Node, b: Builder) -> bool:
    return _emit_blocks(b, node, rolled_blocks(b, node), (0, 0), "roll")
