"""Joining, padding and rolling: parts of inputs copied to places of the output."""

from __future__ import annotations

import math

from ....ir import Node
from ....passes.layout import dense_strides
from ...native.instructions.dtype_codes import value_bytes
from ...native.instructions.move import Block, joined_blocks, padded_blocks, rolled_blocks
from ..builder import MOST_AXES, CudaBuilder, lowers

__all__: list[str] = []

# More copies than this are better one generic kernel.
_MOST_COPIES = 32


def _copies(node: Node, b: CudaBuilder, blocks: list[Block], fill: int, note: str) -> bool:
    (out,) = node.outputs
    spec = b.spec(out)
    blocks = [k for k in blocks if 0 not in k.shape]
    if len(blocks) > _MOST_COPIES or len(spec.shape) > MOST_AXES:
        return False
    covered = sum(math.prod(k.shape) for k in blocks if k.source >= 0)
    if covered < math.prod(spec.shape):
        b.fill(out, fill)
    steps = dense_strides(spec.shape)
    for block in blocks:
        if block.source >= 0:
            b.copy_part(
                node.inputs[block.source], out, block.shape, block.strides, steps, block.start,
                block.target, note,
            )  # fmt: skip
    return True


@lowers("concatenate")
def concatenate(node: Node, b: CudaBuilder) -> bool:
    blocks = joined_blocks(b, node)
    return _copies(node, b, blocks, 0, f"joins {len(blocks)} arrays")


@lowers("pad")
def pad(node: Node, b: CudaBuilder) -> bool:
    dtype = b.spec(node.inputs[0]).dtype
    if dtype.itemsize > 8:
        return False
    mode, fill = node.attrs["mode"], 0
    if mode == "constant":
        try:
            fill = value_bytes(node.attrs.get("value", 0), dtype)[0]
        except (OverflowError, ValueError, TypeError):
            return False
    elif any(n == 0 for n in b.spec(node.inputs[0]).shape):
        return False
    return _copies(node, b, padded_blocks(b, node), fill, f"pad, {mode}")


@lowers("roll")
def roll(node: Node, b: CudaBuilder) -> bool:
    return _copies(node, b, rolled_blocks(b, node), 0, "roll")
