"""Special functions, vectorised here so that NumPy and CuPy suffice.

Sources: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23
(1969); M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions" (1964), 6.1.41, 6.3.18,
6.4.11 (asymptotic series) and 6.3.6, 6.4.6 (recurrences).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..dispatch import apply
from ..errors import DTypeError
from ..op import define_op
from ._args import as_float
from ._define import unary
from .elementwise import exp, square

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"]

_A = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
      3.77485237685302021e2, 3.20937758913846947e3)  # fmt: skip
_B = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
      2.84423683343917062e3)  # fmt: skip
_C = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
      6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
      1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3)  # fmt: skip
_D = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
      1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
      3.43936767414372164e3, 1.23033935480374942e3)  # fmt: skip
_P = (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
      1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4)  # fmt: skip
_Q = (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
      6.05183413124413191e-2, 2.33520497626869185e-3)  # fmt: skip


def _horner(coefficients: Any, x: Any) -> Any:
    total = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


def _erfc_positive(xp: Any, x: Any) -> Any:
    """erfc for x >= 0.46875."""
    middle = xp.clip(x, 0.46875, 4.0)
    near = _horner(_C, middle) / _horner(_D, middle)
    far = xp.maximum(x, 4.0)
    inverse = 1 / (far * far)
    series = inverse * _horner(_P, inverse) / _horner(_Q, inverse)
    beyond = (1 / math.sqrt(math.pi) - series) / far
    # exp(-x^2) without losing digits: x = head + tail with an exact square of the head.
    head = xp.trunc(x * 16) / 16
    scale = xp.exp(-head * head) * xp.exp(-(x - head) * (x + head))
    return scale * xp.where(x <= 4, near, beyond)


def _in_float64(function: Any) -> Any:
    """Compute in float64 and round, which makes float32 right to the last bit or so."""

    def kernel(xp: Any, x: Any, **attrs: Any) -> Any:
        return function(xp, x.astype("float64"), **attrs).astype(x.dtype)

    return kernel


def _erf_kernel(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    small = xp.where(size <= 0.46875, x, 0)
    near = small * _horner(_A, small * small) / _horner(_B, small * small)
    tail = xp.sign(x) * (1 - _erfc_positive(xp, xp.minimum(size, 30.0)))
    return xp.where(xp.isnan(x), x, xp.where(size <= 0.46875, near, tail))


def _erfc_kernel(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    small = xp.where(size <= 0.46875, x, 0)
    near = 1 - small * _horner(_A, small * small) / _horner(_B, small * small)
    tail = _erfc_positive(xp, xp.minimum(size, 30.0))
    tail = xp.where(x > 0, tail, 2 - tail)
    return xp.where(xp.isnan(x), x, xp.where(size <= 0.46875, near, tail))


_SLOPE = 2 / math.sqrt(math.pi)
erf = unary(
    "erf", "Error function `2/sqrt(pi) * integral of exp(-t**2) from 0 to x`.",
    _in_float64(_erf_kernel), "erf(x)", lambda g, x: (g * (exp(-square(x)) * _SLOPE),),
    real=True,
)  # fmt: skip
erfc_kernel = _in_float64(_erfc_kernel)
erfc = unary(
    "erfc", "`1 - erf(x)`, accurate for large x.",
    erfc_kernel, "erfc(x)", lambda g, x: (g * (exp(-square(x)) * -_SLOPE),),
    real=True,
)  # fmt: skip


# Rational functions of the normal quantile, highest power first: within 0.425 of the median, and in
# the tails near and far (M. J. Wichura, "Algorithm AS 241", Applied Statistics 37, 1988).
_CENTRAL = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
     4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
     1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
     2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
     4.2313330701600911252e1, 1.0),
)  # fmt: skip
_NEAR_TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
     1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
     4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
     1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
     2.05319162663775882187e0, 1.0),
)  # fmt: skip
_FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
     5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
     7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
     5.99832206555887937690e-1, 1.0),
)  # fmt: skip


# Blocks of this many elements stay in the cache.
_BLOCK = 1 << 13


def _erfinv_kernel(xp: Any, x: Any) -> Any:
    """By the normal quantile, of which it is `quantile((x + 1) / 2) / sqrt(2)`."""
    flat = x.reshape(-1)
    y = xp.empty(flat.shape, "float64")
    for first in range(0, flat.size, _BLOCK):
        part = slice(first, first + _BLOCK)
        y[part] = _normal_quantile(xp, flat[part].astype("float64"))
    return (y / math.sqrt(2)).astype(x.dtype).reshape(x.shape)


def _normal_quantile(xp: Any, x: Any) -> Any:
    """Where the standard normal distribution reaches `(x + 1) / 2`; `x` has one axis."""
    half = x / 2
    inner = 0.180625 - half * half
    y = half * _horner(_CENTRAL[0], inner) / _horner(_CENTRAL[1], inner)
    # The tails hold 15% of the interval, so they are computed apart.
    (places,) = xp.nonzero(~(inner >= 0))
    outer = x[places]
    tail = (1 - xp.abs(outer)) / 2
    root = xp.sqrt(-xp.log(xp.maximum(tail, 1e-300)))
    near, far = xp.minimum(root, 5.0) - 1.6, root - 5
    found = xp.where(
        root <= 5,
        _horner(_NEAR_TAIL[0], near) / _horner(_NEAR_TAIL[1], near),
        _horner(_FAR_TAIL[0], far) / _horner(_FAR_TAIL[1], far),
    )
    found = xp.where(tail > 0, found, xp.where(tail == 0, xp.inf, xp.nan))
    y[places] = xp.copysign(found, outer)
    return y


erfinv = unary(
    "erfinv", "Inverse of the error function.",
    _erfinv_kernel, "erfinv(x)",
    lambda g, y: (g * (exp(square(y)) / _SLOPE),), low=-0.8, high=0.8, real=True,
)  # fmt: skip

# -- gamma family. Arguments are moved above 10 by recurrence, then the asymptotic series holds.

_SHIFTS = 10
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _zeta_minus_one(k: int) -> float:
    """`sum(n**-k for n >= 2)` by Euler and Maclaurin's formula from n = 100 on."""
    n = 100.0
    head = [i**-k for i in range(2, 100)]
    tail = [n ** (1 - k) / (k - 1), n**-k / 2, k * n ** (-k - 1) / 12,
            -k * (k + 1) * (k + 2) * n ** (-k - 3) / 720,
            k * (k + 1) * (k + 2) * (k + 3) * (k + 4) * n ** (-k - 5) / 30240]  # fmt: skip
    return math.fsum(head + tail)


