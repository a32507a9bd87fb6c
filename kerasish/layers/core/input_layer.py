"""`Input` and the layer behind it."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ...config import floatx
from ...naming import auto_name
from ...ops.symbolic import KerasTensor, Node
from ...serialization import builtin
from ..base import Layer

__all__ = ["Input", "InputLayer"]


@builtin("keras.layers")
class InputLayer(Layer):
    """The start of a functional graph.

    Args:
        shape: Without the batch axis; None where any size will do.
        batch_size: Of the first axis, None for any.
        dtype: `floatx()` by default; "string" for text.
        sparse: Whether SciPy's sparse matrices are expected; their values are used densely.
        ragged: Must be false.
        batch_shape: The shape with the batch axis, instead of `shape`.
        input_tensor: A KerasTensor to start from.
        optional: Whether the input may be None.
        name: Of the layer.
    """

    def __init__(
        self, shape: Any = None, batch_size: Any = None, dtype: Any = None, sparse: Any = None,
        ragged: Any = None, batch_shape: Any = None, input_tensor: Any = None,
        optional: bool = False, name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        shape = kwargs.pop("input_shape", shape)
        super().__init__(name=name or auto_name("input_layer"))
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if shape is not None:
            shape = _as_shape(shape)
            batch_shape = (batch_size, *shape)
        if ragged:
            raise ValueError("`ragged=True` is not supported: pad the rows to one length.")
        self._batch_shape = _as_shape(batch_shape)
        dtype = dtype or floatx()
        self._input_dtype = "string" if dtype == "string" else core.dtypes.name_of(dtype)
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), optional
        self.built = True
        if input_tensor is None:
            input_tensor = KerasTensor(
                self.batch_shape, self._input_dtype, sparse=bool(sparse), name=name
            )
        Node(self, (), {}, input_tensor)

    def call(self) -> Any:
        """Not to be called: its output is symbolic."""
        raise TypeError(f"InputLayer {self.name!r} holds a symbolic tensor and can't be called.")

    @property
    def input(self) -> Any:
        """The symbolic tensor itself, as before Keras 3 (which gives an empty list)."""
        return self.output

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        """The shape with the batch axis."""
        return self._batch_shape

    @property
    def dtype(self) -> str:
        return self._input_dtype

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape, "dtype": self._input_dtype, "sparse": self.sparse,
            "ragged": self.ragged, "name": self.name, "optional": self.optional,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def _as_shape(shape: Any) -> tuple[Any, ...]:
    """The shape as a tuple of ints and None."""
    if hasattr(shape, "__index__"):  # Input(shape=(3)), where one axis was meant
        return (int(shape),)
    if not hasattr(shape, "__iter__"):
        raise ValueError(f"Cannot convert '{shape}' to a shape. Pass a tuple, e.g. ({shape},).")
    shape = tuple(shape)
    for n in shape:
        if n is not None and (not hasattr(n, "__index__") or int(n) < 0):
            raise ValueError(
                f"Cannot convert '{shape}' to a shape. Found invalid dimension '{n}' of type "
                f"'{type(n)}'."
            )
    return tuple(None if n is None else int(n) for n in shape)


def Input(
    shape: Any = None, batch_size: Any = None, dtype: Any = None, sparse: Any = None,
    ragged: Any = None, batch_shape: Any = None, name: str | None = None, tensor: Any = None,
    optional: bool = False,
) -> Any:  # fmt: skip
    """A symbolic tensor to build a functional model from; arguments as in `InputLayer`.

    Returns:
        A KerasTensor.
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.output
