"""Activation functions, by name and as functions."""

from __future__ import annotations

from typing import Any

from .. import older as _older
from ..serialization import (
    builtin,
    deserialize_keras_object,
    keras_entry,
    look_up,
    serialize_keras_object,
)
from . import functions
from .functions import *  # noqa: F403, RUF100

hard_swish, swish = functions.hard_silu, functions.silu

__all__ = [*functions.__all__, "deserialize", "get", "hard_swish", "serialize", "swish"]

_BY_NAME: dict[str, Any] = {name: getattr(functions, name) for name in functions.__all__}
for _function in _BY_NAME.values():
    builtin("keras.activations")(_function)
_BY_NAME.update(swish=swish, hard_swish=hard_swish)


def serialize(activation: Any) -> Any:
    """The name of a built-in function; the config of anything else."""
    if keras_entry(activation) is not None and not isinstance(activation, type):
        return activation.__name__
    name = getattr(activation, "__name__", None)
    if name in _BY_NAME and _is_op(activation):
        return name
    return serialize_keras_object(activation)


def _is_op(function: Any) -> bool:
    package = __name__.partition(".")[0]
    return str(getattr(function, "__module__", "")).startswith(f"{package}.ops")


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The function of a name or a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """The activation meant.

    Args:
        identifier: A name such as `"relu"`, a config, a function, a layer, or None (`linear`).

    Raises:
        ValueError: It means none.
    """
    if identifier is None:
        return functions.linear
    return look_up(identifier, _BY_NAME, "activation function", instantiate=False)


__getattr__ = _older.names(__name__)
