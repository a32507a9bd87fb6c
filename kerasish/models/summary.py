"""The table that `model.summary()` prints."""

from __future__ import annotations

import itertools
import math
import re
import shutil
from typing import Any

import kerasish_core as core

from ..layers import Layer
from ..ops.symbolic import FunctionCall, KerasTensor
from .graph_config import class_of

__all__ = ["print_summary", "summary_text"]

# Where columns end, as shares of the width: of a chain of layers, and with connections.
_CHAIN, _WITH_LINKS = (0.45, 0.80, 1.0), (0.30, 0.56, 0.74, 1.0)


def print_summary(
    model: Any, line_length: Any = None, positions: Any = None, print_fn: Any = None,
    expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None,
) -> None:  # fmt: skip
    """Print the layers of a model with shapes and numbers of parameters.

    Args:
        model: The model.
        line_length: Width of the table; by default it fits the terminal.
        positions: Where columns end: shares of the width, or numbers of characters.
        print_fn: Called once with the whole text instead of `print`.
        expand_nested: Whether layers of nested models are listed too.
        show_trainable: Whether a column says which layers are trained.
        layer_range: Names (or regular expressions) of the first and last layer to list.

    Raises:
        ValueError: `layer_range` names no layer.
    """
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        print(text, end="")
    else:
        print_fn(text)


def summary_text(
    model: Any, line_length: Any = None, positions: Any = None, expand_nested: bool = False,
    show_trainable: bool = False, layer_range: Any = None,
) -> str:  # fmt: skip
    """The text that `print_summary` prints; arguments as there."""
    links = not is_chain(model)
    if line_length is None:
        line_length = (108 if links else 88) + (12 if show_trainable else 0)
        line_length = min(line_length, shutil.get_terminal_size().columns - 4)
    positions = list(positions or (_WITH_LINKS if links else _CHAIN))[: 4 if links else 3]
    if show_trainable:
        last = positions[-1]
        positions = [*(p * 0.9 for p in positions), last]
    if positions[-1] <= 1:
        positions = [int(line_length * p) for p in positions]
    header = ["Layer (type)", "Output Shape", "Param #"]
    sides = ["left", "left", "right"]
    if links:
        header, sides = [*header, "Connected to"], [*sides, "left"]
    if show_trainable:
        header, sides = [*header, "Trainable"], [*sides, "center"]
    rows: list[list[str]] = []
    numbers = model._graph.node_numbers() if hasattr(model, "operations") else {}
    operations = getattr(model, "operations", None) or model.layers
    for operation in _in_range(list(operations), layer_range):
        _add_rows(rows, operation, 0, numbers if links else None, show_trainable, expand_nested)
    widths = _column_widths(positions, int(line_length))
    return "\n".join(
        [f'Model: "{model.name}"', *_table(header, sides, rows, widths), *_totals(model), ""]
    )


# -- what is in the table


def is_chain(model: Any) -> bool:
    """Whether each layer of the model follows the one before it."""
    graph = getattr(model, "_graph", None)
    if graph is None:
        return True
    if len(graph.inputs) > 1 or len(graph.operations) != len(graph.nodes) + 1:
        return False
    before = graph.operations[0]
    for node in graph.nodes:
        if len(node.inputs) != 1 or node.inputs[0]._keras_history[0] is not before:
            return False
        before = node.operation
    return True


def _in_range(operations: list[Any], layer_range: Any) -> list[Any]:
    if layer_range is None:
        return operations
    if len(layer_range) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of length 2 (the first and the last layer). "
            f"Received: layer_range={layer_range} of length {len(layer_range)}"
        )
    if not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range should contain string type only. Received: {layer_range}")
    starts = [i for i, op in enumerate(operations) if re.match(layer_range[0], op.name)]
    ends = [i for i, op in enumerate(operations) if re.match(layer_range[1], op.name)]
    if not starts or not ends:
        raise ValueError(
            "Passed layer_names do not match the layer names in the model. Received: "
            f"{layer_range}. Layers: {[op.name for op in operations]}"
        )
    first, last = min(starts + ends), max(starts + ends)
    if starts[0] <= ends[-1]:
        first, last = starts[0], ends[-1]
    return operations[first : last + 1]


def _add_rows(
    rows: list[list[str]], operation: Any, level: int, numbers: Any, show_trainable: bool,
    expand_nested: bool,
) -> None:  # fmt: skip
    cells = [
        _label(operation, level), _shapes(operation), _parameters(operation),
    ]  # fmt: skip
    if numbers is not None:
        cells.append(_connections(operation, numbers) if level == 0 else "-")
    if show_trainable:
        weights = getattr(operation, "weights", None)
        cells.append(("Y" if operation.trainable else "N") if weights else "-")
    rows.append(cells)
    nested = getattr(operation, "layers", None)
    if expand_nested and nested and isinstance(operation, Layer):
        for inner in nested:
            _add_rows(rows, inner, level + 1, numbers, show_trainable, expand_nested)


def _label(operation: Any, level: int) -> str:
    kind = type(operation).__name__
    if isinstance(operation, FunctionCall):
        kind = class_of(operation.function.__name__)
    return f"{'   ' * level + '└ ' if level else ''}{operation.name} ({kind})"


