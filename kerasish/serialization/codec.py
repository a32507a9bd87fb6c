"""`serialize_keras_object` and its inverse: objects as dictionaries that JSON can hold.

A class instance becomes `{"module", "class_name", "config", "registered_name"}` (and
`build_config`, `compile_config` where it has them), as Keras writes it.
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import kerasish_core as core
import numpy as np

from .registry import (
    find_builtin, get_registered_name, get_registered_object, keras_name, maybe_scope,
)  # fmt: skip
from .safe_mode import is_safe, safe_mode_scope

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

_PLAIN = (str, int, float, bool, type(None))


def serialize_keras_object(obj: Any) -> Any:
    """A structure of dictionaries, lists, strings and numbers from which the object can be made.

    Raises:
        ValueError: An object without `get_config`.
    """
    if isinstance(obj, np.bool_ | np.integer | np.floating):
        return obj.item()
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, tuple) and not hasattr(obj, "_fields"):
        return {
            "class_name": "__tuple__", "config": {"value": [serialize_keras_object(x) for x in obj]}
        }  # fmt: skip
    if isinstance(obj, list | tuple):
        return [serialize_keras_object(x) for x in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, slice):
        parts = {k: serialize_keras_object(getattr(obj, k)) for k in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    return _serialize_other(obj)


def _serialize_other(obj: Any) -> Any:
    if hasattr(obj, "keras_tensor_config"):
        return obj.keras_tensor_config()
    if isinstance(obj, core.Tensor | core.Variable):
        return {
            "class_name": "__tensor__",
            "config": {
                "value": np.asarray(obj).tolist(), "dtype": core.dtypes.name_of(obj.dtype)
            },
        }  # fmt: skip
    if isinstance(obj, np.ndarray):
        return {
            "class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}
        }  # fmt: skip
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": encode_lambda(obj)}}
    if hasattr(obj, "get_config"):
        return _serialize_instance(obj)
    if hasattr(obj, "__name__"):
        return _serialize_named(obj)
    raise ValueError(
        f"Cannot serialize {obj!r}: it has no `get_config()`. Give its class one and register it "
        "with @register_keras_serializable()."
    )


def _serialize_instance(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    config = obj.get_config()
    result: dict[str, Any] = {
        "module": _module(cls),
        "class_name": cls.__name__,
        "config": {key: serialize_keras_object(value) for key, value in config.items()},
        "registered_name": None if keras_name(cls) else get_registered_name(cls),
    }
    for part in ("build_config", "compile_config"):
        getter = getattr(obj, f"get_{part}", None)
        found = getter() if getter is not None else None
        if found is not None:
            result[part] = serialize_keras_object(found)
    return result


def _module(cls: Any) -> str:
    return keras_name(cls) or str(getattr(cls, "__module__", None))


def _serialize_named(obj: Any) -> dict[str, Any]:
    """A function or class by its name."""
    module = str(getattr(obj, "__module__", "builtins"))
    builtin = module.split(".")[0] in ("kerasish", "keras")
    return {
        "module": "builtins" if builtin else module,
        "class_name": "function" if inspect.isroutine(obj) else type(obj).__name__,
        "config": obj.__name__,
        "registered_name": get_registered_name(obj) if not builtin else obj.__name__,
    }


def encode_lambda(function: types.FunctionType) -> dict[str, Any]:
    """A function's code, marshalled: only for files that the user trusts."""
    import base64
    import marshal

    code = base64.b64encode(marshal.dumps(function.__code__)).decode()
    closure = function.__closure__
    return {
        "code": code,
        "defaults": serialize_keras_object(function.__defaults__),
        "closure": None if closure is None else [
            serialize_keras_object(c.cell_contents) for c in closure
        ],
    }  # fmt: skip


