"""Convolution, its gradient by the input and its gradient by the kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....ir import Node
from ..epilogue import describe
from ..lowering import Builder, lowers

__all__ = ["conv_params", "kernel_grad_partials", "packed_bytes"]

SUFFIX = {np.dtype("float32"): "f32", np.dtype("float64"): "f64"}
WIDEST = 16  # lanes of the widest vectors

# The kernel gradient is summed in so many parts at most, of so many pixels at least.
MOST_PARTIALS = 16
PARTIAL_PIXELS = 512
PARTIAL_WORK = 1 << 21
PARTIAL_BYTES = 16 << 20


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
    width = -(-written // WIDEST) * WIDEST
    terms = math.prod(kernel) // max(written * groups, 1)
    return max(groups * terms * width * itemsize, 64)


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
    groups = how["groups"]
    end = b.take_epilogue()
    flags = 0 if end is None else 3 if end.relu else 1
    b.emit(
        f"conv_{suffix}",
        inputs=node.inputs if end is None else [*node.inputs, end.bias],
        outputs=node.outputs if end is None else [end.output],
        params=conv_params(x.shape, kernel.shape, y.shape, **how, flags=flags),
        scratch=packed_bytes(kernel.shape, groups, y.shape[-1] // groups, x.dtype.itemsize),
        note="convolution: implicit matrix product" + describe(end),
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
    groups = how["groups"]
    b.emit(
        f"conv_input_grad_{suffix}",
        inputs=node.inputs,
        outputs=node.outputs,
        params=conv_params(x.shape, kernel.shape, g.shape, **how),
        scratch=packed_bytes(kernel.shape, groups, x.shape[-1] // groups, g.dtype.itemsize),
        note="convolution's input gradient: implicit matrix product",
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
    count = kernel_grad_partials(kernel.shape, g.shape, x.dtype.itemsize)
    b.emit(
        f"conv_kernel_grad_{suffix}",
        inputs=node.inputs,
        outputs=node.outputs,
        params=[*conv_params(x.shape, kernel.shape, g.shape, **_how(node)), count],
        scratch=math.prod(kernel.shape) * x.dtype.itemsize * count if count > 1 else 0,
        note=f"convolution's kernel gradient: summed in {count} parts",
    )
    return True
