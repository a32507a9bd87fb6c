"""Taking apart and putting together: `tf.gather`, `tf.split`, `tf.concat`, `tf.where`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import ops
from ...text_arrays import Text, is_text, means_text
from .dtypes import name_of
from .values import Sizes, ints, plain, sizes_of, static_shape, tensor

__all__ = ["boolean_mask", "concat", "gather", "one_hot", "pad", "split", "where"]


def _all_known(values: Any) -> bool:
    """Whether they are numbers of Python's, or sizes, without a tensor among them."""
    return not any(isinstance(leaf, core.Tensor | core.Variable) or hasattr(leaf, "_keras_history")
                   for leaf in core.tree.flatten(values))  # fmt: skip


def concat(values: Any, axis: Any) -> Any:
    """Tensors one after the other along an axis; sizes stay numbers that are known."""
    axis = int(axis)
    if means_text(values):
        return Text(np.concatenate([np.asarray(v, object) for v in values], axis))
    if _all_known(values) and any(isinstance(v, Sizes) for v in values):
        return Sizes(int(n) for v in values for n in np.asarray(v).reshape(-1))
    if hasattr(values, "shape"):
        return values
    return ops.concatenate(list(values), axis=axis)


def stack(values: Any, axis: int = 0) -> Any:
    """Tensors along a new axis; sizes stay numbers that are known."""
    if means_text(values):
        return Text(np.stack([np.asarray(v, object) for v in values], axis))
    if isinstance(values, list | tuple) and values and all(type(v) is int for v in values):
        return Sizes(values)
    return ops.stack(values, axis=axis)


def reshape(tensor: Any, shape: Any) -> Any:
    """The same values in another shape; one size of -1 (or not known) is what is left."""
    if means_text(tensor):
        return Text(np.asarray(tensor, object).reshape(sizes_of(shape)))
    sizes = sizes_of(shape)
    if sizes.count(None) == 1 and -1 not in sizes:
        sizes = tuple(-1 if n is None else n for n in sizes)
    return ops.reshape(tensor, sizes)


def transpose(a: Any, perm: Any = None, conjugate: bool = False) -> Any:
    """Axes in another order, reversed by default."""
    if is_text(a):
        return Text(np.transpose(a, perm))
    turned = ops.transpose(a, None if perm is None else ints(perm))
    return ops.conj(turned) if conjugate else turned


def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: Any = 0
) -> Any:
    """Elements along an axis; the first `batch_dims` axes of both go together."""
    batch_dims = int(batch_dims)
    if means_text(params):
        axis = 0 if axis is None else int(axis)
        return Text(np.take(np.asarray(params, object), np.asarray(indices), axis=axis))
    params, indices = tensor(params), tensor(indices)
    if batch_dims < 0:
        batch_dims += indices.ndim
    axis = batch_dims if axis is None else int(axis)
    axis += params.ndim if axis < 0 else 0
    if not batch_dims:
        return ops.take(params, indices, axis=axis)
    outer, rest = params.shape[:batch_dims], params.shape[batch_dims:]
    count = int(np.prod(outer, dtype=int))
    # The axis next to those of the batch, then all of the batch as rows of one long axis.
    moved = core.ops.moveaxis(params, axis, batch_dims)
    size = moved.shape[batch_dims]
    rows = core.ops.reshape(moved, (count * size, *moved.shape[batch_dims + 1 :]))
    start = core.ops.reshape(core.ops.arange(count, dtype=indices.dtype.name) * size, (count, 1))
    flat = core.ops.reshape(indices, (count, -1)) + start
    found = core.ops.take(rows, flat, 0)
    inner = indices.shape[batch_dims:]
    found = core.ops.reshape(found, (*outer, *inner, *moved.shape[batch_dims + 1 :]))
    # Its indices go where the axis was.
    first, number = axis - batch_dims, len(inner)
    order = list(range(batch_dims)) + [
        batch_dims + number + i for i in range(first)
    ] + [batch_dims + i for i in range(number)] + [
        batch_dims + number + i for i in range(first, len(rest) - 1)
    ]  # fmt: skip
    return core.ops.transpose(found, order)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0) -> Any:
    """Elements or slices at rows of indices of the first axes."""
    if is_text(params):
        return Text(np.asarray(params)[tuple(np.moveaxis(np.asarray(indices), -1, 0))])
    params, indices = core.convert(params), core.convert(indices)
    if batch_dims:
        grids = np.meshgrid(*map(np.arange, params.shape[:batch_dims]), indexing="ij")
        inner = indices.ndim - 1 - batch_dims
        places = np.stack(grids, -1).reshape(*params.shape[:batch_dims], *[1] * inner, -1)
        places = np.broadcast_to(places, (*indices.shape[:-1], batch_dims))
        indices = core.ops.concatenate(
            [core.constant(places.astype(indices.dtype.name)), indices], axis=-1
        )
    return core.ops.gather_nd(params, indices)


