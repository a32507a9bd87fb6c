"""Softmax and normalisation: statistics, rows, and their gradients."""

from __future__ import annotations

import math

import numpy as np

from ....ir import Node
from ....passes.axes import form_of
from ..lowering import Builder, lowers

__all__: list[str] = []

SUFFIX = {np.dtype("float32"): "f32", np.dtype("float64"): "f64"}
# Tasks that hold partial sums, at most, in norm.cpp and moments.cpp.
MOST_PARTIALS = 64


# An input and an output that may share memory.
_IN_PLACE = {"softmax": [(0, 0)], "softmax_grad": [(0, 0), (1, 0)],
             "log_softmax_grad": [(0, 0), (1, 0)]}  # fmt: skip


@lowers("softmax", "log_softmax", "softmax_grad", "log_softmax_grad")
def softmax(node: Node, b: Builder) -> bool:
    """Rows, or columns if the axis is not the last."""
    spec = b.spec(node.inputs[0])
    suffix, form = SUFFIX.get(spec.dtype), form_of(spec.shape, node.attrs["axes"])
    if suffix is None or form is None:
        return False
    b.emit(
        f"{node.op.name}_{suffix}", node.inputs, node.outputs, form, note="by row",
        in_place=_IN_PLACE.get(node.op.name, []),
    )  # fmt: skip
    return True


@lowers("moments")
def moments(node: Node, b: Builder) -> bool:
    """Both from one reading, if the axes are neighbours."""
    spec = b.spec(node.inputs[0])
    suffix, form = SUFFIX.get(spec.dtype), form_of(spec.shape, node.attrs["axes"])
    if suffix is None or form is None or 0 in spec.shape:
        return False
    b.emit(
        f"moments_{suffix}", node.inputs, node.outputs, form, note="one reading",
        scratch=MOST_PARTIALS * 2 * form[2] * spec.dtype.itemsize,
    )  # fmt: skip
    return True


@lowers("centred_sums")
def centred_sums(node: Node, b: Builder) -> bool:
    """Both from one reading."""
    spec = b.spec(node.inputs[1])
    suffix = SUFFIX.get(spec.dtype)
    same = b.spec(node.inputs[0]).shape == spec.shape
    if suffix is None or not same or not b.spec(node.inputs[2]).shape == spec.shape[-1:] != ():
        return False
    b.emit(
        f"centred_sums_{suffix}", node.inputs, node.outputs,
        [math.prod(spec.shape[:-1]), spec.shape[-1]], note="one reading",
        scratch=max(MOST_PARTIALS * 2 * spec.shape[-1] * spec.dtype.itemsize, 64),
    )  # fmt: skip
    return True


@lowers("layer_norm", "layer_norm_grad", "rms_norm", "rms_norm_grad")
def by_row(node: Node, b: Builder) -> bool:
    """One pass over the rows; gradients of the weights summed per task."""
    name, backward = node.op.name, node.op.name.endswith("_grad")
    x, gamma = (b.spec(v) for v in node.inputs[backward : 2 + backward])
    suffix, n = SUFFIX.get(x.dtype), math.prod(gamma.shape)
    if suffix is None or n == 0:
        return False
    rows = math.prod(x.shape) // n
    b.emit(
        f"{name}_{suffix}", node.inputs, node.outputs,
        [rows, n] if backward else [rows, n, float(node.attrs["epsilon"])],
        scratch=MOST_PARTIALS * 2 * n * x.dtype.itemsize if backward else 0, note="by row",
    )  # fmt: skip
    return True
