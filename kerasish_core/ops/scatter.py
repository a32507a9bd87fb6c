"""Writing rows by index tensors, blocks at a start that may be a tensor, and segments."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import DTypeError, ShapeError
from ..op import Spec, define_op
from ..tensor import OPERATORS, Tensor, constant, convert
from ._args import scalar_like
from ._keys import positions
from .creation import zeros
from .elementwise import cast, clip, negative, where
from .indexing import _index_add, _index_set, _indices, _read, take
from .shape import broadcast_to, reshape, shape_tuple

__all__ = [
    "gather_nd", "scatter", "scatter_add", "scatter_update", "segment_max", "segment_min",
    "segment_sum", "slice_at", "slice_update",
]  # fmt: skip


# -- scatter: the last axis of the indices names a place


def _places(name: str, x: Tensor, indices: Any) -> tuple[tuple[Any, ...], list[Tensor]]:
    index = _indices(name, indices)
    if index.ndim == 0:
        raise ShapeError(f"{name}: indices are {index.spec}; their last axis must name axes of x.")
    depth = index.shape[-1]
    if depth > x.ndim:
        raise ShapeError(
            f"{name}: indices are {index.spec}: their last axis names {depth} axes of a tensor "
            f"of rank {x.ndim}."
        )
    return (
        tuple(("tensor", i) for i in range(depth)),
        [index[..., i] for i in range(depth)],
    )


def _values(x: Tensor, values: Any, tensors: list[Tensor]) -> Tensor:
    lead = tensors[0].shape if tensors else ()
    return broadcast_to(cast(convert(values), x.dtype), lead + x.shape[len(tensors) :])


def gather_nd(x: Any, indices: Any) -> Tensor:
    """The elements or slices of `x` at `indices` of shape `(..., k)`: each names k axes."""
    x = convert(x)
    key, tensors = _places("gather_nd", x, indices)
    return _read(x, tensors, key, "nan")


def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Zeros of `shape` with `values` added at `indices`; those out of range are dropped.

    Args:
        indices: Integers `(..., k)`: each row names the first k axes.
        values: Tensor of shape `indices.shape[:-1] + shape[k:]`.
        shape: Of the result.
    """
    values = convert(values)
    return scatter_add(zeros(shape_tuple("scatter", shape), values.dtype), indices, values)


def scatter_add(x: Any, indices: Any, values: Any) -> Tensor:
    """`x` with `values` added at `indices` (see `scatter`)."""
    x = convert(x)
    key, tensors = _places("scatter_add", x, indices)
    return _index_add(x, _values(x, values, tensors), tensors, key, True)


def scatter_update(x: Any, indices: Any, values: Any) -> Tensor:
    """`x` with `values` in place of what is at `indices` (see `scatter`).

    Of several values for one place the last stays, and it alone has a gradient.
    """
    x = convert(x)
    key, tensors = _places("scatter_update", x, indices)
    return _index_set(x, _values(x, values, tensors), tensors, key, True)


# -- slices at a start that may be a tensor


def _starts(
    name: str, x: Tensor, start: Any, shape: tuple[int, ...]
) -> tuple[tuple[Any, ...], list[Tensor]]:
    """Index tensors of a block; as XLA does, starts are moved so that the block fits."""
    parts = list(start) if isinstance(start, list | tuple) else _components(name, start)
    if len(parts) != x.ndim or len(shape) != x.ndim:
        raise ShapeError(
            f"{name}: x is {x.spec}; start has {len(parts)} and shape {len(shape)} elements; "
            "both need one for each axis."
        )
    for axis, (size, wanted) in enumerate(zip(x.shape, shape, strict=True)):
        if not 0 <= wanted <= size:
            raise ShapeError(
                f"{name}: x is {x.spec}; a block of shape {shape} does not fit axis {axis}."
            )
    tensors: list[Tensor] = []
    key: list[Any] = []
    for axis, (p, n, m) in enumerate(zip(parts, x.shape, shape, strict=True)):
        if isinstance(p, int | np.integer):
            first = min(max(int(p) + (n if p < 0 else 0), 0), n - m)
            key.append(("slice", first, first + m, None))
            continue
        view = [1] * x.ndim
        view[axis] = m
        at = reshape(cast(convert(p), "int32"), ())
        at = clip(where(at < 0, at + n, at), 0, n - m)
        key.append(("tensor", len(tensors)))
        tensors.append(at + constant(np.arange(m, dtype="int32").reshape(view)))
    if not tensors:
        return tuple(key), []
    return _all_tensors(key, tensors)


def _components(name: str, start: Any) -> list[Any]:
    if not isinstance(start, Tensor):
        return list(shape_tuple(name, start))
    if start.ndim != 1:
        raise ShapeError(f"{name}: start is {start.spec}; one number for each axis is needed.")
    return [start[i] for i in range(start.shape[0])]


