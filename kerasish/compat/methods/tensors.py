"""Methods and attributes that tensors and variables had."""

from __future__ import annotations

from typing import Any

__all__ = ["Shape", "get_shape", "keras_shape"]


class Shape(tuple):
    """A shape that also answers as TensorFlow's did."""

    def as_list(self) -> list[Any]:
        """The sizes as a list."""
        return list(self)

    @property
    def ndims(self) -> int:
        return len(self)

    @property
    def rank(self) -> int:
        return len(self)

    @property
    def dims(self) -> list[Any]:
        return list(self)

    def is_fully_defined(self) -> bool:
        """Whether all sizes are known."""
        return None not in self


def get_shape(self: Any) -> Shape:
    """The shape, with TensorFlow's `as_list()`."""
    return Shape(self.shape)


def set_shape(self: Any, shape: Any) -> None:
    """Nothing to do: the shape is known."""


@property
def keras_shape(self: Any) -> Any:
    """The shape, as symbolic tensors once called it."""
    return tuple(self.shape)


@property
def op(self: Any) -> Any:
    """What made the tensor, with a name."""
    return self._keras_history[0]


def get_value(self: Any, borrow: bool = False) -> Any:
    """The values as an array."""
    return self.numpy()


def set_value(self: Any, value: Any, borrow: bool = False) -> None:
    """Assign values."""
    self.assign(value)


def read_value(self: Any) -> Any:
    """The values as a tensor."""
    return self.value


def evaluate(self: Any, session: Any = None) -> Any:
    """The values as an array."""
    return self.numpy()
