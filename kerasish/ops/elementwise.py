"""Arithmetic, comparisons and elementary functions of `keras.ops.numpy`."""

from __future__ import annotations

import builtins
from typing import Any

import kerasish_core as core

from .symbolic import symbolic

__all__: list[str] = []  # filled at the end


@symbolic
def absolute(x: Any) -> Any:
    """Absolute value."""
    return core.ops.absolute(x)


@symbolic
def arccos(x: Any) -> Any:
    """Inverse cosine."""
    return core.ops.arccos(x)


@symbolic
def arccosh(x: Any) -> Any:
    """Inverse hyperbolic cosine."""
    return core.ops.arccosh(x)


@symbolic
def arcsin(x: Any) -> Any:
    """Inverse sine."""
    return core.ops.arcsin(x)


@symbolic
def arcsinh(x: Any) -> Any:
    """Inverse hyperbolic sine."""
    return core.ops.arcsinh(x)


@symbolic
def arctan(x: Any) -> Any:
    """Inverse tangent."""
    return core.ops.arctan(x)


@symbolic
def arctanh(x: Any) -> Any:
    """Inverse hyperbolic tangent."""
    return core.ops.arctanh(x)


@symbolic
def ceil(x: Any) -> Any:
    """Smallest integer not below."""
    return core.ops.ceil(x)


@symbolic
def cos(x: Any) -> Any:
    """Cosine."""
    return core.ops.cos(x)


@symbolic
def cosh(x: Any) -> Any:
    """Hyperbolic cosine."""
    return core.ops.cosh(x)


@symbolic
def exp(x: Any) -> Any:
    """`e**x`."""
    return core.ops.exp(x)


@symbolic
def exp2(x: Any) -> Any:
    """`2**x`."""
    return core.ops.exp2(x)


@symbolic
def expm1(x: Any) -> Any:
    """`e**x - 1`."""
    return core.ops.expm1(x)


@symbolic
def floor(x: Any) -> Any:
    """Largest integer not above."""
    return core.ops.floor(x)


@symbolic
def isfinite(x: Any) -> Any:
    """Where elements are finite."""
    return core.ops.isfinite(x)


@symbolic
def isinf(x: Any) -> Any:
    """Where elements are infinite."""
    return core.ops.isinf(x)


@symbolic
def isnan(x: Any) -> Any:
    """Where elements are NaN."""
    return core.ops.isnan(x)


@symbolic
def log(x: Any) -> Any:
    """Natural logarithm."""
    return core.ops.log(x)


@symbolic
def log10(x: Any) -> Any:
    """Logarithm to base 10."""
    return core.ops.log10(x)


@symbolic
def log1p(x: Any) -> Any:
    """`log(1 + x)`."""
    return core.ops.log1p(x)


@symbolic
def log2(x: Any) -> Any:
    """Logarithm to base 2."""
    return core.ops.log2(x)


@symbolic
def logical_not(x: Any) -> Any:
    """Where elements are zero (false)."""
    return core.ops.logical_not(x)


@symbolic
def negative(x: Any) -> Any:
    """`-x`."""
    return core.ops.negative(x)


@symbolic
def reciprocal(x: Any) -> Any:
    """`1 / x`."""
    return core.ops.reciprocal(x)


@symbolic
def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    return core.ops.sign(x)


@symbolic
def signbit(x: Any) -> Any:
    """Where the sign bit is set."""
    return core.ops.signbit(x)


@symbolic
def sin(x: Any) -> Any:
    """Sine."""
    return core.ops.sin(x)


@symbolic
def sinh(x: Any) -> Any:
    """Hyperbolic sine."""
    return core.ops.sinh(x)


@symbolic
def sqrt(x: Any) -> Any:
    """Square root."""
    return core.ops.sqrt(x)


@symbolic
def square(x: Any) -> Any:
    """`x**2`."""
    return core.ops.square(x)


@symbolic
def tan(x: Any) -> Any:
    """Tangent."""
    return core.ops.tan(x)


@symbolic
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return core.ops.tanh(x)


@symbolic
def trunc(x: Any) -> Any:
    """Towards zero."""
    return core.ops.trunc(x)


@symbolic
def real(x: Any) -> Any:
    """Real part."""
    return core.ops.real(x)


@symbolic
def imag(x: Any) -> Any:
    """Imaginary part; zeros for real numbers."""
    x = core.convert(x)
    return core.ops.imag(x) if x.dtype.kind == "c" else core.ops.zeros_like(x)


@symbolic
def bitwise_not(x: Any) -> Any:
    """Every bit turned."""
    return core.ops.bitwise_not(x)


@symbolic
def cbrt(x: Any) -> Any:
    """Cube root."""
    return core.ops.cbrt(x)


@symbolic
def sinc(x: Any) -> Any:
    """`sin(pi x) / (pi x)`."""
    return core.ops.sinc(x)


@symbolic
def digamma(x: Any) -> Any:
    """Logarithmic derivative of the gamma function."""
    return core.ops.digamma(x)


@symbolic
def add(x1: Any, x2: Any) -> Any:
    """`x1 + x2`."""
    return core.ops.add(x1, x2)


