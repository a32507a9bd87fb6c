"""Softmax, normalisation, statistics, extremes' places: rows and columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ....codegen.cuda.fused import column_parts, parts_of
from ....codegen.cuda.scalar import register
from ....ir import Node
from ....op import Spec
from ....passes.axes import form_of
from ..builder import CudaBuilder, lowers

__all__: list[str] = []

_FLOATS = ("float16", "bfloat16", "float32", "float64")
# Rows up to this length are one warp's work.
_WARP_ROW = 1024


def _lanes(n: int) -> int:
    return 32 if n <= _WARP_ROW else 256


def _row_blocks(rows: int, n: int) -> int:
    return -(-rows * _lanes(n) // 256)


@lowers("softmax", "log_softmax", "softmax_grad", "log_softmax_grad")
def softmax(node: Node, b: CudaBuilder) -> bool:
    spec = b.spec(node.inputs[0])
    form = form_of(spec.shape, node.attrs["axes"])
    if spec.dtype.name not in _FLOATS or form is None or 0 in spec.shape:
        return False
    outer, n, inner = form
    kind, log = b.kind(node.inputs[0]), str(node.op.name.startswith("log")).lower()
    backward = node.op.name.endswith("grad")
    given = "g, y, dx" if backward else "x, y"
    pointers = ", ".join(
        f"{'const ' if i < len(node.inputs) else ''}{kind}* {p}"
        for i, p in enumerate(given.split(", "))
    )
    b.launch(
        node.op.name, f"{pointers}, int64_t outer, int64_t n, int64_t inner",
        f"  {'softmax_grad' if backward else 'softmax'}<{kind}, {_lanes(n)}, {log}>"
        f"({given}, outer, n, inner);",
        node.inputs, node.outputs, [outer, n, inner], _row_blocks(outer * inner, n), "by row",
        in_place=[(i, 0) for i in range(len(node.inputs))],
    )  # fmt: skip
    return True


@lowers("logsumexp")
def logsumexp(node: Node, b: CudaBuilder) -> bool:
    spec = b.spec(node.inputs[0])
    form = form_of(spec.shape, node.attrs["axes"])
    if spec.dtype.name not in _FLOATS or form is None or 0 in spec.shape:
        return False
    outer, n, inner = form
    kind = b.kind(node.inputs[0])
    b.launch(
        "logsumexp", f"const {kind}* x, {kind}* y, int64_t outer, int64_t n, int64_t inner",
        f"  logsumexp<{kind}, {_lanes(n)}>(x, y, outer, n, inner);",
        node.inputs, node.outputs, [outer, n, inner], _row_blocks(outer * inner, n), "by row",
    )  # fmt: skip
    return True


@lowers("argmax", "argmin")
def arg_extreme(node: Node, b: CudaBuilder) -> bool:
    spec, out = b.spec(node.inputs[0]), b.spec(node.outputs[0])
    axis = node.attrs["axis"]
    if spec.dtype.kind == "c" or 0 in spec.shape or out.dtype != "int32":
        return False
    outer, n, inner = (
        math.prod(spec.shape[:axis]),
        spec.shape[axis],
        math.prod(spec.shape[axis + 1 :]),
    )
    kind, largest = b.kind(node.inputs[0]), str(node.op.name == "argmax").lower()
    b.launch(
        node.op.name, f"const {kind}* x, int32_t* y, int64_t outer, int64_t n, int64_t inner",
        f"  arg_extreme<{kind}, {_lanes(n)}, {largest}>(x, y, outer, n, inner);",
        node.inputs, node.outputs, [outer, n, inner], _row_blocks(outer * inner, n), "by row",
    )  # fmt: skip
    return True


@lowers("layer_norm", "rms_norm")
def row_norm(node: Node, b: CudaBuilder) -> bool:
    x, gamma = b.spec(node.inputs[0]), b.spec(node.inputs[1])
    n = math.prod(gamma.shape)
    if x.dtype.name not in _FLOATS or 0 in x.shape:
        return False
    rows, kind, rms = math.prod(x.shape) // n, b.kind(node.inputs[0]), node.op.name == "rms_norm"
    pointers = f"const {kind}* x, const {kind}* gamma, "
    pointers += f"{kind}* y, {kind}* inv" if rms else (
        f"const {kind}* beta, {kind}* y, {kind}* mean, {kind}* inv"
    )  # fmt: skip
    given = "x, gamma, nullptr, y, nullptr, inv" if rms else "x, gamma, beta, y, mean, inv"
    b.launch(
        node.op.name, f"{pointers}, int64_t rows, int64_t n, double epsilon",
        f"  row_norm<{kind}, {_lanes(n)}, {str(rms).lower()}>({given}, rows, n, epsilon);",
        node.inputs, node.outputs, [rows, n, float(node.attrs["epsilon"])], _row_blocks(rows, n),
        "by row",
    )  # fmt: skip
    return True


@lowers("layer_norm_grad", "rms_norm_grad")
def row_norm_grad(node: Node, b: CudaBuilder) -> bool:
    x, gamma = b.spec(node.inputs[1]), b.spec(node.inputs[2])
    n = math.prod(gamma.shape)
    if x.dtype.name not in _FLOATS or 0 in x.shape:
        return False
    rows, kind, rms = (
        math.prod(x.shape) // n,
        b.kind(node.inputs[1]),
        node.op.name == "rms_norm_grad",
    )
    flag = str(rms).lower()
    g, data, _, *rest = node.inputs
    names = ["inv"] if rms else ["mean", "inv"]
    statistics = ", ".join(f"const {kind}* {s}" for s in names)
    mean = "nullptr" if rms else "mean"
    dx, *sums = node.outputs
    b.launch(
        node.op.name,
        f"const {kind}* g, const {kind}* x, const {kind}* gamma, {statistics}, {kind}* dx, "
        "int64_t rows, int64_t n",
        f"  row_norm_grad<{kind}, {_lanes(n)}, {flag}>(g, x, gamma, {mean}, inv, dx, rows, n);",
        node.inputs, [dx], [rows, n], _row_blocks(rows, n), "by row",
    )  # fmt: skip
    targets = f"{kind}* of_gamma" + ("" if rms else f", {kind}* of_beta")
    job = f"g, x, {mean}, inv, of_gamma, {'nullptr' if rms else 'of_beta'}"
    _columns(
        b, f"NormSums<{kind}, {flag}>", f"const {kind}* g, const {kind}* x, {statistics}", targets,
        job, [g, data, *rest], sums, (1, rows, n), 2 * _width(x.dtype.name), "sums of columns",
    )  # fmt: skip
    return True


def _width(dtype: str) -> int:
    """Bytes of a number in registers."""
    return 8 if register(dtype) == "double" else 4


def reads_halves(node: Node, specs: Mapping[int, Spec]) -> bool:
    """Whether the node has a kernel that reads half types, and computes and writes float32."""
    inputs = [specs[v] for v in node.inputs]
    if node.op.name == "moments":
        return _has_moments(inputs[0], node.attrs["axes"])
    return node.op.name == "centred_sums" and _has_sums(*inputs)


def _has_moments(x: Spec, axes: Sequence[int]) -> bool:
    return x.dtype.name in _FLOATS and form_of(x.shape, axes) is not None and 0 not in x.shape


def _has_sums(g: Spec, x: Spec, mean: Spec) -> bool:
    floats = all(s.dtype.name in _FLOATS for s in (g, x, mean))
    shapes = g.shape == x.shape and mean.shape == x.shape[-1:]
    return floats and shapes and bool(x.shape) and 0 not in x.shape


@lowers("moments")
def moments(node: Node, b: CudaBuilder) -> bool:
    spec = b.spec(node.inputs[0])
    form = form_of(spec.shape, node.attrs["axes"])
    if form is None or not _has_moments(spec, node.attrs["axes"]):
        return False
    kind, out = b.kind(node.inputs[0]), b.kind(node.outputs[0])
    job, given = f"Moments<{kind}, {out}>", (f"const {kind}* x", f"{out}* mean, {out}* variance")
    width = 3 * _width(b.spec(node.outputs[0]).dtype.name)
    if form[2] == 1:
        _rows(b, job, *given, "x, mean, variance", node.inputs, node.outputs, form[:2], width)
    else:
        _columns(
            b, job, *given, "x, mean, variance", node.inputs, node.outputs, form, width,
            "mean and variance from one reading",
        )  # fmt: skip
    return True


@lowers("centred_sums")
def centred_sums(node: Node, b: CudaBuilder) -> bool:
    g, x, mean = (b.spec(v) for v in node.inputs)
    if not _has_sums(g, x, mean):
        return False
    of_g, of_x, out = (b.kind(v) for v in node.inputs)
    _columns(
        b, f"CentredSums<{of_g}, {of_x}, {out}>",
        f"const {of_g}* g, const {of_x}* x, const {out}* mean",
        f"{out}* of_g, {out}* of_both", "g, x, mean, of_g, of_both", node.inputs, node.outputs,
        (1, math.prod(x.shape[:-1]), x.shape[-1]), 2 * _width(mean.dtype.name), "one reading",
    )  # fmt: skip
    return True


def _two_steps(
    b: CudaBuilder, job: str, sources: str, targets: str, given: str, inputs: Sequence[int],
    outputs: Sequence[int], calls: tuple[str, str], numbers: tuple[Sequence[int], Sequence[int]],
    blocks: tuple[int, int], scratch: int, note: str,
) -> None:  # fmt: skip
    """A job's first launch and, if it leaves parts (`scratch` bytes), the one that joins them."""
    start = f"  const {job} job = {{{given}}};\n"
    if not scratch:
        state = f"static_cast<{job}::State*>(nullptr)"
        b.launch(
            "columns", f"{sources}, {targets}, {_longs(numbers[0])}",
            start + f"  {calls[0].format(state)};", inputs, outputs, numbers[0], blocks[0], note,
        )  # fmt: skip
        return
    parts = b.temp((scratch,), "uint8")
    state = f"reinterpret_cast<{job}::State*>(scratch)"
    b.launch(
        "columns", f"{sources}, {targets}, uint8_t* scratch, {_longs(numbers[0])}",
        start + f"  {calls[0].format(state)};", inputs, [*outputs, parts], numbers[0], blocks[0],
        note,
    )  # fmt: skip
    b.launch(
        "join", f"{sources}, {targets}, uint8_t* scratch, {_longs(numbers[1])}",
        start + f"  {calls[1].format(state)};",
        [*map(b.strided, (*inputs, *outputs, parts))], [], numbers[1], blocks[1],
        "the parts joined",
    )  # fmt: skip


