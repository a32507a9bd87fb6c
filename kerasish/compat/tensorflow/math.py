"""`tf.math`: reductions, segments, and functions that ours have under no one name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import ops
from ...optimizers import clipping
from ...text_arrays import Text, is_text, means_text
from .dtypes import name_of
from .values import dtype_of, ints, tensor

__all__ = ["add_n", "reduce_sum", "segment_sum", "top_k"]

_o = core.ops


# -- reductions


def _reduction(name: str, function: Any, whole: bool = True) -> Any:
    def reduce(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = tensor(input_tensor)
        found = function(x, axis=ints(axis), keepdims=keepdims)
        return found if found.dtype == x.dtype else ops.cast(found, dtype_of(x))

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"`{name}` over axes (all by default), in the dtype of the values."
    return reduce


reduce_sum, reduce_prod = _reduction("reduce_sum", ops.sum), _reduction("reduce_prod", ops.prod)
reduce_max, reduce_min = _reduction("reduce_max", ops.max), _reduction("reduce_min", ops.min)
reduce_all, reduce_any = _reduction("reduce_all", ops.all), _reduction("reduce_any", ops.any)
reduce_mean = _reduction("reduce_mean", ops.mean)
reduce_std = _reduction("reduce_std", ops.std)
reduce_variance = _reduction("reduce_variance", ops.var)
reduce_logsumexp = _reduction("reduce_logsumexp", ops.logsumexp)


def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`sqrt(sum(x**2))`."""
    x = tensor(input_tensor)
    found = ops.sqrt(ops.sum(ops.square(x), axis=ints(axis), keepdims=keepdims))
    return ops.cast(found, dtype_of(x))


def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "int64"
) -> Any:
    """How many are not zero; of text, not empty."""
    held = core.constant(np.asarray(input) != "") if is_text(input) else _o.not_equal(input, 0)
    return _o.sum(_o.cast(held, name_of(dtype)), ints(axis), keepdims=keepdims)


def _place(name: str, function: Any) -> Any:
    def along(input: Any, axis: Any = None, output_type: Any = "int64") -> Any:
        found = function(input, axis=0 if axis is None else int(axis))
        return ops.cast(found, name_of(output_type))

    along.__name__, along.__doc__ = name, f"`{name}` along an axis, the first by default."
    return along


argmax, argmin = _place("argmax", ops.argmax), _place("argmin", ops.argmin)


def _running(name: str, function: Any, neutral: float) -> Any:
    def along(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False) -> Any:
        x, axis = core.convert(x), int(axis)
        dtype = x.dtype.name
        x = _o.flip(x, axis) if reverse else x
        if exclusive:
            shape = list(x.shape)
            shape[axis] = 1
            first = _o.full(tuple(shape), neutral, dtype)
            keep = [slice(None)] * x.ndim
            keep[axis] = slice(0, x.shape[axis] - 1)
            x = _o.concatenate([first, x[tuple(keep)]], axis)
        found = _o.cast(function(x, axis), dtype)
        return _o.flip(found, axis) if reverse else found

    along.__name__ = name
    along.__doc__ = f"`{name}` along an axis; exclusive: without the element itself."
    return along


cumsum, cumprod = _running("cumsum", _o.cumsum, 0), _running("cumprod", _o.cumprod, 1)
_running_logsumexp = _running(
    "cumulative_logsumexp",
    lambda x, axis: ops.associative_scan(ops.logaddexp, x, axis=axis),
    float("-inf"),
)


def cumulative_logsumexp(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False
) -> Any:
    """`log(cumsum(exp(x)))` along an axis, without overflow or underflow."""
    return _running_logsumexp(x, axis, exclusive, reverse)


# -- elementwise


def add_n(inputs: Any) -> Any:
    """The sum of tensors of one shape."""
    parts = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    total = tensor(parts[0])
    for part in parts[1:]:
        total = ops.add(total, part)
    return total


def _quotient_dtypes(x: Any, y: Any) -> tuple[Any, Any]:
    """Whole numbers as the floats that TensorFlow divides them in."""
    x, y = core.convert(x), core.convert(y)
    if x.dtype.kind in "iu" and y.dtype.kind in "iu":
        small = max(x.dtype.itemsize, y.dtype.itemsize) < 4
        wide = "float32" if small else "float64"
        return _o.cast(x, wide), _o.cast(y, wide)
    return x, y


def divide(x: Any, y: Any) -> Any:
    """`x / y`; whole numbers of 32 and 64 bits are divided in float64."""
    return _o.true_divide(*_quotient_dtypes(x, y))


def equal(x: Any, y: Any) -> Any:
    """Where they are equal; also of text."""
    return _compared(x, y, ops.equal, np.equal)


