"""Objects to configs: dictionaries, lists, strings and numbers that JSON can hold."""

from __future__ import annotations

import inspect
import types
import warnings
from typing import Any

import numpy as np

import kerasish_core as core

from .lambdas import func_dump
from .registry import get_registered_name, keras_entry
from .sharing import note_written

__all__ = ["serialize_dict", "serialize_keras_object"]

_PLAIN = (str, int, float, bool, type(None))


def serialize_dict(obj: dict[str, Any]) -> dict[str, Any]:
    """A dictionary with every value serialized."""
    return {key: serialize_keras_object(value) for key, value in obj.items()}


def serialize_keras_object(obj: Any) -> Any:
    """The config of an object, from which `deserialize_keras_object` makes it again.

    An instance becomes `{"module", "class_name", "config", "registered_name"}`, with
    `build_config` and `compile_config` where it has them. Arrays, tensors, bytes, slices and
    functions have forms of their own; numbers, strings, lists and dictionaries stay.

    Args:
        obj: Anything made of these, and of objects with `get_config()`.

    Raises:
        TypeError: An object without `get_config()`, or one whose result is no dictionary.

    Source: https://keras.io/api/models/model_saving_apis/serialization_utils/
    """
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, list | tuple):
        values = [serialize_keras_object(x) for x in obj]
        return tuple(values) if isinstance(obj, tuple) else values
    if isinstance(obj, dict):
        return serialize_dict(obj)
    special = _special(obj)
    if special is not None:
        return special
    if inspect.isclass(obj):
        raise TypeError(
            f"Cannot serialize the class {obj}: an instance is needed. Did you forget to call it?"
        )
    if hasattr(obj, "get_config"):
        return _instance(obj)
    if hasattr(obj, "__name__"):
        return _function(obj)
    raise TypeError(
        f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a class must "
        "implement the `get_config()` method."
    )


def _special(obj: Any) -> Any:
    """What JSON lacks, in a form that only serialization knows; None for anything else."""
    if isinstance(obj, bytes):
        return _form("bytes", value=obj.decode("utf-8"))
    if obj is Ellipsis:
        return _form("ellipsis")
    if isinstance(obj, slice):
        parts = {k: serialize_keras_object(getattr(obj, k)) for k in ("start", "stop", "step")}
        return _form("slice", **parts)
    if isinstance(obj, np.ndarray):
        if obj.ndim == 0:
            return obj.item()
        return _form("numpy", value=obj.tolist(), dtype=obj.dtype.name)
    if isinstance(obj, core.Tensor):
        return _form("tensor", value=obj.tolist(), dtype=obj.dtype.name)
    if isinstance(obj, np.dtype):
        return obj.name
    if hasattr(obj, "keras_tensor_config"):
        return obj.keras_tensor_config()
    if type(obj).__name__ == "KerasTensor":
        return _keras_tensor(obj)
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        warnings.warn(
            f"The object being serialized includes a `lambda`. This is unsafe: it can be read "
            f"again only with `safe_mode=False`. Use a named, registered function. lambda={obj}",
            stacklevel=3,
        )
        return _form("lambda", value=func_dump(obj))
    return None


def _form(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": f"__{kind}__", "config": config}


def _keras_tensor(tensor: Any) -> dict[str, Any]:
    history = getattr(tensor, "_keras_history", None)
    if history is not None:
        operation, node_index, tensor_index = history
        history = [operation.name, node_index, tensor_index]
    return _form("keras_tensor", shape=tensor.shape, dtype=str(tensor.dtype), keras_history=history)


def _instance(obj: Any) -> dict[str, Any]:
    inner = obj.get_config()
    if not isinstance(inner, dict):
        raise TypeError(
            f"The `get_config()` method of {obj} should return a dict. It returned: {inner}"
        )
    cls = type(obj)
    module, name = keras_entry(cls) or (cls.__module__, cls.__name__)
    public = keras_entry(cls) is not None and not module.startswith("keras.src.")
    config: dict[str, Any] = {
        "module": None if module in ("__main__", "builtins") else module,
        "class_name": name,
        "config": serialize_dict(inner),
        "registered_name": None if public else get_registered_name(cls),
    }
    for part in ("build_config", "compile_config"):
        getter = getattr(obj, f"get_{part}", None)
        found = getter() if getter is not None else None
        if found is not None:
            config[part] = serialize_dict(found)
    note_written(obj, config)
    return config


def _function(obj: Any) -> dict[str, Any]:
    kind = "function" if inspect.isroutine(obj) else type(obj).__name__
    entry = keras_entry(obj)
    return {
        "module": "builtins",
        "class_name": kind,
        "config": entry[1] if entry else get_registered_name(obj),
        "registered_name": kind,
    }
