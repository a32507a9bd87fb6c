"""Configs of layers and operations that define none: the arguments of `__init__`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

import kerasish_core as core

from .deserialize import deserialize_keras_object

__all__ = ["auto_config", "decode"]

_WRITABLE = (str, int, float, bool, type(None), np.dtype)


def auto_config(layer: Any, base: dict[str, Any], stop: type) -> dict[str, Any]:
    """The arguments that a layer or operation was made with, added to the base config.

    Args:
        layer: Its `_init_arguments` are those given.
        base: Name, trainable, dtype: kept where `__init__` takes them.
        stop: The class whose own `__init__` takes exactly the base config.

    Raises:
        NotImplementedError: An argument can't be written.
    """
    if type(layer).__init__ is stop.__init__:
        more = ("activity_regularizer", "autocast")
        return {**{k: getattr(layer, k) for k in more if hasattr(layer, k)}, **base}
    args, kwargs = layer._init_arguments
    init = inspect.signature(type(layer).__init__)
    bound = init.bind(layer, *args, **kwargs)
    bound.apply_defaults()
    given = dict(list(bound.arguments.items())[1:])
    takes_all = False
    for name, p in init.parameters.items():
        if p.kind is p.VAR_KEYWORD:
            takes_all = True
            given.update(given.pop(name, {}))
        elif p.kind is p.VAR_POSITIONAL and given.pop(name, None):
            _refuse(layer, name)
    for name, value in given.items():
        if not all(_is_writable(v) for v in core.tree.flatten(value)):
            _refuse(layer, name)
    kept = {k: v for k, v in base.items() if takes_all or k in init.parameters}
    return {**given, **kept}


def _is_writable(value: Any) -> bool:
    return isinstance(value, _WRITABLE) or hasattr(value, "get_config")


def _refuse(layer: Any, name: str) -> None:
    kind = type(layer).__name__
    raise NotImplementedError(
        f"Object {kind} was created by passing non-serializable argument values in `__init__()` "
        f"(argument {name!r}), and therefore the object must override `get_config()` in order to "
        f"be serializable. Please implement `get_config()` in {kind}."
    )


def decode(value: Any) -> Any:
    """An object again, if the value is the config of one."""
    if isinstance(value, dict) and "class_name" in value:
        return deserialize_keras_object(value)
    return value