def _longs(numbers: Sequence[int]) -> str:
    return ", ".join(f"int64_t n{i}" for i in range(len(numbers)))


def _columns(
    b: CudaBuilder, job: str, sources: str, targets: str, given: str, inputs: Sequence[int],
    outputs: Sequence[int], form: tuple[int, int, int], width: int, note: str,
) -> None:  # fmt: skip
    outer, n, inner = form
    dense = [b.dense(v) for v in inputs]
    across = -(-inner // 32)
    parts = column_parts(n, outer * across)
    _two_steps(
        b, job, sources, targets, given, dense, outputs,
        (f"columns<{job}>(job, {{}}, n0, n1, n2, n3)", f"join_columns<{job}>(job, {{}}, n0, n1)"),
        ([outer, n, inner, parts], [outer * inner, parts]),
        (outer * across * parts, -(-outer * inner // 256)),
        outer * inner * parts * width if parts > 1 else 0, note,
    )  # fmt: skip


def _rows(
    b: CudaBuilder, job: str, sources: str, targets: str, given: str, inputs: Sequence[int],
    outputs: Sequence[int], form: Sequence[int], width: int,
) -> None:  # fmt: skip
    count, n = form
    lanes = _lanes(n)
    parts = 1 if lanes == 32 else parts_of(n, count)
    dense = [b.dense(v) for v in inputs]
    _two_steps(
        b, job, sources, targets, given, dense, outputs,
        (f"rows<{job}, {lanes}>(job, {{}}, n0, n1, n2)", f"join_rows<{job}>(job, {{}}, n0, n1)"),
        ([count, n, parts], [count, parts]), (-(-count * parts * lanes // 256), -(-count // 8)),
        count * parts * width if parts > 1 else 0, "by row",
    )  # fmt: skip
