"""Quantiles, functions that pass over NaN, histograms, windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from .symbolic import KerasTensor, symbolic

__all__ = [
    "bartlett", "bincount", "blackman", "corrcoef", "correlate", "digitize", "hamming", "hanning",
    "histogram", "kaiser", "median", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax",
    "nanmean",
    "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar",
    "percentile", "ptp", "quantile", "segment_max", "segment_min", "segment_prod", "segment_sum",
    "trapezoid",
]  # fmt: skip

_o = core.ops
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _float(x: Any) -> Any:
    return _o.multiply(x, 1.0)


# -- passing over NaN


def _filled(x: Any, value: Any) -> Any:
    x = core.convert(x)
    return _o.where(_o.isnan(x), value, x) if core.dtypes.is_float(x.dtype) else x


@symbolic
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum of what is not NaN."""
    return _o.sum(_filled(x, 0), axis, keepdims)


@symbolic
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product of what is not NaN."""
    return _o.prod(_filled(x, 1), axis, keepdims)


@symbolic
def nancumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Sums up to each element, NaN counting 0."""
    return _o.cumsum(_filled(x, 0), axis, dtype)


@symbolic
def nancumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Products up to each element, NaN counting 1."""
    return _o.cumprod(_filled(x, 1), axis, dtype)


def _extreme(reduce: Any, x: Any, axis: Any, keepdims: bool, worst: float) -> Any:
    x = core.convert(x)
    if not core.dtypes.is_float(x.dtype):
        return reduce(x, axis, keepdims)
    none_left = _o.all(_o.isnan(x), axis, keepdims)
    return _o.where(none_left, math.nan, reduce(_filled(x, worst), axis, keepdims))


@symbolic
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest of what is not NaN."""
    return _extreme(_o.max, x, axis, keepdims, -math.inf)


@symbolic
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest of what is not NaN."""
    return _extreme(_o.min, x, axis, keepdims, math.inf)


def _arg_extreme(reduce: Any, x: Any, axis: Any, keepdims: bool, worst: float) -> Any:
    x = core.convert(x)
    if not core.dtypes.is_float(x.dtype):
        return reduce(x, axis, keepdims)
    none_left = _o.all(_o.isnan(x), axis, keepdims)
    return _o.where(none_left, -1, reduce(_filled(x, worst), axis, keepdims))


@symbolic
def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Index of the largest that is not NaN; -1 if all are."""
    return _arg_extreme(_o.argmax, x, axis, keepdims, -math.inf)


@symbolic
def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Index of the smallest that is not NaN; -1 if all are."""
    return _arg_extreme(_o.argmin, x, axis, keepdims, math.inf)


def _nan_moments(x: Any, axis: Any, keepdims: bool) -> tuple[Any, Any]:
    x = _float(x)
    kept = _o.cast(_o.logical_not(_o.isnan(x)), x.dtype)
    count = _o.sum(kept, axis, True)
    mean = _o.sum(_filled(x, 0), axis, True) / count
    apart = _o.where(_o.isnan(x), 0, x - mean)
    variance = _o.sum(_o.square(apart), axis, True) / count
    if keepdims:
        return mean, variance
    axes = tuple(range(x.ndim)) if axis is None else axis
    return _o.squeeze(mean, axes), _o.squeeze(variance, axes)


@symbolic
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean of what is not NaN."""
    return _nan_moments(x, axis, keepdims)[0]


@symbolic
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance of what is not NaN."""
    return _nan_moments(x, axis, keepdims)[1]


@symbolic
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation of what is not NaN."""
    return _o.sqrt(_nan_moments(x, axis, keepdims)[1])


# -- quantiles


