"""Reductions over axes that are no neighbours become several, each over neighbours.

Kernels walk over three numbers: elements before, along and after the axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..ir import Graph, Node
from .rewriting import Rewriting

__all__ = ["form_of", "split_axes"]

_REDUCTIONS = ("sum", "prod", "max", "min", "any", "all", "logsumexp")


def form_of(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, int, int] | None:
    """Elements before, along and after the axes, or None if they are not neighbours.

    Axes of size 1 count for nothing. The axes are in order.
    """
    kept = [a for a in axes if shape[a] != 1]
    if not kept:
        return math.prod(shape), 1, 1
    low, high = kept[0], kept[-1] + 1
    if any(shape[i] != 1 and i not in kept for i in range(low, high)):
        return None
    return math.prod(shape[:low]), math.prod(shape[low:high]), math.prod(shape[high:])


def split_axes(graph: Graph) -> Graph:
    """Reduce over the largest block of axes first, over the others afterwards.

    Half types stay as they are: what is between would be rounded.
    """
    if not any(_separate(node, graph) for node in graph.nodes):
        return graph
    splitting = _Splitting(graph)
    for node in graph.nodes:
        splitting.add(node)
    return splitting.made()


def _blocks(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The axes in blocks of neighbours; those of size 1 count for nothing."""
    found: list[list[int]] = []
    inside = False
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if axis in axes:
            if not inside:
                found.append([])
            found[-1].append(axis)
        inside = axis in axes
    return [tuple(block) for block in found]


def _separate(node: Node, graph: Graph) -> bool:
    if node.op.name not in (*_REDUCTIONS, "moments") or "axes" not in node.attrs:
        return False
    spec = graph.specs[node.inputs[0]]
    if spec.dtype.name in ("float16", "bfloat16") or 0 in spec.shape:
        return False
    return len(_blocks(spec.shape, node.attrs["axes"])) > 1


class _Splitting(Rewriting):
    def add(self, node: Node) -> None:
        """Append a node, or those that do its work."""
        if not _separate(node, self.graph):
            self.nodes.append(node)
        elif node.op.name == "moments":
            self._moments(node, *node.inputs, *node.outputs)
        else:
            (value,) = node.inputs
            for axes in self._order(value, node.attrs["axes"])[:-1]:
                (value,) = self.emit(node.op.name, [value], node, axes=axes, keepdims=True)
            self.nodes.append(node._replace(inputs=(value,)))

    def _order(self, value: int, axes: tuple[int, ...]) -> list[tuple[int, ...]]:
        shape = self.specs[value].shape
        return sorted(_blocks(shape, axes), key=lambda block: -math.prod(shape[a] for a in block))

    def _moments(self, node: Node, x: int, mean: int, variance: int) -> None:
        """Of groups of equal size: the variance is the mean of theirs plus that of their means."""
        first, *others = self._order(x, node.attrs["axes"])
        means, variances = self.emit("moments", [x], node, axes=first, keepdims=True)
        for block in others:
            last = block is others[-1]
            attrs = dict(node.attrs) if last else {"axes": block, "keepdims": True}
            within, _ = self.emit("moments", [variances], node, **attrs)
            ends = [mean, self.fresh(self.specs[variance])] if last else []
            means, between = self.emit("moments", [means], node, ends, **attrs)
            ends = [variance] if last else []
            (variances,) = self.emit("add", [within, between], node, ends)
