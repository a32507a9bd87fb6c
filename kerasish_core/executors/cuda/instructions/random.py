"""Random bits and uniform numbers by Philox."""

from __future__ import annotations

import math

from ....codegen.cuda.fused import grid_of
from ....ir import Node
from ..builder import CudaBuilder, lowers

__all__: list[str] = []

_FORMS = {
    "float32": "Uniform32", "float64": "Uniform64", "float16": "Uniform16",
    "bfloat16": "UniformBrain",
}  # fmt: skip


@lowers("random_bits", "random_uniform")
def draw(node: Node, b: CudaBuilder) -> bool:
    (out,) = node.outputs
    spec = b.spec(out)
    form = "Bits" if node.op.name == "random_bits" else _FORMS.get(spec.dtype.name)
    if form is None:
        return False
    count, stream = math.prod(spec.shape), node.attrs["stream"] & ((1 << 64) - 1)
    stream -= (1 << 64) if stream >> 63 else 0
    b.launch(
        f"draw_{form}", f"const uint32_t* key, {b.kind(out)}* out, int64_t stream, int64_t count",
        f"  draw<{form}>(key, out, stream, count);", node.inputs, node.outputs, [stream, count],
        grid_of(-(-count // (2 if form == "Uniform64" else 4))) if count else 0, f"{count} numbers",
    )  # fmt: skip
    return True