def decode_lambda(value: dict[str, Any]) -> types.FunctionType:
    """The function of `encode_lambda`.

    Raises:
        ValueError: Safe mode is on.
    """
    if is_safe():
        raise ValueError(
            "Requested the deserialization of a Python lambda. This carries a potential risk of "
            "arbitrary code execution and thus it is disallowed by default. If you trust the "
            "source of the artifact, pass `safe_mode=False` to the loading function, or call "
            "`config.enable_unsafe_deserialization()`."
        )
    import base64
    import marshal

    code = marshal.loads(base64.b64decode(value["code"]))
    cells = value.get("closure")
    closure = None if cells is None else tuple(
        types.CellType(deserialize_keras_object(c)) for c in cells
    )
    defaults = value.get("defaults")
    if defaults is not None:
        defaults = tuple(deserialize_keras_object(defaults))
    return types.FunctionType(code, {"ops": core.ops, "np": np}, "lambda", defaults, closure)


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **_: Any
) -> Any:
    """The object of a config.

    Args:
        config: What `serialize_keras_object` gave.
        custom_objects: Name to class or function, for names that are not registered.
        safe_mode: Refuse code in the config.

    Raises:
        TypeError: The config names an unknown class.
    """
    if config is None or isinstance(config, int | float | bool):
        return config
    module_objects = _.pop("module_objects", None)
    with maybe_scope(custom_objects), safe_mode_scope(safe_mode and is_safe()):
        return _deserialize(config, module_objects)


def _deserialize(config: Any, module_objects: Any = None) -> Any:
    if isinstance(config, list | tuple):
        return [_deserialize(x) for x in config]
    if isinstance(config, str):
        found = get_registered_object(config, None, module_objects)
        return config if found is None else found
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    special = _SPECIAL.get(name)
    if special is not None:
        return special(inner)
    if name == "function" or config.get("module") == "builtins":
        return _find_function(config)
    return _make(config, _find_class(config))


def _special_array(inner: Any) -> Any:
    return np.array(inner["value"], dtype=core.dtypes.as_dtype(inner["dtype"]))


_SPECIAL = {
    "__tuple__": lambda c: tuple(_deserialize(x) for x in c["value"]),
    "__bytes__": lambda c: c["value"].encode(),
    "__ellipsis__": lambda c: Ellipsis,
    "__slice__": lambda c: slice(*(_deserialize(c[k]) for k in ("start", "stop", "step"))),
    "__numpy__": _special_array,
    "__tensor__": lambda c: core.convert(_special_array(c)),
    "__lambda__": lambda c: decode_lambda(c["value"]),
}


def _find_function(config: dict[str, Any]) -> Any:
    name = config["config"]
    for candidate in (config.get("registered_name"), name):
        found = get_registered_object(candidate) if candidate else None
        if found is not None:
            return found
    for room in ("keras.activations", "keras.losses", "keras.metrics", "keras.ops"):
        found = find_builtin(room, name)
        if callable(found):
            return found
    raise TypeError(_unknown(name, "function"))


def _find_class(config: dict[str, Any]) -> Any:
    name = config["class_name"]
    for candidate in (config.get("registered_name"), name):
        found = get_registered_object(candidate) if candidate else None
        if found is not None:
            return found
    module = config.get("module") or "keras"
    if module.split(".")[0] in ("keras", "kerasish", "tf_keras", "tensorflow"):
        found = find_builtin(module, name)
        if found is not None:
            return found
    raise TypeError(_unknown(name, "class"))


def _unknown(name: str, what: str) -> str:
    return (
        f"Could not locate {what} '{name}'. Make sure custom classes are decorated with "
        "`@kerasish.saving.register_keras_serializable()`, or pass "
        f"`custom_objects={{'{name}': {name}}}` when loading."
    )


def _make(config: dict[str, Any], cls: Any) -> Any:
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{config['class_name']}' because the class is "
            "missing a `from_config()` method."
        )
    inner = config["config"]
    instance = cls.from_config(dict(inner) if isinstance(inner, dict) else inner)
    build = config.get("build_config")
    if build and not getattr(instance, "built", True):
        instance.build_from_config(_deserialize(build))
    compiled = config.get("compile_config")
    if compiled and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compiled)
    return instance
