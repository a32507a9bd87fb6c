"""Elements of data sets: arrays, tensors and text in structures; rows, stacks, padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from .. import older
from ..text_arrays import Text, is_text

__all__ = ["INFINITE", "UNKNOWN", "Cardinality", "Elements", "as_numpy", "as_tensors"]

tree = core.tree

INFINITE, UNKNOWN = -1, -2


class Cardinality(int):
    """A number of elements."""

    def numpy(self) -> Any:
        """The number as NumPy's."""
        return np.int64(self)


class Elements:
    """An iterator of elements."""

    def __init__(self, elements: Iterator[Any]) -> None:
        self._elements = elements

    def __iter__(self) -> Elements:
        return self

    def __next__(self) -> Any:
        return next(self._elements)

    def get_next(self) -> Any:
        """The next element.

        Raises:
            StopIteration: There is none; it is also `tf.errors.OutOfRangeError`.
        """
        for element in self._elements:
            return element
        system = older.compat("tensorflow.system")
        raise system.OutOfRangeError("End of sequence")


def _is_set(x: Any) -> bool:
    return hasattr(x, "_make") and hasattr(x, "cardinality")


def _is_rows(x: Any) -> bool:
    return hasattr(x, "row_lengths")


def row(arrays: Any, i: int) -> Any:
    """Row `i` of each array."""
    return tree.map_structure(lambda a: np.asarray(a)[i], arrays)


def _over(leaf: Callable[[Any], Any], structure: Any) -> Any:
    """A function of each component: tuples and dictionaries stay, a list is one component."""
    if isinstance(structure, tuple):
        parts = [_over(leaf, v) for v in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    if isinstance(structure, dict):
        return {k: _over(leaf, v) for k, v in structure.items()}
    return leaf(structure)


def arrays_of(structure: Any) -> Any:
    """A structure of arrays: tuples and dictionaries stay, lists are arrays."""

    def leaf(x: Any) -> Any:
        array = np.asarray(x)
        if hasattr(x, "__array__"):  # an array, a tensor, a column of pandas
            return array
        if array.dtype.kind in "USO":
            return np.asarray(x, object)
        if isinstance(x, list) and x and hasattr(x[0], "dtype"):
            return array
        return np.asarray(core.convert(x))

    return _over(leaf, structure)


def as_tensors(element: Any) -> Any:
    """Numbers as tensors, text as arrays that answer as tensors do."""

    def leaf(x: Any) -> Any:
        if isinstance(x, core.Tensor | Text) or _is_set(x) or _is_rows(x):
            return x
        x = np.asarray(x)
        if is_text(x) or x.dtype.kind in "US":
            return Text(x)
        return core.constant(x) if x.dtype.kind in "biufcV" else x

    return tree.map_structure(leaf, element)


def as_numpy(element: Any) -> Any:
    """Numbers as arrays, text as bytes."""

    def leaf(x: Any) -> Any:
        if _is_set(x) or _is_rows(x):
            return x
        if isinstance(x, str | bytes) or is_text(np.asarray(x)):
            return Text(np.asarray(x)).numpy()
        x = np.asarray(x)
        return x if x.ndim else x[()]

    return tree.map_structure(leaf, element)


def result_of(found: Any) -> Any:
    """What a function of a program gave: a list is one tensor, numbers are tensors."""

    def leaf(x: Any) -> Any:
        if not isinstance(x, bool | int | float | list):
            return x
        try:
            return core.convert(x)
        except (core.DTypeError, core.ShapeError, ValueError, TypeError):
            return x

    return _over(leaf, found)


def array_of(x: Any) -> Any:
    """One array; text as objects."""
    return np.array(x, dtype=object) if isinstance(x, str | bytes) else np.asarray(x)


def stacked(elements: list[Any]) -> Any:
    """Elements along a new first axis."""
    return tree.map_structure(lambda *leaves: np.stack([array_of(x) for x in leaves]), *elements)


def padded(elements: list[Any], shapes: Any = None, values: Any = None) -> Any:
    """Elements of different sizes along a new first axis, filled up to the largest.

    Args:
        elements: Those of a batch.
        shapes: A structure of shapes to fill up to, None for sizes of the largest.
        values: A structure of what fills up, or one for all; 0, or "" by default.
    """
    if isinstance(elements[0], tuple):
        count = len(elements[0])
        wanted = (
            shapes if isinstance(shapes, tuple) and not _is_shape(shapes) else (shapes,) * count
        )
        fills = values if isinstance(values, tuple) else (values,) * count
        columns = ([e[i] for e in elements] for i in range(count))
        return tuple(padded(c, w, f) for c, w, f in zip(columns, wanted, fills))
    if isinstance(elements[0], dict):
        return {
            k: padded(
                [e[k] for e in elements],
                shapes[k] if isinstance(shapes, dict) else shapes,
                values[k] if isinstance(values, dict) else values,
            )
            for k in elements[0]
        }
    return _filled([array_of(x) for x in elements], shapes, values)


def _is_shape(shape: Any) -> bool:
    return all(n is None or isinstance(n, int) for n in shape)


def _filled(arrays: list[Any], shape: Any, value: Any) -> Any:
    if not arrays[0].ndim:
        return np.stack(arrays)
    size = [int(n) for n in np.max([a.shape for a in arrays], axis=0)]
    if shape is not None:
        for axis, n in enumerate(np.asarray(shape, object).reshape(-1)):
            if n is None or int(n) < 0:
                continue
            if size[axis] > int(n):
                raise ValueError(
                    f"padded_batch: an element of size {size[axis]} does not fit into {int(n)}."
                )
            size[axis] = int(n)
    text = is_text(arrays[0]) or arrays[0].dtype.kind in "US"
    kind = object if text else arrays[0].dtype
    if value is None:
        value = "" if text else 0
    whole = np.full((len(arrays), *size), np.asarray(value).item(), kind)
    for target, a in zip(whole, arrays, strict=True):
        target[tuple(slice(n) for n in a.shape)] = a
    return whole


def parts_of(elements: list[Any], new: Any) -> Any:
    """A data set of each component of elements."""

    def part(*leaves: Any) -> Any:
        return new(lambda epoch: iter(leaves), len(leaves))

    return tree.map_structure(part, *elements)


def spec_of(x: Any, open_axes: int) -> Any:
    """Shape and dtype of a component, None for the sizes of its first axes."""
    values = older.compat("tensorflow.values")
    if _is_set(x):
        return x.element_spec
    array = array_of(x)
    shape = [None if i < open_axes else n for i, n in enumerate(array.shape)]
    kind = "string" if array.dtype.kind in "OUS" else array.dtype.name
    return values.TensorSpec(values.TensorShape(shape), values.as_dtype(kind))
