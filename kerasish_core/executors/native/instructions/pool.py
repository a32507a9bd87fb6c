"""Pooling: maxima, sums and their gradients over windows."""

from __future__ import annotations

from collections.abc import Sequence

from ....ir import Node
from ....op import Spec
from ..lowering import Builder, lowers
from .conv import SUFFIX, conv_params

__all__ = ["pool_params"]


def pool_params(
    x: Sequence[int], y: Sequence[int], window: Sequence[int], strides: Sequence[int],
    pads: Sequence[tuple[int, int]],
) -> list[int]:  # fmt: skip
    """The kernels' description of pooling from shape `x` to shape `y`: see `conv_params`."""
    return conv_params(x, (*window, x[-1], x[-1]), y, strides, pads, (1,) * len(window), 1)


def _emit(node: Node, b: Builder, x: Spec, y: Spec, note: str) -> bool:
    suffix = SUFFIX.get(x.dtype)
    specs = [b.spec(v) for v in (*node.inputs, *node.outputs)]
    if suffix is None or any(spec.dtype != x.dtype for spec in specs) or len(x.shape) > 5:
        return False
    attrs = node.attrs
    b.emit(
        f"{node.op.name}_{suffix}",
        inputs=node.inputs,
        outputs=node.outputs,
        params=pool_params(x.shape, y.shape, attrs["window"], attrs["strides"], attrs["pads"]),
        note=note,
    )
    return True


@lowers("max_pool", "max_pool_select", "window_sum")
def pool(node: Node, b: Builder) -> bool:
    """One result for each window."""
    return _emit(
        node, b, b.spec(node.inputs[0]), b.spec(node.outputs[0]), "pooling: window by window"
    )


@lowers("max_pool_grad", "window_spread")
def pool_grad(node: Node, b: Builder) -> bool:
    """Each window's cotangent is added where it belongs, image by image."""
    x, g = b.spec(node.outputs[0]), b.spec(node.inputs[-1])
    return _emit(node, b, x, g, "pooling's gradient: image by image")