def scatter_nd(indices: Any, updates: Any, shape: Any) -> Any:
    """Zeros with `updates` added at rows of indices."""
    return core.ops.scatter(indices, updates, sizes_of(shape))


def _scatter(reduction: Any) -> Any:
    def update(tensor: Any, indices: Any, updates: Any) -> Any:
        return ops.scatter_update(tensor, indices, updates, reduction=reduction)

    update.__doc__ = f"`tensor` with `updates` at rows of indices; reduction: {reduction}."
    update.__name__ = "tensor_scatter_nd_" + (reduction or "update")
    return update


tensor_scatter_nd_update, tensor_scatter_nd_add = _scatter(None), _scatter("add")
tensor_scatter_nd_max, tensor_scatter_nd_min = _scatter("max"), _scatter("min")


def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any) -> Any:
    """`tensor` less `updates` at rows of indices."""
    return ops.scatter_update(tensor, indices, ops.negative(updates), reduction="add")


def boolean_mask(tensor: Any, mask: Any, axis: Any = None) -> Any:
    """The elements or slices where a mask holds. The mask's values must be known."""
    kept = np.asarray(mask).astype(bool)
    axis = 0 if axis is None else int(axis)
    if means_text(tensor):
        return Text(np.asarray(tensor, object)[(slice(None),) * axis + (kept,)])
    x = core.convert(tensor)
    shape = (*x.shape[:axis], kept.size, *x.shape[axis + kept.ndim :])
    places = core.constant(np.flatnonzero(kept).astype("int32"))
    return core.ops.take(core.ops.reshape(x, shape), places, axis)


def split(value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None) -> Any:
    """Parts along an axis: so many equal ones, or of these sizes (one may be -1)."""
    axis, parts = int(axis), ints(num_or_size_splits)
    if isinstance(parts, int):
        return list(ops.split(value, parts, axis=axis))
    if -1 in parts:
        rest = static_shape(value)[axis] - sum(n for n in parts if n != -1)
        parts = tuple(rest if n == -1 else n for n in parts)
    if is_text(value):
        return [Text(v) for v in np.split(value, np.cumsum(parts)[:-1], axis)]
    return list(ops.split(value, [int(n) for n in np.cumsum(parts)[:-1]], axis=axis))


def slice_(input_: Any, begin: Any, size: Any) -> Any:
    """A block of `size` (-1: to the end) that begins at `begin`."""
    return ops.slice(input_, begin, ints(size))


def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0,
    end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0,
    var: Any = None,
) -> Any:  # fmt: skip
    """`input_[begin:end:strides]` along each axis; bits of masks drop an end."""
    begin, end = ints(begin), ints(end)
    steps = ints(strides) if strides is not None else (1,) * len(begin)
    key: list[Any] = []
    for i, (a, b, s) in enumerate(zip(begin, end, steps)):
        bit = 1 << i
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(a)
        else:
            key.append(slice(None if begin_mask & bit else a, None if end_mask & bit else b, s))
    return core.convert(input_)[tuple(key)]


