"""Recurrent layers in ONNX: its own operations, and loops where there is a mask.

The input's product is done before, so the input kernel of ONNX's operations only orders the gates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .rules import constant_like, rule

__all__: list[str] = []

_ACTIVATIONS = {
    "tanh": ("Tanh", []), "sigmoid": ("Sigmoid", []), "relu": ("Relu", []),
    "linear": ("Affine", [(1.0, 0.0)]), "hard_sigmoid": ("HardSigmoid", [(1 / 6, 0.5)]),
}  # fmt: skip


def _recurrent(
    e: Any, node: Any, kind: str, order: list[int], z: str, kernel: str, bias: Any, states: Any,
    activations: list[str], **attributes: Any,
) -> list[str]:  # fmt: skip
    units = e.graph.specs[node.inputs[1]].shape[0]
    columns = np.concatenate([np.arange(g * units, (g + 1) * units) for g in order])
    dtype = e.graph.specs[node.inputs[0]].dtype
    pick = e.constant(np.eye(len(columns), dtype=dtype)[columns][None])
    turned = e.op("Transpose", e.op("Gather", kernel, e.constant(columns, "int64"), axis=1),
                  perm=[1, 0])  # fmt: skip
    recurrent = e.op("Unsqueeze", turned, e.constant([0], "int64"))
    biases = ""
    if bias is not None:
        ordered = e.op("Gather", bias, e.constant(columns, "int64"), axis=0)
        biases = e.op("Concat", e.constant(np.zeros(len(columns), dtype)), ordered, axis=0)
        biases = e.op("Unsqueeze", biases, e.constant([0], "int64"))
    first = [e.op("Unsqueeze", s, e.constant([0], "int64")) for s in states]
    kinds = [_ACTIVATIONS[a] for a in activations]
    # Only those that have numbers take one each from the lists.
    numbers = [pair for _, pairs in kinds for pair in pairs]
    if numbers:
        attributes["activation_alpha"] = [a for a, _ in numbers]
        attributes["activation_beta"] = [b for _, b in numbers]
    found = e.op(
        kind, e.op("Transpose", z, perm=[1, 0, 2]), pick, recurrent, biases, "", *first,
        outputs=1 + len(states), hidden_size=units,
        direction="reverse" if node.attrs["reverse"] else "forward",
        activations=[k for k, _ in kinds], **attributes,
    )  # fmt: skip
    sequence = e.op("Squeeze", found[0], e.constant([1], "int64"))
    last = [e.op("Squeeze", s, e.constant([0], "int64")) for s in found[1:]]
    return [e.op("Transpose", sequence, perm=[1, 0, 2]), *last]


def _activate(e: Any, node: Any, name: str, x: str) -> str:
    kind, pairs = _ACTIVATIONS[name]
    if kind == "Affine":
        return x
    numbers = {"alpha": pairs[0][0], "beta": pairs[0][1]} if pairs else {}
    return e.op(kind, x, **numbers)


def _masked(e: Any, node: Any, z: str, states: list[str], mask: str, step: Any) -> list[str]:
    """A loop over time in which a state stays as it is where the mask is false.

    Args:
        e: The emitter.
        node: The node.
        z: The input's product [batch, time, gates].
        states: The first states; the first of them is the output.
        mask: [batch, time].
        step: Function of the slice of z and the states to the next states.

    Returns:
        All outputs, and the last states.
    """
    dtype = e.graph.specs[node.inputs[0]].dtype
    inputs = [(e.fresh("state"), dtype) for _ in states]
    inputs += [(e.fresh("row"), dtype), (e.fresh("valid"), bool)]
    before, row, valid = [n for n, _ in inputs[:-2]], inputs[-2][0], inputs[-1][0]

    def fill() -> Any:
        here = e.op("Unsqueeze", valid, e.constant([1], "int64"))
        after = [e.op("Where", here, new, old)
                 for new, old in zip(step(row, before), before, strict=True)]  # fmt: skip
        return [(value, dtype) for value in (*after, after[0])]

    direction = int(node.attrs["reverse"])
    *last, sequence = e.op(
        "Scan", *states, z, mask, outputs=len(states) + 1,
        body=e.body("masked", inputs, fill), num_scan_inputs=2, scan_input_axes=[1, 1],
        scan_input_directions=[direction] * 2, scan_output_axes=[1],
        scan_output_directions=[direction],
    )  # fmt: skip
    return [sequence, *last]


def _split(e: Any, x: str, parts: int) -> list[str]:
    return e.op("Split", x, outputs=parts, axis=-1, num_outputs=parts)


@rule("lstm")
def _lstm(e: Any, node: Any, nodes: Any, z: str, kernel: str, h: str, c: str, *mask: str) -> Any:
    inner, gates = node.attrs["activation"], node.attrs["recurrent_activation"]
    if not mask:
        order, kinds = [0, 3, 1, 2], [gates, inner, inner]
        return _recurrent(e, node, "LSTM", order, z, kernel, None, [h, c], kinds)

    def step(row: str, states: list[str]) -> list[str]:
        sums = e.op("Add", row, e.op("MatMul", states[0], kernel))
        i, f, new, o = (
            _activate(e, node, kind, part)
            for kind, part in zip((gates, gates, inner, gates), _split(e, sums, 4), strict=True)
        )
        cell = e.op("Add", e.op("Mul", f, states[1]), e.op("Mul", i, new))
        return [e.op("Mul", o, _activate(e, node, inner, cell)), cell]

    return _masked(e, node, z, [h, c], mask[0], step)


@rule("gru")
def _gru(e: Any, node: Any, nodes: Any, z: str, kernel: str, bias: str, h: str, *mask: str) -> Any:
    inner, gates = node.attrs["activation"], node.attrs["recurrent_activation"]
    if not mask:
        order, kinds = [0, 1, 2], [gates, inner]
        return _recurrent(e, node, "GRU", order, z, kernel, bias, [h], kinds, linear_before_reset=1)

    def step(row: str, states: list[str]) -> list[str]:
        inside = e.op("Add", e.op("MatMul", states[0], kernel), bias)
        (zu, zr, zn), (ru, rr, rn) = _split(e, row, 3), _split(e, inside, 3)
        update = _activate(e, node, gates, e.op("Add", zu, ru))
        reset = _activate(e, node, gates, e.op("Add", zr, rr))
        new = _activate(e, node, inner, e.op("Add", zn, e.op("Mul", reset, rn)))
        rest = e.op("Mul", e.op("Sub", constant_like(e, node, 1), update), new)
        return [e.op("Add", e.op("Mul", update, states[0]), rest)]

    return _masked(e, node, z, [h], mask[0], step)


@rule("simple_rnn")
def _simple_rnn(e: Any, node: Any, nodes: Any, z: str, kernel: str, h: str, *mask: str) -> Any:
    kind = node.attrs["activation"]
    if not mask:
        return _recurrent(e, node, "RNN", [0], z, kernel, None, [h], [kind])

    def step(row: str, states: list[str]) -> list[str]:
        sums = e.op("Add", row, e.op("MatMul", states[0], kernel))
        return [_activate(e, node, kind, sums)]

    return _masked(e, node, z, [h], mask[0], step)
