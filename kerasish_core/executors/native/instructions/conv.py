"""Convolution, its gradient by the input and its gradient by the kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ....ir import Node
from ..epilogue import describe
from ..lowering import Builder, lowers

__all__ = ["EDGE", "choose", "conv_params", "packed_bytes", "winograd_bytes", "winograd_suits"]

SUFFIX = {np.dtype("float32"): "f32", np.dtype("float64"): "f64"}
WIDEST = 16  # lanes of the widest vectors

# The kernel gradient is summed in so many parts at most, of so many pixels at least.
MOST_PARTIALS = 16
PARTIAL_PIXELS = 512
PARTIAL_WORK = 1 << 21
PARTIAL_BYTES = 16 << 20

# Winograd's filtering: edge of a tile, the least numbers of channels and of tiles that pay for the
# transforms, and the least ratio of products saved. The largest kernel whose gradient is summed at
# the points, of how many tiles at least, in how many parts at most.
EDGE = 6
LEAST_CHANNELS = 8
LEAST_TILES = 64
LEAST_SAVING = 1.5
MOST_SUMMED = 128 * 128
SUMMED_TILES = 128
MOST_SUMS = 8


def conv_params(
    x: Sequence[int], kernel: Sequence[int], y: Sequence[int], strides: Sequence[int],
    pads: Sequence[tuple[int, int]], dilation: Sequence[int], groups: int, flags: int = 0,
) -> list[int]:  # fmt: skip
    """The kernels' description of a convolution.

    Args:
        x, kernel, y: Shapes: `(n, *spatial, channels)`, `(*window, channels / groups, filters)`,
            `(n, *out, filters)`.
        strides, pads, dilation, groups: As in the op.
        flags: 1: with a bias; 2: negative results become zero.

    Returns:
        Batch, channels, filters, groups, flags, and for each of three axes: size of x, size of y,
        window, stride, dilation, padding before.
    """
    axes = [
        (size, out, window, stride, hole, before)
        for size, out, window, stride, hole, (before, _) in zip(
            x[1:-1], y[1:-1], kernel[:-2], strides, dilation, pads, strict=True
        )
    ]
    # An axis of size one changes nothing, and rows should be long.
    axes = [axis for axis in axes if axis[:3] != (1, 1, 1) or axis[5]]
    axes = [(1, 1, 1, 1, 1, 0)] * (3 - len(axes)) + axes
    return [x[0], x[-1], kernel[-1], groups, flags, *(number for axis in axes for number in axis)]


def packed_bytes(kernel: Sequence[int], groups: int, written: int, itemsize: int) -> int:
    """Scratch for the packed kernel, whose `written` channels of a group fill whole vectors."""
    terms = math.prod(kernel) // max(written * groups, 1)
    return max(groups * terms * _whole(written) * itemsize, 64)


def kernel_grad_partials(kernel: Sequence[int], y: Sequence[int], itemsize: int) -> int:
    """In how many parts the kernel gradient is summed; a rule of sizes only."""
    size, pixels = math.prod(kernel), math.prod(y[:-1])
    return max(
        1,
        min(
            MOST_PARTIALS,
            pixels // PARTIAL_PIXELS,
            size * pixels // PARTIAL_WORK,
            PARTIAL_BYTES // max(size * itemsize, 1),
        ),
    )


def winograd_suits(
    kernel: Sequence[int], made: Sequence[int], strides: Sequence[int], dilation: Sequence[int],
    groups: int,
) -> bool:  # fmt: skip
    """Whether Winograd's filtering is faster than the products one by one; a rule of sizes only.

    Args:
        kernel: Shape, `(*window, channels, filters)`.
        made: Shape of the images that are cut into tiles: what is made, or the cotangent.
        strides, dilation, groups: As in the op.
    """
    if tuple(kernel[:-2]) not in ((3, 3), (5, 5)) or {*strides, *dilation, groups} != {1}:
        return False
    tiles = _tiles(kernel, made)
    return (
        min(kernel[-2:]) >= LEAST_CHANNELS
        and tiles >= LEAST_TILES
        and math.prod(kernel[:-2]) * math.prod(made[:-1]) >= LEAST_SAVING * EDGE * EDGE * tiles
    )


def _tiles(kernel: Sequence[int], made: Sequence[int]) -> int:
    step = EDGE + 1 - kernel[0]
    return made[0] * math.prod(-(-size // step) for size in made[1:-1])


def winograd_partials(kernel: Sequence[int], y: Sequence[int]) -> int:
    """In how many parts the kernel gradient is summed at the points; a rule of sizes only."""
    fit = PARTIAL_BYTES // winograd_bytes(*kernel[-2:])
    return max(1, min(MOST_SUMS, _tiles(kernel, y) // SUMMED_TILES, fit))


def winograd_bytes(read: int, written: int) -> int:
    """Scratch for the values of a kernel of float32."""
    return EDGE * EDGE * read * _whole(written) * 4


def _whole(written: int) -> int:
    """So many channels that they fill the widest vectors."""
    return -(-written // WIDEST) * WIDEST


class Chosen(NamedTuple):
    """A kernel, its params beyond `conv_params`, its scratch and what `explain` says of it."""

    name: str
    more: list[int]
    scratch: int
    note: str


def choose(
    op: str, dtype: np.dtype[Any], x: Sequence[int], kernel: Sequence[int], y: Sequence[int],
    strides: Sequence[int], dilation: Sequence[int], groups: int,
) -> Chosen:  # fmt: skip
    """The kernel for `conv`, `conv_input_grad` or `conv_kernel_grad`; a rule of sizes only.

    Args:
        op: Its name.
        dtype: float32 or float64.
        x, kernel, y: Shapes of the convolution's operands and result.
        strides, dilation, groups: As in the op.
    """
    inverse, sums = op == "conv_input_grad", op == "conv_kernel_grad"
    filtered = dtype == np.float32 and winograd_suits(
        kernel, x if inverse else y, strides, dilation, groups
    )
    if sums and math.prod(kernel[-2:]) > MOST_SUMMED:
        filtered = False
    name = f"{op.replace('conv', 'winograd', 1) if filtered else op}_{SUFFIX[dtype]}"
    note = "Winograd's filtering" if filtered else "implicit matrix product"
    if sums and filtered:
        parts = winograd_partials(kernel, y)
        return Chosen(name, [parts], parts * winograd_bytes(*kernel[-2:]), f"{note}, {parts} parts")
    if sums:
        parts = kernel_grad_partials(kernel, y, dtype.itemsize)
        scratch = parts * math.prod(kernel) * dtype.itemsize if parts > 1 else 0
        return Chosen(name, [parts], scratch, f"summed in {parts} parts")
    read, written = (y[-1], x[-1]) if inverse else (x[-1], y[-1])
    if filtered:
        return Chosen(name, [], winograd_bytes(read, written), note)
    scratch = packed_bytes(kernel, groups, written // groups, dtype.itemsize)
    return Chosen(name, [], scratch, note)


def _choose(
    op: str, dtype: np.dtype[Any], shapes: tuple[Any, Any, Any], how: dict[str, Any]
) -> Chosen:
    return choose(op, dtype, *shapes, how["strides"], how["dilation"], how["groups"])


def _how(node: Node) -> dict[str, Any]:
    return {name: node.attrs[name] for name in ("strides", "pads", "dilation", "groups")}


@lowers("conv")
def conv(node: Node, b: Builder) -> bool:
    """Implicit matrix product with the packed kernel."""
    x, kernel = (b.spec(v) for v in node.inputs)
    y = b.spec(node.outputs[0])
    suffix = SUFFIX.get(x.dtype)
    if suffix is None or kernel.dtype != x.dtype or len(x.shape) > 5:
        return False
    how = _how(node)
    end = b.take_epilogue()
    flags = 0 if end is None else 3 if end.relu else 1
    kind = _choose("conv", x.dtype, (x.shape, kernel.shape, y.shape), how)
    b.emit(
        kind.name,
        inputs=node.inputs if end is None else [*node.inputs, end.bias],
        outputs=node.outputs if end is None else [end.output],
        params=conv_params(x.shape, kernel.shape, y.shape, **how, flags=flags),
        scratch=kind.scratch,
        note=f"convolution: {kind.note}" + describe(end),
    )
    return True


@lowers("conv_input_grad")
def conv_input_grad(node: Node, b: Builder) -> bool:
    """A convolution of the cotangent with the turned kernel, for each phase of the strides."""
    g, kernel = (b.spec(v) for v in node.inputs)
    x = b.spec(node.outputs[0])
    suffix = SUFFIX.get(g.dtype)
    if suffix is None or kernel.dtype != g.dtype or len(g.shape) > 5:
        return False
    how = _how(node)
    kind = _choose("conv_input_grad", g.dtype, (x.shape, kernel.shape, g.shape), how)
    b.emit(
        kind.name,
        inputs=node.inputs,
        outputs=node.outputs,
        params=conv_params(x.shape, kernel.shape, g.shape, **how),
        scratch=kind.scratch,
        note=f"convolution's input gradient: {kind.note}",
    )
    return True


@lowers("conv_kernel_grad")
def conv_kernel_grad(node: Node, b: Builder) -> bool:
    """Sums over pixels, in a fixed number of parts."""
    x, g = (b.spec(v) for v in node.inputs)
    kernel = b.spec(node.outputs[0])
    suffix = SUFFIX.get(x.dtype)
    if suffix is None or g.dtype != x.dtype or len(x.shape) > 5:
        return False
    how = _how(node)
    kind = _choose("conv_kernel_grad", x.dtype, (x.shape, kernel.shape, g.shape), how)
    b.emit(
        kind.name,
        inputs=node.inputs,
        outputs=node.outputs,
        params=[*conv_params(x.shape, kernel.shape, g.shape, **how), *kind.more],
        scratch=kind.scratch,
        note=f"convolution's kernel gradient: {kind.note}",
    )
    return True
