"""Names of classes and functions: built-in ones under Keras's modules, the user's own."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = [
    "CustomObjectScope", "builtin", "custom_object_scope", "find_builtin", "get_custom_objects",
    "get_registered_name", "get_registered_object", "keras_name", "register_keras_serializable",
]  # fmt: skip

# (Keras module, class name) -> class; class -> Keras module
_BUILTIN: dict[tuple[str, str], Any] = {}
_BY_NAME: dict[str, Any] = {}
_MODULE: dict[Any, str] = {}

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    objects: tuple[dict[str, Any], ...] = ()


_scopes = _Scopes()

# Where the classes of a Keras module live here; loaded when one of them is looked for.
_ROOMS = {
    "keras.layers": "kerasish.layers",
    "keras.models": "kerasish.models",
    "keras.losses": "kerasish.losses",
    "keras.metrics": "kerasish.metrics",
    "keras.optimizers": "kerasish.optimizers",
    "keras.initializers": "kerasish.initializers",
    "keras.regularizers": "kerasish.regularizers",
    "keras.constraints": "kerasish.constraints",
    "keras.activations": "kerasish.activations",
    "keras.random": "kerasish.random",
    "keras.ops": "kerasish.ops",
    "keras.dtype_policies": "kerasish.dtype_policies",
}


def builtin(module: str) -> Callable[[Any], Any]:
    """Decorate a class of ours with the Keras module under which configs and files name it."""

    def decorate(cls: Any) -> Any:
        _BUILTIN[module, cls.__name__] = cls
        _BY_NAME.setdefault(cls.__name__, cls)
        _MODULE[cls] = module
        return cls

    return decorate


def keras_name(cls: Any) -> str | None:
    """The Keras module of a built-in class, None for others."""
    return _MODULE.get(cls)


def find_builtin(module: str, name: str) -> Any:
    """The built-in class or function of a module and name, or None."""
    module = module.replace("kerasish", "keras", 1) if module.startswith("kerasish") else module
    found = _BUILTIN.get((module, name))
    if found is not None:
        return found
    room = _room_of(module)
    if room is not None:
        loaded = importlib.import_module(room)
        found = _BUILTIN.get((module, name)) or getattr(loaded, name, None)
    else:
        for each in dict.fromkeys(_ROOMS.values()):
            importlib.import_module(each)
            if name in _BY_NAME:
                break
    return found if found is not None else _BY_NAME.get(name)


def _room_of(module: str) -> str | None:
    module = module.replace("keras.src.", "keras.", 1)
    for prefix in sorted(_ROOMS, key=len, reverse=True):
        if module == prefix or module.startswith(prefix + "."):
            return _ROOMS[prefix]
    return None


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Any:
    """Decorate a class or function of your own, so that configs and files can name it.

    Args:
        package: A prefix: the registered name is `package>name`.
        name: The object's own name by default.

    Raises:
        ValueError: A class without `get_config`.
    """

    def decorate(thing: Any) -> Any:
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"Cannot register a class that does not have a get_config() method: {thing}."
            )
        registered = f"{package}>{name or thing.__name__}"
        _registered[registered] = thing
        _names[thing] = registered
        return thing

    return decorate


def get_registered_name(obj: Any) -> str:
    """The registered name of a class or function, else its own name."""
    try:
        return _names.get(obj, obj.__name__)
    except TypeError:
        return str(obj.__name__)


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: Any = None
) -> Any:
    """The class or function registered under a name, or None."""
    for objects in (*reversed(_scopes.objects), _registered, custom_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The dictionary of registered objects: changing it registers."""
    return _registered


class CustomObjectScope:
    """Inside the block, names in configs may mean these objects.

    Args:
        custom_objects: Name to class or function.
    """

    def __init__(self, custom_objects: dict[str, Any]) -> None:
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> CustomObjectScope:
        self._before = _scopes.objects
        _scopes.objects = (*self._before, self.custom_objects)
        return self

    def __exit__(self, *error: object) -> None:
        _scopes.objects = self._before


custom_object_scope = CustomObjectScope


@contextlib.contextmanager
def maybe_scope(custom_objects: dict[str, Any] | None) -> Iterator[None]:
    """`CustomObjectScope`, or nothing for None."""
    if not custom_objects:
        yield
        return
    with CustomObjectScope(custom_objects):
        yield