def not_equal(x: Any, y: Any) -> Any:
    """Where they differ; also of text."""
    return _compared(x, y, ops.not_equal, np.not_equal)


def _compared(x: Any, y: Any, compare: Any, for_text: Any) -> Any:
    if means_text(x) or means_text(y):
        a, b = (np.asarray(Text(np.asarray(v, object))) for v in (x, y))
        return core.constant(np.asarray(for_text(a, b)).astype(bool))
    return compare(x, y)


def add(x: Any, y: Any) -> Any:
    """`x + y`; texts one after the other."""
    if means_text(x) or means_text(y):
        return Text(np.add(np.asarray(x, object), np.asarray(y, object)))
    return ops.add(x, y)


def multiply_no_nan(x: Any, y: Any) -> Any:
    """`x * y`, and 0 where `y` is 0 whatever `x` is."""
    x, y = core.convert(x), core.convert(y)
    none = _o.equal(y, 0)
    return _o.where(none, _o.zeros_like(x * y), _o.where(none, _o.zeros_like(x), x) * y)


def reciprocal_no_nan(x: Any) -> Any:
    """`1 / x`, and 0 where `x` is 0."""
    x = core.convert(x)
    return ops.divide_no_nan(_o.ones_like(x), x)


def _where_x(x: Any, y: Any, log: Any, safe: float) -> Any:
    x, y = core.convert(x), core.convert(y)
    none = _o.broadcast_to(_o.equal(x, 0), np.broadcast_shapes(x.shape, y.shape))
    known = _o.where(none, _o.cast(core.convert(safe), y.dtype.name), y)
    return _o.where(none, _o.zeros_like(known), log(x, known))


def xlogy(x: Any, y: Any) -> Any:
    """`x * log(y)`, and 0 where `x` is 0."""
    return _where_x(x, y, lambda x, y: x * _o.log(y), 1.0)


def xlog1py(x: Any, y: Any) -> Any:
    """`x * log1p(y)`, and 0 where `x` is 0."""
    return _where_x(x, y, lambda x, y: x * _o.log1p(y), 0.0)


def xdivy(x: Any, y: Any) -> Any:
    """`x / y`, and 0 where `x` is 0."""
    return _where_x(x, y, lambda x, y: x / y, 1.0)


def squared_difference(x: Any, y: Any) -> Any:
    """`(x - y) ** 2`."""
    return ops.square(ops.subtract(x, y))


def lgamma(x: Any) -> Any:
    """The logarithm of the absolute value of the gamma function."""
    return _o.lgamma(x)


def lbeta(x: Any) -> Any:
    """The logarithm of the beta function of the last axis."""
    x = core.convert(x)
    return _o.sum(_o.lgamma(x), -1) - _o.lgamma(_o.sum(x, -1))


def polygamma(a: Any, x: Any) -> Any:
    """Derivative number `a` of the digamma function."""
    return _o.polygamma(int(np.asarray(a).reshape(-1)[0]), x)


def ndtri(x: Any) -> Any:
    """The quantile of the normal distribution: what lies above a part `1 - x` of it.

    In float64, exact in both tails, where `erfinv(2 x - 1)` has lost `x`: the rational start of
    Abramowitz and Stegun 26.2.23 and three steps of Halley's method.
    """
    x = core.convert(x)
    p = _o.cast(x, "float64")
    low = p < 0.5
    p = _o.where(low, p, 1.0 - p)
    known = _o.where(_o.equal(p, 0.0), 0.5, p)
    t = _o.sqrt(-2.0 * _o.log(known))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    z = t - above / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    for _ in range(3):
        density = _o.exp(-0.5 * z * z) * float(1 / np.sqrt(2 * np.pi))
        step = (0.5 * _o.erfc(z * float(np.sqrt(0.5))) - known) / density
        z = z + step / (1.0 - 0.5 * z * step)
    z = _o.where(_o.equal(p, 0.0), float("inf"), z)
    return _o.cast(_o.where(low, -z, z), x.dtype.name)


def erfcinv(x: Any) -> Any:
    """What `erfc` makes `x` of."""
    x = core.convert(x)
    return _o.cast(ndtri(0.5 * _o.cast(x, "float64")) * float(-np.sqrt(0.5)), x.dtype.name)


def polyval(coeffs: Any, x: Any) -> Any:
    """The polynomial whose coefficients are given from the highest power on."""
    x = core.convert(x)
    total = _o.zeros_like(x)
    for c in coeffs:
        total = total * x + c
    return total


def truncatediv(x: Any, y: Any) -> Any:
    """A division of whole numbers cut toward zero."""
    x, y = core.convert(x), core.convert(y)
    return (x - ops.fmod(x, y)) // y