@symbolic
def arctan2(x1: Any, x2: Any) -> Any:
    """Angle of the point `(x2, x1)`."""
    return core.ops.arctan2(core.convert(x1), core.convert(x2))


@symbolic
def bitwise_and(x: Any, y: Any) -> Any:
    """Bits set in both."""
    return core.ops.bitwise_and(x, y)


@symbolic
def bitwise_or(x: Any, y: Any) -> Any:
    """Bits set in either."""
    return core.ops.bitwise_or(x, y)


@symbolic
def bitwise_xor(x: Any, y: Any) -> Any:
    """Bits set in one."""
    return core.ops.bitwise_xor(x, y)


@symbolic
def equal(x1: Any, x2: Any) -> Any:
    """`x1 == x2`."""
    return core.ops.equal(x1, x2)


@symbolic
def floor_divide(x1: Any, x2: Any) -> Any:
    """`x1 // x2`."""
    return core.ops.floor_divide(x1, x2)


@symbolic
def greater(x1: Any, x2: Any) -> Any:
    """`x1 > x2`."""
    return core.ops.greater(x1, x2)


@symbolic
def greater_equal(x1: Any, x2: Any) -> Any:
    """`x1 >= x2`."""
    return core.ops.greater_equal(x1, x2)


@symbolic
def heaviside(x1: Any, x2: Any) -> Any:
    """Step function with `x2` at 0."""
    return core.ops.heaviside(x1, x2)


@symbolic
def hypot(x1: Any, x2: Any) -> Any:
    """`sqrt(x1**2 + x2**2)`."""
    return core.ops.hypot(x1, x2)


@symbolic
def left_shift(x: Any, y: Any) -> Any:
    """`x << y`."""
    return core.ops.left_shift(x, y)


@symbolic
def less(x1: Any, x2: Any) -> Any:
    """`x1 < x2`."""
    return core.ops.less(x1, x2)


@symbolic
def less_equal(x1: Any, x2: Any) -> Any:
    """`x1 <= x2`."""
    return core.ops.less_equal(x1, x2)


@symbolic
def logaddexp(x1: Any, x2: Any) -> Any:
    """`log(exp(x1) + exp(x2))`."""
    return core.ops.logaddexp(core.convert(x1), core.convert(x2))


@symbolic
def logaddexp2(x1: Any, x2: Any) -> Any:
    """`log2(2**x1 + 2**x2)`."""
    return core.ops.logaddexp2(core.convert(x1), core.convert(x2))


@symbolic
def logical_and(x1: Any, x2: Any) -> Any:
    """Where both are true."""
    return core.ops.logical_and(x1, x2)


@symbolic
def logical_or(x1: Any, x2: Any) -> Any:
    """Where either is true."""
    return core.ops.logical_or(x1, x2)


@symbolic
def logical_xor(x1: Any, x2: Any) -> Any:
    """Where one is true."""
    return core.ops.logical_xor(x1, x2)


@symbolic
def maximum(x1: Any, x2: Any) -> Any:
    """The larger of two."""
    return core.ops.maximum(x1, x2)


@symbolic
def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of two."""
    return core.ops.minimum(x1, x2)


@symbolic
def mod(x1: Any, x2: Any) -> Any:
    """`x1 % x2`."""
    return core.ops.mod(x1, x2)


@symbolic
def multiply(x1: Any, x2: Any) -> Any:
    """`x1 * x2`."""
    return core.ops.multiply(x1, x2)


@symbolic
def not_equal(x1: Any, x2: Any) -> Any:
    """`x1 != x2`."""
    return core.ops.not_equal(x1, x2)


@symbolic
def outer(x1: Any, x2: Any) -> Any:
    """Products of all pairs."""
    return core.ops.outer(x1, x2)


@symbolic
def power(x1: Any, x2: Any) -> Any:
    """`x1 ** x2`."""
    return core.ops.power(x1, x2)


@symbolic
def right_shift(x: Any, y: Any) -> Any:
    """`x >> y`."""
    return core.ops.right_shift(x, y)


@symbolic
def subtract(x1: Any, x2: Any) -> Any:
    """`x1 - x2`."""
    return core.ops.subtract(x1, x2)


@symbolic
def true_divide(x1: Any, x2: Any) -> Any:
    """`x1 / x2`."""
    return core.ops.true_divide(x1, x2)


@symbolic
def inner(x1: Any, x2: Any) -> Any:
    """Sum of products over the last axes."""
    return core.ops.inner(x1, x2)


@symbolic
def vdot(x1: Any, x2: Any) -> Any:
    """Sum of products of all elements."""
    return core.ops.vdot(x1, x2)


@symbolic
def dot(x1: Any, x2: Any) -> Any:
    """NumPy's dot product."""
    return core.ops.dot(x1, x2)


@symbolic
def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product."""
    return core.ops.matmul(x1, x2)


abs = absolute


__all__ = [
    name for name, value in builtins.list(globals().items())
    if callable(value) and not name.startswith("_")
    and getattr(value, "__module__", "") == __name__
]  # fmt: skip
