"""Models as drawings of Graphviz."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from typing import Any

import kerasish_core as core

from ..models import Functional, Sequential

__all__ = ["model_to_dot", "plot_model"]

_NESTED = (Functional, Sequential)


def _pydot(name: str) -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError(
            f"`{name}` requires pydot: pip install 'kerasish[plot]' (and Graphviz, for images)"
        ) from None
    return pydot


def _check(model: Any, kwargs: dict[str, Any]) -> None:
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by "
            "calling the model on a batch of data."
        )
    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("Argument `layer_range` is no longer supported.")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {kwargs}")


def model_to_dot(
    model: Any, show_shapes: bool = False, show_dtype: bool = False,
    show_layer_names: bool = True, rankdir: str = "TB", expand_nested: bool = False,
    dpi: int = 200, subgraph: bool = False, show_layer_activations: bool = False,
    show_trainable: bool = False, splines: str = "ortho", **kwargs: Any,
) -> Any:  # fmt: skip
    """A model as a graph of pydot.

    Args:
        model: A built model. One that is neither Sequential nor functional is a single box.
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: What
            boxes say besides the class.
        rankdir: "TB" (from above) or "LR" (from the left).
        expand_nested: Whether models within are drawn as boxes around their layers.
        dpi: Of the image.
        subgraph: Whether to return a `pydot.Cluster`.
        splines: How edges run: "ortho", "curved", "polyline", "spline" or "line".

    Returns:
        A `pydot.Dot` or `pydot.Cluster`.

    Raises:
        ValueError: The model is not built, or an unknown argument.
        ImportError: pydot is not installed.
    """
    _check(model, kwargs)
    pydot = _pydot("model_to_dot")
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name)
        dot.set("label", model.name)
        dot.set("labeljust", "l")
    else:
        dot = pydot.Dot()
        settings = {"rankdir": rankdir, "concentrate": True, "dpi": dpi, "splines": splines}
        for name, value in settings.items():
            dot.set(name, value)
        dot.set_node_defaults(shape="record")
    shown = {
        "shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names,
        "activations": show_layer_activations, "trainable": show_trainable,
    }  # fmt: skip
    _fill(pydot, dot, model, shown, expand_nested)
    return dot


def _fill(pydot: Any, dot: Any, model: Any, shown: dict[str, bool], expand: bool) -> None:
    for operation in _operations(model):
        if expand and isinstance(operation, _NESTED):
            cluster = pydot.Cluster(style="dashed", graph_name=operation.name)
            cluster.set("label", operation.name)
            cluster.set("labeljust", "l")
            _fill(pydot, cluster, operation, shown, True)
            dot.add_subgraph(cluster)
            continue
        node = pydot.Node(str(id(operation)), label=_label(operation, shown))
        for name, value in (("fontname", "Helvetica"), ("border", "0"), ("margin", "0")):
            node.set(name, value)
        dot.add_node(node)
    drawn = set()
    for source, target in _edges(model, expand):
        ends = str(id(source)), str(id(target))
        if ends not in drawn:
            drawn.add(ends)
            dot.add_edge(pydot.Edge(*ends, penwidth="2"))


# -- what is connected


def _operations(model: Any) -> list[Any]:
    if isinstance(model, Sequential):
        return list(model.layers)
    return list(model.operations) if isinstance(model, Functional) else [model]


def _edges(model: Any, expand: bool) -> Iterator[tuple[Any, Any]]:
    if isinstance(model, Sequential):
        pairs: Any = [(a, 0, b, 0) for a, b in zip(model.layers, model.layers[1:], strict=False)]
    elif isinstance(model, Functional):
        pairs = [
            (t._keras_history[0], t._keras_history[2], node.operation, i)
            for node in model._graph.nodes
            for i, t in enumerate(node.inputs)
        ]
    else:
        pairs = []
    for source, output, target, place in pairs:
        if expand:
            source, target = _last(source, output), _first(target, place)
        yield source, target


def _last(operation: Any, output: int) -> Any:
    """The layer within nested models that makes this output."""
    while isinstance(operation, _NESTED):
        operation, _, output = operation.outputs[output]._keras_history
    return operation


def _first(operation: Any, place: int) -> Any:
    """The layer within nested models that takes this input."""
    while isinstance(operation, _NESTED):
        if isinstance(operation, Sequential):
            operation = operation.layers[0]
        else:
            operation = operation.inputs[place]._keras_history[0]
    return operation


# -- what boxes say


def _label(operation: Any, shown: dict[str, bool]) -> str:
    """A table in Graphviz's HTML."""
    kind = escape(type(operation).__name__)
    title = f"<b>{kind}</b>"
    if shown["names"]:
        title = f"<b>{escape(operation.name)}</b> ({kind})"
    cells = _cells(operation, kind, shown)
    rows = [_row(f'<font point-size="16" color="white">{title}</font>', "black", len(cells))]
    activation = getattr(operation, "activation", None)
    if shown["activations"] and activation is not None:
        name = getattr(activation, "name", getattr(activation, "__name__", str(activation)))
        text = f'<font point-size="14">Activation: <b>{escape(name)}</b></font>'
        rows.append(_row(text, "white", len(cells)))
    if cells:
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = '<table border="0" cellborder="1" bgcolor="black" cellpadding="10">'
    return f"<{head}{''.join(rows)}</table>>"