def _shapes(operation: Any) -> str:
    outputs = None
    if operation._inbound_nodes:
        outputs = operation._inbound_nodes[0].outputs
    else:
        try:
            outputs = operation.outputs  # a nested model that was built on its own
        except (AttributeError, ValueError):
            outputs = _built_for(operation)
    shapes = [f"({', '.join(map(str, t.shape))})" for t in core.tree.flatten(outputs)]
    if not shapes:
        return "?"
    return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"


def _built_for(operation: Any) -> Any:
    """What a layer that never was in a graph gives for the shapes it was built for."""
    shapes = getattr(operation, "_build_shapes", None)
    kind = type(operation)
    known = kind.compute_output_shape is not Layer.compute_output_shape
    if shapes is None or not (known or kind.__module__.startswith("kerasish.")):
        return []
    try:
        found = operation.compute_output_shape(**shapes)
    except (NotImplementedError, TypeError, ValueError):
        return []
    several = isinstance(found, dict) or (found and isinstance(found[0], list | tuple))
    each = found.values() if isinstance(found, dict) else found if several else [found]
    return [KerasTensor(shape, record_history=False) for shape in each]


def _parameters(operation: Any) -> str:
    if not isinstance(operation, Layer):
        return "0"
    if not operation.built:
        return "0 (unbuilt)"
    return f"{count_of(operation.weights)[0]:,}"


def _connections(operation: Any, numbers: dict[int, int]) -> str:
    found = []
    for node in operation._inbound_nodes:
        if id(node) not in numbers:
            continue
        for t in node.inputs:
            if t._keras_history is not None:
                source, index, place = t._keras_history
                number = numbers.get(id(source._inbound_nodes[index]), index)
                found.append(f"{source.name}[{number}][{place}]")
    return ", ".join(found) or "-"


# -- what stands below it


def count_of(weights: Any) -> tuple[int, float]:
    """Number of elements and bytes of variables, each once."""
    unique = {id(v): v for v in weights}.values()
    sizes = [(math.prod(v.shape), core.dtypes.as_dtype(v.dtype).itemsize) for v in unique]
    return sum(n for n, _ in sizes), float(sum(n * size for n, size in sizes))


def _readable(count: int, size: float) -> str:
    units = ["B", "KB", "MB", "GB", "TB", "PB"]
    place = 0
    while size >= 1024 and place < len(units) - 1:
        size, place = size / 1024, place + 1
    return f"{count:,} ({size:.2f} {units[place]})"


def _totals(model: Any) -> list[str]:
    trained, fixed = count_of(model.trainable_weights), count_of(model.non_trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    slots = count_of(optimizer.variables if optimizer is not None and optimizer.built else ())
    total = (trained[0] + fixed[0] + slots[0], trained[1] + fixed[1] + slots[1])
    lines = [
        f" Total params: {_readable(*total)}",
        f" Trainable params: {_readable(*trained)}",
        f" Non-trainable params: {_readable(*fixed)}",
    ]
    if slots[0]:
        lines.append(f" Optimizer params: {_readable(*slots)}")
    return lines


# -- the table itself


def _column_widths(positions: list[int], line_length: int) -> list[int]:
    """Widths (with a space on each side) that make the table as wide as asked for."""
    ends = [0, *positions]
    widths = [max(b - a, 1) + 2 for a, b in itertools.pairwise(ends)]
    room = line_length - len(widths) - 1
    change = room - sum(widths)
    if change < 0:
        excess, left = -change, len(widths)
        for i, width in enumerate(widths):
            cut = min(width - 3, round(excess / left)) if left else 0
            widths[i], excess, left = width - max(cut, 0), excess - max(cut, 0), left - 1
    elif change > 0:
        total, left = sum(widths), change
        for i, width in enumerate(list(widths)):
            more = math.ceil(left * width / total) if i < len(widths) - 1 else left
            widths[i], left, total = width + more, left - more, total - width
    return widths


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, broken between words; longer words are cut."""
    lines = [""]
    for word in re.findall(r"\s*\S+\s*", text):
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    lines = [line.rstrip() for line in lines]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def _cells(row: list[str], sides: list[str], widths: list[int], bottom: bool = False) -> list[str]:
    """The lines of a row, without borders."""
    parts = [_wrapped(cell, width - 2) for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, parts))
    placed = {"left": str.ljust, "right": str.rjust, "center": str.center}
    columns = []
    for lines, side, width in zip(parts, sides, widths, strict=True):
        gap = [""] * (height - len(lines))
        lines = gap + lines if bottom else lines + gap
        columns.append([f" {placed[side](line, width - 2)} " for line in lines])
    return ["\0".join(line) for line in zip(*columns, strict=True)]


def _table(header: list[str], sides: list[str], rows: Any, widths: list[int]) -> list[str]:
    def rule(left: str, line: str, cross: str, right: str) -> str:
        return left + cross.join(line * w for w in widths) + right

    lines = [rule("┏", "━", "┳", "┓")]
    for line in _cells(header, sides, widths, bottom=True):
        lines.append("┃" + line.replace("\0", "┃") + "┃")
    lines.append(rule("┡", "━", "╇", "┩"))
    for i, row in enumerate(rows):
        if i:
            lines.append(rule("├", "─", "┼", "┤"))
        lines += ["│" + line.replace("\0", "│") + "│" for line in _cells(row, sides, widths)]
    lines.append(rule("└", "─", "┴", "┘"))
    return lines
