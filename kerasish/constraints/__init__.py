"""Projections of weights after each update."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..config import epsilon
from ..serialization import (
    builtin, deserialize_keras_object, get_registered_object, serialize_keras_object,
)  # fmt: skip

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get",
           "serialize"]  # fmt: skip


@builtin("keras.constraints")
class Constraint:
    """A function of a weight to a weight, with a config. Subclasses define `__call__`."""

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(w).")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _norm(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


@builtin("keras.constraints")
class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value`."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norms = _norm(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


@builtin("keras.constraints")
class NonNeg(Constraint):
    """No negative element."""

    def __call__(self, w: Any) -> Any:
        return ops.relu(ops.convert_to_tensor(w))


@builtin("keras.constraints")
class UnitNorm(Constraint):
    """Norms of 1 along `axis`."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w / (epsilon() + _norm(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


@builtin("keras.constraints")
class MinMaxNorm(Constraint):
    """Norms along `axis` moved towards `[min_value, max_value]` by the share `rate`."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norms = _norm(w, self.axis)
        wanted = self.rate * ops.clip(norms, self.min_value, self.max_value)
        return w * ((wanted + (1 - self.rate) * norms) / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value, "max_value": self.max_value, "rate": self.rate,
            "axis": self.axis,
        }  # fmt: skip


_BY_NAME: dict[str, Any] = {
    "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm,
    "max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
}  # fmt: skip
max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm


def serialize(constraint: Any) -> Any:
    """The constraint as a config."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The constraint of a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """A constraint from its name, config, class, function, or itself."""
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = get_registered_object(identifier, None, _BY_NAME)
    if callable(found):
        return found() if isinstance(found, type) else found
    raise ValueError(f"Could not interpret constraint identifier: {identifier!r}")
