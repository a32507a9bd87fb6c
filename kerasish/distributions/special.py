"""The regularized incomplete gamma and beta functions, differentiable by every argument.

Both are integrals over [0, inf) of `exp(g(w))` with g falling from g(0) = 0. The double exponential
rule `w = s exp(y - exp(-y))` by trapezoids in y, with `s` the width of the integrand, is exact to
some 1e-12 for shapes from 0.01 to 10,000. As it is made of differentiable operations, so are they.

Source: H. Takahasi, M. Mori, "Double exponential formulas for numerical integration", 1974.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["betainc", "digamma", "gammainc", "lgamma"]

_ops = core.ops
_STEP = 0.08
_Y = np.arange(-3.7, 4.7, _STEP)
_PLACES = np.exp(_Y - np.exp(-_Y))
_WEIGHTS = _STEP * _PLACES * (1 + np.exp(-_Y))
_TINY = 1e-300


def lgamma(x: Any) -> Any:
    """The logarithm of the gamma function of positive numbers."""
    return _ops.lgamma(x)


def digamma(x: Any) -> Any:
    """The derivative of `lgamma`."""
    return _ops.digamma(x)


def _integral(g: Callable[[Any], Any], slope: Any, curvature: Any, far: Any = None) -> Any:
    """The integral of `exp(g(w))` from 0 on.

    `g` falls like `-slope w - curvature w^2 / 2` at first, and like `-far w` far away.
    """
    width = 2 / (slope + _ops.sqrt(slope * slope + 2 * curvature))
    if far is not None:
        width = _ops.maximum(width, 1 / far)
    # Where the rule's points lie changes nothing but its error: no gradient flows through them.
    width = _ops.stop_gradient(width)[..., None]
    values = _ops.exp(g(width * core.convert(_PLACES)))
    return _ops.sum(values * core.convert(_WEIGHTS) * width, axis=-1)


def _wide(*args: Any) -> tuple[list[Any], Any]:
    """The arguments in float64 and of one shape; the dtype of the result."""
    tensors = [core.convert(x) for x in args]
    shape = np.broadcast_shapes(*[t.shape for t in tensors])
    wide = [_ops.broadcast_to(_ops.cast(t, "float64"), shape) for t in tensors]
    return wide, tensors[-1].dtype


def gammainc(a: Any, x: Any) -> Any:
    """The regularized lower incomplete gamma function P(a, x).

    `P(a, x) = 1 / Gamma(a) * integral from 0 to x of t^(a - 1) exp(-t) dt`.

    Args:
        a: Positive shapes.
        x: Upper ends; 0 below 0. Broadcasts with `a`.

    Returns:
        A tensor of the dtype of `x`.
    """
    (a, x), dtype = _wide(a, x)
    inside = x > 0
    x = _ops.where(inside, x, 1.0)
    # At x the densities of both tails are exp(front), from which they fall: no overflow.
    front = a * _ops.log(x) - x - lgamma(a)
    below = x < _ops.maximum(a, 1.0)
    small = _ops.where(below, x, 0.5 * a)[..., None]
    large = _ops.where(below, a + 1, x)[..., None]
    wide = a[..., None]
    # t = x exp(-w) below x, x exp(w) above it.
    lower = _integral(
        lambda w: -wide * w - small * _ops.expm1(-w),
        _ops.maximum(a - small[..., 0], 0.0), small[..., 0], a,
    )  # fmt: skip
    upper = _integral(lambda w: wide * w - large * _ops.expm1(w), large[..., 0] - a, large[..., 0])
    lower, upper = _ops.exp(front) * lower, _ops.exp(front) * upper
    found = _ops.where(below, lower, 1 - upper)
    return _ops.cast(_ops.where(inside, found, 0.0), dtype)


def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularized incomplete beta function I_x(a, b).

    `I_x(a, b) = 1 / B(a, b) * integral from 0 to x of t^(a - 1) (1 - t)^(b - 1) dt`.

    Args:
        a, b: Positive shapes.
        x: Upper ends, broadcast with the shapes; 0 below 0 and 1 above 1.

    Returns:
        A tensor of the dtype of `x`.
    """
    (a, b, x), dtype = _wide(a, b, x)
    low, high = x <= 0, x >= 1
    outside = _ops.logical_or(low, high)
    x = _ops.where(outside, 0.5, x)
    swap = x * (a + b) > a
    a, b = _ops.where(swap, b, a), _ops.where(swap, a, b)
    x = _ops.where(swap, 1 - x, x)
    front = (
        a * _ops.log(_ops.maximum(x, _TINY)) + (b - 1) * _ops.log1p(-x)
        + lgamma(a + b) - lgamma(a) - lgamma(b)
    )  # fmt: skip
    wide_a, wide_b, wide_x = a[..., None], b[..., None], x[..., None]
    odds = x / (1 - x)

    def g(w: Any) -> Any:  # t = x exp(-w)
        rest = _ops.log1p(-wide_x * _ops.expm1(-w) / (1 - wide_x))
        return -wide_a * w + (wide_b - 1) * rest

    more = _ops.maximum(b - 1, 0.0)
    tail = _ops.exp(front) * _integral(g, a - more * odds, more * odds / (1 - x), a)
    found = _ops.where(swap, 1 - tail, tail)
    found = _ops.where(low, 0.0, _ops.where(high, 1.0, found))
    return _ops.cast(found, dtype)
