"""Layers that work on values: text, vocabularies, hashes.

They can't be part of a compiled program. Called on arrays and lists they run at once; a model runs
those of them that come first on each batch, and compiles the rest (`models/graph.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import text_arrays
from ...text_arrays import is_text
from ..base import Layer

__all__ = ["HostLayer", "as_text", "tensor_or_text", "values_of"]


class HostLayer(Layer):
    """The base of layers whose `call` needs the values of its inputs."""

    _on_host = True
    # What an input made for it, of which only the shape is known, holds.
    _input_kind = "string"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self.autocast = False


def values_of(x: Any) -> Any:
    """Any array, tensor, list or single value as a NumPy array; text becomes objects.

    Raises:
        ValueError: Rows of different lengths.
    """
    if isinstance(x, core.Tensor | core.Variable):
        return np.asarray(x)
    if hasattr(x, "to_numpy"):  # pandas
        x = x.to_numpy()
    if isinstance(x, np.ndarray):
        return x
    # Not as fixed-width text, which would give each string the room of the longest one.
    array = np.asarray(x, dtype=object)
    if any(isinstance(v, list | tuple | np.ndarray) for v in array.flat):
        try:
            array = np.asarray([values_of(row) for row in x])
        except ValueError:
            raise ValueError(
                "The input has rows of different lengths. Pad them to one length, or call the "
                f"layer on each row: {str(x)[:200]}"
            ) from None
    return array if is_text(array) else np.asarray(array.tolist())


def as_text(x: Any, encoding: str = "utf-8") -> Any:
    """Strings, or bytes in this encoding, as an array of `str` objects.

    Raises:
        TypeError: The values are no text.
    """
    array = values_of(x)
    if not is_text(array) and array.size:
        raise TypeError(
            f"Text is expected, got values of dtype {array.dtype}: {str(array)[:100]}. Make them "
            "strings (`x.astype(str)`), or use a layer for integers."
        )
    if array.dtype.kind == "S":
        array = np.char.decode(array, encoding)
    if array.dtype.kind != "O":
        return array.astype(object)
    found = np.empty(array.shape, object)
    found.flat = [v.decode(encoding) if isinstance(v, bytes) else str(v) for v in array.flat]
    return found


def tensor_or_text(x: Any) -> Any:
    """The result of a layer: numbers as a tensor, text as it is."""
    return text_arrays.of_layers(x) if is_text(x) else core.constant(x)
