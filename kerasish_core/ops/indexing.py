"""Reading and writing parts: every form of NumPy index, take, gather, scatter, slices.

An index is split into a static part, which is an attribute, and integer tensors, which are
inputs: `key` holds slices, None, Ellipsis, ints and, for the i-th tensor, `("tensor", i)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import DTypeError, ShapeError
from ..op import Spec, define_op
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, constant, convert
from ._args import canonical_axis, promote
from .creation import zeros
from .elementwise import cast, clip
from .shape import broadcast_to, reshape

__all__ = [
    "getitem", "index_add", "nonzero", "put_along_axis", "scatter", "scatter_add",
    "scatter_update", "setitem", "slice_at", "slice_update", "take", "take_along_axis",
]  # fmt: skip


def _freeze(part: Any) -> Any:
    if isinstance(part, slice):
        return ("slice", part.start, part.stop, part.step)
    return ("ellipsis",) if part is Ellipsis else part


def _thaw(key: tuple[Any, ...], arrays: Sequence[Any]) -> tuple[Any, ...]:
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


def _bound(value: Any) -> Any:
    return value if value is None else value.__index__()


def _split_key(x: Tensor, key: Any) -> tuple[tuple[Any, ...], list[Tensor]]:
    """The static key and the index tensors of `x[key]`."""
    parts = key if isinstance(key, tuple) else (key,)
    static: list[Any] = []
    tensors: list[Tensor] = []
    for part in parts:
        if part is None or part is Ellipsis:
            static.append(_freeze(part))
        elif isinstance(part, slice):
            static.append(("slice", _bound(part.start), _bound(part.stop), _bound(part.step)))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool | np.bool_):
            static.append(int(part))
        else:
            _add_index(part, static, tensors)
    return tuple(static), tensors


def _add_index(part: Any, static: list[Any], tensors: list[Tensor]) -> None:
    index = convert(part) if not (isinstance(part, list) and not part) else convert(
        np.zeros(0, "int32")
    )
    if index.dtype == np.bool_:
        # The number of elements depends on the values, so that a traced mask can't be used.
        for where_true in np.nonzero(np.asarray(index.value)):
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


def _index_spec(x: Spec, *indices: Spec, key: tuple[Any, ...]) -> Spec:
    # A view without memory, so that NumPy itself tells the shape.
    probe = np.broadcast_to(np.zeros((), bool), x.shape)
    arrays = [np.zeros(i.shape, "int8") for i in indices]
    try:
        return Spec(probe[_thaw(key, arrays)].shape, x.dtype)
    except IndexError as error:
        raise ShapeError(f"getitem: x is {x}: {error}.") from None


def _getitem_kernel(xp: Any, x: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    return x[_thaw(key, indices)]


def _getitem_samples(rng: np.random.Generator) -> Any:
    x = rng.normal(size=(3, 4, 2))
    rows = np.array([0, 2, 2, -1])
    return [
        ([x], {"key": (1,)}),
        ([x], {"key": (("slice", None, None, -2), None, ("ellipsis",), 1)}),
        ([x, rows], {"key": (("slice", None, None, None), ("tensor", 0))}),
        ([x, rows, rows[::-1] % 2], {"key": (("tensor", 0), ("slice", 1, 3, None), ("tensor", 1))}),
    ]


_GETITEM = define_op(
    "getitem", "view", "*xs", infer=_index_spec, kernel=_getitem_kernel,
    vjp=lambda g, xs, xs_spec, key: (
        apply(_INDEX_ADD, zeros(xs_spec[0].shape, xs_spec[0].dtype), g, *xs[1:], key=key),
        *(None for _ in xs[1:]),
    ),
    samples=_getitem_samples,
)  # fmt: skip


def _no_tensor(key: tuple[Any, ...]) -> bool:
    return not any(isinstance(part, tuple) and part[0] == "tensor" for part in key)


def _index_add_kernel(xp: Any, x: Any, values: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    result = x.copy()
    place = _thaw(key, indices)
    if _no_tensor(key):
        result[place] += values
    elif key == (("tensor", 0),) and x.ndim == 2 and values.ndim == 2 and xp is np:
        _add_rows(result, indices[0], values)
    else:
        xp.add.at(result, place, values)
    return result


def _add_rows(result: Any, rows: Any, values: Any) -> None:
    """`add.at` of whole rows, by sorting: NumPy's own is many times slower."""
    rows = np.where(rows < 0, rows + len(result), rows)
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(order):
        result[ordered[starts]] += np.add.reduceat(values[order], starts, axis=0)


