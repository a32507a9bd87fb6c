"""Arrays of text: what no tensor can hold, and layers for text take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["Text", "holds_text", "is_text", "means_text"]


# What layers give text in: in TensorFlow programs, arrays with the methods of its tensors.
of_layers: Callable[[Any], Any] = np.asarray


def is_text(x: Any) -> bool:
    """Whether it is an array of strings or bytes."""
    if not isinstance(x, np.ndarray):
        return False
    if x.dtype.kind == "O":
        return isinstance(x, Text) or (x.size > 0 and isinstance(x.flat[0], str | bytes))
    return x.dtype.kind in "USOT"


def means_text(x: Any) -> bool:
    """Whether it is text, an array of it, or lists with text."""
    if not isinstance(x, list | tuple):
        return isinstance(x, str | bytes) or is_text(x)
    for part in x:
        if means_text(part):
            return True
        if not isinstance(part, list | tuple):
            return False  # a number: so are the others
    return False


def holds_text(structure: Any) -> bool:
    """Whether one of the leaves is."""
    kind = type(structure)
    if kind is core.Tensor:
        return False  # most leaves are: no look at the rest
    if kind is tuple or kind is list:
        return any(map(holds_text, structure))
    return any(is_text(leaf) for leaf in core.tree.flatten(structure))


class Text(np.ndarray):
    """An array of text that answers as a tensor of text does: an element is an array of no axes,
    and `numpy()` gives bytes.

    Args:
        values: Strings, or bytes that are no text.
    """

    def __new__(cls, values: Any) -> Text:
        array = np.asarray(values)
        if array.dtype.kind in "US":
            array = array.astype(object)
        if any(type(v) is not str for v in array.flat):
            decoded = np.empty(array.shape, object)
            for i, v in enumerate(array.flat):
                decoded.flat[i] = _decoded(v)
            array = decoded
        return array.view(cls)

    def numpy(self) -> Any:
        """Bytes, or an array of them."""
        encoded = np.empty(self.shape, object)
        for i, v in enumerate(self.flat):
            encoded.flat[i] = v.encode() if isinstance(v, str) else v
        return encoded if self.ndim else encoded.item()

    def get_shape(self) -> Any:
        """The shape."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Nothing to do: the shape is known."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _single(found) if isinstance(found, str | bytes) else found

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __str__(self) -> str:
        return str(self.view(np.ndarray))

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray)).replace("array(", "Text(", 1)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        if array.dtype.kind == "O":
            return array.view(Text)
        return core.constant(np.array(array))

    def __reduce__(self) -> Any:
        return Text, (np.asarray(self),)


def _single(value: str | bytes) -> Text:
    array = np.empty((), object)
    array[()] = value
    return array.view(Text)


def _decoded(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return bytes(value)  # an image's, say
    return str(value)
