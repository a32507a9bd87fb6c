"""Activation functions by name."""

from __future__ import annotations

from typing import Any

from ..serialization import (
    deserialize_keras_object, get_registered_object, serialize_keras_object,
)  # fmt: skip
from .functions import (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
    linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
    softplus, softsign, sparse_plus, sparse_sigmoid, squareplus, tanh, tanh_shrink, threshold,
)  # fmt: skip

hard_swish, swish = hard_silu, silu
_FUNCTIONS = (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
    linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
    softplus, softsign, sparse_plus, sparse_sigmoid, squareplus, tanh, tanh_shrink, threshold,
)  # fmt: skip
_BY_NAME: dict[str, Any] = {f.__name__: f for f in _FUNCTIONS}
_BY_NAME.update(swish=silu, hard_swish=hard_silu)

__all__ = [*(f.__name__ for f in _FUNCTIONS), "deserialize", "get", "hard_swish", "serialize",
           "swish"]  # fmt: skip


def serialize(activation: Any) -> Any:
    """The name of a built-in function, the config of another."""
    if _BY_NAME.get(getattr(activation, "__name__", "")) is activation:
        return activation.__name__
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The function of a name or config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """An activation function from its name, config, itself, or None (linear).

    Raises:
        ValueError: There is none of that name.
    """
    if identifier is None:
        return linear
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = get_registered_object(identifier, None, _BY_NAME)
    if callable(found):
        return found
    raise ValueError(
        f"Could not interpret activation function identifier: {identifier!r}. "
        f"Known names: {', '.join(sorted(_BY_NAME))}."
    )
