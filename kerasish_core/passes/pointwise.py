"""Convolutions by windows of one place, step by step, are matrix products of pixels.

For executors whose products are faster than their convolutions. With x of (pixels, channels):

    y = x kernel        dx = g kernel'        dkernel = x' g
"""

from __future__ import annotations

import math

from ..ir import Graph, Node
from .rewriting import Rewriting

__all__ = ["pointwise_products"]

_GRADIENTS = ("conv_input_grad", "conv_kernel_grad")


def pointwise_products(graph: Graph) -> Graph:
    """Products in place of such convolutions and their gradients, of one group."""
    if not any(_pointwise(node, graph) for node in graph.nodes):
        return graph
    made = _Products(graph)
    for node in graph.nodes:
        made.add(node)
    return made.made()


def _pointwise(node: Node, graph: Graph) -> bool:
    if node.op.name != "conv" and node.op.name not in _GRADIENTS:
        return False
    attrs = node.attrs
    kernel = graph.specs[(node.outputs if "kernel_grad" in node.op.name else node.inputs[1:])[0]]
    single = math.prod(kernel.shape[:-2]) == 1 and all(s == 1 for s in attrs["strides"])
    return single and attrs["groups"] == 1 and all(p == (0, 0) for p in attrs["pads"])


class _Products(Rewriting):
    def add(self, node: Node) -> None:
        """Append a node, or those that do its work."""
        if not _pointwise(node, self.graph):
            self.nodes.append(node)
            return
        a, b = node.inputs
        out = node.outputs
        if node.op.name == "conv_kernel_grad":
            left = self._turned(self._matrix(a, node), node)
            whole = self.specs[out[0]].shape
            made = self.emit("matmul", [left, self._matrix(b, node)], node)
            self.emit("reshape", made, node, out, shape=whole)
            return
        kernel = self._matrix(b, node)
        if node.op.name == "conv_input_grad":
            kernel = self._turned(kernel, node)
        self.emit("matmul", [a, kernel], node, out)

    def _matrix(self, value: int, node: Node) -> int:
        """The value with all axes but the last as one."""
        shape = self.specs[value].shape
        flat = (math.prod(shape[:-1]), shape[-1])
        return self.emit("reshape", [value], node, shape=flat)[0]

    def _turned(self, value: int, node: Node) -> int:
        return self.emit("transpose", [value], node, axes=(1, 0))[0]