# Of lgamma(2 + z) / z, ascending: 1 - gamma, then (-1)^k (zeta(k) - 1) / k (A&S 6.1.33).
_NEAR_TWO = (
    0.42278433509846713939348790991759757,
    *((-1) ** k * _zeta_minus_one(k) / k for k in range(2, 30)),
)


def lgamma_positive(xp: Any, x: Any) -> Any:
    """lgamma for x > 0.5, in float64."""
    # Below 10 by recurrence down to the series around 2: Stirling's would cancel at 1 and 2.
    close, product = xp.where(x < _SHIFTS, x, 2.0), xp.ones_like(x)
    for _ in range(_SHIFTS - 2):
        high = close > 2.5
        close = xp.where(high, close - 1, close)
        product = xp.where(high, product * close, product)
    below = close < 1.5
    z = xp.where(below, close - 1, close - 2)
    near = z * _horner(_NEAR_TWO[::-1], z) + xp.log(product)
    near = near - xp.where(below, xp.log1p(xp.maximum(z, -0.5)), 0)
    far = xp.maximum(x, _SHIFTS)
    inverse = 1 / far
    series = inverse * _horner(_STIRLING[::-1], inverse * inverse)
    stirling = (far - 0.5) * xp.log(far) - far + 0.5 * math.log(2 * math.pi) + series
    return xp.where(x < _SHIFTS, near, xp.where(xp.isinf(x), xp.inf, stirling))


