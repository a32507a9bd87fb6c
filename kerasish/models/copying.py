"""Deep copies and pickles of models.

A Sequential or functional model is copied as what defines it: its config, the classes of the
user's own layers, the values of its variables, what `compile` was given and the optimizer's
state. Other models are copied attribute by attribute.
"""

from __future__ import annotations

import copy
from typing import Any

from ..serialization import CustomObjectScope, keras_entry, serialize_keras_object
from ..serialization import get_registered_name as registered_name

__all__ = ["copy_model", "reduced"]


def own_classes(model: Any) -> dict[str, Any]:
    """The user's classes among the layers, by the names that configs give them."""
    found: dict[str, Any] = {}
    for layer in model._flatten_layers():
        cls = type(layer)
        if keras_entry(cls) is None:
            found[registered_name(cls)] = found[cls.__name__] = cls
    return found


def trainer_state(model: Any) -> dict[str, Any]:
    """What a copy keeps of training."""
    optimizer = model.optimizer
    built = optimizer is not None and optimizer.built
    return {
        "compile": model._compile_config,
        "slots": [v.numpy() for v in optimizer.variables] if built else None,
        "trainable": [layer._trainable for layer in model._flatten_layers()],
    }


def rebuild(cls: Any, config: Any, classes: Any, values: Any, state: Any) -> Any:
    """The model of what `parts_of` gave."""
    with CustomObjectScope(classes):
        model = cls.from_config(config)
    for layer, trainable in zip(model._flatten_layers(), state["trainable"], strict=True):
        if layer._trainable != trainable:
            layer.trainable = trainable
    for variable, value in zip(model.variables, values, strict=True):
        variable.assign(value)
    if state["compile"] is not None:
        settings = dict(state["compile"])
        optimizer = settings["optimizer"]
        if optimizer is not None:
            settings["optimizer"] = type(optimizer).from_config(optimizer.get_config())
        model.compile(**settings)
        if state["slots"] is not None:
            model.optimizer.build(model.trainable_variables)
            for variable, value in zip(model.optimizer.variables, state["slots"], strict=True):
                variable.assign(value)
    return model


def parts_of(model: Any) -> Any:
    """The arguments of `rebuild`."""
    config = serialize_keras_object(model.get_config())
    values = [v.numpy() for v in model.variables]
    return type(model), config, own_classes(model), values, trainer_state(model)


def copy_model(model: Any, memo: Any, plain: tuple[type, ...]) -> Any:
    """A deep copy.

    Args:
        model: The model.
        memo: Of `copy.deepcopy`; layers of the model are noted in it.
        plain: The classes whose instances are no more than their config.
    """
    if type(model) not in plain:
        twin = object.__new__(type(model))
        memo[id(model)] = twin
        twin.__setstate__(copy.deepcopy(model.__getstate__(), memo))
        return twin
    cls, config, classes, values, state = parts_of(model)
    if state["compile"] is not None:
        state["compile"] = {
            # The optimizer is made again from its config; metrics and losses are copied.
            k: v if k == "optimizer" else copy.deepcopy(v)
            for k, v in state["compile"].items()
        }
    twin = rebuild(cls, config, classes, values, state)
    memo[id(model)] = twin
    for old, new in zip(model._flatten_layers(), twin._flatten_layers(), strict=True):
        memo[id(old)] = new
    for old, new in zip(model.variables, twin.variables, strict=True):
        memo[id(old)] = new
    return twin


def reduced(model: Any, protocol: Any, plain: tuple[type, ...]) -> Any:
    """What pickle keeps: the arguments of `rebuild`, or the attributes."""
    if type(model) not in plain:
        return object.__reduce_ex__(model, protocol)
    cls, config, classes, values, state = parts_of(model)
    if state["compile"] is not None:
        settings = dict(state["compile"])
        state["compile"] = settings
        optimizer = settings["optimizer"]
        if optimizer is not None:
            settings["optimizer"] = _Made(type(optimizer), optimizer.get_config())
    return rebuild, (cls, config, classes, values, state)


class _Made:
    """An optimizer as its class and config."""

    def __init__(self, cls: type, config: dict[str, Any]) -> None:
        self.cls, self.config = cls, config

    def __reduce__(self) -> Any:
        return _make, (self.cls, self.config)


def _make(cls: Any, config: Any) -> Any:
    return cls.from_config(config)