def angle(input: Any) -> Any:
    """The angle of complex numbers."""
    x = core.convert(input)
    if x.dtype.kind != "c":
        return _o.cast(_o.where(x < 0, float(np.pi), 0.0), x.dtype.name)
    return ops.angle(x)


def is_non_decreasing(x: Any) -> Any:
    """Whether no element is below the one before it."""
    flat = _o.reshape(core.convert(x), (-1,))
    return _o.all(_o.greater_equal(flat[1:], flat[:-1]))


def is_strictly_increasing(x: Any) -> Any:
    """Whether each element is above the one before it."""
    flat = _o.reshape(core.convert(x), (-1,))
    return _o.all(_o.greater(flat[1:], flat[:-1]))


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None) -> Any:
    """The sum of tensors of one shape."""
    return add_n(inputs)


def zero_fraction(value: Any) -> Any:
    """Which part of the elements is zero."""
    return _o.mean(_o.cast(_o.equal(core.convert(value), 0), "float32"))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """`x / sqrt(max(sum(x**2), epsilon))`."""
    x = core.convert(x)
    squares = _o.sum(_o.square(x), ints(axis), keepdims=True)
    return x * _o.rsqrt(_o.maximum(squares, epsilon))


def softmax(logits: Any, axis: Any = None) -> Any:
    """`exp(x) / sum(exp(x))` along the last axis, or the one named."""
    return ops.softmax(tensor(logits), axis=-1 if axis is None else axis)


def log_softmax(logits: Any, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return ops.log_softmax(tensor(logits), axis=-1 if axis is None else axis)


# -- counting and ranking


class TopK(NamedTuple):
    """The largest elements of the last axis, and where they are."""

    values: Any
    indices: Any


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = "int32") -> Any:
    """The `k` largest elements of the last axis, and where they are."""
    values, indices = ops.top_k(input, int(k), sorted=sorted)
    return TopK(values, ops.cast(indices, name_of(index_type)))


def in_top_k(targets: Any, predictions: Any, k: Any) -> Any:
    """Whether each target is among the `k` most likely classes."""
    return ops.in_top_k(targets, predictions, int(k))


def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None,
    dtype: Any = "int32", axis: Any = None, binary_output: bool = False,
) -> Any:  # fmt: skip
    """How often (or with which weight) each whole number is there; each row's for axis=-1."""
    values = np.asarray(arr)
    size = int(values.max(initial=-1)) + 1
    size = max(size, int(minlength or 0))
    size = size if maxlength is None else min(size, int(maxlength))
    kind = name_of(dtype) if weights is None else core.convert(weights).dtype.name
    whole = axis in (0, None)
    rows = values.reshape(1, -1) if whole else values.reshape(-1, values.shape[-1])
    counted = np.flatnonzero((rows >= 0) & (rows < size))
    places = (rows.astype("int64") + size * np.arange(len(rows))[:, None]).reshape(-1)[counted]
    amounts = (
        _o.ones((len(counted),), kind)
        if weights is None
        else _o.take(_o.reshape(core.convert(weights), (-1,)), core.constant(counted), 0)
    )
    found = _o.segment_sum(amounts, core.constant(places), len(rows) * size)
    if binary_output:
        found = _o.cast(_o.not_equal(found, 0), kind)
    return _o.reshape(found, (size,) if whole else (*values.shape[:-1], size))


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None,
    dtype: Any = "int32",
) -> Any:  # fmt: skip
    """How often each class (row) was taken for each (column)."""
    labels, predictions = (_o.reshape(core.convert(v), (-1,)) for v in (labels, predictions))
    if num_classes is None:
        num_classes = max(int(np.max(np.asarray(v))) for v in (labels, predictions)) + 1
    places = _o.stack([_o.cast(labels, "int64"), _o.cast(predictions, "int64")], 1)
    kind, size = name_of(dtype), int(num_classes)
    ones = _o.ones((labels.shape[0],), kind) if weights is None else _o.cast(weights, kind)
    return _o.scatter(places, ones, (size, size))


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32"
) -> Any:
    """How many values fall into each of equally wide bins; those outside go to the outer ones."""
    bins = histogram_fixed_width_bins(values, value_range, nbins, dtype)
    bins = _o.reshape(bins, (-1,))
    return _o.segment_sum(_o.ones(bins.shape, name_of(dtype)), bins, int(nbins))


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32"
) -> Any:
    """Which of equally wide bins each value falls into."""
    values, nbins = core.convert(values), int(nbins)
    low, high = (_o.cast(value_range[i], values.dtype.name) for i in (0, 1))
    place = _o.floor(nbins * ((values - low) / (high - low)))
    return _o.cast(_o.clip(place, 0, nbins - 1), name_of(dtype))


