"""Compute at once what depends on constants alone."""

from __future__ import annotations

import numpy as np

from .. import device
from ..ir import Graph

__all__ = ["fold"]

# Larger results are cheaper to compute again than to keep.
_LARGEST = 1 << 16


def fold(graph: Graph) -> Graph:
    """Replace nodes whose inputs are all constants by their values.

    Values are those of the reference kernels, so that folding changes no bit.
    """
    constants = dict(graph.constants)
    nodes = []
    for node in graph.nodes:
        if (
            node.op.kind in ("random", "control")
            or sum(graph.specs[v].nbytes for v in node.outputs) > _LARGEST
            or not all(v in constants for v in node.inputs)
        ):
            nodes.append(node)
            continue
        xp, arrays = device.together([constants[v] for v in node.inputs])
        if xp is not np and any(a.dtype.name == "bfloat16" for a in arrays):
            nodes.append(node)  # CuPy has no arithmetic of them: executors know what to do
            continue
        with np.errstate(all="ignore"), device.active(arrays):  # as executors run kernels
            result = node.op.kernel(xp, *arrays, **node.attrs)
            made = result if node.op.multiple else (result,)
            constants.update(zip(node.outputs, map(xp.asarray, made), strict=True))
    return graph._replace(nodes=tuple(nodes), constants=constants)
