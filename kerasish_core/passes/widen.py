"""Half types are storage: what no kernel computes in them is computed in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import Graph, Node
from ..op import REGISTRY, Spec
from .rewriting import Rewriting

__all__ = ["widen_halves"]

_HALVES = ("float16", "bfloat16")
_WIDE = np.dtype("float32")
# Elementwise ops round after each op by themselves, views compute nothing, random streams are fixed
# by their dtype, sub-graphs are widened when they become programs.
_LEFT = ("elementwise", "view", "random", "control")


def widen_halves(graph: Graph, serves: Callable[[Node, Mapping[int, Spec]], bool]) -> Graph:
    """Put nodes that no kernel serves in float16 or bfloat16 between casts, where float32 helps.

    Generic kernels do the same within: float32 operands, one rounding of the result. As nodes of
    the graph, the casts become part of the elementwise chains around.

    Args:
        graph: The graph.
        serves: Whether there is a kernel for a node, given the specs of its values.

    Returns:
        The graph itself if nothing was to be done. Values that it had keep their numbers.
    """
    if not any(spec.dtype.name in _HALVES for spec in graph.specs.values()):
        return graph
    widening = _Widening(graph)
    for node in graph.nodes:
        widening.add(node, serves)
    return widening.made()


class _Widening(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._wide: dict[int, int] = {}  # of half values: their float32 twins

    def add(self, node: Node, serves: Callable[[Node, Mapping[int, Spec]], bool]) -> None:
        """Append the node, between casts if that gives it a kernel."""
        wide = None
        if node.op.kind not in _LEFT and self._halves((*node.inputs, *node.outputs)):
            wide = None if serves(node, self.specs) else self._widened(node)
        if wide is None or not serves(wide, self.specs):
            self.nodes.append(node)
            return
        for v in self._halves(node.inputs):
            if v not in self._wide:
                self._wide[v] = wide.inputs[node.inputs.index(v)]
                self._cast(v, self._wide[v], node.location)
        self.nodes.append(wide)
        for v, w in zip(node.outputs, wide.outputs, strict=True):
            if v != w:
                self._cast(w, v, node.location)

    def _halves(self, values: Sequence[int]) -> list[int]:
        return [v for v in dict.fromkeys(values) if self.specs[v].dtype.name in _HALVES]

    def _widened(self, node: Node) -> Node | None:
        """The node on float32, or None if an attribute names another dtype."""
        twins = {v: self._wide.get(v) or self._twin(v) for v in self._halves(node.inputs)}
        inputs = tuple(twins.get(v, v) for v in node.inputs)
        made = node.op.infer(*(self.specs[v] for v in inputs), **node.attrs)
        twins = {v: self._twin(v) for v in self._halves(node.outputs)}
        outputs = tuple(twins.get(v, v) for v in node.outputs)
        found = list(made) if node.op.multiple else [made]
        if found != [self.specs[v] for v in outputs]:
            return None
        return node._replace(inputs=inputs, outputs=outputs)

    def _twin(self, v: int) -> int:
        return self.fresh(Spec(self.specs[v].shape, _WIDE))

    def _cast(self, source: int, target: int, location: str) -> None:
        attrs: dict[str, Any] = {"dtype": self.specs[target].dtype}
        self.nodes.append(Node(REGISTRY["cast"], (source,), (target,), attrs, location))
