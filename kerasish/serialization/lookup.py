"""What stands behind the `get` and `deserialize` of rooms with named objects."""

from __future__ import annotations

import inspect
from typing import Any

from .deserialize import deserialize_keras_object
from .registry import get_registered_object

__all__ = ["look_up"]


def look_up(
    identifier: Any,
    objects: dict[str, Any],
    what: str,
    custom_objects: dict[str, Any] | None = None,
    instantiate: bool = True,
) -> Any:
    """The object that an identifier means.

    Args:
        identifier: A name, a config, a class, or the thing itself; None stays None.
        objects: The room's names.
        what: For the error: `"initializer"`.
        custom_objects: More names.
        instantiate: Whether classes are called without arguments.

    Raises:
        ValueError: It means nothing.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize_keras_object(
            identifier, custom_objects=custom_objects, module_objects=objects
        )
    elif isinstance(identifier, str):
        found = get_registered_object(identifier, custom_objects, objects)
    if found is None or not callable(found):
        raise ValueError(
            f"Could not interpret {what} identifier: {identifier}. Expected a {what}, its config, "
            f"or one of {', '.join(sorted(objects))}; names of your own need "
            "`custom_object_scope` or `register_keras_serializable`."
        )
    return found() if instantiate and inspect.isclass(found) else found