def _to_last(x: Any, axis: Any) -> tuple[Any, list[int]]:
    """The axes joined into a last one, and the shape with 1 in their place."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if not -x.ndim <= a < x.ndim:
            raise ValueError(f"axis {a} is out of bounds for a tensor of rank {x.ndim}.")
    chosen = sorted(a % x.ndim for a in axes)
    others = [i for i in range(x.ndim) if i not in chosen]
    kept = [1 if i in chosen else n for i, n in enumerate(x.shape)]
    moved = _o.transpose(x, (*others, *chosen))
    return _o.reshape(moved, (*(x.shape[i] for i in others), -1)), kept


def _between(low: Any, high: Any, part: Any, method: str) -> Any:
    if method == "linear":
        return low + (high - low) * part
    if method == "lower":
        return low
    if method == "higher":
        return high
    if method == "midpoint":
        return (low + high) / 2
    return low  # "nearest": the rank was rounded before


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Any:
    if method not in _METHODS:
        raise ValueError(f"Invalid `method`. Expected one of {_METHODS}. Received: method={method}")
    x = _float(x)
    q = _o.cast(_o.multiply(q, 1.0), x.dtype)
    flat, kept = _to_last(x, axis)
    ordered = _o.sort(flat, -1)
    nan = _o.isnan(flat)
    if skip_nan:  # sorting puts NaN last
        last = _o.sum(_o.cast(_o.logical_not(nan), x.dtype), -1) - 1
    else:
        last = _o.full(flat.shape[:-1], flat.shape[-1] - 1, x.dtype)
    found = []
    for each in [q] if q.ndim == 0 else [q[i] for i in range(q.shape[0])]:
        rank = _o.maximum(last, 0) * each
        rank = _o.round(rank) if method == "nearest" else rank
        below = _o.floor(rank)
        low, high = (
            _o.squeeze(_o.take_along_axis(ordered, _o.expand_dims(_o.cast(r, "int32"), -1), -1), -1)
            for r in (below, _o.ceil(rank))
        )
        y = _between(low, high, rank - below, method)
        broken = _o.less(last, 0) if skip_nan else _o.any(nan, -1)
        y = _o.where(broken, math.nan, y)
        found.append(_o.reshape(y, kept) if keepdims else y)
    return found[0] if q.ndim == 0 else _o.stack(found, 0)


@symbolic
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The value below which a part `q` of the elements lies."""
    return _quantile(x, q, axis, method, keepdims, False)


@symbolic
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`quantile` of what is not NaN."""
    return _quantile(x, q, axis, method, keepdims, True)


@symbolic
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`quantile` of `q` in hundredths."""
    return _quantile(x, _o.true_divide(q, 100.0), axis, method, keepdims, False)


@symbolic
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """`percentile` of what is not NaN."""
    return _quantile(x, _o.true_divide(q, 100.0), axis, method, keepdims, True)


@symbolic
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle value."""
    return _quantile(x, 0.5, axis, "linear", keepdims, False)


@symbolic
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle of what is not NaN."""
    return _quantile(x, 0.5, axis, "linear", keepdims, True)


@symbolic
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest minus smallest."""
    return _o.subtract(_o.max(x, axis, keepdims), _o.min(x, axis, keepdims))


# -- counting and comparing


def _unknown_counts(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    dtype = "int32" if weights is None else core.dtypes.name_of(weights.dtype)
    return KerasTensor((*x.shape[:-1], None), dtype)


@symbolic(spec=_unknown_counts)
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often, or with what total weight, each integer occurs in a vector or in each row.

    Needs the values: not in compiled steps.
    """
    x = core.convert(x)
    if x.ndim != 2:
        return _o.bincount(x, weights, minlength)
    longest = max(minlength, int(np.max(np.asarray(x), initial=-1)) + 1)
    rows = [None] * x.shape[0] if weights is None else _o.unstack(weights)
    return _o.stack([_o.bincount(x[i], row, longest) for i, row in enumerate(rows)])


@symbolic
def digitize(x: Any, bins: Any) -> Any:
    """The number of bin edges at or below each element."""
    return _o.cast(_o.searchsorted(bins, x, "right"), "int32")


@symbolic
def histogram(x: Any, bins: int = 10, range: Any = None) -> Any:
    """Counts in equal bins, the last of which holds its upper edge too, and the edges.

    Args:
        x: Vector; integers become `floatx`.
        bins: How many.
        range: `(low, high)`; by default the smallest and largest element. What is outside is not
            counted.

    Returns:
        `(bins,)` counts and `(bins + 1,)` edges, both of the dtype of `x`.

    Raises:
        TypeError: `bins` is no int.
        ValueError: `bins` is negative, `range` is no growing pair, or `x` is no vector.
    """
    if not isinstance(bins, int):
        raise TypeError(f"Argument `bins` must be of type `int`. Received: bins={bins}")
    if bins < 0:
        raise ValueError(f"Argument `bins` should be a non-negative integer. Received: bins={bins}")
    if range and (not isinstance(range, tuple) or len(range) < 2 or range[1] < range[0]):
        raise ValueError(f"Argument `range` must be a tuple (low, high). Received: range={range}")
    x = _float(x)
    if x.ndim != 1:
        raise ValueError(f"Input tensor must be 1-dimensional. Received: input.shape={x.shape}")
    low, high = (core.convert(v, x.dtype) for v in range) if range else (_o.min(x), _o.max(x))
    # A single value gets a bin of width 1 around it.
    room = _o.where(_o.equal(low, high), 0.5, 0.0)
    low, high = low - _o.cast(room, x.dtype), high + _o.cast(room, x.dtype)
    edges = _o.linspace(low, high, bins + 1)
    place = _o.searchsorted(edges, x, "right") - 1
    place = _o.where(_o.equal(x, edges[-1]), bins - 1, place)
    inside = _o.logical_and(_o.greater_equal(place, 0), _o.less(place, bins))
    hits = _o.one_hot(_o.where(inside, place, -1), bins, -1, x.dtype)
    return _o.sum(hits, 0), edges