def _all_tensors(key: list[Any], tensors: list[Tensor]) -> tuple[tuple[Any, ...], list[Tensor]]:
    """Static slices beside tensors as tensors too, so that no axis changes its place."""
    found = []
    for axis, part in enumerate(key):
        if part[0] == "slice":
            view = [1] * len(key)
            view[axis] = -1
            found.append(constant(np.arange(part[1], part[2], dtype="int32").reshape(view)))
        else:
            found.append(tensors[part[1]])
    return tuple(("tensor", i) for i in range(len(key))), found


def slice_at(x: Any, start_indices: Any, shape: Any) -> Tensor:
    """The block of `shape` that begins at `start_indices`, which may be a tensor.

    A size of -1 reaches to the end of its axis (the start must then be known).
    """
    x = convert(x)
    sizes = shape_tuple("slice", shape)
    if -1 in sizes:
        starts = shape_tuple("slice", start_indices)
        sizes = tuple(
            n - a if m == -1 else m for n, m, a in zip(x.shape, sizes, starts, strict=True)
        )
    key, tensors = _starts("slice", x, start_indices, sizes)
    return _read(x, tensors, key)


def slice_update(x: Any, start_indices: Any, updates: Any) -> Tensor:
    """`x` with the block at `start_indices` replaced by `updates`."""
    x = convert(x)
    updates = cast(convert(updates), x.dtype)
    key, tensors = _starts("slice_update", x, start_indices, updates.shape)
    return _index_set(x, updates, tensors, key, distinct=True)


# -- segments


def _segments(name: str, data: Any, segment_ids: Any, num_segments: Any) -> Any:
    data, ids = convert(data), convert(segment_ids)
    if not dtypes.is_integer(ids.dtype):
        raise DTypeError(f"{name}: segment_ids are {ids.spec}; integers are needed.")
    if data.ndim == 0 or ids.shape != data.shape[:1]:
        raise ShapeError(
            f"{name}: data is {data.spec}, segment_ids are {ids.spec}; one id is needed for each "
            "row of data."
        )
    if num_segments is None:
        num_segments = int(np.max(np.asarray(ids), initial=-1)) + 1
    # Ids below zero name no segment; as indices they would count from the end.
    count = int(num_segments)
    return data, where(ids < 0, scalar_like(ids, count), ids), count


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Sums of the rows that have the same id.

    Args:
        data: Tensor `(n, ...)`.
        segment_ids: Integers `(n,)`; rows whose id is out of range are left out.
        num_segments: Rows of the result; by default one more than the greatest id, which needs
            its value.
        sorted: Whether the ids ascend (a hint, unused).
    """
    rows, ids, count = _segments("segment_sum", data, segment_ids, num_segments)
    blank = zeros((count, *rows.shape[1:]), rows.dtype)
    return _index_add(blank, rows, [ids], (("tensor", 0),), True)


def least_value(dtype: dtypes.DType) -> Any:
    """Below or equal to every value of the dtype."""
    if dtypes.is_float(dtype):
        return -np.inf
    return False if dtype == np.bool_ else dtypes.limits(dtype).min


def _segment_max_kernel(xp: Any, data: Any, ids: Any, num_segments: int) -> Any:
    result = xp.full((num_segments, *data.shape[1:]), least_value(data.dtype), data.dtype)
    place = positions(xp, (num_segments,), (("tensor", 0),), (ids,))
    inside = place >= 0
    xp.maximum.at(result, place[inside], data[inside])
    return result


def _segment_max_rule(g: Any, data: Any, ids: Any, y: Any) -> Any:
    # Rows that share the maximum share its gradient.
    chosen = cast(data == take(y, ids, 0), g.dtype)
    shares = segment_sum(chosen, ids, y.shape[0])
    one = scalar_like(g, 1)
    share = take(g / where(shares == 0, one, shares), clip(ids, 0, y.shape[0] - 1), 0)
    return where(chosen == 0, scalar_like(g, 0), share), None


_SEGMENT_MAX = define_op(
    "segment_max", "opaque", "data ids",
    infer=lambda data, ids, num_segments: Spec((num_segments, *data.shape[1:]), data.dtype),
    kernel=_segment_max_kernel, vjp=_segment_max_rule,
    samples=lambda rng: [
        ([rng.normal(size=(5, 2)), np.array([0, 1, 0, 1, 9])], {"num_segments": 2}),
    ],
)  # fmt: skip


def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The greatest of the rows that have the same id; the least value where there are none.

    Args as in `segment_sum`.
    """
    rows, ids, count = _segments("segment_max", data, segment_ids, num_segments)
    return apply(_SEGMENT_MAX, rows, ids, num_segments=count)  # type: ignore[no-any-return]


def _turned(x: Tensor) -> Tensor:
    return OPERATORS["bitwise_not"](x)  # type: ignore[no-any-return]


def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The least of the rows that have the same id; the greatest value where there are none.

    Args as in `segment_sum`.
    """
    rows, ids, count = _segments("segment_min", data, segment_ids, num_segments)
    if not dtypes.is_float(rows.dtype):
        # Turning all bits turns the order round without leaving the range.
        found = apply(_SEGMENT_MAX, _turned(rows), ids, num_segments=count)
        return _turned(found)
    found = apply(_SEGMENT_MAX, negative(rows), ids, num_segments=count)
    return negative(found)  # type: ignore[no-any-return]