def _row(text: str, color: str, columns: int) -> str:
    return f'<tr><td colspan="{max(columns, 1)}" bgcolor="{color}">{text}</td></tr>'


def _cells(operation: Any, kind: str, shown: dict[str, bool]) -> list[str]:
    def cell(name: str, value: Any) -> str:
        text = f'<font point-size="14">{name}: <b>{escape(value)}</b></font>'
        return f'<td bgcolor="white">{text}</td>'

    found = []
    if shown["shapes"]:
        if kind != "InputLayer":
            found.append(cell("Input shape", _of(operation, "input", _shape)))
        found.append(cell("Output shape", _of(operation, "output", _shape)))
    if shown["dtype"]:
        found.append(cell("Output dtype", _of(operation, "output", lambda t: t.dtype)))
    if shown["trainable"] and getattr(operation, "weights", None):
        color, word = ("forestgreen", "T") if operation.trainable else ("firebrick", "Non-t")
        text = f'<font point-size="14" color="white"><b>{word}rainable</b></font>'
        found.append(f'<td bgcolor="{color}">{text}</td>')
    return found


def _shape(tensor: Any) -> Any:
    return tuple(tensor.shape)


def _of(operation: Any, name: str, what: Any) -> str:
    """Something of each input or output, "?" if there is none (or not one only)."""
    try:
        tensors = getattr(operation, name)
    except (ValueError, AttributeError):
        return "?"
    if isinstance(tensors, dict):
        return ", ".join(f"{key}: {what(t)}" for key, t in tensors.items())
    return str(core.tree.map_structure(what, tensors))


# -- files


def plot_model(
    model: Any, to_file: Any = "model.png", show_shapes: bool = False, show_dtype: bool = False,
    show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False,
    dpi: int = 200, show_layer_activations: bool = False, show_trainable: bool = False,
    splines: str = "ortho", **kwargs: Any,
) -> Any:  # fmt: skip
    """Draw a model into a file.

    Args:
        model: A built model.
        to_file: Path; its ending says the format, png without one.
        show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
            show_layer_activations, show_trainable, splines: See `model_to_dot`.

    Returns:
        An IPython image in a notebook, else None.

    Raises:
        ValueError: The model is not built, or an unknown argument.
        ImportError: pydot or Graphviz is not installed.
    """
    _check(model, kwargs)
    pydot = _pydot("plot_model")
    dot = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
        show_layer_activations=show_layer_activations, show_trainable=show_trainable,
        splines=splines,
    )  # fmt: skip
    to_file = str(to_file)
    form = os.path.splitext(to_file)[1][1:] or "png"
    try:
        dot.write(to_file, format=form)
    except (OSError, pydot.PydotException) as error:
        raise ImportError(
            f"You must install Graphviz (https://graphviz.org/download/) for `plot_model` to work: "
            f"{error}"
        ) from error
    if form == "pdf":
        return None
    try:
        from IPython import display
    except ImportError:
        return None
    return display.Image(filename=to_file)
