"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tensor import OPERATORS
from ._args import as_float
from ._define import binary, both, named, unary
from .elementwise import absolute, rsqrt, square, where

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cos", "cosh",
    "hypot", "sin", "sinc", "sinh", "tan", "tanh",
]  # fmt: skip

sin = unary("sin", "Sine.", lambda xp, x: xp.sin(x), "sin(x)", lambda g, x: (g * cos(x),))
cos: Any = unary("cos", "Cosine.", lambda xp, x: xp.cos(x), "cos(x)", lambda g, x: (g * -sin(x),))
tan = unary(
    "tan", "Tangent.", lambda xp, x: xp.tan(x), "tan(x)",
    lambda g, y: (g * (square(y) + 1),), low=-1, high=1,
)  # fmt: skip
arcsin = unary(
    "arcsin", "Inverse sine.", named("arcsin"), "asin(x)",
    lambda g, x: (g * rsqrt(1 - square(x)),), low=-0.8, high=0.8,
)  # fmt: skip
arccos = unary(
    "arccos", "Inverse cosine.", named("arccos"), "acos(x)",
    lambda g, x: (-g * rsqrt(1 - square(x)),), low=-0.8, high=0.8,
)  # fmt: skip
arctan = unary(
    "arctan", "Inverse tangent.", lambda xp, x: xp.arctan(x), "atan(x)",
    lambda g, x: (g / (square(x) + 1),),
)  # fmt: skip
arctan2 = binary(
    "arctan2", "Angle of the point `(x2, x1)`.",
    lambda xp, a, b: xp.arctan2(a, b), "atan2(a, b)",
    both(
        (
            lambda g, a, b: g * b / (square(a) + square(b)),
            lambda g, a, b: -g * a / (square(a) + square(b)),
        )
    ),
    low=0.5, high=2.0, at_least=float, taken="real numbers",
)  # fmt: skip
sinh = unary("sinh", "Hyperbolic sine.", named("sinh"), "sinh(x)", lambda g, x: (g * cosh(x),))
cosh: Any = unary(
    "cosh", "Hyperbolic cosine.", named("cosh"), "cosh(x)", lambda g, x: (g * sinh(x),)
)
tanh = unary(
    "tanh", "Hyperbolic tangent.", lambda xp, x: xp.tanh(x), "tanh(x)",
    lambda g, y: (g * (1 - square(y)),),
)  # fmt: skip
arcsinh = unary(
    "arcsinh", "Inverse hyperbolic sine.", lambda xp, x: xp.arcsinh(x), "asinh(x)",
    lambda g, x: (g * rsqrt(square(x) + 1),),
)  # fmt: skip
arccosh = unary(
    "arccosh", "Inverse hyperbolic cosine.", named("arccosh"), "acosh(x)",
    lambda g, x: (g * rsqrt(x - 1) * rsqrt(x + 1),), low=1.5, high=3.0,
)  # fmt: skip
arctanh = unary(
    "arctanh", "Inverse hyperbolic tangent.", named("arctanh"), "atanh(x)",
    lambda g, x: (g / (1 - square(x)),), low=-0.8, high=0.8,
)  # fmt: skip


def _hypot_rule(g: Any, a: Any, b: Any, y: Any) -> Any:
    # 0 at the origin: of all subgradients there the shortest.
    size = where(OPERATORS["equal"](y, 0), 1, y)
    return g * a / size, g * b / size


hypot = binary(
    "hypot", "`sqrt(x1**2 + x2**2)` without overflow; the gradient at the origin is 0.",
    lambda xp, a, b: xp.hypot(a, b), "hypot(a, b)", _hypot_rule, low=0.5, high=2.0, at_least=float,
    taken="real numbers",
)  # fmt: skip


def sinc(x: Any) -> Any:
    """`sin(pi x) / (pi x)`, 1 at 0."""
    angle = as_float(x) * float(np.pi)
    near = absolute(angle) < 1
    # Derivatives of the quotient cancel near 0, those of the series do not: it has as many terms
    # as the second one needs.
    squared = where(near, square(angle), 0)
    count = 11 if angle.dtype.itemsize > 4 else 7
    coefficients = [(-1) ** k / math.factorial(2 * k + 1) for k in range(count)]
    series = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        series = series * squared + c
    away = where(near, 1, angle)
    return where(near, series, sin(away) / away)
