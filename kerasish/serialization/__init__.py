"""Objects to configs and back, in Keras's format; the registry of names."""

from . import legacy
from .deserialize import UnknownObjectError, deserialize_keras_object
from .lambdas import func_dump, func_load
from .lookup import look_up
from .registry import (
    CustomObjectScope,
    builtin,
    custom_object_scope,
    find_builtin,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    keras_entry,
    keras_name,
    register_keras_serializable,
    visible_objects,
)
from .safe_mode import enable_unsafe_deserialization, in_safe_mode, is_safe, safe_mode_scope
from .serialize import serialize_dict, serialize_keras_object
from .sharing import ObjectSharingScope

__all__ = [
    "CustomObjectScope",
    "ObjectSharingScope",
    "UnknownObjectError",
    "builtin",
    "custom_object_scope",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "find_builtin",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "in_safe_mode",
    "is_safe",
    "keras_entry",
    "keras_name",
    "legacy",
    "look_up",
    "register_keras_serializable",
    "safe_mode_scope",
    "serialize_dict",
    "serialize_keras_object",
    "visible_objects",
]
