"""What a node does for one step of a loop, done for all steps at once, along a leading axis.

An operand either has that axis (`over`) or is the same at each step. Results have it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..ir import Node
from .rewriting import Rewriting

__all__ = ["Batching", "Operand"]


class Operand(NamedTuple):
    """A value outside the loop; `over`: its first axis is that of the steps."""

    value: int
    over: bool


_Found = list[int] | None
_Rule = Callable[["Batching", Node, Sequence[Operand]], _Found]


class Batching:
    """Emits nodes over all steps.

    Args:
        out: What nodes are written to.
        length: The number of steps.
    """

    def __init__(self, out: Rewriting, length: int) -> None:
        self.out, self.length = out, length

    def apply(self, node: Node, xs: Sequence[Operand]) -> _Found:
        """The results of a node for all steps, or None if no rule is known.

        Args:
            node: The node of one step.
            xs: Its inputs; one at least is over the steps.
        """
        rule = _RULES.get(node.op.name) or _KINDS.get(node.op.kind)
        if rule is None:
            return None
        mark = len(self.out.nodes)
        found = rule(self, node, xs)
        if found is None:
            del self.out.nodes[mark:]
        return found

    def emit(self, name: str, inputs: Sequence[int], node: Node, /, **attrs: Any) -> list[int]:
        """An op's node, with the location of another."""
        return self.out.emit(name, inputs, node, **attrs)

    def shape(self, x: Operand) -> tuple[int, ...]:
        """The shape at one step."""
        shape = self.out.specs[x.value].shape
        return shape[1:] if x.over else shape

    def reshaped(self, value: int, shape: tuple[int, ...], node: Node) -> int:
        """The value in that shape."""
        if self.out.specs[value].shape == shape:
            return value
        return self.emit("reshape", [value], node, shape=shape)[0]

    def ranked(self, x: Operand, rank: int, node: Node) -> int:
        """A value that broadcasts with those of that rank at one step."""
        shape = self.shape(x)
        if not x.over:
            return x.value
        wide = (self.length, *(1,) * (rank - len(shape)), *shape)
        return self.reshaped(x.value, wide, node)

    def spread(self, x: Operand, node: Node) -> int:
        """The value with the axis of the steps, repeated if it has none."""
        if x.over:
            return x.value
        shape = (self.length, *self.shape(x))
        return self.emit("broadcast_to", [x.value], node, shape=shape)[0]


