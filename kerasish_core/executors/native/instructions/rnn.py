"""Recurrent layers over sequences, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....ir import Node
from ..lowering import Builder, lowers

__all__ = ["rnn_params", "rnn_scratch"]

SUFFIX = {np.dtype("float32"): "f32", np.dtype("float64"): "f64"}
KINDS = {"tanh": 0, "sigmoid": 1, "hard_sigmoid": 2, "relu": 3, "linear": 4}

# Of each op: the place of the recurrent kernel, and of an input and output that may share memory.
_KERNEL = {"simple_rnn": 1, "lstm": 1, "gru": 1}
_IN_PLACE = {
    "simple_rnn": [(0, 0)], "lstm": [(0, 4)], "lstm_grad": [(3, 0)], "simple_rnn_grad": [(1, 0)]
}  # fmt: skip


def rnn_params(
    states: Sequence[int], masked: bool, reverse: bool, activation: str, gate: str = "linear",
    given: Sequence[bool] = (),
) -> list[int]:  # fmt: skip
    """The kernels' description of a recurrence: its sizes, and what is there.

    Args:
        states: `(batch, time, units)`.
        masked, reverse: As in the op.
        activation, gate: Names of the activations.
        given: Of a backward recurrence, which cotangents are there.
    """
    kinds = (KINDS[activation], KINDS[gate])
    return [*states, int(masked), int(reverse), *kinds, *map(int, given)]


def rnn_scratch(kernel: Sequence[int], itemsize: int) -> int:
    """Bytes for the packed kernel `(units, width)` or its transpose, columns filled up."""
    units, width = kernel
    return max(units * (width + 64), width * (units + 64)) * itemsize


@lowers("simple_rnn", "simple_rnn_grad", "lstm", "lstm_grad", "gru", "gru_grad")
def recurrence(node: Node, b: Builder) -> bool:
    """All steps in one instruction."""
    name, attrs = node.op.name, node.attrs
    kernel = b.spec(node.inputs[_KERNEL.get(name, 0)])
    suffix = SUFFIX.get(kernel.dtype)
    if suffix is None:
        return False
    batch, time = b.spec(node.outputs[0]).shape[:2]
    params = rnn_params(
        (batch, time, kernel.shape[0]), attrs["masked"], attrs["reverse"], attrs["activation"],
        attrs.get("recurrent_activation", "linear"), attrs.get("given", ()),
    )  # fmt: skip
    b.emit(
        f"{name}_{suffix}", node.inputs, node.outputs, params,
        scratch=rnn_scratch(kernel.shape, kernel.dtype.itemsize),
        note="all steps; blocks of the batch", in_place=_IN_PLACE.get(name, []),
    )  # fmt: skip
    return True
