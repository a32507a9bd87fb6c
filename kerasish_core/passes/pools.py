"""What follows the gradient of a maximum pooling moves before it, where there are fewer elements.

That gradient takes each element of its cotangent to the maximum it came from. A mask that depends
on the pooled elements alone (`relu`'s gradient) may as well look at the maxima, and a sum over all
windows (a bias's gradient) at the cotangent:

    where(x > 0, grad(x, g), 0)  =  grad(x, where(max_pool(x) > 0, g, 0))
    sum(grad(x, g))              =  sum(g)
"""

from __future__ import annotations

from typing import Any

from ..ir import Graph, Node
from ..op import Spec
from .rewriting import Rewriting

__all__ = ["mask_pooled"]

_COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "not_equal", "equal")


def mask_pooled(graph: Graph) -> Graph:
    """Masks and sums of gradients of maximum poolings before these."""
    if not any(node.op.name == "max_pool_grad" for node in graph.nodes):
        return graph
    moving = _Moving(graph)
    for node in graph.nodes:
        moving.add(node)
    return moving.made()


class _Moving(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._made_by: dict[int, Node] = {}
        self._pooled: dict[Any, int] = {}  # maxima by what they are of, and how

    def add(self, node: Node) -> None:
        """Append a node, or those that take its place."""
        for made in self._mask(node) or self._sum(node) or [node]:
            self.nodes.append(made)
            for value in made.outputs:
                self._made_by[value] = made
            if made.op.name == "max_pool":
                self._pooled[_key(made)] = made.outputs[0]

    def _gradient(self, value: int) -> Node | None:
        made = self._made_by.get(value)
        return made if made is not None and made.op.name == "max_pool_grad" else None

    def _mask(self, node: Node) -> list[Node] | None:
        if node.op.name != "where":
            return None
        condition, kept, zero = node.inputs
        test, gradient = self._made_by.get(condition), self._gradient(kept)
        if test is None or gradient is None or test.op.name not in _COMPARISONS:
            return None
        x, g = gradient.inputs
        maxima = self._pooled.get(_key(gradient))
        others = [v for v in test.inputs if v != x]
        if maxima is None or x not in test.inputs or not self._is_zero(zero):
            return None
        if any(self.specs[v].shape for v in others):
            return None
        if self.specs[node.outputs[0]] != self.specs[kept]:
            return None
        passed = self.fresh(Spec(self.specs[g].shape, self.specs[condition].dtype))
        masked = self.fresh(self.specs[g])
        tested = tuple(maxima if v == x else v for v in test.inputs)
        return [
            test._replace(inputs=tested, outputs=(passed,)),
            node._replace(inputs=(passed, g, zero), outputs=(masked,)),
            gradient._replace(inputs=(x, masked), outputs=node.outputs),
        ]

    def _sum(self, node: Node) -> list[Node] | None:
        """Of all windows; where nothing was padded none of them can point beside the array."""
        gradient = self._gradient(node.inputs[0]) if node.op.name == "sum" else None
        if gradient is None or any(a or b for a, b in gradient.attrs["pads"]):
            return None
        spatial = range(1, len(gradient.attrs["window"]) + 1)
        if not {*spatial} <= {*node.attrs["axes"]}:
            return None
        return [node._replace(inputs=(gradient.inputs[1],))]

    def _is_zero(self, value: int) -> bool:
        array = self.graph.constants.get(value)
        return array is not None and array.shape == () and array == 0


def _key(node: Node) -> Any:
    """What is pooled, and how."""
    return node.inputs[0], *sorted(node.attrs.items())
