"""The gradient of a gamma variable by its shape, by implicit reparameterisation.

A draw z at a fixed quantile moves with alpha as `dz/dalpha = -(dF/dalpha) / (dF/dz)`, F being the
distribution function: `gamma_slope`. With t = z e^v, that is `z` times the integral over v of
`|log z + v - digamma(alpha)| exp(alpha v - z (e^v - 1))`, from 0 upwards where log z is at least
digamma(alpha), else downwards. Either way nothing cancels, and a Gauss-Legendre rule is exact to
some 1e-14. Below z = 1 a power series takes its place.

Source: M. Figurnov, S. Mohamed, A. Mnih, "Implicit reparameterization gradients", NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..dispatch import apply, differentiate
from ..op import define_op
from ..tensor import Tensor
from ._args import same_binary
from .elementwise import (
    absolute,
    cast,
    exp,
    expm1,
    log,
    maximum,
    minimum,
    sqrt,
    stop_gradient,
    where,
)
from .special import digamma, digamma_positive

__all__ = ["gamma_slope", "implicit_gamma"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # of [0, 1]
# The integrand is dropped where it fell by this power of e.
_DROP = 42.0
_TERMS = 20
# Blocks of this many elements stay in the cache.
_BLOCK = 1 << 13


def _upper_end(xp: Any, alpha: Any, z: Any) -> Any:
    """Where `z (e^v - 1) - alpha v` reaches `_DROP`: Newton from above, as it is convex."""
    gap = z - alpha
    v = (xp.sqrt(gap * gap + 2 * _DROP * z) - gap) / z
    for _ in range(6):
        v = v - (z * xp.expm1(v) - alpha * v - _DROP) / (z * xp.exp(v) - alpha)
    return v


def _lower_end(xp: Any, alpha: Any, z: Any) -> Any:
    """Where `alpha r - z (1 - e^-r)` reaches `_DROP`, for r = -v."""
    gap = alpha - z
    far = (_DROP + z) / alpha
    # From 1 - e^-r <= r - r^2 / 3 for r <= 1.
    near = 1.5 * (xp.sqrt(gap * gap + _DROP * 4 / 3 * z) - gap) / z
    r = xp.where(near < 1, xp.minimum(near, far), far)
    for _ in range(6):
        r = r - (alpha * r + z * xp.expm1(-r) - _DROP) / (alpha - z * xp.exp(-r))
    return r


def _by_quadrature(xp: Any, alpha: Any, z: Any, psi: Any, constant: Any) -> Any:
    """For z >= 1."""
    excess = xp.log(z) - psi
    up = excess >= 0
    sign = xp.where(up, psi * 0 + 1, -1)
    end = constant(
        xp.where(
            up,
            _upper_end(xp, xp.where(up, alpha, 1), xp.where(up, z, 2)),
            _lower_end(xp, xp.where(up, 2, alpha), xp.where(up, 1, z)),
        )
    )
    excess = xp.absolute(excess)
    total = z * 0
    for node, weight in zip(_NODES.tolist(), _WEIGHTS.tolist(), strict=True):
        v = end * node
        drop = xp.exp(sign * v * alpha - z * xp.expm1(sign * v))
        total = total + (excess + v) * drop * weight
    return z * end * total


def _by_series(xp: Any, alpha: Any, z: Any, psi: Any) -> Any:
    """For z < 1: F is `z^alpha e^-z / Gamma(alpha + 1)` times the sum of `z^k / (alpha + 1)_k`."""
    term = total = z * 0 + 1
    harmonic = slope = z * 0
    for k in range(1, _TERMS):
        term = term * z / (alpha + k)
        harmonic = harmonic + 1 / (alpha + k)
        total = total + term
        slope = slope - term * harmonic
    return -z / alpha * (total * (xp.log(z) - psi) + slope)


def _slope(xp: Any, alpha: Any, z: Any, psi: Callable[[Any], Any], constant: Any) -> Any:
    """On arrays or, as the twin of the kernel, on tensors."""
    z = xp.maximum(z, 2.3e-308)
    small = z < 1
    near = _by_series(xp, alpha, xp.where(small, z, 0.5), psi(alpha + 1))
    return xp.where(
        small, near, _by_quadrature(xp, alpha, xp.where(small, 1.5, z), psi(alpha), constant)
    )


def _kernel(xp: Any, alpha: Any, z: Any) -> Any:
    alpha, z = xp.broadcast_arrays(alpha, z)
    a, b = alpha.reshape(-1), z.reshape(-1)
    y = xp.empty(a.shape, "float64")
    for first in range(0, a.size, _BLOCK):
        part = slice(first, first + _BLOCK)
        y[part] = _slope(
            xp, a[part].astype("float64"), b[part].astype("float64"),
            lambda x: digamma_positive(xp, x), lambda x: x,
        )  # fmt: skip
    return y.astype(z.dtype).reshape(z.shape)


_TENSORS = SimpleNamespace(
    absolute=absolute, exp=exp, expm1=expm1, log=log, maximum=maximum, minimum=minimum,
    sqrt=sqrt, where=where,
)  # fmt: skip


def _twin(alpha: Tensor, z: Tensor) -> Any:
    wide = cast(alpha, "float64"), cast(z, "float64")
    return cast(_slope(_TENSORS, *wide, digamma, stop_gradient), z.dtype)


_GAMMA_SLOPE = define_op(
    "gamma_slope", "elementwise", "alpha z", infer=same_binary("gamma_slope"), kernel=_kernel,
    vjp=lambda g, alpha, z: differentiate(_twin, (alpha, z), g),
    samples=lambda rng: [
        ([rng.uniform(0.3, 4, (2, 3)), rng.uniform(0.05, 0.9, (2, 3))], {}),
        ([rng.uniform(0.3, 9, (2, 3)), rng.uniform(1.1, 9, (3,))], {}),
    ],
)  # fmt: skip


def gamma_slope(alpha: Any, z: Any) -> Any:
    """How a draw z of the gamma distribution moves with its shape alpha."""
    return apply(_GAMMA_SLOPE, alpha, z)


_IMPLICIT_GAMMA = define_op(
    "implicit_gamma", "elementwise", "alpha z", infer=same_binary("implicit_gamma"), scalar="z",
    kernel=lambda xp, alpha, z: xp.broadcast_arrays(alpha, z)[1].copy(),
    # By y, not z: so the slope moves with alpha too, and second derivatives are right.
    vjp=lambda g, alpha, y: (g * gamma_slope(alpha, y), None),
    samples=_GAMMA_SLOPE.samples,
)  # fmt: skip


def implicit_gamma(alpha: Any, z: Any) -> Any:
    """The draws z themselves, through which a gradient by alpha flows."""
    return apply(_IMPLICIT_GAMMA, alpha, z)
