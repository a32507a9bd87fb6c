"""Penalties on weights and outputs, added to the loss."""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core

from .. import older as _older
from .. import ops
from ..serialization import builtin, deserialize_keras_object, look_up, serialize_keras_object
from ..settings import floatx

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


@builtin("keras.regularizers")
class Regularizer:
    """A function of a tensor to a scalar penalty, with a config.

    Subclasses define `__call__(self, x)` and `get_config()`.

    Source: https://keras.io/api/layers/regularizers/
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of `x`."""
        return 0.0

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The regularizer of a config."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        raise NotImplementedError(
            f"{self} does not implement get_config(): define it to return the arguments."
        )


def _factor(name: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. "
            f"Received: {name}={value}"
        )
    return float(value)


def _rounded(value: float) -> float:
    """Rounded to `floatx()`, as Keras holds some factors: configs then have the same digits."""
    return core.convert(value, floatx()).item()


@builtin("keras.regularizers")
class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.

    Raises:
        ValueError: A factor is negative or no number.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            squares = self.l2 * ops.sum(ops.square(x))
            penalty = squares if isinstance(penalty, float) else penalty + squares
        if isinstance(penalty, float):
            dtype = ops.convert_to_tensor(x).dtype
            return ops.convert_to_tensor(0.0, dtype if dtype.kind not in "iub" else floatx())
        return penalty

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"l1": self.l1, "l2": self.l2}


@builtin("keras.regularizers")
class L1(Regularizer):
    """`l1 * sum(|x|)`.

    Args:
        l1: Factor.

    Raises:
        ValueError: The factor is negative or no number.
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _rounded(_factor("l1", 0.01 if l1 is None else l1))

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.absolute(x))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"l1": self.l1}


@builtin("keras.regularizers")
class L2(Regularizer):
    """`l2 * sum(x**2)`.

    Args:
        l2: Factor.

    Raises:
        ValueError: The factor is negative or no number.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"l2": self.l2}


@builtin("keras.regularizers")
class OrthogonalRegularizer(Regularizer):
    """The mean size of the cosine between two rows (or columns), times `factor`.

    Args:
        factor: Strength.
        mode: `"rows"` or `"columns"`.

    Raises:
        ValueError: An argument is out of its domain, or the input is no matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _rounded(_factor("factor", factor))
        if mode not in ("rows", "columns"):
            raise ValueError(
                "Invalid value for argument `mode`. Expected one of {'rows', 'columns'}. "
                f"Received: mode={mode}"
            )
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. "
                f"Received: inputs.shape={inputs.shape}"
            )
        vectors = ops.convert_to_tensor(inputs)
        if self.mode == "columns":
            vectors = ops.transpose(vectors)
        norms = ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=1, keepdims=True), 1e-12))
        vectors = vectors / norms
        count = vectors.shape[0]
        cosines = ops.matmul(vectors, ops.transpose(vectors))
        between = cosines * (1.0 - ops.eye(count, dtype=cosines.dtype))
        pairs = count * (count - 1.0) / 2.0
        return self.factor * 0.5 * ops.sum(ops.absolute(between)) / pairs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_BY_NAME: dict[str, Any] = {
    "L1": L1,
    "L1L2": L1L2,
    "L2": L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "l1": L1,
    "l1_l2": L1L2,
    "l2": L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def serialize(regularizer: Any) -> Any:
    """The config of a regularizer."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a config."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BY_NAME)


def get(identifier: Any) -> Any:
    """The regularizer meant.

    Args:
        identifier: A name such as `"l2"` or `"L2"`, a config, a class, a function, a regularizer,
            or None.

    Raises:
        ValueError: It means none.
    """
    return look_up(identifier, _BY_NAME, "regularizer")


__getattr__ = _older.names(__name__)
