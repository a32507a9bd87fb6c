"""Reductions, joining, indexing, products: the most used functions of `keras.ops.numpy`."""

from __future__ import annotations

import builtins
from typing import Any

import kerasish_core as core

from .symbolic import KerasTensor, compute_output_spec, symbolic

__all__: list[str] = []  # filled at the end


@symbolic
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all are true over axes."""
    return core.ops.all(x, axis, keepdims)


@symbolic
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether one is true over axes."""
    return core.ops.any(x, axis, keepdims)


@symbolic
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest over axes."""
    return core.ops.max(x, axis, keepdims, initial)


@symbolic
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest over axes."""
    return core.ops.min(x, axis, keepdims, initial)


@symbolic
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean over axes."""
    return core.ops.mean(x, axis, keepdims)


@symbolic
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over axes."""
    return core.ops.prod(x, axis, keepdims, dtype)


@symbolic
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes."""
    return core.ops.std(x, axis, keepdims)


@symbolic
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes."""
    return core.ops.sum(x, axis, keepdims)


@symbolic
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance over axes."""
    return core.ops.var(x, axis, keepdims)


@symbolic
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Index of the largest."""
    return core.ops.argmax(x, axis, keepdims)


@symbolic
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Index of the smallest."""
    return core.ops.argmin(x, axis, keepdims)


def _reshape_spec(x: Any, newshape: Any) -> Any:
    wanted = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if None in x.shape and -1 not in wanted and None not in wanted:
        return KerasTensor(wanted, x.dtype)  # what is unknown may fit
    return compute_output_spec(core.ops.reshape, x, tuple(-1 if n is None else n for n in wanted))


@symbolic(spec=_reshape_spec)
def reshape(x: Any, newshape: Any) -> Any:
    """The elements in another shape; one size may be -1."""
    newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    return core.ops.reshape(x, tuple(-1 if n is None else n for n in newshape))


@symbolic
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default."""
    return core.ops.transpose(x, axes)


@symbolic
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return core.ops.swapaxes(x, axis1, axis2)


@symbolic
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places."""
    return core.ops.moveaxis(x, source, destination)


@symbolic
def expand_dims(x: Any, axis: Any) -> Any:
    """Axes of size 1 inserted."""
    return core.ops.expand_dims(x, axis)


@symbolic
def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of size 1 removed."""
    return core.ops.squeeze(x, axis)


@symbolic
def ravel(x: Any) -> Any:
    """The elements in one axis."""
    return core.ops.ravel(x)


@symbolic
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeated to a larger shape by NumPy's rules."""
    return core.ops.broadcast_to(x, shape)


@symbolic
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Tensors joined along an axis; flattened first if it is None."""
    if axis is None:
        xs, axis = [core.ops.ravel(x) for x in xs], 0
    return core.ops.concatenate(xs, axis)


@symbolic
def stack(x: Any, axis: int = 0) -> Any:
    """Tensors joined along a new axis."""
    return core.ops.stack(x, axis)


@symbolic
def hstack(xs: Any) -> Any:
    """Joined along the second axis (the first of vectors)."""
    xs = [core.ops.reshape(x, (1,)) if core.convert(x).ndim == 0 else core.convert(x) for x in xs]
    return core.ops.concatenate(xs, 0 if xs[0].ndim == 1 else 1)


@symbolic
def vstack(xs: Any) -> Any:
    """Joined along the first axis, vectors as rows."""
    rows = [core.convert(x) for x in xs]
    return core.ops.concatenate(
        [core.ops.reshape(x, (1, -1)) if x.ndim < 2 else x for x in rows], 0
    )


@symbolic
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts along an axis: so many equal ones, or cut at the indices."""
    return core.ops.split(x, sections(indices_or_sections), axis)


