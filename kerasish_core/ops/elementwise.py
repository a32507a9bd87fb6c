"""Arithmetic, powers, exponentials, rounding, selection: element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import DTypeError
from ..op import Spec, broadcast_shapes, define_op, same_dtype
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, convert
from ._args import as_float, promote, same_binary, same_spec, uniform
from ._define import as_bool, binary, both, in_float32, named, unary

__all__ = [
    "absolute", "add", "cast", "cbrt", "ceil", "clip", "conj", "exp", "exp2", "expm1", "floor",
    "floor_divide", "heaviside", "identity", "imag", "is_inexact", "log", "log10", "log1p",
    "log2", "logaddexp", "logaddexp2", "maximum", "minimum", "mod", "multiply", "nan_to_num",
    "negative", "power", "real", "reciprocal", "round", "rsqrt", "sign", "sqrt", "square",
    "stop_gradient", "subtract", "true_divide", "trunc", "where",
]  # fmt: skip


# -- arithmetic

add = binary(
    "add", "Sum `x1 + x2`.",
    lambda xp, a, b: xp.add(a, b), "a + b",
    lambda g: (g, g), operator=True,
)  # fmt: skip
subtract = binary(
    "subtract", "Difference `x1 - x2`.",
    lambda xp, a, b: xp.subtract(a, b), "a - b",
    lambda g, needs: (g, negative(g) if needs[1] else None), operator=True,
)  # fmt: skip
multiply = binary(
    "multiply", "Product `x1 * x2`.",
    lambda xp, a, b: xp.multiply(a, b), "a * b",
    both((lambda g, a, b: g * b, lambda g, a, b: g * a)), operator=True,
)  # fmt: skip
true_divide = binary(
    "true_divide", "Quotient `x1 / x2`; integers become `floatx`.",
    lambda xp, a, b: xp.true_divide(a, b), "a / b",
    both((lambda g, a, b: g / b, lambda g, a, b: negative(g * (a / b) / b))),
    low=0.5, high=2.0, at_least=float, operator=True,
)  # fmt: skip


floor_divide = binary(
    "floor_divide", "Largest integer not above `x1 / x2`.",
    lambda xp, a, b: xp.floor_divide(a, b), "floor_divide(a, b)",
    low=0.5, high=2.0, at_least=int, taken="real numbers", operator=True,
)  # fmt: skip
mod = binary(
    "mod", "Remainder of `floor_divide`, with the sign of `x2`.",
    lambda xp, a, b: xp.mod(a, b), "mod(a, b)",
    both((lambda g, a, b: g, lambda g, a, b: negative(g * floor_divide(a, b)))),
    at_least=int, taken="real numbers", operator=True,
    samples=lambda rng: [([np.array([1.3, -2.6, 5.1]), np.array([1.0, 0.8, -2.0])], {})],
)  # fmt: skip
negative: Any = unary(
    "negative", "Negation `-x`.", lambda xp, x: xp.negative(x), "-x",
    lambda g: (negative(g),), to_float=False, taken="numbers", operator=True,
)  # fmt: skip
sign = unary(
    "sign", "-1, 0 or 1.", lambda xp, x: xp.sign(x), "sign(x)",
    lambda g, x_spec: (None,), to_float=False, taken="numbers",
)  # fmt: skip


def _real_spec(x: Spec) -> Spec:
    """The dtype of the real part."""
    return Spec(x.shape, np.dtype(f"f{x.dtype.itemsize // 2}")) if x.dtype.kind == "c" else x


def _absolute_rule(g: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return (where(OPERATORS["greater_equal"](x, 0), g, negative(g)),)
    size = absolute(x)
    zero = OPERATORS["equal"](size, 0)
    return (x * cast(where(zero, 0.0, g / where(zero, 1.0, size)), x.dtype),)


absolute = unary(
    "absolute", "Absolute value `|x|`; the gradient at 0 is 1, as in JAX, of complex numbers 0.",
    lambda xp, x: xp.absolute(x), "abs(x)", _absolute_rule,
    to_float=False, operator=True, infer=_real_spec,
    samples=lambda rng: [([np.array([[-1.5, 0.7], [2.0, -0.3]])], {})],
)  # fmt: skip
NUMPY_FUNCTIONS[np.abs] = absolute
square = unary(
    "square", "Square `x**2`.", lambda xp, x: xp.square(x), "x * x",
    lambda g, x: (g * (x * 2),), count=True,
)  # fmt: skip
reciprocal = unary(
    "reciprocal", "`1 / x`.", lambda xp, x: xp.reciprocal(x), "1 / x",
    lambda g, y: (negative(g * square(y)),), low=0.5, high=2.0,
)  # fmt: skip


def _apart(rng: np.random.Generator) -> Any:
    """Samples away from ties."""
    return [
        ([np.array([0.3, -1.0, 2.0]), np.array([1.1, -2.0, 0.5])], {}),
        ([rng.uniform(0, 1, (2, 3)), rng.uniform(2, 3, (3,))], {}),
    ]


_SHARE = define_op(
    "share", "elementwise", "a b", infer=same_binary("share"),
    kernel=lambda xp, a, b: (xp.greater(a, b) + 0.5 * xp.equal(a, b)).astype(a.dtype),
    scalar="a > b ? 1 : (a == b ? 0.5 : 0)", vjp=lambda g: (None, None), samples=_apart,
)  # fmt: skip


def _half(a: Tensor, b: Tensor) -> Any:
    """1 where a > b, 1/2 where equal, else 0: ties share the gradient."""
    return apply(_SHARE, a, b)


maximum = binary(
    "maximum", "The larger of two; ties share the gradient.",
    lambda xp, a, b: xp.maximum(a, b), "maximum(a, b)",
    both((lambda g, a, b: g * _half(a, b), lambda g, a, b: g * _half(b, a))), samples=_apart,
)  # fmt: skip
minimum = binary(
    "minimum", "The smaller of two; ties share the gradient.",
    lambda xp, a, b: xp.minimum(a, b), "minimum(a, b)",
    both((lambda g, a, b: g * _half(b, a), lambda g, a, b: g * _half(a, b))), samples=_apart,
)  # fmt: skip


def _power_kernel(xp: Any, a: Any, b: Any) -> Any:
    if a.dtype.kind not in "iu":
        return xp.power(a, b)
    # Negative exponents of integers give what truncation gives: 0, or +-1 for a base of +-1.
    exact = xp.power(a, xp.maximum(b, 0).astype(a.dtype))
    if a.dtype.kind == "u" or not (b < 0).any():
        return exact.astype(a.dtype)
    return xp.where(b < 0, xp.where(xp.abs(a) == 1, a ** xp.abs(b), 0), exact).astype(a.dtype)


def _power_base(g: Tensor, a: Tensor, b: Tensor) -> Any:
    zero = OPERATORS["equal"](b, 0)
    return g * where(zero, 0, b * power(a, where(zero, 1, b - 1)))


def _power_exponent(g: Tensor, a: Tensor, b: Tensor) -> Any:
    positive = OPERATORS["greater"](a, 0)
    return g * where(positive, log(where(positive, a, 1)) * power(a, b), 0)


_power = binary(
    "power", "", _power_kernel, "pow(a, b)",
    both((_power_base, _power_exponent)), low=0.5, high=2.0, at_least=int,
    numpy=False,
)  # fmt: skip


def _power_static_kernel(xp: Any, x: Any, exponent: float) -> Any:
    if exponent == 0.5:  # some versions of NumPy do so for some dtypes; -inf and -0 differ
        return xp.sqrt(x)
    return xp.power(x, x.dtype.type(exponent))


_POWER_STATIC = define_op(
    "power_static", "elementwise", "x",
    infer=lambda x, exponent: x,
    kernel=_power_static_kernel,
    scalar="pow(x, exponent)",
    vjp=lambda g, x, exponent: (
        g * (power(x, exponent - 1) * exponent) if exponent else None,
    ),
    samples=uniform(0.5, 2.0, exponent=2.5),
)  # fmt: skip


def power(x1: Any, x2: Any) -> Any:
    """Power `x1 ** x2`. A Python number as exponent is exact and cheap: no gradient for it.

    The gradient by the exponent is 0 where `x1 <= 0`.
    """
    if type(x2) in (int, float):
        if x2 == 2:
            t = convert(x1)
            if type(x2) is int or dtypes.is_inexact(t.dtype):
                return square(t)
        t = promote(x1, x2)[0]
        if dtypes.is_inexact(t.dtype):
            if x2 == 1:
                return identity(t)
            return apply(_POWER_STATIC, t, exponent=x2)
    return _power(x1, x2)


OPERATORS["power"] = NUMPY_FUNCTIONS[np.power] = power

# -- exponentials and logarithms

exp = unary("exp", "`e**x`.", lambda xp, x: xp.exp(x), "exp(x)", lambda g, y: (g * y,))
exp2 = unary(
    "exp2", "`2**x`.", lambda xp, x: xp.exp2(x), "exp2(x)",
    lambda g, y: (g * y * float(np.log(2.0)),),
)  # fmt: skip
expm1 = unary(
    "expm1", "`e**x - 1`, accurate near 0.", lambda xp, x: xp.expm1(x), "expm1(x)",
    lambda g, y: (g * (y + 1),),
)  # fmt: skip


log = unary(
    "log", "Natural logarithm.", named("log"), "log(x)", lambda g, x: (g / x,),
    low=0.5, high=3.0,
)  # fmt: skip
log1p = unary(
    "log1p", "`log(1 + x)`, accurate near 0.", named("log1p"), "log1p(x)",
    lambda g, x: (g / (x + 1),), low=-0.5, high=2.0,
)  # fmt: skip
log2 = unary(
    "log2", "Logarithm to base 2.", named("log2"), "log2(x)",
    lambda g, x: (g / (x * float(np.log(2.0))),), low=0.5, high=3.0,
)  # fmt: skip
log10 = unary(
    "log10", "Logarithm to base 10.", named("log10"), "log10(x)",
    lambda g, x: (g / (x * float(np.log(10.0))),), low=0.5, high=3.0,
)  # fmt: skip
sqrt = unary(
    "sqrt", "Square root.", named("sqrt"), "sqrt(x)", lambda g, y: (g / (y * 2),),
    low=0.5, high=3.0,
)  # fmt: skip
rsqrt = unary(
    "rsqrt", "`1 / sqrt(x)`.",
    lambda xp, x: (1 / xp.sqrt(x)).astype(x.dtype), "rsqrt(x)",
    lambda g, x, y: (g * y / x * -0.5,), low=0.5, high=3.0,
)  # fmt: skip
cbrt = unary(
    "cbrt", "Cube root.", in_float32(lambda xp, x: xp.cbrt(x)), "cbrt(x)",
    lambda g, y: (g / (square(y) * 3),), low=0.5, high=3.0, taken="real numbers",
)  # fmt: skip

_LOGADDEXP = in_float32(lambda xp, a, b: xp.logaddexp(a, b))


def _share(g: Any, a: Any, y: Any, power: Any) -> Any:
    # Equal ones may be infinite, so that their difference is not 0.
    return g * power(where(OPERATORS["equal"](a, y), 0, a - y))


logaddexp = binary(
    "logaddexp", "`log(exp(x1) + exp(x2))` without overflow.",
    lambda xp, a, b: _LOGADDEXP(xp, a, b), "logaddexp(a, b)",
    lambda g, a, b, y: (_share(g, a, y, exp), _share(g, b, y, exp)), at_least=float,
    taken="real numbers",
)  # fmt: skip
_LOGADDEXP2 = in_float32(lambda xp, a, b: xp.logaddexp2(a, b))
logaddexp2 = binary(
    "logaddexp2", "`log2(2**x1 + 2**x2)` without overflow.",
    lambda xp, a, b: _LOGADDEXP2(xp, a, b), "logaddexp2(a, b)",
    lambda g, a, b, y: (_share(g, a, y, exp2), _share(g, b, y, exp2)), at_least=float,
    taken="real numbers",
)  # fmt: skip

# -- rounding: no gradient flows

floor = unary(
    "floor", "Largest integer not above.", lambda xp, x: xp.floor(x), "floor(x)",
    taken="real numbers",
)  # fmt: skip
ceil = unary(
    "ceil", "Smallest integer not below.", lambda xp, x: xp.ceil(x), "ceil(x)",
    taken="real numbers",
)  # fmt: skip
trunc = unary(
    "trunc", "Towards zero.",
    lambda xp, x: x.copy() if x.dtype.kind in "iub" else xp.trunc(x), "trunc(x)", to_float=False,
    taken="real numbers",
)  # fmt: skip
_rint = unary(
    "rint", "To the nearest integer, halves to even.",
    lambda xp, x: x.copy() if x.dtype.kind in "iub" else xp.rint(x), "rint(x)", to_float=False,
)  # fmt: skip


def round(x: Any, decimals: int = 0) -> Any:
    """To the nearest multiple of `10**-decimals`, halves to even."""
    if decimals == 0:
        return _rint(x)
    x = convert(x)
    factor = 10.0 ** abs(decimals)
    wide = as_float(x)
    scaled = _rint(wide * factor) / factor if decimals > 0 else _rint(wide / factor) * factor
    return cast(scaled, x.dtype)


NUMPY_FUNCTIONS[np.round] = round


def heaviside(x1: Any, x2: Any) -> Any:
    """0 where `x1 < 0`, `x2` where `x1 == 0`, 1 where `x1 > 0`, NaN where it is NaN."""
    a, b = promote(x1, x2, at_least=float)
    step = cast(OPERATORS["greater"](a, 0), a.dtype)
    return where(OPERATORS["equal"](a, 0), b, where(OPERATORS["isnan"](a), a, step))


# -- copies and casts


def is_inexact(x: Any) -> bool:
    """Whether gradients can flow through the tensor: its dtype is floating or complex."""
    return dtypes.is_inexact(x.dtype)


_IDENTITY = define_op(
    "identity", "elementwise", "x", infer=same_spec, kernel=lambda xp, x: x.view(),
    scalar="x", vjp=lambda g: (g,), samples=uniform(-2, 2),
)  # fmt: skip
_STOP_GRADIENT = define_op(
    "stop_gradient", "elementwise", "x", infer=same_spec, kernel=lambda xp, x: x.view(),
    scalar="x", samples=uniform(-2, 2),
)  # fmt: skip


def identity(x: Any) -> Tensor:
    """The same values, as a tensor of its own."""
    return apply(_IDENTITY, convert(x))  # type: ignore[no-any-return]


def stop_gradient(x: Any) -> Tensor:
    """The same values; no gradient flows through."""
    return apply(_STOP_GRADIENT, convert(x))  # type: ignore[no-any-return]


def _cast_kernel(xp: Any, x: Any, dtype: Any) -> Any:
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    return x.astype(dtype)


_CAST = define_op(
    "cast", "elementwise", "x",
    infer=lambda x, dtype: Spec(x.shape, dtype),
    kernel=_cast_kernel,
    scalar="(dtype) x",
    vjp=lambda g, x_spec: (cast(g, x_spec.dtype) if dtypes.is_inexact(x_spec.dtype) else None,),
    samples=uniform(-2, 2, dtype=np.dtype("float64")),
)  # fmt: skip


def cast(x: Any, dtype: Any) -> Tensor:
    """The values in another dtype; floats to integers truncate towards zero."""
    t, wanted = convert(x), dtypes.as_dtype(dtype)
    if t.dtype == wanted:
        return t
    return apply(_CAST, t, dtype=wanted)  # type: ignore[no-any-return]


OPERATORS["cast"] = cast

# -- selection


def _where_spec(condition: Spec, a: Spec, b: Spec) -> Spec:
    return Spec(broadcast_shapes("where", (condition, a, b)), same_dtype("where", (a, b)))


_WHERE = define_op(
    "where", "elementwise", "condition a b",
    infer=_where_spec,
    kernel=lambda xp, condition, a, b: xp.where(condition, a, b),
    scalar="condition ? a : b",
    vjp=lambda g, condition, needs: (
        None,
        where(condition, g, 0) if needs[1] else None,
        where(condition, 0, g) if needs[2] else None,
    ),
    samples=lambda rng: [
        ([rng.random(s) < 0.5, rng.normal(size=(2, 3)), rng.normal(size=t)], {})
        for s, t in (((2, 3), (2, 3)), ((3,), ()), ((2, 1), (3,)))
    ],
)  # fmt: skip


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """`x1` where the condition holds, else `x2`; with the condition alone, its true indices."""
    if x1 is None and x2 is None:
        return OPERATORS["nonzero"](condition)
    a, b = promote(x1, x2)
    return apply(_WHERE, as_bool(condition), a, b)


NUMPY_FUNCTIONS[np.where] = where


def _clip_rule(g: Tensor, x: Tensor, low: Tensor, high: Tensor, needs: Any) -> tuple[Any, ...]:
    """As of `minimum(maximum(x, low), high)`: at an end the gradient is shared."""
    inner = maximum(x, low)
    within = g * _half(high, inner)
    return (
        within * _half(x, low) if needs[0] else None,
        within * _half(low, x) if needs[1] else None,
        g * _half(inner, high) if needs[2] else None,
    )


_CLIP = define_op(
    "clip", "elementwise", "x low high",
    infer=lambda x, low, high: Spec(
        broadcast_shapes("clip", (x, low, high)), same_dtype("clip", (x, low, high))
    ),
    kernel=lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high),
    scalar="minimum(maximum(x, low), high)",
    vjp=_clip_rule,
    samples=lambda rng: [
        ([np.array([-2.0, 0.3, 1.7]), np.array(-1.0), np.array(1.0)], {}),
        ([np.array([[-2.0], [0.3]]), np.array([-1.0, 0.0]), np.array(1.0)], {}),
    ],
)  # fmt: skip


def clip(x: Any, x_min: Any = None, x_max: Any = None) -> Any:
    """`x` limited to `[x_min, x_max]`; None leaves an end open."""
    if x_min is None and x_max is None:
        return convert(x)
    if x_max is None:
        return maximum(x, x_min)
    if x_min is None:
        return minimum(x, x_max)
    return apply(_CLIP, *promote(x, x_min, x_max))


NUMPY_FUNCTIONS[np.clip] = clip


def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Finite values in place of NaN and infinities (the dtype's extremes by default)."""
    x = convert(x)
    if not dtypes.is_inexact(x.dtype):
        return x
    if x.dtype.kind == "c":
        raise DTypeError(f"nan_to_num: x is {x.spec}; give ops.real(x) and ops.imag(x) apart.")
    limits = dtypes.limits(x.dtype)
    x = where(OPERATORS["isnan"](x), nan, x)
    x = where(OPERATORS["equal"](x, float("inf")), limits.max if posinf is None else posinf, x)
    return where(OPERATORS["equal"](x, float("-inf")), limits.min if neginf is None else neginf, x)


