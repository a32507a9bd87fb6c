"""Projections of weights after each update."""

from __future__ import annotations

from typing import Any

from .. import older as _older
from .. import ops
from ..serialization import builtin, deserialize_keras_object, look_up, serialize_keras_object
from ..settings import epsilon

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


@builtin("keras.constraints")
class Constraint:
    """A function of a weight to its value after an update, with a config.

    Subclasses define `__call__(self, w)` and, if they have arguments, `get_config()`.

    Source: https://keras.io/api/layers/constraints/
    """

    def __call__(self, w: Any) -> Any:
        """The nearest allowed value."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The constraint of a config."""
        return cls(**config)


def _norm(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


@builtin("keras.constraints")
class MaxNorm(Constraint):
    """Scales vectors along `axis` whose norm is above `max_value` down to it.

    Args:
        max_value: Greatest norm.
        axis: Axis or axes of a vector: 0 for the kernel of a Dense layer, `[0, 1, 2]` for that of
            a Conv2D.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014), section 5.1.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norms = _norm(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"max_value": self.max_value, "axis": self.axis}


@builtin("keras.constraints")
class NonNeg(Constraint):
    """Sets negative elements to 0."""

    def __call__(self, w: Any) -> Any:
        return ops.relu(ops.convert_to_tensor(w))


@builtin("keras.constraints")
class UnitNorm(Constraint):
    """Scales vectors along `axis` to norm 1.

    Args:
        axis: See `MaxNorm`.
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w / (epsilon() + _norm(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"axis": self.axis}


@builtin("keras.constraints")
class MinMaxNorm(Constraint):
    """Moves the norms of vectors along `axis` towards `[min_value, max_value]`.

    Args:
        min_value: Least norm.
        max_value: Greatest norm.
        rate: The share of the way: 1 means into the interval at once.
        axis: See `MaxNorm`.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norms = _norm(w, self.axis)
        inside = ops.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * inside + (1 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_BY_NAME: dict[str, Any] = {
    "MaxNorm": MaxNorm,
    "MinMaxNorm": MinMaxNorm,
    "NonNeg": NonNeg,
    "UnitNorm": UnitNorm,
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    # Keras 2
    "maxnorm": MaxNorm,
    "nonneg": NonNeg,
    "unitnorm": UnitNorm,
}


def serialize(constraint: Any) -> Any:
    """The config of a constraint."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """The constraint meant.

    Args:
        identifier: A name such as `"max_norm"` or `"MaxNorm"`, a config, a class, a function, a
            constraint, or None.

    Raises:
        ValueError: It means none.
    """
    return look_up(identifier, _BY_NAME, "constraint")


__getattr__ = _older.names(__name__)
