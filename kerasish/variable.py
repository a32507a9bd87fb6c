"""Keras's Variable: a core variable with a path, an initializer and automatic casting."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from . import older
from .naming import auto_name, check_name, current_path
from .serialization import find_builtin
from .settings import bump_structure_version, floatx

__all__ = ["Variable", "autocast_scope", "get_autocast_dtype", "limited_variables"]

_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = (None, "none", "on_read", "on_write", "auto")


class _State(threading.local):
    autocast: str | None = None
    # Bytes that may still be allocated by initializers; None for any number.
    allowance: int | None = None


_state = _State()


@contextlib.contextmanager
def autocast_scope(dtype: Any) -> Iterator[None]:
    """Floating variables read in the block come in this dtype.

    Args:
        dtype: A floating dtype; None (or another dtype) means that they come as they are.
    """
    if dtype is not None:
        dtype = core.dtypes.as_dtype(dtype)
        dtype = dtype.name if core.dtypes.is_float(dtype) else None
    before, _state.autocast = _state.autocast, dtype
    try:
        yield
    finally:
        _state.autocast = before


@contextlib.contextmanager
def limited_variables(size: int) -> Iterator[None]:
    """In the block, initializers make no more than `size` bytes of variables.

    What a file asks for must not be allocated before it is known to be plausible.
    """
    before, _state.allowance = _state.allowance, size
    try:
        yield
    finally:
        _state.allowance = before


def _check_allowance(shape: tuple[Any, ...], dtype: str) -> None:
    if _state.allowance is None:
        return
    _state.allowance -= math.prod(shape) * core.dtypes.as_dtype(dtype).itemsize
    if _state.allowance < 0:
        raise ValueError(
            f"A variable of shape {shape} and dtype {dtype} would make the model far larger than "
            "the weights in its file: the file is damaged or hostile. Nothing was allocated."
        )


def get_autocast_dtype() -> str | None:
    """The dtype of the open `autocast_scope`, or None."""
    return _state.autocast


class Variable(core.Variable):
    """State that operations read and that can be assigned to.

    Args:
        initializer: The first value; or a function `(shape, dtype=dtype)` that makes it; or the
            name of an initializer.
        shape: Needed for a function or a name.
        dtype: By default that of the value; `floatx()` for functions.
        trainable: Whether optimizers train it.
        autocast: Whether a layer's compute dtype applies when it is read (floating ones only).
        aggregation: Accepted as in Keras: "none", "mean", "sum" or "only_first_replica".
        synchronization: Accepted as in Keras: "none", "on_read", "on_write" or "auto".
        name: Without "/". By default made from the class name.
        layout: A `TensorLayout`; see `keras.distribution`.
        **kwargs: Accepted as in Keras, without effect.

    Raises:
        ValueError: A bad name, or an initializer without a shape.

    Source: https://keras.io/api/variable/
    """

    __getattr__ = older.attribute

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        name = check_name(auto_name(type(self).__name__) if name is None else name)
        _check("aggregation", aggregation, _AGGREGATIONS)
        _check("synchronization", synchronization, _SYNCHRONIZATIONS)
        self._regularizer: Any = None
        self._constraint: Any = None
        self._overwrite_with_gradient = False
        self._trainable = bool(trainable)
        self._aggregation = aggregation or "none"
        self._synchronization = synchronization or "none"
        self.autocast = bool(autocast)
        self._layout = layout
        scope = current_path()
        self._path = f"{scope}/{name}" if scope else name
        dtype = None if dtype is None else getattr(dtype, "variable_dtype", dtype)
        with core.eager_scope(), autocast_scope(None):
            value, dtype = _first_value(initializer, shape, dtype)
            super().__init__(value, trainable=trainable, name=name, dtype=dtype)

    # -- what it is
    @property
    def name(self) -> str:
        """Its own name, without those of scopes."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def path(self) -> str:
        """The names of the scopes it was made in and its own, joined by "/"."""
        return self._path

    @path.setter
    def path(self, path: str) -> None:
        self._path = path

    @property
    def dtype(self) -> str:
        """Its dtype; inside an `autocast_scope` the one in which it is read."""
        wanted = _state.autocast
        own = self._tensor.dtype
        if wanted is not None and self.autocast and core.dtypes.is_float(own):
            return wanted
        return own.name

    @property
    def trainable(self) -> bool:
        """Whether optimizers train it."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: Any) -> None:
        trainable = bool(trainable)
        if trainable != self._trainable:
            self._trainable = trainable
            bump_structure_version()

    @property
    def aggregation(self) -> str:
        """How replicas would be combined: accepted as in Keras, there is one replica."""
        return self._aggregation

    @property
    def synchronization(self) -> str:
        """When replicas would be combined: accepted as in Keras, there is one replica."""
        return self._synchronization

    @property
    def regularizer(self) -> Any:
        """A function of the variable to a penalty, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, regularizer: Any) -> None:
        _check_callable("regularizer", "keras.regularizers.Regularizer", regularizer)
        self._regularizer = regularizer

    @property
    def constraint(self) -> Any:
        """A function of the variable to its value after each update, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, constraint: Any) -> None:
        _check_callable("constraint", "keras.constraints.Constraint", constraint)
        self._constraint = constraint

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether optimizers assign the gradient as the new value (float8 scales)."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"`overwrite_with_gradient` must be a boolean. Received: {value}")
        self._overwrite_with_gradient = value

    # -- reading and writing
    @property
    def value(self) -> core.Tensor:
        """The current value as a tensor, seen by tapes and traces."""
        tensor = self.read()
        wanted = _state.autocast
        if wanted is None or not self.autocast:
            return tensor
        if not core.dtypes.is_float(tensor.dtype) or tensor.dtype.name == wanted:
            return tensor
        return core.ops.cast(tensor, wanted)

    def assign_add(self, value: Any) -> Variable:
        """Add to the value."""
        return self.assign(core.ops.add(self.read(), value))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value."""
        return self.assign(core.ops.subtract(self.read(), value))

    def __repr__(self) -> str:
        own = self._settled()
        return (
            f"<Variable path={self._path}, shape={own.shape}, dtype={own.dtype.name}, "
            f"value={np.asarray(own)}>"
        )


def _check(argument: str, value: Any, accepted: tuple[Any, ...]) -> None:
    if value not in accepted:
        shown = ", ".join(f"`{a!r}`" for a in accepted)
        raise ValueError(
            f"Invalid value for argument `{argument}`. Expected one of {shown}. "
            f"Received: {argument}={value}"
        )


def _check_callable(attribute: str, example: str, value: Any) -> None:
    if value is not None and not callable(value):
        raise ValueError(
            f"Invalid value for attribute `{attribute}`. Expected a callable (such as a "
            f"`{example}` instance) or `None`. Received: {attribute}={value}"
        )


def _first_value(initializer: Any, shape: Any, dtype: Any) -> tuple[Any, Any]:
    """The first value and the dtype to hold it in."""
    if isinstance(initializer, str):
        initializer = find_builtin("keras.initializers", "get")(initializer)
    if callable(initializer):
        if shape is None:
            raise ValueError(
                "When creating a Variable from an initializer, the `shape` argument should be "
                f"specified. Received: initializer={initializer} and shape={shape}"
            )
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        dtype = core.dtypes.name_of(floatx() if dtype is None else dtype)
        _check_allowance(shape, dtype)
        return initializer(shape, dtype=dtype), dtype
    if initializer is None:
        raise ValueError(
            "A Variable needs a first value or an initializer. Received: initializer=None"
        )
    return initializer, dtype
