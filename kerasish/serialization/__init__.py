"""Objects to configs and back, in Keras's format; the registry of names."""

from .codec import deserialize_keras_object, serialize_keras_object
from .registry import (
    CustomObjectScope,
    builtin,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from .safe_mode import enable_unsafe_deserialization, safe_mode_scope

__all__ = [
    "CustomObjectScope",
    "builtin",
    "custom_object_scope",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "safe_mode_scope",
    "serialize_keras_object",
]