def _lgamma_kernel(xp: Any, x: Any) -> Any:
    low, negative = x < 0.5, x <= 0
    small = low & ~negative
    shifted = xp.where(small, x + 1, xp.where(negative, 1 - x, x))
    positive = lgamma_positive(xp, shifted)
    turned = x - xp.round(x)
    reflected = math.log(math.pi) - xp.log(xp.abs(xp.sin(math.pi * turned))) - positive
    raised = positive - xp.log(xp.where(small, x, 1))
    pole = xp.isinf(x) | (negative & (x == xp.floor(x)))
    return xp.where(pole, xp.inf, xp.where(negative, reflected, raised))


lgamma = unary(
    "lgamma", "Logarithm of the absolute value of the gamma function.",
    _in_float64(_lgamma_kernel), "lgamma(x)", lambda g, x: (g * digamma(x),), low=0.3, high=4.0,
    real=True,
)  # fmt: skip


def _polygamma_positive(xp: Any, x: Any, n: int) -> Any:
    total, shift = xp.zeros_like(x), x
    for _ in range(_SHIFTS + n):
        low = shift < _SHIFTS + n
        total = xp.where(low, total + shift ** -(n + 1.0), total)
        shift = xp.where(low, shift + 1, shift)
    inverse = 1 / shift
    if n == 0:
        series = xp.log(shift) - inverse / 2
        for k, b in enumerate(_BERNOULLI, 1):
            series = series - b / (2 * k) * inverse ** (2 * k)
        return series - total
    series = inverse**n / n + inverse ** (n + 1) / 2
    for k, b in enumerate(_BERNOULLI, 1):
        factor = b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / math.factorial(n)
        series = series + factor * inverse ** (2 * k + n)
    return (-1) ** (n + 1) * math.factorial(n) * (series + total)


# The positive zero of digamma, as a sum of two numbers.
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17


@functools.cache
def _at_root() -> tuple[float, ...]:
    """Taylor's coefficients of digamma there, but for the first, which is 0."""
    derivatives = (float(_polygamma_positive(np, np.float64(_ROOT), k)) for k in range(1, 36))
    return tuple(d / math.factorial(k) for k, d in enumerate(derivatives, 1))


def digamma_positive(xp: Any, x: Any) -> Any:
    """digamma for x > 0, in float64; by Taylor's series near the zero, where recurrence cancels."""
    z = (x - _ROOT) - _ROOT_REST
    near = xp.abs(z) < 0.5
    z = xp.where(near, z, 0)
    return xp.where(near, z * _horner(_at_root()[::-1], z), _polygamma_positive(xp, x, 0))


def _cotangent(xp: Any, x: Any, n: int) -> Any:
    """The n-th derivative of pi cot(pi x), by its polynomial in c = cot(pi x)."""
    polynomial = np.polynomial.Polynomial([0, 1])
    for _ in range(n):  # d c / d(pi x) = -(1 + c^2)
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([-1, 0, -1])
    c = 1 / xp.tan(math.pi * (x - xp.floor(x)))
    return math.pi ** (n + 1) * _horner(polynomial.coef[::-1], c)


def _polygamma_kernel(xp: Any, x: Any, n: int) -> Any:
    low = x < 0.5
    turned = xp.where(low, 1 - x, x)
    positive = _polygamma_positive(xp, turned, n) if n else digamma_positive(xp, turned)
    if not low.any():
        return positive
    reflected = (-1) ** n * positive - _cotangent(xp, x, n)
    pole = low & (x == xp.floor(x))
    return xp.where(pole, xp.nan, xp.where(low, reflected, positive))


_POLYGAMMA = define_op(
    "polygamma", "elementwise", "x", infer=lambda x, n: x, kernel=_in_float64(_polygamma_kernel),
    vjp=lambda g, x, n: (g * polygamma(n + 1, x),),
    samples=lambda rng: [([rng.uniform(0.4, 3, (2, 3))], {"n": n}) for n in (0, 1, 2)],
)  # fmt: skip


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of `digamma`; n is a Python int from 0."""
    x = as_float(x)
    if x.dtype.kind == "c":
        raise DTypeError(f"polygamma: x is {x.spec}; real numbers are needed. Take ops.real(x).")
    return apply(_POLYGAMMA, x, n=int(n))


def digamma(x: Any) -> Any:
    """The logarithmic derivative of the gamma function."""
    return polygamma(0, x)
