"""`keras.initializations` of Keras 1: functions from a shape to a variable."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, initializers

__all__ = [
    "as_initializer", "get", "get_fans", "glorot_normal", "glorot_uniform", "he_normal",
    "he_uniform", "identity", "lecun_uniform", "normal", "one", "orthogonal", "uniform", "zero",
]  # fmt: skip


def _variable(initializer: Any, shape: Any, name: str | None, **arguments: Any) -> Any:
    value = initializer(**arguments)(tuple(shape))
    return backend.variable(np.asarray(value), name=name)


def get_fans(shape: Any, dim_ordering: str = "th") -> tuple[Any, Any]:
    """How many inputs and outputs a weight of this shape has.

    Raises:
        ValueError: An unknown `dim_ordering`.
    """
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) not in (4, 5):
        size = np.sqrt(np.prod(shape))
        return size, size
    if dim_ordering not in ("th", "tf"):
        raise ValueError(f'Invalid dim_ordering: {dim_ordering!r}; expected "th" or "tf".')
    space, first, last = (shape[2:], 1, 0) if dim_ordering == "th" else (shape[:-2], -2, -1)
    return int(np.prod(space)) * shape[first], int(np.prod(space)) * shape[last]


def uniform(shape: Any, scale: float = 0.05, name: str | None = None, **_: Any) -> Any:
    """Numbers between -scale and scale."""
    return _variable(initializers.RandomUniform, shape, name, minval=-scale, maxval=scale)


def normal(shape: Any, scale: float = 0.05, name: str | None = None, **_: Any) -> Any:
    """Normal numbers with standard deviation `scale`."""
    return _variable(initializers.RandomNormal, shape, name, stddev=scale)


def lecun_uniform(shape: Any, name: str | None = None, **_: Any) -> Any:
    """See `keras.initializers.LecunUniform`."""
    return _variable(initializers.LecunUniform, shape, name)


def glorot_normal(shape: Any, name: str | None = None, **_: Any) -> Any:
    """See `keras.initializers.GlorotNormal`."""
    return _variable(initializers.GlorotNormal, shape, name)


def glorot_uniform(shape: Any, name: str | None = None, **_: Any) -> Any:
    """See `keras.initializers.GlorotUniform`."""
    return _variable(initializers.GlorotUniform, shape, name)


def he_normal(shape: Any, name: str | None = None, **_: Any) -> Any:
    """See `keras.initializers.HeNormal`."""
    return _variable(initializers.HeNormal, shape, name)


def he_uniform(shape: Any, name: str | None = None, **_: Any) -> Any:
    """See `keras.initializers.HeUniform`."""
    return _variable(initializers.HeUniform, shape, name)


def orthogonal(shape: Any, scale: float = 1.1, name: str | None = None, **_: Any) -> Any:
    """A matrix with orthogonal rows or columns, times `scale`."""
    return _variable(initializers.Orthogonal, shape, name, gain=scale)


def identity(shape: Any, scale: float = 1, name: str | None = None, **_: Any) -> Any:
    """The unit matrix times `scale`."""
    return _variable(initializers.Identity, shape, name, gain=scale)


def zero(shape: Any, name: str | None = None, **_: Any) -> Any:
    """Zeros."""
    return _variable(initializers.Zeros, shape, name)


def one(shape: Any, name: str | None = None, **_: Any) -> Any:
    """Ones."""
    return _variable(initializers.Ones, shape, name)


def get(identifier: Any, **_: Any) -> Any:
    """The function of a name; functions as they are.

    Raises:
        ValueError: There is no such name.
    """
    if callable(identifier):
        return identifier
    if identifier not in __all__ or identifier in ("as_initializer", "get", "get_fans"):
        raise ValueError(f"Invalid initialization: {identifier}")
    return globals()[identifier]


def as_initializer(init: Any) -> Any:
    """`init=` of a layer of Keras 1 as an initializer of today: a name, or a function from a shape
    (and a `name`) to a variable."""
    if isinstance(init, initializers.Initializer | str) or not callable(init):
        return init
    if init is globals().get(getattr(init, "__name__", "")):
        return init.__name__.replace("normal", "random_normal") if init is normal else (
            "random_uniform" if init is uniform else init.__name__
        )  # fmt: skip
    return _Called(init)


class _Called:
    """Calls a function in the way of Keras 1, and gives the variable's value."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        parameters = inspect.signature(function).parameters
        self.named = "name" in parameters or any(
            p.kind is p.VAR_KEYWORD for p in parameters.values()
        )
        self.typed = "dtype" in parameters

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        arguments: dict[str, Any] = {"name": None} if self.named else {}
        if self.typed:
            arguments["dtype"] = dtype
        found = np.asarray(self.function(shape, **arguments))
        return found if dtype is None else found.astype(dtype)
