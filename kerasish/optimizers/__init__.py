"""Optimizers, and `get`/`serialize`/`deserialize`."""

from __future__ import annotations

from typing import Any

from .. import older as _older
from ..serialization import deserialize_keras_object, serialize_keras_object, visible_objects
from . import legacy, schedules
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .base import Optimizer
from .ftrl import Ftrl
from .lamb import Lamb
from .lion import Lion
from .loss_scale import LossScaleOptimizer
from .multi import MultiOptimizer, OptimizerMap
from .muon import Muon
from .nadam import Nadam
from .rmsprop import RMSprop
from .schedule_free import ScheduleFreeAdamW
from .sgd import SGD

__all__ = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion",
    "LossScaleOptimizer", "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap",
    "RMSprop", "SGD", "ScheduleFreeAdamW", "deserialize", "get", "legacy", "schedules",
    "serialize",
]  # fmt: skip

_BY_NAME: dict[str, Any] = {
    c.__name__.lower(): c
    for c in (
        Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
        MultiOptimizer, Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW,
    )
}  # fmt: skip


def serialize(optimizer: Any) -> Any:
    """The config of an optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """An optimizer from what `serialize` returned, or from `class_name` and `config` alone.

    Args:
        config: The config; built-in class names in any case.
        custom_objects: Names to classes.

    Raises:
        ValueError: The class is unknown.
    """
    name = config.get("class_name") if isinstance(config, dict) else None
    known = isinstance(name, str) and name.lower() in _BY_NAME
    if known and not {name} & {*(custom_objects or {}), *visible_objects()}:
        module = config.get("module")
        if module in (None, "keras.optimizers", "kerasish.optimizers"):
            return _BY_NAME[str(name).lower()].from_config(
                config.get("config") or {}, custom_objects=custom_objects
            )
    if isinstance(config, dict) and "module" not in config:
        for objects in (custom_objects or {}, visible_objects()):
            if name in objects:
                return objects[name].from_config(config.get("config") or {})
        raise ValueError(f"Unknown optimizer: {name!r}. Expected one of {sorted(_BY_NAME)}.")
    return deserialize_keras_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """An optimizer from a name, a config or an object.

    Args:
        identifier: `"adam"`, a config dict, an optimizer or None.

    Raises:
        ValueError: It is none of these.
    """
    if identifier is None:
        return None
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        custom = visible_objects().get(identifier)
        found = custom or _BY_NAME.get(identifier.lower())
        if found is not None:
            return found()
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


__getattr__ = _older.names(__name__)
