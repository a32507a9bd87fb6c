"""Random bits and uniform numbers by Philox."""

from __future__ import annotations

import math

from ....ir import Node
from ..lowering import Builder, lowers

__all__: list[str] = []

_KERNELS = {
    "float32": "random_uniform_f32", "float64": "random_uniform_f64",
    "float16": "random_uniform_f16", "bfloat16": "random_uniform_bf16",
}  # fmt: skip


@lowers("random_bits", "random_uniform")
def draw(node: Node, b: Builder) -> bool:
    spec = b.spec(node.outputs[0])
    kernel = "random_bits" if node.op.name == "random_bits" else _KERNELS.get(spec.dtype.name)
    if kernel is None:
        return False
    count = math.prod(spec.shape)
    b.emit(
        kernel, inputs=node.inputs, outputs=node.outputs,
        params=[_signed(node.attrs["stream"]), count], note=f"{count} numbers",
    )  # fmt: skip
    return True


def _signed(stream: int) -> int:
    """The 64 bits of a stream as a parameter."""
    stream &= (1 << 64) - 1
    return stream - (1 << 64) if stream >> 63 else stream