def _index_add_spec(x: Spec, values: Spec, *indices: Spec, key: tuple[Any, ...]) -> Spec:
    part = _index_spec(x, *indices, key=key)
    if part.shape != values.shape:
        raise ShapeError(f"index_add: x[key] has shape {part.shape}, the values {values.shape}.")
    return x


def _index_add_samples(rng: np.random.Generator) -> Any:
    found = []
    for arrays, attrs in _getitem_samples(rng):
        part = _getitem_kernel(np, *arrays, **attrs)
        found.append(([arrays[0], rng.normal(size=part.shape), *arrays[1:]], attrs))
    return found


_INDEX_ADD = define_op(
    "index_add", "opaque", "*xs", infer=_index_add_spec, kernel=_index_add_kernel,
    vjp=lambda g, xs, key: (
        g, apply(_GETITEM, g, *xs[2:], key=key), *(None for _ in xs[2:])
    ),
    samples=_index_add_samples,
)  # fmt: skip


def _index_set_kernel(xp: Any, x: Any, values: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    result = x.copy()
    result[_thaw(key, indices)] = values
    return result


def _index_set_rule(g: Any, xs: Any, key: Any) -> Any:
    blank = zeros(xs[1].shape, g.dtype)
    return (
        apply(_INDEX_SET, g, blank, *xs[2:], key=key),
        apply(_GETITEM, g, *xs[2:], key=key),
        *(None for _ in xs[2:]),
    )


def _index_set_samples(rng: np.random.Generator) -> Any:
    # Distinct places: which of several values for one place stays is not defined.
    x, rows = rng.normal(size=(3, 4)), np.array([2, 0])
    return [
        ([x, rng.normal(size=(3, 2))], {"key": (("slice", None, None, None), ("slice", 1, 3, None))}),
        ([x, rng.normal(size=(2, 4)), rows], {"key": (("tensor", 0),)}),
    ]


_INDEX_SET = define_op(
    "index_set", "opaque", "*xs", infer=_index_add_spec, kernel=_index_set_kernel,
    vjp=_index_set_rule, samples=_index_set_samples,
)  # fmt: skip


def _check_bounds(x: Tensor, key: tuple[Any, ...]) -> None:
    axis = 0
    for part in key:
        if part is None:
            continue
        if isinstance(part, tuple) and part[0] == "ellipsis":
            return
        if isinstance(part, int) and axis < x.ndim and not -x.shape[axis] <= part < x.shape[axis]:
            # IndexError too, since Python's iteration protocol ends with it.
            raise IndexShapeError(
                f"getitem: x is {x.spec}; index {part} is out of range for axis {axis} of size "
                f"{x.shape[axis]}."
            )
        axis += 1


class IndexShapeError(ShapeError, IndexError):
    """An index beyond the end of an axis."""


def getitem(x: Any, key: Any) -> Tensor:
    """`x[key]` with every form of NumPy index.

    Raises:
        ShapeError: The index does not fit the shape.
        TraceError: A traced boolean mask; use `where`.
    """
    x = convert(x)
    static, tensors = _split_key(x, key)
    _check_bounds(x, static)
    return apply(_GETITEM, x, *tensors, key=static)  # type: ignore[no-any-return]


def index_add(x: Any, key: Any, values: Any) -> Tensor:
    """`x` with `values` added at `x[key]`; places named several times get the sum."""
    x, values = promote(x, values)
    static, tensors = _split_key(x, key)
    shape = _index_spec(x.spec, *(t.spec for t in tensors), key=static).shape
    return apply(_INDEX_ADD, x, broadcast_to(values, shape), *tensors, key=static)  # type: ignore[no-any-return]


def setitem(x: Any, key: Any, values: Any) -> Tensor:
    """`x` with `x[key]` replaced by `values`, which broadcast."""
    x = convert(x)
    values = cast(convert(values), x.dtype)
    static, tensors = _split_key(x, key)
    _check_bounds(x, static)
    shape = _index_spec(x.spec, *(t.spec for t in tensors), key=static).shape
    return apply(_INDEX_SET, x, broadcast_to(values, shape), *tensors, key=static)  # type: ignore[no-any-return]


# -- by axis


def _indices(name: str, indices: Any) -> Tensor:
    t = convert(indices)
    if t.dtype == np.bool_ or not dtypes.is_integer(t.dtype):
        if t.size == 0 or isinstance(indices, list | tuple) or dtypes.is_float(t.dtype):
            return cast(t, "int32")
        raise DTypeError(f"{name}: indices are {t.spec}; integers are needed.")
    return t


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The elements or slices at `indices` along an axis (of the flat tensor by default).

    The axis of `x` is replaced by the axes of `indices`. Negative indices count from the end.
    """
    x, index = convert(x), _indices("take", indices)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    place = canonical_axis("take", axis, x.ndim)
    if index.ndim != 1:
        flat = take(x, reshape(index, (-1,)), place)
        return reshape(flat, x.shape[:place] + index.shape + x.shape[place + 1 :])
    key = (("slice", None, None, None),) * place + (("tensor", 0),)
    return apply(_GETITEM, x, index, key=key)  # type: ignore[no-any-return]


def _along(x: Tensor, indices: Tensor, place: int) -> tuple[tuple[Any, ...], list[Tensor]]:
    """Index tensors for every axis: positions, but `indices` along the place."""
    shape = list(np.broadcast_shapes(
        indices.shape, x.shape[:place] + (indices.shape[place],) + x.shape[place + 1 :]
    ))
    found = []
    for a, n in enumerate(shape):
        if a == place:
            found.append(broadcast_to(indices, shape))
        else:
            view = [1] * len(shape)
            view[a] = n
            steps = np.arange(n) if x.shape[a] != 1 else np.zeros(n, int)
            found.append(broadcast_to(constant(steps.reshape(view).astype(indices.dtype)), shape))
    return tuple(("tensor", i) for i in range(len(found))), found


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """`y[i, j] = x[i, indices[i, j]]` along the axis, other axes broadcasting."""
    x, index = convert(x), _indices("take_along_axis", indices)
    if axis is None:
        x, index, axis = reshape(x, (-1,)), reshape(index, (-1,)), 0
    if index.ndim != x.ndim:
        raise ShapeError(
            f"take_along_axis: x is {x.spec}, indices {index.spec}: ranks must be equal."
        )
    key, tensors = _along(x, index, canonical_axis("take_along_axis", axis, x.ndim))
    return apply(_GETITEM, x, *tensors, key=key)  # type: ignore[no-any-return]


def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> Tensor:
    """`x` with `x[i, indices[i, j]] = values[i, j]` along the axis."""
    x, index = convert(x), _indices("put_along_axis", indices)
    key, tensors = _along(x, index, canonical_axis("put_along_axis", axis, x.ndim))
    part = broadcast_to(cast(convert(values), x.dtype), tensors[0].shape)
    return apply(_INDEX_SET, x, part, *tensors, key=key)  # type: ignore[no-any-return]


# -- scatter: the last axis of the indices names a place


def _places(x_rank: int, indices: Any) -> tuple[tuple[Any, ...], list[Tensor]]:
    index = _indices("scatter", indices)
    depth = index.shape[-1]
    if depth > x_rank:
        raise ShapeError(
            f"scatter: indices are {index.spec}: their last axis names {depth} axes of a tensor "
            f"of rank {x_rank}."
        )
    return (
        tuple(("tensor", i) for i in range(depth)),
        [index[..., i] for i in range(depth)],
    )


def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros of `shape` with `values` added at `indices`.

    Args:
        indices: Integers `(..., k)`: each row names the first k axes.
        values: Tensor of shape `indices.shape[:-1] + shape[k:]`.
        shape: Of the result.
    """
    values = convert(values)
    return scatter_add(zeros(shape, values.dtype), indices, values)


def scatter_add(x: Any, indices: Any, values: Any) -> Tensor:
    """`x` with `values` added at `indices` (see `scatter`)."""
    x = convert(x)
    key, tensors = _places(x.ndim, indices)
    values = cast(convert(values), x.dtype)
    return apply(_INDEX_ADD, x, values, *tensors, key=key)  # type: ignore[no-any-return]


def scatter_update(x: Any, indices: Any, values: Any) -> Tensor:
    """`x` with `values` in place of what is at `indices` (see `scatter`)."""
    x = convert(x)
    key, tensors = _places(x.ndim, indices)
    values = cast(convert(values), x.dtype)
    return apply(_INDEX_SET, x, values, *tensors, key=key)  # type: ignore[no-any-return]


# -- slices at a start that may be a tensor


def _starts(x: Tensor, start: Any, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], list[Tensor]]:
    """Index tensors of a block; as XLA does, starts are moved so that the block fits."""
    parts = list(start) if isinstance(start, list | tuple) else [
        start[i] for i in range(len(shape))
    ]
    if len(parts) != x.ndim or len(shape) != x.ndim:
        raise ShapeError(
            f"slice: x is {x.spec}; start has {len(parts)} and shape {len(shape)} elements; "
            "both need one for each axis."
        )
    if all(isinstance(p, int | np.integer) for p in parts):
        first = [min(max(int(p), 0), n - m) for p, n, m in zip(parts, x.shape, shape)]
        return tuple(("slice", a, a + m, None) for a, m in zip(first, shape)), []
    tensors = []
    for axis, (p, n, m) in enumerate(zip(parts, x.shape, shape)):
        view = [1] * x.ndim
        view[axis] = m
        at = clip(cast(convert(p), "int32"), 0, n - m)
        tensors.append(at + constant(np.arange(m, dtype="int32").reshape(view)))
    return tuple(("tensor", i) for i in range(x.ndim)), tensors


