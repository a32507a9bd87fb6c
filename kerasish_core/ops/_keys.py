"""Keys of indexing: what `x[key]` means, its shape, and the positions that it names.

An index is split into a static part, which is an attribute, and integer tensors, which are
inputs: `key` holds slices, None, Ellipsis, ints and, for the i-th tensor, `("tensor", i)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..op import Spec
from ..tensor import Tensor, constant, convert

__all__ = ["IndexShapeError", "full_key", "index_spec", "positions", "prepare", "thaw"]


class IndexShapeError(ShapeError, IndexError):
    """An index beyond the end of an axis; IndexError too, as Python's iteration ends with it."""


def _freeze(part: Any) -> Any:
    if isinstance(part, slice):
        return ("slice", _bound(part.start), _bound(part.stop), _bound(part.step))
    return ("ellipsis",) if part is Ellipsis else part


def _bound(value: Any) -> Any:
    return value if value is None else value.__index__()


def thaw(key: tuple[Any, ...], arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The key as NumPy takes it."""
    found: list[Any] = []
    for part in key:
        if isinstance(part, tuple):
            if part[0] == "slice":
                found.append(slice(*part[1:]))
            else:
                found.append(Ellipsis if part[0] == "ellipsis" else arrays[part[1]])
        else:
            found.append(part)
    return tuple(found)


def _split_key(key: Any) -> tuple[tuple[Any, ...], list[Tensor]]:
    """The static key and the index tensors of `x[key]`."""
    static: list[Any] = []
    tensors: list[Tensor] = []
    for part in key if isinstance(key, tuple) else (key,):
        if part is None or part is Ellipsis or isinstance(part, slice):
            static.append(_freeze(part))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            static.append(int(part))
        else:
            _add_index(part, static, tensors)
    return tuple(static), tensors


def _add_index(part: Any, static: list[Any], tensors: list[Tensor]) -> None:
    index = constant(np.zeros(0, "int32")) if isinstance(part, list) and not part else convert(part)
    if index.dtype == np.bool_:
        if index.ndim == 0:
            raise DTypeError(
                "A single boolean is no index. Write x[None] or x[:0], or a mask of x's shape."
            )
        # The number of elements depends on the values, so that a traced mask can't be used.
        for where_true in np.nonzero(np.asarray(index)):
            static.append(("tensor", len(tensors)))
            tensors.append(constant(where_true.astype("int32")))
        return
    if not dtypes.is_integer(index.dtype):
        raise DTypeError(
            f"An index must be integers, booleans or slices, got {index.spec}. "
            "Cast it: x[ops.cast(i, 'int32')]."
        )
    static.append(("tensor", len(tensors)))
    tensors.append(index)


def _check_masks(x: Tensor, key: Any) -> None:
    """Refuse a mask whose sizes are not those of its axes: its true places might fit by chance."""
    axis = 0
    parts = key if isinstance(key, tuple) else (key,)
    for i, part in enumerate(parts):
        if part is None:
            continue
        if part is Ellipsis:
            axis = x.ndim - sum(_consumed(p) for p in parts[i + 1 :])
            continue
        if _consumed(part) and _is_mask(part):
            shape = np.shape(part)
            if shape != x.shape[axis : axis + len(shape)]:
                raise IndexShapeError(
                    f"getitem: x is {x.spec}; a boolean mask of shape {shape} does not fit its "
                    f"axes from {axis} on, of sizes {x.shape[axis:]}."
                )
        axis += _consumed(part)


def _is_mask(part: Any) -> bool:
    if isinstance(part, list):
        part = np.asarray(part) if not any(isinstance(v, Tensor) for v in part) else None
    return getattr(part, "dtype", None) == np.bool_


def _consumed(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return len(np.shape(part)) if _is_mask(part) else 1


def full_key(key: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """The key without Ellipsis, one part (besides None) for each axis."""
    used = len([p for p in key if p is not None and p != ("ellipsis",)])
    if used > rank:
        raise IndexShapeError(f"{used} indices for a tensor of rank {rank}.")
    if key.count(("ellipsis",)) > 1:
        raise ShapeError("an index can have one Ellipsis ('...') only.")
    gap = (("slice", None, None, None),) * (rank - used)
    place = key.index(("ellipsis",)) if ("ellipsis",) in key else len(key)
    return key[:place] + gap + key[place + 1 :]


def _index_shape(shape: tuple[int, ...], indices: Sequence[Spec], key: tuple[Any, ...]) -> Any:
    """The shape of `x[key]`, by NumPy's rules.

    Indices of one axis or more are "advanced", and so are ints beside them. The axes that they
    broadcast to stand at the first of them if nothing lies between, else in front.
    """
    advanced = any(i.shape for i in indices)
    result: list[int] = []
    places: list[int] = []
    front = axis = 0
    for position, part in enumerate(full_key(key, len(shape))):
        if part is None:
            result.append(1)
            continue
        size = shape[axis]
        axis += 1
        if isinstance(part, tuple) and part[0] == "slice":
            result.append(len(range(*slice(*part[1:]).indices(size))))
            continue
        if isinstance(part, int) and not -size <= part < size:
            raise IndexShapeError(
                f"index {part} is out of range for axis {axis - 1} of size {size}."
            )
        if advanced:
            front = front if places else len(result)
            places.append(position)
    if not advanced:
        return tuple(result)
    try:
        block = np.broadcast_shapes(*(i.shape for i in indices))
    except ValueError:
        shown = ", ".join(str(i) for i in indices)
        raise ShapeError(f"the index tensors {shown} do not broadcast together.") from None
    if places[-1] - places[0] + 1 != len(places):
        front = 0
    return (*result[:front], *block, *result[front:])


def index_spec(x: Spec, *indices: Spec, key: tuple[Any, ...], **_: Any) -> Spec:
    for index in indices:
        if not dtypes.is_integer(index.dtype):
            raise DTypeError(f"getitem: x is {x}, an index is {index}; integers are needed.")
    try:
        return Spec(_index_shape(x.shape, indices, key), x.dtype)
    except ShapeError as error:
        raise type(error)(f"getitem: x is {x}: {error}") from None


def positions(xp: Any, shape: tuple[int, ...], key: tuple[Any, ...], indices: Any) -> Any:
    """The flat position in x of every element of `x[key]`; -1 where an index is out of range."""
    base = xp.arange(math.prod(shape)).reshape(shape)
    found = list(indices)
    axes = [p for p in full_key(key, len(shape)) if p is not None]
    for axis, part in enumerate(axes):
        if not (isinstance(part, tuple) and part[0] == "tensor"):
            continue
        if not dtypes.is_integer(indices[part[1]].dtype):
            raise TypeError("integers are needed")
        size, index = shape[axis], indices[part[1]].astype("int64")
        index = xp.where(index < 0, index + size, index)
        outside = (index < 0) | (index >= size)
        if outside.any():  # one more slot, which says so
            extra = [(0, int(a == axis)) for a in range(len(shape))]
            base = xp.pad(base, extra, constant_values=-1)
        found[part[1]] = xp.where(outside, size, index)
    return xp.asarray(base[thaw(key, found)])


def prepare(x: Tensor, key: Any) -> tuple[tuple[Any, ...], list[Tensor]]:
    static, tensors = _split_key(key)
    if tensors:
        _check_masks(x, key)
    return static, tensors
