"""Matrix products: `matmul` and `einsum` of two operands as one, perhaps batched, GEMM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ....ir import Node
from ....passes.layout import dense_strides
from ..epilogue import describe
from ..lowering import Builder, lowers

__all__ = ["einsum", "matmul"]


class _Axis(NamedTuple):
    """Axes of operands walked as one: its size and the strides of a, b and c along it."""

    size: int
    a: int
    b: int
    c: int


def _merged(axes: Sequence[_Axis]) -> list[_Axis]:
    """The axes, outermost first, with neighbours that all operands walk as one joined."""
    if any(axis.size == 0 for axis in axes):
        return [_Axis(0, 0, 0, 0)]
    found: list[_Axis] = []
    for axis in axes:
        if axis.size == 1:
            continue
        if found and all(
            outer == inner * axis.size for outer, inner in zip(found[-1][1:], axis[1:], strict=True)
        ):
            found[-1] = _Axis(found[-1].size * axis.size, *axis[1:])
        else:
            found.append(axis)
    return found


def _single(axes: Sequence[_Axis]) -> _Axis | None:
    """The axes as one, or None if they cannot be walked so."""
    merged = _merged(axes)
    return None if len(merged) > 1 else merged[0] if merged else _Axis(1, 0, 0, 0)


def _emit(
    b: Builder, kernel: str, operands: tuple[int, int], out: int, batch: list[_Axis],
    sizes: tuple[int, int, int], strides: tuple[int, int, int, int, int],
) -> None:  # fmt: skip
    """One product. `strides`: of a (row, column), of b (row, column), of c (row)."""
    m, n, k = sizes
    batch = _merged(batch)
    if len(batch) == 1 and batch[0].size:
        # One matrix for the whole batch: a taller product instead of many.
        axis = batch[0]
        rows = _single([axis, _Axis(m, strides[0], 0, strides[4])])
        if rows is not None and axis.b == 0 and m > 0:
            m, batch = rows.size, []
            strides = (rows.a, *strides[1:4], rows.c)
    names = "x".join(map(str, [*(axis.size for axis in batch), m, k, n]))
    end = b.take_epilogue()
    flags = 0 if end is None else 3 if end.relu else 1
    b.emit(
        kernel,
        inputs=[*map(b.strided, operands), *([] if end is None else [end.bias])],
        outputs=[out if end is None else end.output],
        params=[m, n, k, flags, *strides, 0, len(batch), *(p for x in batch for p in (*x, 0))],
        note=f"product {names}" + describe(end),
    )  # fmt: skip


@lowers("matmul")
def matmul(node: Node, b: Builder) -> bool:
    """The last two axes; leading ones broadcast by strides of 0."""
    left, right = node.inputs
    (out,) = node.outputs
    first, second, shape = b.spec(left), b.spec(right), b.spec(out).shape
    kernel = b.products.get(first.dtype.name)
    if kernel is None or second.dtype != first.dtype:
        return False
    a_strides, b_strides = b.layout(left).strides, b.layout(right).strides
    c_strides = dense_strides(shape)
    rank = len(shape) - 2

    def along(sizes: tuple[int, ...], strides: tuple[int, ...], axis: int) -> int:
        axis -= rank + 2 - len(sizes)
        return 0 if axis < 0 or sizes[axis] == 1 else strides[axis]

    batch = [
        _Axis(
            shape[i], along(first.shape, a_strides, i), along(second.shape, b_strides, i),
            c_strides[i],
        )
        for i in range(rank)
    ]  # fmt: skip
    _emit(
        b, kernel, (left, right), out, batch, (shape[-2], shape[-1], first.shape[-1]),
        (a_strides[-2], a_strides[-1], b_strides[-2], b_strides[-1], c_strides[-2]),
    )  # fmt: skip
    return True


@lowers("einsum")
def einsum(node: Node, b: Builder) -> bool:
    """Two operands without repeated labels, none of whose labels stands alone."""
    if len(node.inputs) != 2:
        return False
    result: str = node.attrs["result"]
    terms: tuple[str, ...] = node.attrs["terms"]
    kernel = b.products.get(b.spec(node.inputs[0]).dtype.name)
    if kernel is None or b.spec(node.inputs[1]).dtype != b.spec(node.inputs[0]).dtype:
        return False
    pair = list(zip(node.inputs, terms, strict=True))
    labels = [set(term) for term in terms]
    lone = (labels[0] ^ labels[1]) - set(result)
    if lone or any(len(set(term)) < len(term) for term in terms):
        return False
    if result and result[-1] in labels[0] - labels[1]:  # rows of c must be contiguous
        pair.reverse()
        labels.reverse()
    groups = (
        [c for c in result if c in labels[0] & labels[1]],
        [c for c in result if c not in labels[1]],
        [c for c in result if c not in labels[0]],
        [c for c in pair[0][1] if c in labels[1] and c not in result],
    )
    _contract(b, kernel, pair, groups, node.outputs[0], result)
    return True


def _contract(
    b: Builder, kernel: str, pair: list[tuple[int, str]], groups: tuple[list[str], ...],
    out: int, result: str,
) -> None:  # fmt: skip
    """The product whose batch, rows, columns and sums are the labels of `groups`."""
    batch, rows, columns, inner = groups
    size = dict.fromkeys(result, 1)
    for value, term in pair:
        for c, n in zip(term, b.spec(value).shape, strict=True):
            size[c] = n if size.get(c, 1) == 1 else size[c]
    order = [*batch, *rows, *columns]
    direct = _walks(b, out, result, size, rows, columns) and _side_by_side(b, out, result, columns)
    target = out if direct else b.temp([size[c] for c in order], b.spec(out).dtype)
    c_of = _strides(b, target, result if direct else "".join(order))
    left = _ready(b, *pair[0], size, (rows, inner), [*batch, *rows, *inner])
    right = _ready(b, *pair[1], size, (inner, columns), [*batch, *inner, *columns])
    a_of, b_of = _strides(b, *left), _strides(b, *right)

    def axes(group: list[str]) -> list[_Axis]:
        return [_Axis(size[c], a_of.get(c, 0), b_of.get(c, 0), c_of.get(c, 0)) for c in group]

    row, column, total = (_joined(axes(group)) for group in (rows, columns, inner))
    _emit(
        b, kernel, (left[0], right[0]), target, axes(batch),
        (row.size, column.size, total.size), (row.a, total.a, total.b, column.b, row.c),
    )  # fmt: skip
    if not direct:
        shape = b.spec(out).shape
        b.emit(
            "strided_copy", inputs=[b.strided(target)], outputs=[out],
            params=[
                b.spec(out).dtype.itemsize, len(shape), *shape, *(c_of[c] for c in result),
            ],
            note="copy: the result's axes in order",
        )  # fmt: skip


def _strides(b: Builder, value: int, term: str) -> dict[str, int]:
    """Stride by label; 0 along an axis of one element, which may stand for more."""
    shape, strides = b.spec(value).shape, b.layout(value).strides
    return {c: 0 if n == 1 else s for c, n, s in zip(term, shape, strides, strict=True)}


def _joined(axes: list[_Axis]) -> _Axis:
    found = _single(axes)
    if found is None:
        raise AssertionError(f"einsum: axes {axes} were to be walked as one")
    return found


def _walks(b: Builder, value: int, term: str, size: dict[str, int], *groups: list[str]) -> bool:
    """Whether each group of labels is one axis of the value."""
    strides = _strides(b, value, term)
    return all(_single([_Axis(size[c], strides[c], 0, 0) for c in g]) is not None for g in groups)


def _side_by_side(b: Builder, value: int, term: str, group: list[str]) -> bool:
    """Whether the elements along these labels lie one after another."""
    strides, sizes = _strides(b, value, term), dict(zip(term, b.spec(value).shape, strict=True))
    axis = _single([_Axis(sizes[c], strides[c], 0, 0) for c in group])
    return axis is not None and (axis.size <= 1 or axis.a == 1)


def _ready(
    b: Builder, value: int, term: str, size: dict[str, int], groups: tuple[list[str], list[str]],
    order: list[str],
) -> tuple[int, str]:  # fmt: skip
    """The operand and its labels, copied in the wanted order if a group is not one axis of it."""
    if _walks(b, value, term, size, *groups):
        return value, term
    strides = _strides(b, value, term)
    spec = b.spec(value)
    shape = [size[c] for c in order]
    copy = b.temp(shape, spec.dtype)
    b.emit(
        "strided_copy", inputs=[b.strided(value)], outputs=[copy],
        params=[spec.dtype.itemsize, len(shape), *shape, *(strides[c] for c in order)],
        note="copy: axes that are summed or kept together side by side",
    )  # fmt: skip
    return copy, "".join(order)
