"""Sums over processes, inside the graph where their GPUs are connected."""

from __future__ import annotations

import math

from ....collective import communicator
from ....ir import Node
from ..builder import CudaBuilder, lowers

__all__: list[str] = []


@lowers("all_reduce")
def all_reduce(node: Node, b: CudaBuilder) -> bool:
    spec = b.spec(node.inputs[0])
    sums = communicator().on_device()
    if sums is None or not sums.serves(spec.dtype):
        return False
    x, order = map(b.dense, node.inputs)
    y, following = node.outputs
    count = math.prod(spec.shape)
    b.call(
        "all_reduce", {"count": count, "dtype": spec.dtype}, [x], [y],
        f"{count} numbers of {communicator().size} processes", in_place=[(0, 0)],
    )  # fmt: skip
    b.launch(
        "following", "const uint32_t* x, uint32_t* y", "  if (threadIdx.x == 0) y[0] = x[0] + 1u;",
        [order], [following], in_place=[(0, 0)],
    )  # fmt: skip
    return True
