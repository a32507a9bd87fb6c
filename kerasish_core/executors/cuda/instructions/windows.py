"""Convolutions, as implicit products, and pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .... import config
from ....codegen.cuda.scalar import register
from ....ir import Node
from ....op import Spec
from ....passes.layout import dense_strides
from ...native.instructions.conv import conv_params
from ...native.instructions.pool import pool_params
from ..builder import CudaBuilder, lowers

__all__: list[str] = []

_HALVES = ("float16", "bfloat16")
_FLOATS = (*_HALVES, "float32", "float64")
_PARAMETERS = ", ".join(f"int64_t n{i}" for i in range(23))
_AXES = ", ".join("{" + ", ".join(f"n{5 + 6 * d + i}" for i in range(6)) + "}" for d in range(3))
_WINDOWS = f"  const Windows w = {{n0, n1, n2, n3, n4, {{{_AXES}}}}};\n"
# Two blocks to each multiprocessor of an H100: tiles are made smaller until there are so many.
_FULL = 264
_TILES = ((128, 128), (128, 64), (64, 64))
# The kernel gradient is summed in parts until there are twice as many blocks, but of so many pixels
# at least.
_PART_PIXELS = 1024
_CHUNK = 16  # bytes that a staged kernel copies at once
_MOST_PLACES = (1 << 31) - 1


def _serves(specs: list[Spec]) -> bool:
    dtype = specs[0].dtype
    plain = dtype.name in _FLOATS and all(s.dtype == dtype for s in specs)
    return plain and len(specs[0].shape) <= 5 and all(0 not in s.shape for s in specs)


def _numbers(
    b: CudaBuilder, node: Node, x: Spec, kernel: Spec, y: Spec, flags: int = 0
) -> list[int]:
    attrs = node.attrs
    return conv_params(
        x.shape, kernel.shape, y.shape, attrs["strides"], attrs["pads"], attrs["dilation"],
        attrs["groups"], flags,
    )  # fmt: skip


class _Way(NamedTuple):
    """Which kernel computes an implicit product.

    Attributes:
        suffix: Of its function's name.
        sizes: Of a block's tile, as further template arguments.
        blocks: How many tiles all groups have.
        held: How many blocks a multiprocessor should hold.
        note: For `explain`.
    """

    suffix: str
    sizes: str
    blocks: int
    held: int
    note: str


def _way(b: CudaBuilder, values: Sequence[int], groups: int, rows: int, columns: int) -> _Way:
    """By stages where operands come in chunks, else element by element."""
    dtype = b.spec(values[0]).dtype
    each = _CHUNK // dtype.itemsize
    if dtype == "float64" or columns % each or not _chunked(b, values, groups, each):
        tiles = groups * -(-rows // 64) * -(-columns // 64)
        return _Way("", "", tiles, 1, "implicit product")
    for m, n in _TILES:
        tiles = groups * -(-rows // m) * -(-columns // n)
        if tiles >= _FULL and columns > n - 64:
            break
    tensor = dtype.name in _HALVES or config.tensor_float_32()
    how = "float32" if not tensor else "TF32" if dtype == "float32" else dtype.name
    note = f"implicit product in stages, {how}, tiles {m} x {n}"
    return _Way("_staged", f", {str(tensor).lower()}, {m}, {n}", tiles, 2, note)


def _chunked(b: CudaBuilder, values: Sequence[int], groups: int, each: int) -> bool:
    specs = [b.spec(v) for v in values]
    starts = [b.layout(v).offset for v in values]
    return (
        b.tensor_cores
        and all(s.shape[-1] % (groups * each) == 0 for s in specs)
        and all(start % each == 0 for start in starts)
        and all(math.prod(s.shape) <= _MOST_PLACES for s in specs)
    )


def _whole(b: CudaBuilder, node: Node, x: int, columns: int) -> int:
    """How many channels x has if it is filled up to whole chunks, or as many as it has.

    First layers have one channel or three. It pays where everything else comes in chunks.
    """
    spec = b.spec(x)
    channels, each = spec.shape[-1], _CHUNK // spec.dtype.itemsize
    if node.attrs["groups"] > 1 or columns % each or spec.dtype == "float64" or not b.tensor_cores:
        return channels
    return -(-channels // each) * each


def _filled(b: CudaBuilder, value: int, axis: int, size: int) -> int:
    """The value, or a copy whose axis has that size, zeros behind."""
    spec = b.spec(value)
    shape = list(spec.shape)
    shape[axis] = size
    if tuple(shape) == spec.shape:
        return b.dense(value)
    found = b.filled.get((value, axis, size))
    if found is None:
        found = b.filled[value, axis, size] = b.temp(shape, spec.dtype)
        b.fill(found, 0)
        b.copy_part(
            value, found, spec.shape, b.layout(value).strides, dense_strides(shape), 0, 0,
            "channels filled up to whole chunks",
        )  # fmt: skip
    return found


@lowers("conv")
def conv(node: Node, b: CudaBuilder) -> bool:
    x, kernel = (b.spec(v) for v in node.inputs)
    y = b.spec(node.outputs[0])
    if not _serves([x, kernel, y]):
        return False
    end = b.take_epilogue()
    kind, groups = b.kind(node.inputs[0]), node.attrs["groups"]
    bias, relu = end is not None, end is not None and end.relu
    channels = _whole(b, node, node.inputs[0], y.shape[-1])
    dense = [_filled(b, v, a, channels // groups if a == -2 else channels)
             for v, a in zip(node.inputs, (-1, -2), strict=True)]  # fmt: skip
    x, kernel = (b.spec(v) for v in dense)
    way = _way(b, dense, groups, math.prod(y.shape[:-1]), y.shape[-1] // groups)
    added = f"const {kind}* bias, " if bias else ""
    b.launch(
        f"conv_{kind}",
        f"const {kind}* x, const {kind}* kernel, {added}{kind}* y, {_PARAMETERS}",
        f"{_WINDOWS}  conv{way.suffix}<{kind}, {str(bias).lower()}, {str(relu).lower()}{way.sizes}>"
        f"(x, kernel, {'bias' if bias else 'nullptr'}, y, w);",
        [*dense, *([] if end is None else [end.bias])],
        node.outputs if end is None else [end.output],
        _numbers(b, node, x, kernel, y), way.blocks,
        f"convolution: {way.note}" + ("" if end is None else " + bias" + ", relu" * relu),
        held=way.held,
    )  # fmt: skip
    return True


@lowers("conv_input_grad")
def conv_input_grad(node: Node, b: CudaBuilder) -> bool:
    g, kernel = (b.spec(v) for v in node.inputs)
    x = b.spec(node.outputs[0])
    if not _serves([x, kernel, g]):
        return False
    kind, groups = b.kind(node.inputs[0]), node.attrs["groups"]
    dense = [*map(b.dense, node.inputs)]
    way = _way(b, dense, groups, math.prod(x.shape[:-1]), x.shape[-1] // groups)
    stepped = str(any(s > 1 for s in node.attrs["strides"])).lower()
    given = f"{kind}, {stepped}{way.sizes}" if way.sizes else kind
    b.launch(
        f"conv_input_grad_{kind}",
        f"const {kind}* g, const {kind}* kernel, {kind}* dx, {_PARAMETERS}",
        f"{_WINDOWS}  conv_input_grad{way.suffix}<{given}>(g, kernel, dx, w);", dense,
        node.outputs, _numbers(b, node, x, kernel, g), way.blocks,
        f"convolution's input gradient: {way.note}", held=way.held,
    )  # fmt: skip
    return True


@lowers("conv_kernel_grad")
def conv_kernel_grad(node: Node, b: CudaBuilder) -> bool:
    x, g = (b.spec(v) for v in node.inputs)
    kernel = b.spec(node.outputs[0])
    if not _serves([x, kernel, g]):
        return False
    kind, groups = b.kind(node.inputs[0]), node.attrs["groups"]
    wide = register(x.dtype.name)
    pixels = math.prod(g.shape[:-1])
    width = kernel.shape[-1] // groups
    channels = _whole(b, node, node.inputs[0], width)
    dense = [_filled(b, node.inputs[0], -1, channels), b.dense(node.inputs[1])]
    x, made = b.spec(dense[0]), node.outputs[0]
    if channels != kernel.shape[-2] * groups:
        made = b.temp((*kernel.shape[:-2], channels, width), kernel.dtype)
    whole = b.spec(made)
    count = math.prod(whole.shape)
    way = _way(b, dense, groups, count // kernel.shape[-1], width)
    parts = max(1, min(pixels // _PART_PIXELS, -(-2 * _FULL // way.blocks)))
    partial = b.temp((parts, count), "float64" if wide == "double" else "float32")
    b.launch(
        f"conv_kernel_grad_{kind}",
        f"const {kind}* x, const {kind}* g, {wide}* partial, {_PARAMETERS}, int64_t parts",
        f"{_WINDOWS}  conv_kernel_grad{way.suffix}<{kind}{way.sizes}>(x, g, partial, w, parts);",
        dense, [partial], [*_numbers(b, node, x, whole, g), parts], parts * way.blocks,
        f"convolution's kernel gradient: {way.note}, summed in {parts} parts",
        held=way.held,
    )  # fmt: skip
    b.launch(
        f"join_parts_{kind}",
        f"const {wide}* partial, {kind}* out, int64_t parts, int64_t count",
        f"  join_parts<{kind}>(partial, out, parts, count);", [partial], [made],
        [parts, count], -(-count // 256), "the parts joined",
    )  # fmt: skip
    if made != node.outputs[0]:
        b.copy_part(
            made, node.outputs[0], kernel.shape, dense_strides(whole.shape),
            dense_strides(kernel.shape), 0, 0, "without the channels that were filled up",
        )  # fmt: skip
    return True


@lowers("max_pool", "max_pool_select", "window_sum", "max_pool_grad", "window_spread")
def pool(node: Node, b: CudaBuilder) -> bool:
    specs = [b.spec(v) for v in (*node.inputs, *node.outputs)]
    if not _serves(specs):
        return False
    backward = node.op.name in ("max_pool_grad", "window_spread")
    out = specs[-1]
    x, y = (out, b.spec(node.inputs[-1])) if backward else (specs[0], out)
    attrs, kind = node.attrs, b.kind(node.inputs[0])
    names = ["a", "b"][: len(node.inputs)]
    pointers = ", ".join(f"const {kind}* {n}" for n in names)
    b.launch(
        f"{node.op.name}_{kind}", f"{pointers}, {kind}* out, {_PARAMETERS}",
        f"{_WINDOWS}  {node.op.name}<{kind}>({', '.join(names)}, out, w);", node.inputs,
        node.outputs,
        pool_params(x.shape, y.shape, attrs["window"], attrs["strides"], attrs["pads"]),
        -(-math.prod(out.shape) // 256), "pooling",
    )  # fmt: skip
    return True
