"""Keras's Variable: a core variable with a path, an initializer and automatic casting."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import kerasish_core as core

from .settings import floatx
from .naming import auto_name, current_path

__all__ = ["Variable", "autocast_scope"]


class _State(threading.local):
    autocast: str | None = None


_state = _State()


@contextlib.contextmanager
def autocast_scope(dtype: str | None) -> Iterator[None]:
    """Floating variables read in the block come in this dtype (None: as they are)."""
    before, _state.autocast = _state.autocast, dtype
    try:
        yield
    finally:
        _state.autocast = before


class Variable(core.Variable):
    """State that can be read by operations and assigned to.

    Args:
        initializer: The first value, or a function `(shape, dtype=dtype)` that makes it.
        shape: Needed for a function.
        dtype: `floatx()` for functions, else that of the value.
        trainable: Whether it is trained.
        autocast: Whether a layer's compute dtype applies when it is read.
        aggregation: Accepted as in Keras: "none", "mean", "sum" or "only_first_replica".
        synchronization: Accepted as in Keras.
        name: Without "/". By default made from the class name.
    """

    def __init__(
        self, initializer: Any, shape: Any = None, dtype: Any = None, trainable: bool = True,
        autocast: bool = True, aggregation: str | None = None, synchronization: str = "auto",
        name: str | None = None,
    ) -> None:  # fmt: skip
        name = name or auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` must be a string without '/'. Received: name={name!r}."
            )
        if aggregation not in (None, "none", "mean", "sum", "only_first_replica"):
            raise ValueError(
                "Invalid value for argument `aggregation`. Expected one of None, 'none', 'mean', "
                f"'sum', 'only_first_replica'. Received: {aggregation!r}."
            )
        dtype = getattr(dtype, "variable_dtype", dtype)
        if callable(initializer) and not isinstance(initializer, core.Tensor | core.Variable):
            if shape is None:
                raise ValueError(
                    "When creating a Variable from an initializer, the `shape` argument should be "
                    f"specified. Received: initializer={initializer} and shape=None."
                )
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            with core.eager_scope():
                value = initializer(shape, dtype=core.dtypes.name_of(dtype or floatx()))
        else:
            value = initializer
            if dtype is None and not hasattr(value, "dtype"):
                with core.eager_scope():
                    dtype = core.convert(value).dtype
        super().__init__(value, trainable=trainable, name=name, dtype=dtype)
        scope = current_path()
        self._path = f"{scope}/{name}" if scope else name
        self.initializer = initializer if callable(initializer) else None
        self.autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False

    @property
    def path(self) -> str:
        """The names of the scopes it was made in and its own."""
        return self._path

    @path.setter
    def path(self, path: str) -> None:
        self._path = path

    @property
    def value(self) -> core.Tensor:
        tensor = self.read()
        dtype = _state.autocast
        if dtype is not None and self.autocast and tensor.dtype.name != dtype:
            if core.dtypes.is_float(tensor.dtype):
                return core.ops.cast(tensor, dtype)
        return tensor

    @property
    def dtype(self) -> str:
        dtype = _state.autocast
        own = self._tensor.dtype
        if dtype is not None and self.autocast and core.dtypes.is_float(own):
            return dtype
        return own.name
