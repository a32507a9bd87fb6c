"""Reading and writing parts: every form of NumPy index, take, and along an axis.

A static index is a view (`getitem`), one with tensors is not (`gather`). Index tensors may be out
of range only where a function says so, since Keras on JAX fills what it reads there with NaN and
drops what it writes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import DTypeError, ShapeError
from ..op import Op, Spec, define_op
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, constant, convert
from ._args import canonical_axis, promote
from ._keys import IndexShapeError, full_key, index_spec, positions, prepare, thaw
from .creation import zeros
from .elementwise import cast, where
from .logic import equal
from .shape import broadcast_to, pad, reshape

__all__ = [
    "IndexShapeError", "getitem", "index_add", "nonzero", "put_along_axis", "setitem", "take",
    "take_along_axis",
]  # fmt: skip


# -- reading


def _static_samples(rng: np.random.Generator) -> Any:
    x = rng.normal(size=(3, 4, 2))
    return [
        ([x], {"key": (1,)}),
        ([x], {"key": (("slice", None, None, -2), None, ("ellipsis",), 1)}),
        ([x], {"key": (("slice", 2, 0, -1),)}),
    ]


def _back_in_place(g: Tensor, x: Spec, key: tuple[Any, ...]) -> Tensor:
    """Zeros in the shape of x with `g` at `x[key]`: padding, if no slice has a step."""
    widths, sizes = [], []
    axes = (part for part in full_key(key, len(x.shape)) if part is not None)
    for part, size in zip(axes, x.shape, strict=True):
        if isinstance(part, int):
            start, length, step = part % size, 1, 1
        else:
            start, stop, step = slice(*part[1:]).indices(size)
            length = len(range(start, stop, step))
        if step != 1:
            return _index_add(zeros(x.shape, x.dtype), g, (), key, False)
        widths.append((start, size - start - length))
        sizes.append(length)
    g = reshape(g, tuple(sizes))
    return pad(g, widths) if any(map(any, widths)) else g


_GETITEM = define_op(
    "getitem", "view", "x", infer=index_spec,
    kernel=lambda xp, x, key: x[thaw(key, ())],
    vjp=lambda g, x_spec, key: (_back_in_place(g, x_spec, key),),
    samples=_static_samples,
)  # fmt: skip


def fill_value(dtype: Any, fill: str) -> Any:
    """What is read out of range: NaN, or as JAX has it the extreme integer; or zero."""
    if fill == "zero" or dtype == np.bool_:
        return fill != "zero"
    if dtypes.is_inexact(dtype):
        return np.nan
    limits = dtypes.limits(dtype)
    return limits.min if limits.min < 0 else limits.max


def _gather_kernel(
    xp: Any, x: Any, *indices: Any, key: tuple[Any, ...], fill: str | None = None
) -> Any:
    for index in indices:
        if index.dtype.kind == "b":  # which the array would take as a mask
            raise TypeError("integers are needed")
    if xp is np or fill is None:
        try:
            if key == (("tensor", 0),) and xp is np:
                return x.take(indices[0], 0)
            return x[thaw(key, indices)]
        except IndexError:
            if fill is None:
                raise
    place = positions(xp, x.shape, key, indices)
    value = fill_value(x.dtype, fill)
    if x.size == 0:
        return xp.full(place.shape, value, x.dtype)
    found = x.reshape(-1)[xp.maximum(place, 0)]
    return xp.where(place < 0, xp.asarray(value, dtype=x.dtype), found)


def _gather_rule(g: Any, xs: Any, xs_spec: Any, key: Any, fill: Any) -> Any:
    blank = zeros(xs_spec[0].shape, xs_spec[0].dtype)
    return (_index_add(blank, g, xs[1:], key, fill is not None), *(None for _ in xs[1:]))


def _gather_samples(rng: np.random.Generator) -> Any:
    x = rng.normal(size=(3, 4, 2))
    rows = np.array([0, 2, 2, -1])
    return [
        ([x, rows], {"key": (("slice", None, None, None), ("tensor", 0))}),
        ([x, rows, rows[::-1] % 2], {"key": (("tensor", 0), ("slice", 1, 3, None), ("tensor", 1))}),
        ([x, np.array([[0, 2], [1, 2]])], {"key": (("tensor", 0),)}),
        ([x, np.array(1)], {"key": (("slice", None, None, None), ("tensor", 0))}),
        ([x, np.array([1, 3, -4])], {"key": (("tensor", 0),), "fill": "zero"}),
    ]


_GATHER = define_op(
    "gather", "opaque", "*xs", infer=index_spec, kernel=_gather_kernel, vjp=_gather_rule,
    samples=_gather_samples,
)  # fmt: skip


def _read(x: Tensor, tensors: Sequence[Tensor], key: Any, fill: str | None = None) -> Tensor:
    if not tensors:
        return apply(_GETITEM, x, key=key)  # type: ignore[no-any-return]
    options = {"fill": fill} if fill else {}
    return apply(_GATHER, x, *tensors, key=key, **options)  # type: ignore[no-any-return]


# -- writing


def _write_spec(x: Spec, values: Spec, *indices: Spec, key: tuple[Any, ...], **_: Any) -> Spec:
    part = index_spec(x, *indices, key=key)
    if part.shape != values.shape:
        raise ShapeError(
            f"x is {x} and the part named has shape {part.shape}, but the values are {values}."
        )
    if values.dtype != x.dtype:
        raise DTypeError(f"x is {x}, but the values are {values}: equal dtypes are needed.")
    return x


def _index_add_kernel(
    xp: Any, x: Any, values: Any, *indices: Any, key: tuple[Any, ...], drop: bool = False
) -> Any:
    if values.dtype != x.dtype:
        raise TypeError("values of x's dtype are needed")
    half = dtypes.is_float(x.dtype) and x.dtype.itemsize < 4
    # CuPy has no sums of booleans that are booleans.
    wide = "float32" if half else "int32" if x.dtype == bool else x.dtype
    result = x.astype(wide, order="C")
    values = values.astype(result.dtype, copy=False)
    if not indices:
        part = thaw(key, ())
        if result[part].shape != values.shape:  # they would be broadcast
            raise ValueError("the values do not have the shape of the part named")
        result[part] += values
    else:
        _add_flat(xp, result, values, indices, key, drop)
    return result.astype(x.dtype, copy=False)


def _add_flat(xp: Any, result: Any, values: Any, indices: Any, key: Any, drop: bool) -> None:
    """`add.at` over whole rows, or over flat positions, which NumPy does much faster.

    Sums are made in the order of the indices, on a GPU too, where `add.at` has no order.
    """
    rows = key == (("tensor", 0),)
    place = positions(xp, result.shape[:1] if rows else result.shape, key, indices)
    if values.shape != place.shape + (result.shape[1:] if rows else ()):
        raise ValueError("the values do not have the shape of the part named")
    place = place.reshape(-1)
    width = math.prod(result.shape[1:]) if rows else 1
    values = values.reshape(len(place), width)
    outside = place < 0
    if outside.any():
        if not drop:
            raise IndexError("an index is out of range")
        place, values = place[~outside], values[~outside]
    if not values.size:
        return
    if width == 1 and xp is np:
        np.add.at(result.reshape(-1), place, values.reshape(-1))
        return
    order = xp.argsort(place, kind="stable")
    ordered = place[order]
    changes = xp.concatenate((xp.ones(1, bool), ordered[1:] != ordered[:-1]))
    starts = xp.flatnonzero(changes)
    result.reshape(-1, width)[ordered[starts]] += xp.add.reduceat(values[order], starts, axis=0)


def _with_values(found: Any, rng: np.random.Generator) -> Any:
    return [
        ([xs[0], rng.normal(size=np.shape(_gather_kernel(np, *xs, **attrs))), *xs[1:]],
         {"key": attrs["key"], **({"drop": True} if "fill" in attrs else {})})
        for xs, attrs in found
    ]  # fmt: skip


_INDEX_ADD: Op = define_op(
    "index_add", "opaque", "*xs", infer=_write_spec, kernel=_index_add_kernel,
    vjp=lambda g, xs, key, drop: (
        g, _read(g, xs[2:], key, "zero" if drop else None), *(None for _ in xs[2:])
    ),
    samples=lambda rng: _with_values(_static_samples(rng) + _gather_samples(rng), rng),
)  # fmt: skip


def _index_add(x: Tensor, values: Tensor, tensors: Any, key: Any, drop: bool) -> Tensor:
    options = {"drop": True} if drop and tensors else {}
    return apply(_INDEX_ADD, x, values, *tensors, key=key, **options)  # type: ignore[no-any-return]


def _index_set_kernel(
    xp: Any, x: Any, values: Any, *indices: Any, key: tuple[Any, ...], drop: bool = False,
    distinct: bool = False,
) -> Any:  # fmt: skip
    """Of several values for one place the last stays, unless `distinct` says that there are none.

    NumPy takes indices of one axis in order, if they lie so in memory; a GPU has no order.
    """
    # By the rule itself: an array would let the values broadcast.
    _write_spec(*(Spec(a.shape, a.dtype) for a in (x, values, *indices)), key=key)
    result = x.copy()
    block = np.broadcast_shapes(*(i.shape for i in indices))
    in_order = distinct or not indices or (xp is np and len(block) < 2)
    if in_order and (xp is np or not drop):
        try:
            indices = tuple(xp.ascontiguousarray(i) if i.ndim else i for i in indices)
            result[thaw(key, indices)] = values
            return result
        except IndexError:
            if not drop:
                raise
    place = positions(xp, x.shape, key, indices).reshape(-1)
    kept = place >= 0
    if not drop and not kept.all():
        raise IndexError("an index is out of range")
    if xp is not np and not in_order:
        order = xp.argsort(place, kind="stable")
        sorted_places = place[order]
        last = xp.concatenate((sorted_places[1:] != sorted_places[:-1], xp.ones(1, bool)))
        kept = order[last[: place.size] & (sorted_places >= 0)]
    result.reshape(-1)[place[kept]] = values.reshape(-1)[kept]
    return result


def _index_set_rule(g: Any, xs: Any, key: Any, drop: Any, distinct: Any, needs: Any) -> Any:
    tensors, of_values = xs[2:], None
    if needs[1]:
        of_values = _read(g, tensors, key, "zero" if drop else None)
        if not distinct and math.prod(np.broadcast_shapes(*(t.shape for t in tensors))) > 1:
            of_values = where(_staying(xs[0].shape, tensors, key, drop), of_values, 0)
    of_x = None
    if needs[0]:
        of_x = _index_set(g, zeros(xs[1].shape, g.dtype), tensors, key, drop, distinct=True)
    return (of_x, of_values, *(None for _ in tensors))


def _staying(shape: tuple[int, ...], tensors: Any, key: Any, drop: Any) -> Tensor:
    """Whether a value is the last for its place; size 1 along sliced axes, which don't matter.

    Positions are numbered, and the numbers written as the values are: what stays knows its own.
    """
    parts: list[Any] = []
    sizes: list[int] = []
    for part in full_key(key, len(shape)):
        if part is None:
            parts.append(None)
            continue
        sliced = isinstance(part, tuple) and part[0] == "slice"
        parts.append(("slice", None, None, None) if sliced else part)
        sizes.append(1 if sliced else shape[len(sizes)])
    blank, every = zeros(tuple(sizes), "int32"), tuple(parts)
    positions = index_spec(blank.spec, *(t.spec for t in tensors), key=every).shape
    numbers = constant(np.arange(math.prod(positions), dtype="int32").reshape(positions))
    written = _index_set(blank, numbers, tensors, every, drop)
    return equal(_read(written, tensors, every, "zero" if drop else None), numbers)


def _index_set_samples(rng: np.random.Generator) -> Any:
    x, rows, every = rng.normal(size=(3, 4)), np.array([2, 0]), ("slice", None, None, None)
    places = np.array([[2, -1], [0, 2]]), np.array([1, -3])
    return [
        ([x, rng.normal(size=(3, 2))], {"key": (every, ("slice", 1, 3, None))}),
        ([x, rng.normal(size=(2, 4)), rows], {"key": (("tensor", 0),)}),
        ([x, rng.normal(size=(3, 2)), np.array([1, 4])],
         {"key": (every, ("tensor", 0)), "drop": True}),
        ([x, rng.normal(size=(2, 4)), rows], {"key": (("tensor", 0),), "distinct": True}),
        ([x, rng.normal(size=(3, 3)), np.array([1, -3, 7])],
         {"key": (every, ("tensor", 0)), "drop": True}),
        ([x, rng.normal(size=(2, 2)), *places], {"key": (("tensor", 0), ("tensor", 1))}),
    ]  # fmt: skip


_INDEX_SET = define_op(
    "index_set", "opaque", "*xs", infer=_write_spec, kernel=_index_set_kernel,
    vjp=_index_set_rule, samples=_index_set_samples,
)  # fmt: skip


def _index_set(
    x: Tensor, values: Tensor, tensors: Any, key: Any, drop: Any = False, distinct: bool = False
) -> Tensor:
    options = {"drop": True} if drop and tensors else {}
    if distinct and tensors:
        options["distinct"] = True
    return apply(_INDEX_SET, x, values, *tensors, key=key, **options)  # type: ignore[no-any-return]


# -- public


def getitem(x: Any, key: Any) -> Tensor:
    """`x[key]` with every form of NumPy index.

    Args:
        x: Tensor.
        key: Ints, slices, Ellipsis, None, integer tensors (which may be traced), boolean masks,
            or a tuple of those.

    Raises:
        ShapeError: The index does not fit the shape (an IndexError too).
        TraceError: A traced boolean mask; use `where`.
    """
    x = convert(x)
    static, tensors = prepare(x, key)
    if not tensors:
        for axis, part in enumerate(static):
            if part is None or isinstance(part, tuple):
                break
            if axis < x.ndim and not -x.shape[axis] <= part < x.shape[axis]:
                raise IndexShapeError(
                    f"getitem: x is {x.spec}; index {part} is out of range for axis {axis} of "
                    f"size {x.shape[axis]}."
                )
    return _read(x, tensors, static)


def index_add(x: Any, key: Any, values: Any) -> Tensor:
    """`x` with `values` added at `x[key]`; places named several times get the sum."""
    x, values = promote(x, values)
    static, tensors = prepare(x, key)
    shape = index_spec(x.spec, *(t.spec for t in tensors), key=static).shape
    return _index_add(x, broadcast_to(values, shape), tensors, static, False)


def setitem(x: Any, key: Any, values: Any) -> Tensor:
    """`x` with `x[key]` replaced by `values`, which broadcast."""
    x = convert(x)
    values = cast(convert(values), x.dtype)
    static, tensors = prepare(x, key)
    shape = index_spec(x.spec, *(t.spec for t in tensors), key=static).shape
    return _index_set(x, broadcast_to(values, shape), tensors, static)


def _indices(name: str, indices: Any) -> Tensor:
    t = convert(indices)
    if not dtypes.is_integer(t.dtype):
        if t.size == 0 or t.dtype == np.bool_ or dtypes.is_float(t.dtype):
            return cast(t, "int32")
        raise DTypeError(f"{name}: indices are {t.spec}; integers are needed.")
    return t


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The elements or slices at `indices` along an axis (of the flat tensor by default).

    Args:
        x: Tensor.
        indices: Integer tensor. Negative ones count from the end; what is out of range reads
            NaN (of integers the least value) and has no gradient.
        axis: The axis of `x` that the axes of `indices` replace.

    Source: Keras on JAX, https://keras.io/api/ops/numpy/
    """
    x, index = convert(x), _indices("take", indices)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    place = canonical_axis("take", axis, x.ndim)
    key = (("slice", None, None, None),) * place + (("tensor", 0),)
    return _read(x, [index], key, "nan")


