"""Penalties on weights and outputs."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..serialization import (
    builtin, deserialize_keras_object, get_registered_object, serialize_keras_object,
)  # fmt: skip

__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get",
           "serialize"]  # fmt: skip


@builtin("keras.regularizers")
class Regularizer:
    """A function of a tensor to a scalar penalty, with a config. Subclasses define `__call__`."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x).")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{self} does not implement get_config()")


def _factor(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or value < 0 or value != value or value in (float("inf"),):
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. Received: {value}"
        )
    return float(value)


@builtin("keras.regularizers")
class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return ops.convert_to_tensor(penalty, x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


@builtin("keras.regularizers")
class L1(Regularizer):
    """`l1 * sum(|x|)`."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.absolute(x))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@builtin("keras.regularizers")
class L2(Regularizer):
    """`l2 * sum(x**2)`."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@builtin("keras.regularizers")
class OrthogonalRegularizer(Regularizer):
    """The mean absolute cosine between different rows (or columns), times `factor`."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f"Invalid value for argument `mode`. Expected one of 'rows', 'columns'. "
                f"Received: mode={mode}"
            )
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        if len(x.shape) != 2:
            raise ValueError(f"Inputs to OrthogonalRegularizer must have rank 2. Received: {x.shape}")
        axis = 1 if self.mode == "rows" else 0
        unit = x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis, True), 1e-12))
        product = ops.matmul(unit, ops.transpose(unit)) if axis else ops.matmul(
            ops.transpose(unit), unit
        )
        size = x.shape[1 - axis]
        off = product * (1.0 - ops.eye(size, dtype=product.dtype))
        return self.factor * 0.5 * ops.sum(ops.absolute(off)) / (size * (size - 1.0) / 2.0)

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


_BY_NAME: dict[str, Any] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer, "l1": L1,
    "l2": L2, "l1_l2": L1L2, "orthogonal_regularizer": OrthogonalRegularizer,
}  # fmt: skip
l1, l2, l1_l2 = L1, L2, L1L2


def serialize(regularizer: Any) -> Any:
    """The regularizer as a config."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The regularizer of a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """A regularizer from its name, config, class, function, or itself."""
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = get_registered_object(identifier, None, _BY_NAME)
    if identifier is None:
        return None
    if callable(found):
        return found() if isinstance(found, type) else found
    raise ValueError(f"Could not interpret regularizer identifier: {identifier!r}")