def _elementwise(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    rank = max(len(b.shape(x)) for x in xs)
    return b.emit(node.op.name, [b.ranked(x, rank, node) for x in xs], node, **node.attrs)


def _further(*names: str) -> _Rule:
    """Ops along axes that attributes name: these are one further."""

    def rule(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
        attrs = dict(node.attrs)
        for name in names:
            axes = attrs[name]
            if not isinstance(axes, int | tuple):
                return None
            if np.min(axes, initial=0) < 0:
                return None
            attrs[name] = axes + 1 if isinstance(axes, int) else tuple(a + 1 for a in axes)
        return b.emit(node.op.name, [b.spread(x, node) for x in xs], node, **attrs)

    return rule


def _leading(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    """Ops of the last axes, whatever leads."""
    if len({len(b.shape(x)) for x in xs}) > 1 or not all(x.over for x in xs):
        return None  # a vector among matrices, or a matrix that would be repeated
    return b.emit(node.op.name, [x.value for x in xs], node, **node.attrs)


def _rows(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    """Norms of rows: what they are scaled by has no further axis."""
    if not xs[0].over or any(x.over for x in xs[1:]):
        return None
    return b.emit(node.op.name, [x.value for x in xs], node, **node.attrs)


def _transpose(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    axes = (0, *(a + 1 for a in node.attrs["axes"]))
    return b.emit("transpose", [xs[0].value], node, axes=axes)


def _reshape(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    return b.emit("reshape", [xs[0].value], node, shape=(b.length, *node.attrs["shape"]))


def _broadcast(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    shape = node.attrs["shape"]
    value = b.ranked(xs[0], len(shape), node)
    return b.emit("broadcast_to", [value], node, shape=(b.length, *shape))


def _getitem(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    key = (("slice", None, None, None), *node.attrs["key"])
    return b.emit("getitem", [xs[0].value], node, key=key)


def _pad(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    attrs = {**node.attrs, "pad_width": ((0, 0), *node.attrs["pad_width"])}
    return b.emit("pad", [xs[0].value], node, **attrs)


def _gather(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    """Tensors first, slices afterwards: of a table, or of each step's own by its number."""
    x, *indices = xs
    key = node.attrs["key"]
    tensors = [i for i, part in enumerate(key) if isinstance(part, tuple) and part[0] == "tensor"]
    if tensors != list(range(len(indices))):
        return None
    rank = max(len(b.shape(i)) for i in indices)
    if not x.over:
        values = [b.ranked(i, rank, node) for i in indices]
        return b.emit("gather", [x.value, *values], node, **node.attrs)
    numbers = np.arange(b.length, dtype="int32").reshape(-1, *(1,) * rank)
    own = b.out.constant(numbers)
    values = [own, *(b.ranked(i, rank, node) for i in indices)]
    parts = (("tensor", 0), *(("tensor", i + 1) for i in tensors), *key[len(tensors) :])
    return b.emit("gather", [x.value, *values], node, **{**node.attrs, "key": parts})


def _matmul(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    left, right = xs
    a, c = b.shape(left), b.shape(right)
    if not right.over and len(c) == 2:  # one product of all rows
        rows = b.reshaped(left.value, (b.length * math.prod(a[:-1]), a[-1]), node)
        (made,) = b.emit("matmul", [rows, right.value], node)
        return [b.reshaped(made, (b.length, *a[:-1], c[-1]), node)]
    rank = max(len(a), len(c))
    return b.emit("matmul", [b.ranked(x, rank, node) for x in xs], node)


def _einsum(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    terms, result = node.attrs["terms"], node.attrs["result"]
    letter = next(c for c in map(chr, range(0x61, 0x3B1)) if c not in "".join(terms))
    over = tuple(letter + t if x.over else t for t, x in zip(terms, xs, strict=True))
    return b.emit("einsum", [x.value for x in xs], node, terms=over, result=letter + result)


def _merged(b: Batching, node: Node, xs: Sequence[Operand]) -> _Found:
    """Ops of images, whose first axis takes that of the steps."""
    kernel = node.op.kind == "contraction"
    if kernel and xs[1].over:
        return None
    values = []
    for i, x in enumerate(xs):
        if kernel and i:
            values.append(x.value)
            continue
        shape = b.shape(x)
        values.append(b.reshaped(b.spread(x, node), (b.length * shape[0], *shape[1:]), node))
    attrs = dict(node.attrs)
    if "shape" in attrs:
        attrs["shape"] = (b.length * attrs["shape"][0], *attrs["shape"][1:])
    found = b.emit(node.op.name, values, node, **attrs)
    shapes = [b.out.specs[v].shape for v in found]
    return [
        b.reshaped(v, (b.length, s[0] // b.length, *s[1:]), node)
        for v, s in zip(found, shapes, strict=True)
    ]


_KINDS: dict[str, _Rule] = {"elementwise": _elementwise}
_RULES: dict[str, _Rule] = {
    "barrier": _leading, "bitcast": _leading, "broadcast_to": _broadcast, "conv": _merged,
    "concatenate": _further("axis"), "conv_input_grad": _merged, "einsum": _einsum,
    "flip": _further("axes"), "fourier": _further("axes"), "gather": _gather,
    "getitem": _getitem, "layer_norm": _rows, "matmul": _matmul, "moments": _further("axes"),
    "pad": _pad, "reshape": _reshape, "rms_norm": _rows, "roll": _further("axis"),
    "top_k_indices": _leading, "transpose": _transpose,
    **dict.fromkeys(("argmax", "argmin", "argsort", "sort", "cumprod", "cumsum"), _further("axis")),
    **dict.fromkeys(
        ("all", "any", "log_softmax", "log_softmax_grad", "logsumexp", "max", "min", "prod",
         "softmax", "softmax_grad", "sum"), _further("axes"),
    ),
    **dict.fromkeys(
        ("cholesky", "det", "eig", "eigh", "inv", "lu", "pinv", "qr", "slogdet", "solve", "svd",
         "svd_values"), _leading,
    ),
    **dict.fromkeys(
        ("max_pool", "max_pool_grad", "max_pool_select", "window_spread", "window_sum"), _merged
    ),
}  # fmt: skip