def slice_at(x: Any, start_indices: Any, shape: Any) -> Tensor:
    """The block of `shape` that begins at `start_indices`, which may be a tensor."""
    x = convert(x)
    sizes = tuple(
        n - int(a) if m == -1 else int(m)
        for n, m, a in zip(x.shape, shape, start_indices if -1 in tuple(shape) else x.shape)
    )
    key, tensors = _starts(x, start_indices, sizes)
    return apply(_GETITEM, x, *tensors, key=key)  # type: ignore[no-any-return]


def slice_update(x: Any, start_indices: Any, updates: Any) -> Tensor:
    """`x` with the block at `start_indices` replaced by `updates`."""
    x = convert(x)
    updates = cast(convert(updates), x.dtype)
    key, tensors = _starts(x, start_indices, updates.shape)
    return apply(_INDEX_SET, x, updates, *tensors, key=key)  # type: ignore[no-any-return]


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The indices of elements that are not zero, one tensor for each axis. Needs the values."""
    found = np.nonzero(np.asarray(convert(x).value))
    return tuple(constant(i.astype("int32")) for i in found)


OPERATORS.update(
    getitem=getitem, setitem=setitem, index_add=index_add, take=take, nonzero=nonzero
)
NUMPY_FUNCTIONS.update({
    np.take: take, np.take_along_axis: take_along_axis, np.nonzero: nonzero,
})  # fmt: skip