def invert_permutation(x: Any) -> Any:
    """Where each number from 0 on is."""
    x = core.convert(x)
    return _o.cast(_o.argsort(x), x.dtype.name)


# -- segments


def _count(segment_ids: Any) -> int:
    return int(np.max(np.asarray(segment_ids), initial=-1)) + 1


def _segment(name: str, joined: Any) -> tuple[Any, Any]:
    def segment(data: Any, segment_ids: Any) -> Any:
        return joined(core.convert(data), core.convert(segment_ids), _count(segment_ids), 0)

    def unsorted(data: Any, segment_ids: Any, num_segments: Any) -> Any:
        return joined(core.convert(data), core.convert(segment_ids), int(num_segments), None)

    segment.__name__, unsorted.__name__ = f"segment_{name}", f"unsorted_segment_{name}"
    segment.__doc__ = f"The {name} of the rows of each segment; their numbers must be known."
    unsorted.__doc__ = f"The {name} of the elements of each of `num_segments` segments."
    return segment, unsorted


def _flat(data: Any, ids: Any) -> tuple[Any, Any]:
    """The axes of the segments as one."""
    return _o.reshape(data, (-1, *data.shape[ids.ndim :])), _o.reshape(ids, (-1,))


def _sum(data: Any, ids: Any, count: int, empty: Any) -> Any:
    return _o.segment_sum(*_flat(data, ids), count)


def _sizes(data: Any, ids: Any, count: int) -> Any:
    _, flat = _flat(data, ids)
    ones = _o.ones((flat.shape[0],), data.dtype.name)
    sizes = _o.maximum(_o.segment_sum(ones, flat, count), 1)
    sizes = _o.cast(sizes, data.dtype.name)
    return _o.reshape(sizes, (count, *[1] * (data.ndim - ids.ndim)))


def _mean(data: Any, ids: Any, count: int, empty: Any) -> Any:
    total = _sum(data, ids, count, empty)
    whole = data.dtype.kind in "iu"
    return (total // _sizes(data, ids, count)) if whole else total / _sizes(data, ids, count)


def _sqrt_n(data: Any, ids: Any, count: int, empty: Any) -> Any:
    return _sum(data, ids, count, empty) / _o.sqrt(_sizes(data, ids, count))


def _extreme(segment: Any, least: bool) -> Any:
    def joined(data: Any, ids: Any, count: int, empty: Any) -> Any:
        found = segment(*_flat(data, ids), count)
        limits = np.iinfo if data.dtype.kind in "iu" else np.finfo
        if empty is None:
            empty = limits(data.dtype).max if least else limits(data.dtype).min
        _, flat = _flat(data, ids)
        some = _o.segment_sum(_o.ones((flat.shape[0],), "int32"), flat, count) > 0
        some = _o.reshape(some, (count, *[1] * (data.ndim - ids.ndim)))
        return _o.where(some, found, _o.full((), empty, data.dtype.name))

    return joined


def _prod(data: Any, ids: Any, count: int, empty: Any) -> Any:
    return ops.segment_prod(*_flat(data, ids), count)


segment_sum, unsorted_segment_sum = _segment("sum", _sum)
segment_mean, unsorted_segment_mean = _segment("mean", _mean)
segment_prod, unsorted_segment_prod = _segment("prod", _prod)
segment_max, unsorted_segment_max = _segment("max", _extreme(_o.segment_max, False))
segment_min, unsorted_segment_min = _segment("min", _extreme(_o.segment_min, True))
_, unsorted_segment_sqrt_n = _segment("sqrt_n", _sqrt_n)


# -- clipping


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """The values limited to a range."""
    x = tensor(t)
    return ops.cast(ops.clip(x, clip_value_min, clip_value_max), dtype_of(x))


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Any:
    """`t` scaled down to a norm of at most `clip_norm`."""
    return clipping.clip_by_norm(core.convert(t), clip_norm, ints(axes))


def global_norm(t_list: Any) -> Any:
    """The norm of all tensors together; None is left out."""
    parts = [_o.sum(_o.square(core.convert(t))) for t in t_list if t is not None]
    return _o.sqrt(add_n(parts)) if parts else None


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None) -> Any:
    """All tensors scaled by one factor to a common norm of at most `clip_norm`, and the norm."""
    norm = global_norm(t_list) if use_norm is None else core.convert(use_norm)
    scale = clip_norm / _o.maximum(norm, clip_norm) + (norm - norm)
    return [None if t is None else core.convert(t) * scale for t in t_list], norm
