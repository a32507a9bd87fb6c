"""Along one axis: extremes' places, sorting, searching, running sums; logsumexp."""

from __future__ import annotations

import math

from .... import dtypes
from ....ir import Node
from ....passes.axes import form_of
from ..lowering import Builder, lowers
from .dtype_codes import code, split_axis

__all__: list[str] = []

# Places are int32.
_MOST = 2**31 - 1


def _along(
    kernel: str, node: Node, b: Builder, axis: int, *extra: int, note: str = ""
) -> bool:  # fmt: skip
    spec = b.spec(node.inputs[0])
    number = code(spec.dtype)
    if number is None or spec.dtype.kind == "c" or spec.shape[axis] > _MOST:
        return False
    b.emit(
        kernel, inputs=node.inputs, outputs=node.outputs,
        params=[number, *split_axis(spec.shape, axis), *extra], note=note or f"along axis {axis}",
    )  # fmt: skip
    return True


@lowers("argmax", "argmin")
def argmax(node: Node, b: Builder) -> bool:
    axis = node.attrs["axis"]
    if b.spec(node.inputs[0]).shape[axis] == 0:
        return False  # the generic kernel says what is wrong
    return _along(node.op.name, node, b, axis)


@lowers("sort", "argsort")
def sort(node: Node, b: Builder) -> bool:
    return _along(node.op.name, node, b, node.attrs["axis"])


@lowers("cumsum", "cumprod")
def cumulative(node: Node, b: Builder) -> bool:
    if b.spec(node.inputs[0]).dtype.kind == "b":
        return False
    return _along(node.op.name, node, b, node.attrs["axis"], int(node.attrs["reverse"]))


@lowers("top_k_indices")
def top_k(node: Node, b: Builder) -> bool:
    k, rank = node.attrs["k"], len(b.spec(node.inputs[0]).shape)
    return _along("top_k", node, b, rank - 1, k, note=f"the {k} largest of the last axis")


@lowers("searchsorted")
def searchsorted(node: Node, b: Builder) -> bool:
    rows, values = (b.spec(v) for v in node.inputs)
    number = code(rows.dtype)
    if number is None or rows.dtype.kind == "c" or rows.dtype != values.dtype:
        return False
    count = math.prod(values.shape)
    b.emit(
        "searchsorted", inputs=node.inputs, outputs=node.outputs,
        params=[number, rows.shape[0], count, int(node.attrs["side"] == "right")],
        note=f"{count} values in {rows.shape[0]}",
    )  # fmt: skip
    return True


@lowers("logsumexp")
def logsumexp(node: Node, b: Builder) -> bool:
    shape, dtype = b.spec(node.inputs[0])
    form, number = form_of(shape, node.attrs["axes"]), code(dtype)
    if number is None or not dtypes.is_float(dtype) or form is None:
        return False
    b.emit(
        "logsumexp", inputs=node.inputs, outputs=node.outputs, params=[number, *form],
        note=f"over {form[1]} elements",
    )  # fmt: skip
    return True
