"""Keras 2's element-wise functions, reductions and products."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ..ops.symbolic import classic
from ..settings import floatx

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "batch_dot", "clip", "cos", "cumprod",
    "cumsum", "dot", "equal", "exp", "greater", "greater_equal", "l2_normalize", "less",
    "less_equal", "log", "logsumexp", "max", "maximum", "mean", "min", "minimum", "not_equal",
    "pow", "prod", "round", "sign", "sin", "sqrt", "square", "std", "sum", "var",
]  # fmt: skip

_o = core.ops
_PUBLIC = __name__.rsplit(".", 1)[0]


def _named(call: Any, name: str, doc: str) -> Any:
    call.__name__ = call.__qualname__ = name
    call.__doc__, call.__module__ = doc, _PUBLIC
    return classic(call)


def _of_one(name: str, function: Any, doc: str) -> Any:
    def call(x: Any) -> Any:
        return function(x)

    return _named(call, name, doc)


def _of_two(name: str, function: Any, doc: str) -> Any:
    def call(x: Any, y: Any) -> Any:
        return function(x, y)

    return _named(call, name, doc)


def _over_axes(name: str, function: Any, doc: str) -> Any:
    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis, keepdims)

    return _named(call, name, doc)


abs = _of_one("abs", _o.absolute, "The size of each element.")
cos = _of_one("cos", _o.cos, "Cosine.")
exp = _of_one("exp", _o.exp, "Exponential.")
log = _of_one("log", _o.log, "Natural logarithm.")
round = _of_one("round", _o.round, "The nearest whole number, halves to the even one.")
sign = _of_one("sign", _o.sign, "-1, 0 or 1.")
sin = _of_one("sin", _o.sin, "Sine.")
square = _of_one("square", _o.square, "The square.")
sqrt = _of_one(
    "sqrt", lambda x: _o.sqrt(_o.maximum(x, 0)), "The square root, 0 below 0."
)  # fmt: skip

equal = _of_two("equal", _o.equal, "Whether `x == y`.")
greater = _of_two("greater", _o.greater, "Whether `x > y`.")
greater_equal = _of_two("greater_equal", _o.greater_equal, "Whether `x >= y`.")
less = _of_two("less", _o.less, "Whether `x < y`.")
less_equal = _of_two("less_equal", _o.less_equal, "Whether `x <= y`.")
maximum = _of_two("maximum", _o.maximum, "The larger of two.")
minimum = _of_two("minimum", _o.minimum, "The smaller of two.")
not_equal = _of_two("not_equal", _o.not_equal, "Whether `x != y`.")


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    x = core.convert(x)
    if x.dtype == np.bool_:
        x = _o.cast(x, floatx())
    found = _o.mean(x, axis, keepdims)
    return _o.cast(_o.trunc(found), x.dtype) if core.dtypes.is_integer(x.dtype) else found


def _deviations(x: Any, axis: Any, keepdims: bool) -> Any:
    x = core.convert(x)
    x = _o.cast(x, floatx()) if x.dtype == np.bool_ else x
    return _o.var(x, axis, keepdims)


def _truths(function: Any) -> Any:
    return lambda x, axis, keepdims: function(_o.cast(x, "bool"), axis, keepdims)


def _same_dtype(function: Any) -> Any:
    def call(x: Any, axis: Any, keepdims: bool) -> Any:
        x = core.convert(x)
        return _o.cast(function(x, axis, keepdims), x.dtype)

    return call


all = _over_axes("all", _truths(_o.all), "Whether all are true over axes.")
any = _over_axes("any", _truths(_o.any), "Whether one is true over axes.")
logsumexp = _over_axes("logsumexp", _o.logsumexp, "`log(sum(exp(x)))` over axes.")
max = _over_axes("max", _o.max, "The largest over axes.")
mean = _over_axes("mean", _mean, "The mean over axes; of integers, an integer.")
min = _over_axes("min", _o.min, "The smallest over axes.")
prod = _over_axes("prod", _same_dtype(_o.prod), "The product over axes.")
std = _over_axes("std", lambda x, a, k: _o.sqrt(_deviations(x, a, k)), "Standard deviation.")
sum = _over_axes("sum", _same_dtype(_o.sum), "The sum over axes.")
var = _over_axes("var", _deviations, "The variance over axes.")


@classic
def argmax(x: Any, axis: Any = -1) -> Any:
    """The index of the largest, as int64."""
    return _o.cast(_o.argmax(x, axis), "int64")


@classic
def argmin(x: Any, axis: Any = -1) -> Any:
    """The index of the smallest, as int64."""
    return _o.cast(_o.argmin(x, axis), "int64")


@classic
def cumsum(x: Any, axis: int = 0) -> Any:
    """Partial sums along an axis."""
    return _o.cumsum(x, axis)


@classic
def cumprod(x: Any, axis: int = 0) -> Any:
    """Partial products along an axis."""
    return _o.cumprod(x, axis)


@classic
def pow(x: Any, a: Any) -> Any:
    """`x` to the power `a`."""
    return _o.power(x, a)


@classic
def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """Limited to `[min_value, max_value]`; None is no limit, a maximum below the minimum is it."""
    lowest = -np.inf if min_value is None else min_value
    highest = np.inf if max_value is None else max_value
    if isinstance(lowest, int | float) and isinstance(highest, int | float) and highest < lowest:
        highest = lowest
    x = core.convert(x)
    if min_value is not None:
        x = _o.maximum(x, _o.cast(lowest, x.dtype))
    return x if max_value is None else _o.minimum(x, _o.cast(highest, x.dtype))


@classic
def l2_normalize(x: Any, axis: Any = None) -> Any:
    """`x / sqrt(max(sum(x**2), 1e-12))`, the sum along the axis or over all."""
    x = core.convert(x)
    return _o.multiply(x, _o.rsqrt(_o.maximum(_o.sum(_o.square(x), axis, True), 1e-12)))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """Numbers from `start` (or 0) until before `stop`; with a negative `start` alone, none."""
    if stop is None:
        start, stop = 0, start
    return _o.cast(_o.arange(start, stop, step), dtype)


@classic
def dot(x: Any, y: Any) -> Any:
    """The product of matrices; of more axes, the last of `x` with the last but one of `y`.

    `(2, 3)` and `(4, 3, 5)` give `(2, 4, 5)`.
    """
    x, y = core.convert(x), core.convert(y)
    if x.ndim == 2 and y.ndim == 2:
        return _o.matmul(x, y)
    return _o.tensordot(x, y, ([x.ndim - 1], [y.ndim - 2 if y.ndim > 1 else 0]))


@classic
def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """For each sample, the sum of products along an axis of `x` and one of `y`.

    Args:
        x, y: `(batch, ...)`.
        axes: An axis, or a pair of one of `x` and one of `y`. By default the last of `x`, and the
            last but one of `y` (its last if `y` has two).

    Returns:
        `(batch, rest of x, rest of y)`; of two matrices `(batch, 1)`.

    Raises:
        ValueError: An operand has one axis only, the axis is that of the batch, or sizes differ.
    """
    x, y = core.convert(x), core.convert(y)
    shapes = f"{x.shape} and {y.shape}"
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(
            f"Cannot do batch_dot on inputs with rank < 2. Received inputs with shapes {shapes}."
        )
    if axes is None:
        axes = (x.ndim - 1, y.ndim - (1 if y.ndim == 2 else 2))
    given = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if len(given) != 2 or not isinstance(given[0], int) or not isinstance(given[1], int):
        raise ValueError(f"batch_dot takes one axis of each input. Received: axes={axes}")
    of_x, of_y = given[0] % x.ndim, given[1] % y.ndim
    if not of_x or not of_y:
        raise ValueError(
            "Cannot perform batch_dot over axis 0. If your inputs are not batched, add a dummy "
            "batch dimension to them using K.expand_dims(x, 0)."
        )
    if x.shape[of_x] != y.shape[of_y]:
        raise ValueError(
            f"Cannot do batch_dot on inputs with shapes {shapes} with axes={list(given)}: "
            f"{x.shape[of_x]} is not {y.shape[of_y]}."
        )
    letters = "abcdefghijklmnopqrstuvwxy"
    first = letters[: x.ndim]
    second = [first[0], *letters[x.ndim : x.ndim + y.ndim - 1]]
    second[of_y] = first[of_x]
    rest = first[:of_x] + first[of_x + 1 :] + "".join(second[1:of_y] + second[of_y + 1 :])
    found = _o.einsum(f"{first},{''.join(second)}->{rest}", x, y)
    return _o.expand_dims(found, 1) if found.ndim == 1 else found
