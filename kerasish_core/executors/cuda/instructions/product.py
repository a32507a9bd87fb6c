"""Matrix products, convolutions and pooling: own kernels, which a library may replace."""

from __future__ import annotations

import math

from ....codegen.cuda.scalar import register
from ....ir import Node
from ....op import Spec
from ...native.instructions import gemm
from ...native.instructions.conv import conv_params
from ...native.instructions.pool import pool_params
from ..builder import CudaBuilder, lowers

__all__: list[str] = []

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_PARAMETERS = ", ".join(f"int64_t n{i}" for i in range(23))
_AXES = ", ".join("{" + ", ".join(f"n{5 + 6 * d + i}" for i in range(6)) + "}" for d in range(3))
_WINDOWS = f"  const Windows w = {{n0, n1, n2, n3, n4, {{{_AXES}}}}};\n"
# The kernel gradient is summed in parts of so many pixels at least, at most in so many.
_PART_PIXELS = 1024
_MOST_PARTS = 64

lowers("matmul")(gemm.matmul)
lowers("einsum")(gemm.einsum)


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


@lowers("conv")
def conv(node: Node, b: CudaBuilder) -> bool:
    x, kernel = (b.spec(v) for v in node.inputs)
    y = b.spec(node.outputs[0])
    if not _serves([x, kernel, y]):
        return False
    end = b.take_epilogue()
    kind, groups = b.kind(node.inputs[0]), node.attrs["groups"]
    bias, relu = end is not None, end is not None and end.relu
    rows, width = math.prod(y.shape[:-1]), y.shape[-1] // groups
    added = f"const {kind}* bias, " if bias else ""
    b.launch(
        f"conv_{kind}",
        f"const {kind}* x, const {kind}* kernel, {added}{kind}* y, {_PARAMETERS}",
        f"{_WINDOWS}  conv<{kind}, {str(bias).lower()}, {str(relu).lower()}>"
        f"(x, kernel, {'bias' if bias else 'nullptr'}, y, w);",
        [*map(b.dense, node.inputs), *([] if end is None else [end.bias])],
        node.outputs if end is None else [end.output],
        _numbers(b, node, x, kernel, y), groups * -(-rows // 64) * -(-width // 64),
        "convolution: implicit product" + ("" if end is None else " + bias" + ", relu" * relu),
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
    b.launch(
        f"conv_input_grad_{kind}",
        f"const {kind}* g, const {kind}* kernel, {kind}* dx, {_PARAMETERS}",
        f"{_WINDOWS}  conv_input_grad<{kind}>(g, kernel, dx, w);", dense, node.outputs,
        _numbers(b, node, x, kernel, g),
        groups * -(-math.prod(x.shape[:-1]) // 64) * -(-(x.shape[-1] // groups) // 64),
        "convolution's input gradient: implicit product",
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
    count, pixels = math.prod(kernel.shape), math.prod(g.shape[:-1])
    parts = max(1, min(_MOST_PARTS, pixels // _PART_PIXELS))
    partial = b.temp((parts, count), "float64" if wide == "double" else "float32")
    dense = [*map(b.dense, node.inputs)]
    rows, width = count // kernel.shape[-1], kernel.shape[-1] // groups
    b.launch(
        f"conv_kernel_grad_{kind}",
        f"const {kind}* x, const {kind}* g, {wide}* partial, {_PARAMETERS}, int64_t parts",
        f"{_WINDOWS}  conv_kernel_grad<{kind}>(x, g, partial, w, parts);", dense, [partial],
        [*_numbers(b, node, x, kernel, g), parts],
        parts * groups * -(-rows // 64) * -(-width // 64),
        f"convolution's kernel gradient: summed in {parts} parts",
    )  # fmt: skip
    b.launch(
        f"join_parts_{kind}",
        f"const {wide}* partial, {kind}* out, int64_t parts, int64_t count",
        f"  join_parts<{kind}>(partial, out, parts, count);", [partial], node.outputs,
        [parts, count], -(-count // 256), "the parts joined",
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
