"""Activation functions. Primitive where accuracy asks for it, composed elsewhere."""

from __future__ import annotations

import math
from typing import Any

from ..dispatch import apply
from ..op import define_op
from ._args import as_float, same_spec, uniform
from ._define import as_number, in_float32, unary
from .elementwise import (
    absolute,
    clip,
    exp,
    expm1,
    maximum,
    minimum,
    negative,
    sqrt,
    square,
    where,
)  # fmt: skip
from .special import erfc_kernel
from .trigonometry import tanh

__all__ = [
    "celu", "elu", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "log_sigmoid", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softplus",
    "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh_shrink", "threshold",
]  # fmt: skip


@in_float32
def _sigmoid_kernel(xp: Any, x: Any) -> Any:
    # exp of a negative number only, so that nothing overflows
    power = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1, power) / (1 + power)


@in_float32
def _softplus_kernel(xp: Any, x: Any) -> Any:
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


sigmoid = unary(
    "sigmoid", "Logistic function `1 / (1 + exp(-x))`.", _sigmoid_kernel, "sigmoid(x)",
    lambda g, y: (g * (y * (1 - y)),), real=True,
)  # fmt: skip
softplus = unary(
    "softplus", "`log(1 + exp(x))` without overflow.",
    _softplus_kernel, "softplus(x)", lambda g, x: (g * sigmoid(x),),
    real=True,
)  # fmt: skip


def _away(low: float, high: float) -> Any:
    """Samples that keep away from the kinks."""
    return lambda rng: [
        ([rng.uniform(low, high, (2, 3))], {}), ([-rng.uniform(low, high, (3,))], {})
    ]  # fmt: skip


def _step(y: Any, g: Any) -> Any:
    return where(y > 0, g, 0)


relu = unary(
    "relu", "`max(x, 0)`; the gradient at 0 is 0.",
    # Before NumPy 2.1.2 a bfloat16 array and a Python number made float32.
    lambda xp, x: xp.maximum(x, 0).astype(x.dtype, copy=False), "maximum(x, 0)",
    lambda g, y: (_step(y, g),), count=True, samples=_away(0.2, 2.0),
)  # fmt: skip


def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))` without loss of accuracy."""
    return negative(softplus(negative(as_float(x))))


_RELU6 = define_op(
    "relu6", "elementwise", "x", infer=same_spec,
    kernel=lambda xp, x: xp.minimum(xp.maximum(x, 0), 6).astype(x.dtype, copy=False),
    scalar="minimum(maximum(x, 0), 6)",
    vjp=lambda g, x: (where((x > 0) & (x < 6), g, 0),), samples=_away(0.2, 5.0),
)  # fmt: skip


def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`."""
    return apply(_RELU6, as_float(x))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, else `negative_slope * x`."""
    x = as_float(x)
    return where(x >= 0, x, x * negative_slope)


_ELU = define_op(
    "elu", "elementwise", "x", infer=lambda x, alpha: x,
    kernel=lambda xp, x, alpha: xp.where(
        x > 0, x, x.dtype.type(alpha) * xp.expm1(xp.minimum(x, 0))
    ).astype(x.dtype),
    scalar="x > 0 ? x : alpha * expm1(x)",
    vjp=lambda g, x, alpha: (where(x > 0, g, g * alpha * exp(where(x > 0, 0, x))),),
    samples=lambda rng: [([s * rng.uniform(0.2, 2, (2, 3))], {"alpha": 1.3}) for s in (1, -1)],
)  # fmt: skip


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)`."""
    return apply(_ELU, as_float(x), alpha=float(alpha))


def celu(x: Any, alpha: float = 1.0) -> Any:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`."""
    x = as_float(x)
    return maximum(x, 0) + alpha * expm1(minimum(x, 0) / alpha)


def selu(x: Any) -> Any:
    """`scale * elu(x, alpha)` (Klambauer et al. 2017, "Self-normalizing neural networks")."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


@in_float32
def _normal_cdf_kernel(xp: Any, x: Any, half: float, root: float) -> Any:
    return half * erfc_kernel(xp, x * x.dtype.type(root))


# By erfc, since 1 + erf cancels. The gradient of gelu needs x and this value alone.
_NORMAL_CDF = define_op(
    "normal_cdf", "elementwise", "x", infer=same_spec, kernel=_normal_cdf_kernel,
    scalar="half * erfc(x * root)",
    vjp=lambda g, x: (g * (exp(square(x) * -0.5) * (1 / math.sqrt(2 * math.pi))),),
    samples=uniform(-1, 2, half=0.5, root=-math.sqrt(0.5)),
)  # fmt: skip


def gelu(x: Any, approximate: bool = True) -> Any:
    """`x * Phi(x)`, Phi the normal distribution (Hendrycks and Gimpel 2016); or its tanh form."""
    x = as_float(x)
    if approximate:
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * square(x))))
    return x * apply(_NORMAL_CDF, x, half=0.5, root=-math.sqrt(0.5))


def silu(x: Any) -> Any:
    """`x * sigmoid(x)` (also called swish)."""
    x = as_float(x)
    return x * sigmoid(x)


def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    x = as_float(x)
    return x / (absolute(x) + 1)


def hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`."""
    return relu6(as_float(x) + 3) / 6


def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`."""
    x = as_float(x)
    return x * hard_sigmoid(x)


def hard_tanh(x: Any) -> Any:
    """`x` limited to `[-1, 1]`; integers stay integers, booleans become int32."""
    x = as_number(x)
    if x.dtype.kind == "u":
        return minimum(x, 1)
    return where(x > 1, 1, where(x < -1, -1, x))


def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    x = as_float(x)
    return x - tanh(x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by the threshold, 0 within it."""
    x = as_float(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0))


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where `|x| > threshold`, else 0."""
    x = as_float(x)
    return where(absolute(x) > threshold, x, 0)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where `x > threshold`, else the default value."""
    x = as_float(x)
    return where(x > threshold, x, default_value)


def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2`."""
    x = as_float(x)
    return (x + sqrt(square(x) + b)) / 2


def sparse_plus(x: Any) -> Any:
    """0 below -1, `(x + 1)**2 / 4` up to 1, `x` above."""
    x = as_float(x)
    return where(x <= -1, 0, where(x < 1, square(x + 1) / 4, x))


def sparse_sigmoid(x: Any) -> Any:
    """0 below -1, `(x + 1) / 2` up to 1, 1 above."""
    return clip(0.5 * (as_float(x) + 1), 0.0, 1.0)