# -- complex parts. What a gradient by a complex number is says `_adjoint` of the tape.


def real(x: Any) -> Any:
    """The real part."""
    x = convert(x)
    return cast(x, f"float{x.dtype.itemsize * 4}") if x.dtype.kind == "c" else x


def _imag_spec(x: Spec) -> Spec:
    if x.dtype.kind != "c":
        raise DTypeError(f"imag: x is {x}; complex numbers are needed.")
    return _real_spec(x)


_IMAG = define_op(
    "imag", "elementwise", "x", infer=_imag_spec, kernel=lambda xp, x: x.imag.copy(),
    vjp=lambda g, x_spec: (cast(g, x_spec.dtype) * 1j,),
    samples=lambda rng: [([rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))], {})],
)  # fmt: skip
_CONJ = define_op(
    "conj", "elementwise", "x", infer=same_spec, kernel=lambda xp, x: xp.conj(x),
    vjp=lambda g: (conj(g),),
    samples=lambda rng: [([rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3))], {})],
)  # fmt: skip


def imag(x: Any) -> Any:
    """The imaginary part; zeros for real numbers."""
    x = convert(x)
    return apply(_IMAG, x) if x.dtype.kind == "c" else multiply(x, 0)


def conj(x: Any) -> Any:
    """The complex conjugate."""
    x = convert(x)
    return apply(_CONJ, x) if x.dtype.kind == "c" else x
