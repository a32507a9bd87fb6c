"""Pooling. Maximum: a pair that scatters to and gathers from the first maximum of each window.
Mean: a pair of window sums and their spreading."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dispatch import apply
from ..errors import ShapeError
from ..op import Op, Spec, define_op
from ..tensor import Tensor, constant
from ._args import as_float, convert
from .conv import channels_back, channels_last
from .elementwise import cast
from .windows import Pads, output_size, pad_spatial, positions, resolve_padding, spatial, view

__all__ = ["average_pool", "max_pool"]


def _pool_spec(x: Spec, window: Any, strides: Any, pads: Pads) -> Spec:
    sizes = zip(x.shape[1:-1], window, strides, pads)
    out = tuple(output_size(n, k, s, 1, p) for n, k, s, p in sizes)
    if 0 in out and 0 not in x.shape:
        raise ShapeError(f"pool: x is {x}; the window {window} does not fit into it.")
    return Spec((x.shape[0], *out, x.shape[-1]), x.dtype)


def _lowest(x: Any) -> Any:
    return -np.inf if x.dtype.kind not in "iub" else np.iinfo(x.dtype).min


def _ones(window: Any) -> tuple[int, ...]:
    return (1,) * len(window)


def _max_kernel(xp: Any, x: Any, window: Any, strides: Any, pads: Pads) -> Any:
    padded = pad_spatial(xp, x, pads, _lowest(x))
    windows = view(xp, padded, window, strides, _ones(window))
    out = windows.shape[1 : len(window) + 1]
    result = None
    for _, place in positions(window, strides, _ones(window), out):
        part = padded[place]
        result = part.copy() if result is None else xp.maximum(result, part, out=result)
    return result


def _first(xp: Any, x: Any, window: Any, strides: Any, pads: Pads) -> Any:
    """Which place of each window holds its first maximum."""
    padded = pad_spatial(xp, x, pads, _lowest(x))
    out = _pool_spec(Spec(x.shape, x.dtype), window, strides, pads).shape[1:-1]
    best: Any = None
    chosen: Any = None
    for k, (_, place) in enumerate(positions(window, strides, _ones(window), out)):
        part = padded[place]
        if best is None:
            best, chosen = part.copy(), xp.zeros(part.shape, "int32")
        else:
            better = part > best
            best = xp.where(better, part, best)
            chosen[better] = k
    return chosen


def _max_grad_kernel(xp: Any, x: Any, g: Any, window: Any, strides: Any, pads: Pads) -> Any:
    chosen = _first(xp, x, window, strides, pads)
    shape = (x.shape[0], *(n + a + b for n, (a, b) in zip(x.shape[1:-1], pads)), x.shape[-1])
    total = xp.zeros(shape, g.dtype)
    for k, (_, place) in enumerate(positions(window, strides, _ones(window), g.shape[1:-1])):
        total[place] += g * (chosen == k)
    return _inner(total, x.shape, pads)


def _inner(padded: Any, shape: Any, pads: Pads) -> Any:
    return padded[(slice(None), *(slice(a, a + n) for n, (a, _) in zip(shape[1:-1], pads)))].copy()


def _max_select_kernel(xp: Any, x: Any, u: Any, window: Any, strides: Any, pads: Pads) -> Any:
    chosen = _first(xp, x, window, strides, pads)
    padded = pad_spatial(xp, u, pads)
    result = xp.zeros(chosen.shape, u.dtype)
    for k, (_, place) in enumerate(positions(window, strides, _ones(window), chosen.shape[1:-1])):
        result += padded[place] * (chosen == k)
    return result


def _samples(rng: np.random.Generator) -> Any:
    return [
        ([rng.permutation(24).reshape(2, 6, 2) / 5.0],
         {"window": (3,), "strides": (2,), "pads": ((1, 0),)}),
        ([rng.permutation(40).reshape(1, 4, 5, 2) / 7.0],
         {"window": (2, 2), "strides": (1, 2), "pads": ((0, 0), (0, 1))}),
    ]  # fmt: skip


def _pair_samples(rng: np.random.Generator) -> Any:
    return [
        ([x, rng.normal(size=_pool_spec(Spec(x.shape, x.dtype), **attrs).shape)], attrs)
        for (x,), attrs in _samples(rng)
    ]


_MAX: Op = define_op(
    "max_pool", "reduce", "x", native=True, infer=_pool_spec, kernel=_max_kernel,
    vjp=lambda g, x, window, strides, pads: (
        apply(_MAX_GRAD, x, g, window=window, strides=strides, pads=pads),
    ),
    samples=_samples,
)  # fmt: skip
_MAX_GRAD: Op = define_op(
    "max_pool_grad", "opaque", "x g", native=True,
    infer=lambda x, g, window, strides, pads: Spec(x.shape, g.dtype), kernel=_max_grad_kernel,
    vjp=lambda u, x, window, strides, pads: (
        None, apply(_MAX_SELECT, x, u, window=window, strides=strides, pads=pads),
    ),
    samples=_pair_samples,
)  # fmt: skip
_MAX_SELECT: Op = define_op(
    "max_pool_select", "opaque", "x u", native=True,
    infer=lambda x, u, window, strides, pads: Spec(
        _pool_spec(x, window, strides, pads).shape, u.dtype
    ),
    kernel=_max_select_kernel,
    vjp=lambda g, x, window, strides, pads: (
        None, apply(_MAX_GRAD, x, g, window=window, strides=strides, pads=pads),
    ),
    samples=lambda rng: [([x, rng.normal(size=x.shape)], a) for (x,), a in _samples(rng)],
)  # fmt: skip


def _sum_kernel(xp: Any, x: Any, window: Any, strides: Any, pads: Pads) -> Any:
    padded = pad_spatial(xp, x, pads)
    out = _pool_spec(Spec(x.shape, x.dtype), window, strides, pads).shape[1:-1]
    result = None
    for _, place in positions(window, strides, _ones(window), out):
        part = padded[place]
        result = part.copy() if result is None else xp.add(result, part, out=result)
    return result


def _spread_kernel(xp: Any, g: Any, shape: Any, window: Any, strides: Any, pads: Pads) -> Any:
    padded = (shape[0], *(n + a + b for n, (a, b) in zip(shape[1:-1], pads)), shape[-1])
    total = xp.zeros(padded, g.dtype)
    for _, place in positions(window, strides, _ones(window), g.shape[1:-1]):
        total[place] += g
    return _inner(total, shape, pads)


_SUM: Op = define_op(
    "window_sum", "reduce", "x", native=True, infer=_pool_spec, kernel=_sum_kernel,
    vjp=lambda g, x_spec, window, strides, pads: (
        apply(_SPREAD, g, shape=x_spec.shape, window=window, strides=strides, pads=pads),
    ),
    samples=_samples,
)  # fmt: skip
_SPREAD: Op = define_op(
    "window_spread", "opaque", "g", native=True,
    infer=lambda g, shape, window, strides, pads: Spec(shape, g.dtype), kernel=_spread_kernel,
    vjp=lambda u, window, strides, pads: (
        apply(_SUM, u, window=window, strides=strides, pads=pads),
    ),
    samples=lambda rng: [
        ([g], {**attrs, "shape": x.shape}) for (x, g), attrs in _pair_samples(rng)
    ],
)  # fmt: skip


def _prepare(name: str, x: Tensor, pool_size: Any, strides: Any, padding: Any) -> dict[str, Any]:
    rank = x.ndim - 2
    window = spatial(name, pool_size, rank, "pool_size")
    steps = window if strides is None else spatial(name, strides, rank, "strides")
    pads = resolve_padding(name, padding, x.shape[1:-1], window, steps, (1,) * rank)
    how: dict[str, Any] = {"window": window, "strides": steps, "pads": pads}
    _pool_spec(x.spec, **how)  # kernels give an empty result where nothing fits
    return how


def max_pool(
    x: Any, pool_size: Any, strides: Any = None, padding: Any = "valid",
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The largest element of each window; its gradient goes to the first such element.

    Args:
        x: `(batch, *spatial, channels)` or channels first.
        pool_size: Size of the window: a number, or one for each spatial axis.
        strides: The window's size by default.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """
    x = channels_last(convert(x), data_format)
    found = apply(_MAX, x, **_prepare("max_pool", x, pool_size, strides, padding))
    return channels_back(found, data_format)


def average_pool(
    x: Any, pool_size: Any, strides: Any = None, padding: Any = "valid",
    data_format: str = "channels_last",
) -> Tensor:  # fmt: skip
    """The mean of each window; what padding added does not count. Arguments as in `max_pool`."""
    given = as_float(x)
    # Sums of half types would overflow.
    x = channels_last(cast(given, "float32") if given.dtype.itemsize < 4 else given, data_format)
    how = _prepare("average_pool", x, pool_size, strides, padding)
    total = apply(_SUM, x, **how)
    if any(a or b for a, b in how["pads"]):
        ones = np.ones((1, *x.shape[1:-1], 1), x.dtype)
        mean = total / constant(_sum_kernel(np, ones, **how))
    else:
        mean = total / float(math.prod(how["window"]))
    return channels_back(cast(mean, given.dtype), data_format)
