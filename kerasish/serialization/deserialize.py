"""Configs to objects. Nothing is imported but rooms of this package."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np

import kerasish_core as core

from .lambdas import func_load
from .registry import (
    find_anywhere,
    find_builtin,
    get_registered_object,
    is_builtin_module,
    maybe_scope,
)
from .safe_mode import in_safe_mode, safe_mode_scope
from .sharing import get_shared_object, note_read

__all__ = ["UnknownObjectError", "deserialize_keras_object"]


class UnknownObjectError(TypeError, ValueError):
    """A config names a class or function that is neither built in nor registered."""


# Where functions that a config gives by name alone are looked for.
_FUNCTION_MODULES = (
    "keras.activations",
    "keras.losses",
    "keras.metrics",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.ops",
)
# The only built-in modules whose functions a config may name.
_CALLABLE_ROOMS = ("activations", "losses", "metrics", "initializers", "ops", "applications")


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """The object of a config.

    Args:
        config: What `serialize_keras_object` returned, also after a trip through JSON.
        custom_objects: Name to class or function, for names that are not registered.
        safe_mode: Refuse code in the config (lambdas).
        **kwargs: `module_objects`: name to class or function, for configs without a module;
            `printable_module_name`, what Keras 2 called them in errors.

    Raises:
        TypeError: The config names an unknown class, or its arguments do not fit the class.
        ValueError: It holds code and `safe_mode` is set.

    Source: https://keras.io/api/models/model_saving_apis/serialization_utils/
    """
    module_objects = kwargs.pop("module_objects", None)
    kwargs.pop("printable_module_name", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object: unknown arguments {sorted(kwargs)}.")
    outer = in_safe_mode()
    with maybe_scope(custom_objects), safe_mode_scope(safe_mode if outer is None else outer):
        return _read(config, module_objects)


def _read(config: Any, module_objects: Any = None) -> Any:
    if config is None or isinstance(config, bool | int | float | np.generic | core.Tensor):
        return config
    if isinstance(config, str):
        found = get_registered_object(config, None, module_objects)
        if isinstance(found, type) and config in (module_objects or ()):
            return found()  # a name alone means one without arguments
        return config if found is None else found
    if isinstance(config, list | tuple):
        return [_read(x, module_objects) for x in config]
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {config}")
    if "class_name" not in config or "config" not in config:
        return {key: _read(value, module_objects) for key, value in config.items()}
    if "shared_object_id" in config:
        shared = get_shared_object(config["shared_object_id"])
        if shared is not None:
            return shared
    special = _SPECIAL.get(config["class_name"])
    if special is not None:
        return special(config["config"])
    if isinstance(config["config"], str):
        return _find_function(config, module_objects)
    found = _find_class(config, module_objects)
    return found if inspect.isroutine(found) else _make(config, found)


# -- forms of their own


def _array(inner: dict[str, Any]) -> Any:
    return np.array(inner["value"], dtype=core.dtypes.as_dtype(inner["dtype"]))


def _lambda(inner: dict[str, Any]) -> Any:
    if "value" in inner:
        code, defaults, closure = inner["value"]
    else:
        code, defaults, closure = inner["code"], inner.get("defaults"), inner.get("closure")
    return func_load(code, _read(defaults), _read(closure))


def _keras_tensor(inner: dict[str, Any]) -> Any:
    ops = importlib.import_module(__name__.partition(".")[0] + ".ops")
    return ops.KerasTensor(tuple(inner["shape"]), dtype=inner["dtype"])


_SPECIAL = {
    "__tuple__": lambda c: tuple(_read(c["value"])),
    "__bytes__": lambda c: c["value"].encode("utf-8"),
    "__ellipsis__": lambda c: Ellipsis,
    "__slice__": lambda c: slice(*(_read(c[k]) for k in ("start", "stop", "step"))),
    "__numpy__": _array,
    "__tensor__": lambda c: core.convert(_array(c)),
    "__lambda__": _lambda,
    "__keras_tensor__": _keras_tensor,
}


# -- classes and functions by name


def _find_function(config: dict[str, Any], module_objects: Any) -> Any:
    name = config["config"]
    found = get_registered_object(name, None, module_objects)
    if found is None:
        modules = _FUNCTION_MODULES
        if is_builtin_module(config.get("module")):
            modules = (config["module"], *modules)
        found = next(
            (f for m in modules if _callable_room(m) and (f := find_builtin(m, name))), None
        )
    if found is None:
        raise _unknown("function", name, config)
    return found


def _find_class(config: dict[str, Any], module_objects: Any) -> Any:
    name, module = config["class_name"], config.get("module")
    for candidate in (config.get("registered_name"), None if is_builtin_module(module) else name):
        found = get_registered_object(candidate, None, module_objects) if candidate else None
        if found is not None:
            return found
    if is_builtin_module(module):
        found = find_builtin(module, name)
        if found is None:  # a subclass of the user's that an old file puts under Keras's module
            found = get_registered_object(name, None, module_objects)
    elif module is None and not config.get("registered_name"):
        found = find_anywhere(name)
    if found is None:
        raise _unknown("class", name, config)
    if inspect.isroutine(found) and not (module and _callable_room(module)):
        raise ValueError(
            f"Cannot deserialize `{module}.{name}` because it is not a modeling function. "
            "Functions outside activations, losses, metrics, initializers and ops are disallowed "
            "in configs for security."
        )
    return found


def _callable_room(module: str) -> bool:
    return any(part in _CALLABLE_ROOMS for part in module.split("."))


def _unknown(kind: str, name: Any, config: dict[str, Any]) -> UnknownObjectError:
    return UnknownObjectError(
        f"Could not locate {kind} '{name}'. Make sure custom classes and functions are decorated "
        "with `@keras.saving.register_keras_serializable()`, and that their module is imported "
        f"before loading; or pass `custom_objects={{'{name}': {name}}}`. "
        f"Full object config: {config}"
    )


def _make(config: dict[str, Any], cls: Any) -> Any:
    if not inspect.isclass(cls) or not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{config['class_name']}' because it is missing "
            f"a `from_config()` method. Full object config: {config}"
        )
    inner = config["config"]
    try:
        instance = cls.from_config(dict(inner))
    except TypeError as error:
        raise TypeError(
            f"{cls} could not be deserialized properly. Please ensure that components that are "
            "Python object instances (layers, models, etc.) returned by `get_config()` are "
            "explicitly deserialized in the model's `from_config()` method."
            f"\n\nconfig={config}.\n\nException encountered: {error}"
        ) from error
    build = config.get("build_config")
    if build and not getattr(instance, "built", True):
        instance.build_from_config(build)
        instance.built = True
    compiled = config.get("compile_config")
    if compiled and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compiled)
    if "shared_object_id" in config:
        note_read(instance, config["shared_object_id"])
    return instance