def _along(x: Tensor, indices: Tensor, place: int) -> tuple[tuple[Any, ...], list[Tensor]]:
    """Index tensors for every axis: positions, but `indices` along the place."""
    found = []
    for axis, size in enumerate(x.shape):
        if axis == place:
            found.append(indices)
            continue
        if indices.shape[axis] not in (1, size) and size != 1:
            raise ShapeError(
                f"x is {x.spec}, the indices are {indices.spec}: all axes but {place} must have "
                "equal sizes, or size 1."
            )
        view = [1] * x.ndim
        view[axis] = size
        found.append(constant(np.arange(size, dtype="int32").reshape(view)))
    return tuple(("tensor", i) for i in range(x.ndim)), found


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """`y[i, j] = x[i, indices[i, j]]` along the axis, other axes broadcasting.

    Indices out of range read NaN (of integers the least value).
    """
    x, index = convert(x), _indices("take_along_axis", indices)
    if axis is None:
        x, index, axis = reshape(x, (-1,)), reshape(index, (-1,)), 0
    if index.ndim != x.ndim:
        raise ShapeError(
            f"take_along_axis: x is {x.spec}, indices {index.spec}: ranks must be equal."
        )
    key, tensors = _along(x, index, canonical_axis("take_along_axis", axis, x.ndim))
    return _read(x, tensors, key, "nan")


def put_along_axis(x: Any, indices: Any, values: Any, axis: int, add: bool = False) -> Tensor:
    """`x` with `x[i, indices[i, j]] = values[i, j]` along the axis (or that added)."""
    x, index = convert(x), _indices("put_along_axis", indices)
    key, tensors = _along(x, index, canonical_axis("put_along_axis", axis, x.ndim))
    shape = np.broadcast_shapes(*(t.shape for t in tensors))
    part = broadcast_to(cast(convert(values), x.dtype), shape)
    if add:
        return _index_add(x, part, tensors, key, True)
    return _index_set(x, part, tensors, key, True)


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """The indices of elements that are not zero, one tensor for each axis. Needs the values."""
    found = np.nonzero(np.asarray(convert(x)))
    return tuple(constant(i.astype("int32")) for i in found)


OPERATORS.update(getitem=getitem, setitem=setitem, index_add=index_add, take=take, nonzero=nonzero)
NUMPY_FUNCTIONS.update({
    np.take: take, np.take_along_axis: take_along_axis, np.nonzero: nonzero,
})  # fmt: skip
