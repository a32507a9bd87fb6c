"""Copies of models with fresh weights."""

from __future__ import annotations

from typing import Any

from ..layers import Input, InputLayer, Layer
from ..naming import auto_name
from ..ops.symbolic import KerasTensor
from ..serialization import serialize_keras_object
from .functional import Functional, tree
from .model import Model
from .sequential import Sequential

__all__ = ["clone_model"]


def clone_model(
    model: Any, input_tensors: Any = None, clone_function: Any = None, call_function: Any = None,
    recursive: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """A model like the given one, with layers and weights of its own.

    Args:
        model: A Sequential or functional model; or a subclass whose config makes it again.
        input_tensors: Symbolic tensors to build the copy on.
        clone_function: Called on each layer (but inputs), and on each call of an op in a functional
            model, for what to use in the copy.
        call_function: `(layer, *args, **kwargs)` to the layer's result, for functional models
            (nested Sequential ones are called as they are).
        recursive: Whether `clone_function` is also called on layers of nested models.

    Raises:
        ValueError: `clone_function` or `call_function` with another kind of model.
    """
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")

    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, Sequential | Functional):
            called = None if isinstance(layer, Sequential) else call_function
            return clone_model(layer, None, clone_function, called, True)
        return (clone_function or _clone_layer)(layer)

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("`call_function` argument is not supported with Sequential models.")
        return _clone_sequential(model, clone, input_tensors)
    if isinstance(model, Functional) and type(model) is Functional:
        return _clone_functional(
            model, clone, input_tensors, call_function, clone_function is not None
        )
    if clone_function is not None or input_tensors is not None or call_function is not None:
        raise ValueError(
            "Arguments `clone_function`, `call_function` and `input_tensors` are only supported "
            f"for Sequential and Functional models. Received model of type {type(model).__name__}."
        )
    if not isinstance(model, Model):
        raise ValueError(f"Expected `model` argument to be a Model. Received: model={model}")
    return type(model).from_config(serialize_keras_object(model.get_config()))


def _clone_layer(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _clone_sequential(model: Any, clone: Any, input_tensors: Any) -> Any:
    inputs = tree.flatten(input_tensors) if input_tensors is not None else []
    if len(inputs) > 1:
        raise ValueError(
            "Argument `input_tensors` must contain a single tensor. "
            f"Received: input_tensors={input_tensors}"
        )
    layers = []
    for layer in model._stack:
        if isinstance(layer, InputLayer):
            if not inputs:
                layers.append(InputLayer.from_config(layer.get_config()))
        else:
            layers.append(clone(layer))
    if inputs:
        layers.insert(0, inputs[0])
    twin = Sequential(layers, name=model.name, trainable=model.trainable)
    return twin


def _clone_functional(
    model: Any, clone: Any, input_tensors: Any, call_function: Any, given: bool
) -> Any:
    """The copy; a `clone` that the user gave is asked for calls of `ops` as well."""
    graph = model._graph
    if input_tensors is None:
        inputs = [_fresh_input(t) for t in graph.inputs]
    else:
        inputs = tree.flatten(input_tensors)
        if len(inputs) != len(graph.inputs):
            raise ValueError(
                f"clone_model: {len(inputs)} input_tensors were given for {len(graph.inputs)} "
                "inputs."
            )
        for t in inputs:
            if not isinstance(t, KerasTensor):
                raise ValueError(
                    "All entries in `input_tensors` must be KerasTensors. Received invalid values: "
                    f"input_tensors={input_tensors}"
                )
    twins: dict[int, Any] = {}

    def twin_of(operation: Any) -> Any:
        if id(operation) not in twins:
            if isinstance(operation, Layer) or given:
                twins[id(operation)] = clone(operation)
            else:
                name = auto_name(operation.function.__name__)
                twins[id(operation)] = type(operation)(operation.function, name)
        return twins[id(operation)]

    found = graph.replay(inputs, twin_of, call_function)
    outputs = tree.pack_sequence_as(model._outputs_struct, found)
    twin = Functional(tree.pack_sequence_as(model._inputs_struct, inputs), outputs, model.name)
    if not model.trainable:
        twin.trainable = False
    return twin


def _fresh_input(t: KerasTensor) -> Any:
    layer = t._keras_history[0]
    return Input(
        batch_shape=t.shape, dtype=t.dtype, name=layer.name,
        optional=getattr(layer, "optional", False),
    )  # fmt: skip
