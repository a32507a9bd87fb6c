"""Initial values of weights."""

from __future__ import annotations

from typing import Any

from ..naming import to_snake_case
from ..serialization import deserialize_keras_object, get_registered_object, serialize_keras_object
from .base import Initializer
from .constant import Constant, Identity, Ones, Zeros
from .random import (
    GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Orthogonal,
    RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
)  # fmt: skip

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "Initializer",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform",
    "TruncatedNormal", "VarianceScaling", "Zeros", "deserialize", "get", "serialize",
]  # fmt: skip

_CLASSES = (
    Constant, Identity, Ones, Zeros, GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal,
    LecunUniform, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
)  # fmt: skip
_BY_NAME: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    "zero": Zeros, "one": Ones, "uniform": RandomUniform, "normal": RandomNormal,
    "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal,
}  # fmt: skip


def serialize(initializer: Any) -> Any:
    """The initializer as a config."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The initializer of a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """An initializer from its name, config, class, an array, or itself.

    Raises:
        ValueError: It is none of these.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = get_registered_object(identifier, None, _BY_NAME)
    elif hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return lambda shape, dtype=None: identifier
    if callable(found):
        return found() if isinstance(found, type) else found
    raise ValueError(f"Could not interpret initializer identifier: {identifier!r}")
