"""Learning rate schedules, and `serialize`/`deserialize`."""

from __future__ import annotations

from typing import Any

from ...serialization import deserialize_keras_object, serialize_keras_object, visible_objects
from .learning_rate_schedule import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay",
    "LearningRateSchedule", "PiecewiseConstantDecay", "PolynomialDecay", "deserialize",
    "serialize",
]  # fmt: skip

_BY_NAME = {
    c.__name__: c
    for c in (
        CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay,
        PiecewiseConstantDecay, PolynomialDecay,
    )
}  # fmt: skip


def serialize(learning_rate_schedule: Any) -> Any:
    """The config of a schedule."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """A schedule from what `serialize` returned, or from `class_name` and `config` alone.

    Raises:
        ValueError: The class is unknown.
    """
    if isinstance(config, dict) and "module" not in config:
        name = config.get("class_name")
        for objects in (custom_objects or {}, visible_objects(), _BY_NAME):
            if name in objects:
                return objects[name].from_config(config.get("config") or {})
        raise ValueError(f"Unknown schedule {name!r}. Expected one of {sorted(_BY_NAME)}.")
    return deserialize_keras_object(config, custom_objects=custom_objects)
