"""Keras 2's form of configs: `{"class_name", "config"}` without a module."""

from __future__ import annotations

from typing import Any

from .deserialize import UnknownObjectError
from .registry import find_anywhere, get_registered_name, get_registered_object, maybe_scope

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """`{"class_name", "config"}` of an instance; the name of a function; None of None.

    Raises:
        ValueError: It has neither `get_config()` nor a name.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        name = get_registered_name(type(instance))
        return {"class_name": name, "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(f"Cannot serialize {instance} because it doesn't implement `get_config()`.")


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object of a Keras 2 config, or of a function's name.

    Args:
        identifier: `{"class_name", "config"}`, a name, a function, or None.
        module_objects: Name to class or function.
        custom_objects: The same, asked first.
        printable_module_name: What is looked for, for the error.

    Raises:
        ValueError: The name is unknown or the config is malformed.
    """
    if identifier is None or callable(identifier):
        return identifier
    if isinstance(identifier, str):
        found = _find(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if not isinstance(identifier, dict) or not {"class_name", "config"} <= identifier.keys():
        raise ValueError(
            f"Improper config format for {identifier}. Expecting python dict contains "
            "`class_name` and `config` as keys"
        )
    cls = _find(identifier["class_name"], module_objects, custom_objects, printable_module_name)
    with maybe_scope(custom_objects):
        if hasattr(cls, "from_config"):
            return cls.from_config(dict(identifier["config"]))
        return cls(**identifier["config"])


def _find(name: str, module_objects: Any, custom_objects: Any, what: str) -> Any:
    found = (custom_objects or {}).get(name)
    if found is None:
        found = get_registered_object(name, None, module_objects)
    if found is None and module_objects is None:
        found = find_anywhere(name)
    if found is None:
        raise UnknownObjectError(
            f"Unknown {what}: '{name}'. Please ensure you are using a "
            "`keras.utils.custom_object_scope` and that this object is included in the scope."
        )
    return found