def sections(where: Any) -> Any:
    """How to split: a whole number, or indices, none of which is negative."""
    if isinstance(where, float) and where.is_integer():
        return int(where)
    if isinstance(where, int):
        if where < 1:
            raise ValueError(
                "Argument `indices_or_sections` must be a positive integer. Received: "
                f"indices_or_sections={where}"
            )
    elif isinstance(where, list | tuple) and builtins.any(i < 0 for i in where):
        raise ValueError(f"split: indices must not be negative. Received: {where}")
    return where


@symbolic
def flip(x: Any, axis: Any = None) -> Any:
    """Order reversed along axes."""
    return core.ops.flip(x, axis)


@symbolic
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Elements moved along axes, cyclically; by a tensor, by as many places as it says then."""
    if not isinstance(shift, core.Tensor):
        return core.ops.roll(x, shift, axis)
    x = core.convert(x)
    if axis is None:
        return core.ops.reshape(roll(core.ops.reshape(x, (-1,)), shift, 0), x.shape)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = axes * shift.size if len(axes) == 1 else axes
    steps = core.ops.broadcast_to(core.ops.reshape(shift, (-1,)), (len(axes),))
    for i, a in enumerate(axes):
        size = x.shape[a]
        places = core.ops.mod(core.ops.arange(size) - core.ops.cast(steps[i], "int32"), size)
        x = core.ops.take(x, places, a)
    return x


@symbolic
def tile(x: Any, repeats: Any) -> Any:
    """The whole tensor repeated."""
    return core.ops.tile(x, repeats)


@symbolic
def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element repeated."""
    return core.ops.repeat(x, repeats, axis)


@symbolic
def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """Elements or slices at indices."""
    indices = core.convert(indices)
    if indices.dtype.kind not in "iub":
        raise ValueError(f"take: indices must be integers. Received: dtype={indices.dtype}")
    return core.ops.take(x, indices, axis)


@symbolic
def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    """`y[i, j] = x[i, indices[i, j]]`."""
    return core.ops.take_along_axis(x, indices, axis)


@symbolic
def get_item(x: Any, key: Any) -> Any:
    """`x[key]`."""
    return core.ops.getitem(x, key)


