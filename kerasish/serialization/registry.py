"""Names of classes and functions: built-in ones under Keras's modules, and the user's own."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .. import older

__all__ = [
    "CustomObjectScope",
    "builtin",
    "custom_object_scope",
    "find_builtin",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "keras_entry",
    "keras_name",
    "maybe_scope",
    "register_keras_serializable",
    "visible_objects",
]

# Built-in things by (Keras module, name), and the (first) entry of each.
_BUILTIN: dict[tuple[str, str], Any] = {}
_ENTRY: dict[Any, tuple[str, str]] = {}

# What users registered, by its name, and the other way around.
_REGISTERED: dict[str, Any] = {}
_NAMES: dict[Any, str] = {}

# The rooms in which the public names of a Keras module live here. They are loaded when a config
# names that module, so this lowest room imports none of them.
_ROOMS = {
    "layers": "layers",
    "models": "models",
    "activations": "activations",
    "initializers": "initializers",
    "regularizers": "regularizers",
    "constraints": "constraints",
    "losses": "losses",
    "metrics": "metrics",
    "optimizers": "optimizers",
    "mixed_precision": "optimizers",
    "random": "random",
    "ops": "ops",
    "dtype_policies": "dtype_policies",
    "callbacks": "training.callbacks",
    "quantizers": "quantizers",
    "utils": "utils",
    "distribution": "distribution",
    "applications": "applications",
    "legacy": "compat.layers.merge",
}
# Where the names of the bare module `keras` are looked for.
_TOP = ("dtype_policies", "models", "layers", "losses", "metrics", "optimizers", "ops", "random")
_OURS = __name__.partition(".")[0]


def builtin(module: str, name: str | None = None) -> Callable[[Any], Any]:
    """Decorate a class or function of ours with the entry under which configs and files name it.

    Args:
        module: Keras's public module, such as `"keras.layers"`; for what has no public name,
            its full one, such as `"keras.src.models.functional"`.
        name: Keras's name; by default that of the class or function.
    """

    def decorate(thing: Any) -> Any:
        entry = module, name or thing.__name__
        _BUILTIN[entry] = thing
        _ENTRY.setdefault(thing, entry)
        return older.classes(thing) if isinstance(thing, type) else thing

    return decorate


def keras_entry(thing: Any) -> tuple[str, str] | None:
    """The (module, name) of a built-in class or function; None for others and for subclasses."""
    try:
        return _ENTRY.get(thing)
    except TypeError:
        return None


def keras_name(thing: Any) -> str | None:
    """The Keras module of a built-in class or function, None for others."""
    entry = keras_entry(thing)
    return None if entry is None else entry[0]


def is_builtin_module(module: Any) -> bool:
    """Whether a config's module name is one of Keras's or ours."""
    return _canonical(module) is not None


def _canonical(module: Any) -> str | None:
    """Keras's spelling of a module name of Keras, tf.keras or ours; None for other modules."""
    if not isinstance(module, str):
        return None
    for prefix in ("keras", _OURS, "tf_keras", "tensorflow.keras", "tensorflow.python.keras"):
        if module == prefix or module.startswith(prefix + "."):
            rest = module[len(prefix) :].lstrip(".")
            for private in ("api.", "src."):
                if rest.startswith(private) or rest + "." == private:
                    rest = rest[len(private) :]
            return f"keras.{rest}" if rest else "keras"
    return None


def find_builtin(module: str, name: str) -> Any:
    """The built-in class or function of a module and name, or None.

    Args:
        module: Such as `"keras.layers"`, `"keras.src.layers.core.dense"`, `"tf_keras.losses"` or
            `"kerasish.layers"`.
        name: Keras's name.
    """
    found = _BUILTIN.get((module, name))
    canonical = _canonical(module)
    if found is not None or canonical is None:
        return found
    found = _BUILTIN.get((canonical, name))
    if found is not None:
        return found
    for room in _rooms_of(canonical):
        loaded = _load(room)
        for entry in ((module, name), (canonical, name)):
            if entry in _BUILTIN:
                return _BUILTIN[entry]
        public = getattr(loaded, name, None)
        if _is_ours(public):
            return public
    return None


def find_anywhere(name: str) -> Any:
    """A built-in thing by name alone, as Keras 2's configs give it; None if there is none."""
    rooms = dict.fromkeys(_ROOMS.values())
    loaded = [room for room in rooms if f"{_OURS}.{room}" in sys.modules]
    for room in (*loaded, *(room for room in rooms if room not in loaded)):
        public = getattr(_load(room), name, None)
        if _is_ours(public):
            return public
    return None


def _rooms_of(canonical: str) -> tuple[str, ...]:
    parts = canonical.split(".")[1:]
    if not parts:
        return _TOP
    room = _ROOMS.get(parts[0])
    return () if room is None else (room,)


def _load(room: str) -> Any:
    name = f"{_OURS}.{room}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            return None
        raise


def _is_ours(thing: Any) -> bool:
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return False
    return str(getattr(thing, "__module__", "")).partition(".")[0] == _OURS


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
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
                f"Cannot register a class that does not have a get_config() method: {thing}. "
                "Define `get_config(self)`, which returns the arguments of its `__init__`."
            )
        registered = f"{package}>{name if name is not None else thing.__name__}"
        _REGISTERED[registered] = thing
        _NAMES[thing] = registered
        return thing

    return decorate


def get_registered_name(obj: Any) -> str:
    """The registered name of a class or function, else its own name."""
    try:
        registered = _NAMES.get(obj)
    except TypeError:
        registered = None
    return str(obj.__name__) if registered is None else registered


class _Scopes(threading.local):
    objects: tuple[dict[str, Any], ...] = ()


_scopes = _Scopes()


def get_registered_object(
    name: str,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """The class or function of a name, or None.

    The open `custom_object_scope`s are asked first, then what was registered, then the arguments.
    """
    for objects in (*reversed(_scopes.objects), _REGISTERED, custom_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The dictionary of registered objects: changing it registers."""
    return _REGISTERED


def visible_objects() -> dict[str, Any]:
    """A copy of what was registered, with what the open `custom_object_scope`s add."""
    merged = dict(_REGISTERED)
    for objects in _scopes.objects:
        merged.update(objects)
    return merged


class CustomObjectScope:
    """Inside the block, these names in configs mean these objects (in this thread).

    Args:
        custom_objects: Name to class or function.
    """

    def __init__(self, custom_objects: dict[str, Any] | None) -> None:
        self.custom_objects = custom_objects or {}
        self._before: list[tuple[dict[str, Any], ...]] = []

    def __enter__(self) -> CustomObjectScope:
        self._before.append(_scopes.objects)
        _scopes.objects = (*_scopes.objects, dict(self.custom_objects))
        return self

    def __exit__(self, *error: object) -> None:
        _scopes.objects = self._before.pop()


custom_object_scope = CustomObjectScope


@contextlib.contextmanager
def maybe_scope(custom_objects: dict[str, Any] | None) -> Iterator[None]:
    """`CustomObjectScope`, or nothing for None."""
    if not custom_objects:
        yield
        return
    with CustomObjectScope(custom_objects):
        yield
