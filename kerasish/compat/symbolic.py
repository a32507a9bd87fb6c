"""Losses and metrics on symbolic tensors: `model.add_loss(tensor)`, and functions that close over
tensors of the model.

What they need of the graph goes through one more layer behind the model's first output, which
hands that output on as it is.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import kerasish_core as core

from .. import layers, metrics
from ..losses.wrapper import brings_to_one_rank
from ..ops.symbolic import KerasTensor
from ..serialization import builtin

__all__ = ["attach_loss", "attach_metric", "build", "call_of_lambda", "input_at", "opened"]

tree = core.tree


class _Behind(layers.Layer):
    """Hands its first input on, and does something with the others."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._convert_input_args = False

    def call(self, inputs: Any) -> Any:
        first, *others = inputs
        self.take(others)
        return first

    def take(self, values: list[Any]) -> None:
        """What is done with the others."""
        raise NotImplementedError

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return previous_mask[0] if isinstance(previous_mask, list | tuple) else previous_mask

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(inputs[0].shape, inputs[0].dtype)


@builtin("keras.layers")
class AddLoss(_Behind):
    """Adds the others to the model's loss."""

    def take(self, values: list[Any]) -> None:
        for value in values:
            self.add_loss(value)


@builtin("keras.layers")
class AddMetric(_Behind):
    """Averages the others over the batches, as a metric."""

    def __init__(self, metric_name: str = "metric", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric_name = metric_name
        self.metric = metrics.Mean(name=metric_name)

    def take(self, values: list[Any]) -> None:
        for value in values:
            self.metric.update_state(value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "metric_name": self.metric_name}


class Shown(_Behind):
    """Keeps the others, for the losses and metrics of the same step."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        object.__setattr__(self, "values", [])

    def take(self, values: list[Any]) -> None:
        object.__setattr__(self, "values", values)


def attach_loss(model: Any, loss: Any) -> None:
    """Add symbolic tensors to the loss of a model with a graph."""
    _put_behind(model, AddLoss(), tree.flatten(loss))


def attach_metric(model: Any, value: Any, name: Any) -> None:
    """Show a symbolic tensor among the metrics of a model with a graph."""
    _put_behind(model, AddMetric(name or "metric"), tree.flatten(value))


def _put_behind(model: Any, layer: Any, tensors: list[Any]) -> None:
    """Let a layer get tensors of a model's graph.

    Raises:
        ValueError: The model has no graph.
    """
    network = getattr(model, "_network", model)  # what a Sequential runs
    if not hasattr(network, "_outputs_struct"):
        raise ValueError(
            f"{type(model).__name__} {model.name!r} has no graph in which a symbolic tensor could "
            "be computed. Make it by Model(inputs, outputs), or give a Sequential its input shape."
        )
    outputs = network._outputs_struct
    first, *rest = tree.flatten(outputs)
    changed = tree.pack_sequence_as(outputs, [layer([first, *tensors]), *rest])
    names = network.output_names
    network._set_graph(network._inputs_struct, changed)
    network.output_names = names
    if network is not model:
        model._tracker.track(layer)
        model._keep(_behind=[*getattr(model, "_behind", ()), (layer, tensors)])
    model._keep(_steps={}, _prepared=set())


def build(before: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> None:
    """Build a `Sequential`; what was put behind its output stays behind it."""
    before(model, *args, **kwargs)
    behind = getattr(model, "_behind", ())
    model._keep(_behind=[])
    for layer, tensors in behind:
        _put_behind(model, layer, tensors)


def input_at(before: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`Input`; `Input(tensor=x)` of a computed tensor is that tensor, from which a model starts."""
    tensor = kwargs.get("tensor")
    if isinstance(tensor, KerasTensor) and tensor._keras_history is not None:
        return tensor
    return before(*args, **kwargs)


def call_of_lambda(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """A call of a `Lambda`; one that takes gradients between its inputs is part of the graph."""
    inputs = args[0] if args else None
    symbolic = any(isinstance(x, KerasTensor) for x in tree.flatten(inputs))
    if not symbolic or not _differentiates(layer.function, set()):
        return super(layers.Lambda, layer).__call__(*args, **kwargs)
    found = layer.function(inputs, **(layer.arguments or {}))
    return found[0] if isinstance(found, list) and len(found) == 1 else found


# -- functions that close over tensors of the model


def opened(model: Any, structure: Any, place: int = 0) -> Any:
    """Losses or metrics, where functions that close over symbolic tensors get their values.

    Args:
        model: That they are given to.
        structure: What `compile` gets.
        place: Number of the output, where there is one for each.
    """
    if isinstance(structure, dict):
        return {k: opened(model, v) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure)([opened(model, v, i) for i, v in enumerate(structure)])
    if not isinstance(structure, types.FunctionType | types.MethodType | functools.partial):
        return structure
    if not _is_own(getattr(structure, "func", structure)):
        return structure
    tensors = {id(t): t for t in _tensors_in(structure, set())}
    if not tensors:
        return _with_columns(structure)
    if _differentiates(structure, set()):
        return _in_graph(model, structure, place)
    layer = Shown()
    _put_behind(model, layer, list(tensors.values()))

    def with_values(y_true: Any, y_pred: Any) -> Any:
        known = dict(zip(tensors, layer.values, strict=True))
        return _rebound(structure, known)(_column(y_true, y_pred), y_pred)

    return brings_to_one_rank(_named(with_values, structure))


def _named(function: Any, after: Any) -> Any:
    """A function under the name of another one, which may be partial."""
    function.__name__ = getattr(after, "__name__", None) or after.func.__name__
    return function


def _in_graph(model: Any, function: Callable[..., Any], place: int) -> Callable[..., Any]:
    """A loss that takes gradients between tensors of the model: it is part of the graph.

    Raises:
        ValueError: It depends on the targets too.
    """
    y_pred = model.outputs[place]
    result = function(layers.Input(batch_shape=y_pred.shape), y_pred)
    layer = Shown()
    _put_behind(model, layer, [result])
    return _named(lambda y_true, y_pred: layer.values[0], function)


def _differentiates(value: Any, seen: set[int]) -> bool:
    """Whether a function calls `K.gradients`, by itself or in another one."""
    if isinstance(value, functools.partial):
        return _differentiates(value.func, seen)
    if isinstance(value, types.MethodType):
        return _differentiates(value.__func__, seen)
    if not isinstance(value, types.FunctionType) or id(value) in seen or not _is_own(value):
        return False
    seen.add(id(value))
    return "gradients" in _names(value.__code__) or any(
        _differentiates(part, seen) for part in _held(value)
    )


def _with_columns(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which gets targets `(n,)` of several outputs a row as `(n, 1)`."""

    @functools.wraps(function)
    def of_columns(y_true: Any, y_pred: Any) -> Any:
        return function(_column(y_true, y_pred), y_pred)

    return brings_to_one_rank(of_columns)


def _column(y_true: Any, y_pred: Any) -> Any:
    rank = len(getattr(y_true, "shape", ()))
    if rank == 1 and len(getattr(y_pred, "shape", ())) > 1:
        return core.ops.expand_dims(core.convert(y_true), -1)
    return y_true


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _held(function: types.FunctionType) -> Iterator[Any]:
    """What a function closes over, or finds among the globals."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not set yet
            continue
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield function.__globals__[name]


def _tensors_in(value: Any, seen: set[int]) -> Iterator[KerasTensor]:
    if isinstance(value, KerasTensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors_in(part, seen)
    elif isinstance(value, functools.partial):
        for part in (value.func, *value.args, *value.keywords.values()):
            yield from _tensors_in(part, seen)
    elif isinstance(value, types.MethodType):
        yield from _tensors_in(value.__func__, seen)
    elif isinstance(value, types.FunctionType) and id(value) not in seen and _is_own(value):
        seen.add(id(value))
        for part in _held(value):
            yield from _tensors_in(part, seen)


def _is_own(function: Any) -> bool:
    """Whether a function is of the program, not of a library."""
    return not str(getattr(function, "__module__", "")).startswith(("kerasish", "numpy", "scipy"))


def _rebound(value: Any, known: dict[int, Any]) -> Any:
    """A copy of a function that sees values in place of symbolic tensors."""
    if isinstance(value, KerasTensor):
        return known.get(id(value), value)
    if isinstance(value, list | tuple) and any(True for _ in _tensors_in(value, set())):
        return type(value)([_rebound(part, known) for part in value])
    if isinstance(value, functools.partial):
        return functools.partial(
            _rebound(value.func, known),
            *[_rebound(part, known) for part in value.args],
            **{k: _rebound(part, known) for k, part in value.keywords.items()},
        )
    if isinstance(value, types.MethodType):
        return types.MethodType(_rebound(value.__func__, known), value.__self__)
    if not isinstance(value, types.FunctionType) or not _is_own(value):
        return value
    if not any(True for _ in _tensors_in(value, set())):
        return value
    return _copied(value, known)


def _copied(function: types.FunctionType, known: dict[int, Any]) -> Callable[..., Any]:
    place = dict(function.__globals__)
    for name in _names(function.__code__):
        if name in place and place[name] is not function:
            place[name] = _rebound(place[name], known)
    cells = [_rebound_cell(cell, function, known) for cell in function.__closure__ or ()]
    found = types.FunctionType(
        function.__code__, place, function.__name__, function.__defaults__, tuple(cells)
    )
    found.__kwdefaults__ = function.__kwdefaults__
    return found


def _rebound_cell(cell: Any, function: Any, known: dict[int, Any]) -> Any:
    try:
        value = cell.cell_contents
    except ValueError:
        return cell
    return cell if value is function else types.CellType(_rebound(value, known))