@symbolic
def corrcoef(x: Any) -> Any:
    """Correlation of the rows."""
    x = _float(x)
    if x.ndim == 0:
        return x / x
    rows = _o.reshape(x, (1, -1)) if x.ndim == 1 else x
    apart = rows - _o.mean(rows, -1, True)
    covariance = _o.matmul(apart, _o.transpose(apart))
    size = _o.sqrt(_o.diagonal(covariance))
    y = covariance / _o.expand_dims(size, 1) / _o.expand_dims(size, 0)
    return _o.squeeze(y) if x.ndim == 1 else y


@symbolic
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Cross-correlation of vectors: `sum(x1[i + k] * x2[i])`."""
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"Invalid mode: '{mode}'. Mode must be one of ('valid', 'same', 'full').")
    x1, x2 = core.convert(x1), core.convert(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError("correlate() only support 1-dimensional inputs.")
    wide = _float(_o.add(x1[:1], x2[:1])).dtype
    x1, x2 = _o.cast(x1, wide), _o.cast(x2, wide)
    n, m = x1.shape[0], x2.shape[0]
    if m > n:
        return _o.flip(correlate(x2, x1, mode))
    padded = x1 if mode == "valid" else _o.pad(x1, ((m - 1, m - 1),))
    count = padded.shape[0] - m + 1
    windows = _o.take(padded, np.arange(count)[:, None] + np.arange(m)[None, :])
    y = _o.matmul(windows, x2)
    start = (m - 1) // 2
    return y[start : start + n] if mode == "same" else y


@symbolic
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by trapezoids."""
    y = _o.moveaxis(_float(y), axis, -1)
    if x is not None:
        x = core.convert(x)
        x = _o.moveaxis(x, axis, -1) if x.ndim > 1 else x
        dx = x[..., 1:] - x[..., :-1]
    return _o.sum(dx * (y[..., 1:] + y[..., :-1]) / 2.0, -1)


# -- segments


def _segments(reduce: Any, data: Any, ids: Any, count: Any) -> Any:
    if core.convert(ids).ndim != 1:
        raise ValueError(
            "Argument `segment_ids` should be a vector. Received: "
            f"segment_ids.shape={core.convert(ids).shape}"
        )
    if count is None:
        count = int(np.max(np.asarray(core.convert(ids)), initial=-1)) + 1
    return reduce(data, ids, count)


def _unknown_segments(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
) -> Any:
    return KerasTensor((num_segments, *data.shape[1:]), core.dtypes.name_of(data.dtype))


@symbolic(spec=_unknown_segments)
def segment_sum(data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> Any:
    """Sums of the rows with equal ids."""
    return _segments(_o.segment_sum, data, segment_ids, num_segments)


@symbolic(spec=_unknown_segments)
def segment_max(data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> Any:
    """Largest of the rows with equal ids."""
    return _segments(_o.segment_max, data, segment_ids, num_segments)


@symbolic(spec=_unknown_segments)
def segment_min(data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False) -> Any:
    """Smallest of the rows with equal ids."""
    return _segments(_o.segment_min, data, segment_ids, num_segments)


@symbolic(spec=_unknown_segments)
def segment_prod(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
) -> Any:
    """Products of the rows with equal ids."""

    def product(data: Any, ids: Any, count: int) -> Any:
        x, ids = core.convert(data), core.convert(ids)
        inside = _o.equal(_o.reshape(ids, (1, -1)), _o.reshape(_o.arange(count), (-1, 1)))
        inside = _o.reshape(inside, (*inside.shape, *([1] * (x.ndim - 1))))
        chosen = _o.where(inside, _o.expand_dims(x, 0), _o.ones((), x.dtype))
        return _o.cast(_o.prod(chosen, 1), x.dtype)

    return _segments(product, data, segment_ids, num_segments)


# -- windows


def _window(name: str, doc: str) -> Any:
    make = getattr(np, name)

    def window(x: Any) -> Any:
        return core.convert(make(int(x)), core.dtypes.default_float())

    window.__name__ = window.__qualname__ = name
    window.__doc__ = doc
    return window


bartlett = _window("bartlett", "Triangle window of `x` samples.")
blackman = _window("blackman", "Blackman window of `x` samples.")
hamming = _window("hamming", "Hamming window of `x` samples.")
hanning = _window("hanning", "Hann window of `x` samples.")


def kaiser(x: Any, beta: Any) -> Any:
    """Kaiser window of `x` samples."""
    return core.convert(np.kaiser(int(x), float(beta)), core.dtypes.default_float())