def _where_spec(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None and x2 is None:  # so many places as there are true elements
        return tuple(KerasTensor((None,), "int32") for _ in condition.shape)
    return compute_output_spec(core.ops.where, condition, x1, x2)


@symbolic(spec=_where_spec)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition holds, else `x2`."""
    return core.ops.where(condition, x1, x2)


@symbolic
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Limited to `[x_min, x_max]`."""
    return core.ops.clip(x, x_min, x_max)


@symbolic
def round(x: Any, decimals: int = 0) -> Any:
    """To the nearest multiple of `10**-decimals`."""
    return core.ops.round(x, decimals)


@symbolic
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Finite values in place of NaN and infinities."""
    return core.ops.nan_to_num(x, nan, posinf, neginf)


@symbolic
def conjugate(x: Any) -> Any:
    """The complex conjugate."""
    return core.ops.conj(x)


@symbolic
def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Sums of all elements up to each."""
    return core.ops.cumsum(x, axis, dtype)


@symbolic
def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Products of all elements up to each."""
    return core.ops.cumprod(x, axis, dtype)


@symbolic
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many elements are not zero."""
    return core.ops.count_nonzero(x, axis)


@symbolic
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))`."""
    return core.ops.logsumexp(x, axis, keepdims)


@symbolic
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Weighted mean."""
    x = core.convert(x)
    if weights is None:
        return core.ops.mean(x, axis)
    w = core.convert(weights)
    if w.shape != x.shape:
        axes = (axis,) if isinstance(axis, int) else tuple(axis or ())
        if w.shape != tuple(x.shape[a] for a in axes) or not axes:
            raise core.ShapeError(
                "Argument `weights` must have the shape of `x`, or its sizes along `axis`. "
                f"Received: weights.shape={w.shape}, x.shape={x.shape}, axis={axis}"
            )
        kept = [a % x.ndim for a in axes]
        w = core.ops.reshape(w, [n if i in kept else 1 for i, n in enumerate(x.shape)])
    w = core.ops.broadcast_to(w, x.shape)
    return core.ops.sum(x * w, axis) / core.ops.sum(w, axis)


@symbolic
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Sum of products over the named axes."""
    return core.ops.tensordot(x1, x2, axes)


@symbolic
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sums of products in Einstein's notation."""
    xs = [core.convert(x) for x in operands]
    found = core.ops.einsum(subscripts, *xs)
    names = {x.dtype.name for x in xs}
    # Keras gives sums of int8 32 bits, but not those of int8 and bool.
    return core.ops.cast(found, "int8") if names == {"int8", "bool"} else found


@symbolic
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of the diagonal."""
    return core.ops.trace(x, offset, axis1, axis2)


def _diagonal_spec(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    found = compute_output_spec(core.ops.diagonal, x, offset, axis1, axis2)
    if None in (x.shape[axis1], x.shape[axis2]):  # whichever is smaller
        return KerasTensor((*found.shape[:-1], None), found.dtype)
    return found


@symbolic(spec=_diagonal_spec)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements of the diagonal."""
    return core.ops.diagonal(x, offset, axis1, axis2)


@symbolic
def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle."""
    return core.ops.tril(x, k)


@symbolic
def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle."""
    return core.ops.triu(x, k)


@symbolic
def sort(x: Any, axis: Any = -1) -> Any:
    """Ascending along an axis."""
    x = core.convert(x)
    if x.ndim == 0:
        raise ValueError(f"sort: axis {axis} is out of bounds for a scalar.")
    return core.ops.sort(x, axis)


@symbolic
def argsort(x: Any, axis: Any = -1) -> Any:
    """The order that sorts; of a scalar `[0]`."""
    x = core.convert(x)
    return core.ops.argsort(core.ops.reshape(x, (1,)) if x.ndim == 0 else x, axis)


@symbolic
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The k largest of the last axis and their indices."""
    return core.ops.top_k(x, k, sorted)


@symbolic
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether each target is among the k best predictions."""
    return core.ops.in_top_k(targets, predictions, k)


@symbolic
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where values would be inserted."""
    return core.ops.searchsorted(sorted_sequence, values, side)


@symbolic
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Where `|x1 - x2| <= atol + rtol * |x2|`; infinity is close to itself only."""
    o = core.ops
    a, b = o.multiply(x1, 1.0), o.multiply(x2, 1.0)
    near = o.less_equal(o.absolute(o.subtract(a, b)), atol + rtol * o.absolute(b))
    near = o.where(o.logical_and(o.isfinite(a), o.isfinite(b)), near, o.equal(a, b))
    return o.logical_or(near, o.logical_and(o.isnan(x1), o.isnan(x2))) if equal_nan else near


@symbolic
def ndim(x: Any) -> Any:
    """The number of axes."""
    return len(x.shape) if hasattr(x, "shape") else core.convert(x).ndim


@symbolic
def size(x: Any) -> Any:
    """The number of elements."""
    return core.convert(x).size


conj = conjugate


@symbolic
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest over axes."""
    return core.ops.max(x, axis, keepdims)


@symbolic
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest over axes."""
    return core.ops.min(x, axis, keepdims)


@symbolic
def divide(x1: Any, x2: Any) -> Any:
    """`x1 / x2`."""
    return core.ops.true_divide(x1, x2)


@symbolic
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """`x1 / x2`, 0 where `x2` is 0."""
    o = core.ops
    zero = o.equal(x2, 0)
    divisor = x2 if isinstance(x2, float) and x2 else o.where(zero, 1, x2)  # stays weak
    return o.where(zero, 0, o.true_divide(x1, divisor))


__all__ = [
    name for name, value in builtins.list(globals().items())
    if callable(value) and not name.startswith("_")
    and getattr(value, "__module__", "") == __name__
]  # fmt: skip