def reverse(tensor: Any, axis: Any) -> Any:
    """The elements in reverse order along axes."""
    if is_text(tensor):
        return Text(np.flip(tensor, ints(axis)))
    return ops.flip(tensor, axis=ints(axis))


def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int = 1, batch_axis: int = 0
) -> Any:  # fmt: skip
    """The first `seq_lengths` elements of each row in reverse order."""
    x = core.ops.moveaxis(core.convert(input), (batch_axis, seq_axis), (0, 1))
    lengths = core.ops.cast(core.ops.reshape(core.convert(seq_lengths), (-1, 1)), "int32")
    places = core.constant(np.arange(x.shape[1], dtype="int32")[None])
    order = core.ops.where(places < lengths, lengths - 1 - places, places)
    order = core.ops.reshape(order, (*order.shape, *[1] * (x.ndim - 2)))
    order = core.ops.broadcast_to(order, x.shape)
    return core.ops.moveaxis(core.ops.take_along_axis(x, order, 1), (0, 1), (batch_axis, seq_axis))


def roll(input: Any, shift: Any, axis: Any) -> Any:
    """The elements moved on along axes; what falls off one end comes back at the other."""
    return ops.roll(input, ints(shift), axis=ints(axis))


def repeat(input: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element so often."""
    if means_text(input):
        return Text(np.repeat(np.asarray(input, object), np.asarray(repeats), axis))
    return ops.repeat(input, ints(repeats), axis=axis)


def meshgrid(*args: Any, indexing: str = "xy") -> Any:
    """Coordinates of the points of a grid."""
    return list(ops.meshgrid(*args, indexing=indexing))


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0
) -> Any:  # fmt: skip
    """Elements added before and after each axis: `paddings[i] = (before, after)`."""
    pairs = [(int(a), int(b)) for a, b in np.asarray(paddings)]
    kind = mode.lower()
    if is_text(tensor):
        return Text(np.pad(np.asarray(tensor), pairs, constant_values=constant_values or ""))
    return ops.pad(tensor, pairs, kind, constant_values if kind == "constant" else None)


def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: Any = None,
    dtype: Any = None,
) -> Any:  # fmt: skip
    """`on_value` (1) at each index, else `off_value` (0)."""
    axis, depth = -1 if axis is None else axis, int(depth)
    if dtype is None:
        given = next((v for v in (on_value, off_value) if v is not None), 1.0)
        dtype = core.convert(given).dtype.name
    if on_value is None and off_value is None:
        return ops.one_hot(indices, depth, axis=axis, dtype=name_of(dtype))
    hit = ops.cast(ops.one_hot(indices, depth, axis=axis, dtype="int32"), "bool")
    on = core.convert(1 if on_value is None else on_value, name_of(dtype))
    off = core.convert(0 if off_value is None else off_value, name_of(dtype))
    return ops.where(hit, on, off)


@plain
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """`x` where the condition holds, else `y`; alone the indices `(n, rank)` where it holds."""
    if x is None and y is None:
        held = core.convert(condition)
        places = ops.nonzero(held)
        return ops.stack([ops.cast(p, "int64") for p in places], axis=1)
    if x is None or y is None:
        raise ValueError("where: give both x and y, or neither.")
    if means_text(x) or means_text(y):
        return Text(np.where(np.asarray(condition), np.asarray(x, object), np.asarray(y, object)))
    return ops.where(condition, x, y)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool") -> Any:
    """Whether a place `(..., maxlen)` is before each length."""
    lengths = core.convert(lengths)
    size = int(np.max(np.asarray(lengths))) if maxlen is None else int(maxlen)
    places = core.constant(np.arange(size).astype(lengths.dtype.name))
    return ops.cast(core.ops.less(places, core.ops.expand_dims(lengths, -1)), name_of(dtype))


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32"
) -> Any:
    """Where values would be inserted into each sorted row."""
    rows, values = core.convert(sorted_sequence), core.convert(values)
    if rows.ndim == 1:
        found = core.ops.searchsorted(rows, values, side)
        return core.ops.cast(found, name_of(out_type))
    compare = core.ops.less if side == "left" else core.ops.less_equal
    below = compare(core.ops.expand_dims(rows, -2), core.ops.expand_dims(values, -1))
    return core.ops.cast(core.ops.sum(core.ops.cast(below, "int32"), -1), name_of(out_type))


class Unique(NamedTuple):
    """Different values, and which of them each is."""

    y: Any
    idx: Any


class UniqueWithCounts(NamedTuple):
    """Different values, which of them each is, and how often each is there."""

    y: Any
    idx: Any
    count: Any


def unique_with_counts(x: Any, out_idx: Any = "int32") -> Any:
    """The different values in the order in which they come. The values must be known."""
    array = np.asarray(x, object) if means_text(x) else np.asarray(core.convert(x))
    _, first, which, counts = np.unique(array, True, True, True)
    order = np.argsort(first)
    place = np.argsort(order)
    values, dtype = array[first[order]], name_of(out_idx)
    made = Text(values) if values.dtype == object else core.constant(values)
    return UniqueWithCounts(
        made, core.constant(place[which.reshape(-1)].astype(dtype)),
        core.constant(counts[order].astype(dtype)),
    )  # fmt: skip


def unique(x: Any, out_idx: Any = "int32") -> Any:
    """The different values in the order in which they come. The values must be known."""
    return Unique(*unique_with_counts(x, out_idx)[:2])


def unravel_index(indices: Any, dims: Any) -> Any:
    """Rows of coordinates `(rank, n)` of places in a flattened array of this shape."""
    return ops.stack(list(ops.unravel_index(indices, sizes_of(dims))), axis=0)


def broadcast_to(input: Any, shape: Any) -> Any:
    """The values repeated along axes of size 1, and new ones in front."""
    if is_text(input):
        return Text(np.broadcast_to(input, sizes_of(shape)).copy())
    return ops.broadcast_to(input, sizes_of(shape))


@plain
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> Any:
    """The shape of what tensors of two shapes give together."""
    return Sizes(np.broadcast_shapes(sizes_of(shape_x), sizes_of(shape_y)))


def argsort(values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False) -> Any:
    """The places of the elements in sorted order; equal ones stay in theirs."""
    x = core.convert(values)
    if direction == "DESCENDING":
        x = core.ops.bitwise_not(x) if x.dtype.kind in "iu" else core.ops.negative(x)
    return ops.cast(ops.argsort(x, axis=axis), "int32")


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Any:
    """The elements in sorted order."""
    found = ops.sort(values, axis=axis)
    return ops.flip(found, axis=axis) if direction == "DESCENDING" else found


def unstack(value: Any, num: Any = None, axis: int = 0) -> Any:
    """The slices along an axis."""
    return list(ops.unstack(value, num, axis=axis))


def dynamic_stitch(indices: Any, data: Any) -> Any:
    """Rows of several tensors at places of one; later ones win."""
    places = core.ops.concatenate([core.ops.reshape(core.convert(i), (-1,)) for i in indices], 0)
    rows = []
    for i, d in zip(indices, data):
        d, rank = core.convert(d), np.ndim(i)
        rows.append(core.ops.reshape(d, (-1, *d.shape[rank:])))
    joined = core.ops.concatenate(rows, 0)
    count = max(int(np.max(np.asarray(i), initial=-1)) for i in indices) + 1
    whole = core.ops.zeros((count, *joined.shape[1:]), joined.dtype.name)
    return core.ops.scatter_update(whole, core.ops.expand_dims(places, -1), joined)


def dynamic_partition(data: Any, partitions: Any, num_partitions: int) -> list[Any]:
    """The rows of each part. Their numbers must be known."""
    parts = np.asarray(partitions)
    return [boolean_mask(data, parts == i) for i in range(num_partitions)]
