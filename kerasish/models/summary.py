"""The table that `model.summary()` prints."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["print_summary"]


def _readable_size(count: int, bits: float) -> str:
    size = bits / 8
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{count:,} ({size:.2f} {unit})"
        size /= 1024
    raise AssertionError


def _total(weights: Any) -> tuple[int, float]:
    unique = {id(v): v for v in weights}.values()
    count = sum(math.prod(v.shape) for v in unique)
    return count, sum(math.prod(v.shape) * v._tensor.dtype.itemsize * 8 for v in unique)


def _shape_of(layer: Any) -> str:
    if not layer._inbound_nodes:
        return "?"
    shapes = [tuple(t.shape) for t in layer._inbound_nodes[0].outputs]
    return str(shapes[0]) if len(shapes) == 1 else ", ".join(map(str, shapes))


def _connections(layer: Any) -> str:
    found = []
    for node in layer._inbound_nodes[:1]:
        for t in node.inputs:
            if t._keras_history is not None:
                operation, _, index = t._keras_history
                found.append(f"{operation.name}[{index}][0]")
    return ", ".join(found)


def print_summary(
    model: Any, line_length: Any = None, positions: Any = None, print_fn: Any = None,
    expand_nested: bool = False, show_trainable: bool = False,
) -> None:  # fmt: skip
    """Print the layers of a model with shapes and numbers of parameters."""
    emit = print if print_fn is None else print_fn
    simple = all(len(layer._inbound_nodes) <= 1 for layer in model.layers)
    branching = type(model).__name__ == "Functional" and any(
        len(n.inputs) > 1 for layer in model.layers for n in layer._inbound_nodes
    )
    header = ["Layer (type)", "Output Shape", "Param #"]
    with_links = branching or not simple
    if with_links:
        header.append("Connected to")
    if show_trainable:
        header.append("Trainable")
    rows: list[list[str]] = []

    def add(layer: Any, depth: int) -> None:
        params = f"{_total(layer.weights)[0]:,}" if layer.built or layer.weights else "0 (unbuilt)"
        row = [f"{'  ' * depth}{layer.name} ({type(layer).__name__})", _shape_of(layer), params]
        if with_links:
            row.append(_connections(layer))
        if show_trainable:
            row.append("Y" if layer.trainable and layer.trainable_weights else
                       "-" if not layer.weights else "N")  # fmt: skip
        rows.append(row)
        if expand_nested and hasattr(layer, "summary"):
            for inner in layer.layers:
                add(inner, depth + 1)

    for layer in model.layers:
        add(layer, 0)
    widths = [max(len(r[i]) for r in [header, *rows]) + 2 for i in range(len(header))]
    if line_length:
        widths[0] += max(int(line_length) - sum(widths) - len(widths) - 1, 0)

    def line(row: list[str]) -> str:
        return "".join(f" {cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()

    rule = "─" * (sum(widths) + len(widths))
    text = [f'Model: "{model.name}"', rule, line(header), rule, *map(line, rows), rule]
    trained, fixed = model.trainable_weights, model.non_trainable_weights
    extra = (
        list(model.optimizer.variables)
        if model.optimizer is not None and model.optimizer.built
        else []
    )
    total = _total([*trained, *fixed, *extra])
    text.append(f" Total params: {_readable_size(*total)}")
    text.append(f" Trainable params: {_readable_size(*_total(trained))}")
    text.append(f" Non-trainable params: {_readable_size(*_total(fixed))}")
    if extra:
        text.append(f" Optimizer params: {_readable_size(*_total(extra))}")
    if print_fn is None:
        emit("\n".join(text))
    else:
        for each in text:
            emit(each)
