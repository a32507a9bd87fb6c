"""Short forms of `define_op` for elementwise ops, each giving the public function."""

from __future__ import annotations

from collections.abc import Callable
from math import copysign
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError
from ..op import define_op
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor
from ._args import (
    apply,
    as_float,
    comparable,
    convert,
    only,
    promote,
    same_binary,
    same_spec,
    to_bool_binary,
    uniform,
)

__all__ = ["as_number", "binary", "both", "in_float32", "named", "to_bool", "unary"]

Function = Callable[..., Any]
_NUMBERS = (float, int)
# The constants that Python numbers become beside a tensor: programs repeat a few of them.
_KEPT: dict[Any, Tensor] = {}


def _publish(name: str, doc: str, function: Function, operator: bool, numpy: Any) -> Function:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    if operator:
        OPERATORS[name] = function
    if numpy is None:
        numpy = getattr(np, name, None)
    if numpy:
        NUMPY_FUNCTIONS[numpy] = function
    return function


def unary(
    name: str,
    doc: str,
    kernel: Function,
    scalar: str | None = None,
    vjp: Function | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    to_float: bool = True,
    count: bool = False,
    real: bool = False,
    taken: str | None = None,
    infer: Function = same_spec,
    operator: bool = False,
    numpy: Any = None,
    samples: Function | None = None,
) -> Function:
    """A function of one tensor, element by element.

    Args:
        name: Of the op and the function.
        doc: The function's docstring.
        kernel: `(xp, x)` to an array.
        scalar: C expression of one element.
        vjp: The gradient rule.
        low, high: Range of the samples.
        to_float: Whether integers become `floatx` first (else booleans become int32, if `count`).
        count: See `to_float`.
        real: Whether complex numbers are refused, as the kernel would take them.
        taken: The dtypes that the kernel takes, if not all; see `only`.
        infer: The rule; by default the result is like the input.
        operator: Whether a Python operator looks it up.
        numpy: NumPy's function if its name differs; False for none.
        samples: Instead of `low` and `high`.
    """
    op = define_op(
        name, "elementwise", "x", infer=only(taken, name, infer) if taken else infer,
        kernel=kernel, scalar=scalar, vjp=vjp, samples=samples or uniform(low, high),
    )  # fmt: skip
    prepare = as_number if count else as_float if to_float else convert

    def function(x: Any) -> Any:
        t = prepare(x)
        if real and t.dtype.kind == "c":
            raise DTypeError(f"{name}: x is {t.spec}; real numbers are needed. Take ops.real(x).")
        return apply(op, t)

    return _publish(name, doc, function, operator, numpy)


def weak_scalar(dtype: dtypes.DType, value: float) -> Tensor:
    """A Python number as a 0-d constant, kept for the next time."""
    key = (dtype, value) if value else (dtype, "0", copysign(1.0, value))  # -0.0 == 0.0
    t = _KEPT.get(key)
    if t is None:
        if len(_KEPT) >= 512:
            _KEPT.clear()
        t = _KEPT[key] = Tensor(np.asarray(value, dtype))
    return t


def weak(x1: Any, x2: Any) -> tuple[Tensor, Tensor] | None:
    """A floating tensor and a Python number, in either order, by a shorter way than `promote`."""
    if type(x1) is Tensor:
        dtype = x1._value.dtype
        if dtype.kind == "f" and type(x2) in _NUMBERS:
            return x1, weak_scalar(dtype, x2)
    elif type(x2) is Tensor:
        dtype = x2._value.dtype
        if dtype.kind == "f" and type(x1) in _NUMBERS:
            return weak_scalar(dtype, x1), x2
    return None


def binary(
    name: str,
    doc: str,
    kernel: Function,
    scalar: str | None = None,
    vjp: Function | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    at_least: Any = None,
    taken: str | None = None,
    operator: bool = False,
    numpy: Any = None,
    samples: Function | None = None,
) -> Function:
    """A broadcasting function of two tensors; `at_least` joins the promotion (`float`)."""
    rule = same_binary(name)
    op = define_op(
        name, "elementwise", "a b", infer=only(taken, name, rule) if taken else rule,
        kernel=kernel, scalar=scalar, vjp=vjp, samples=samples or uniform(low, high, 2),
    )  # fmt: skip

    if at_least is None:

        def function(x1: Any, x2: Any) -> Any:
            if type(x1) is Tensor:
                dtype = x1._value.dtype
                if type(x2) is Tensor:
                    if dtype is x2._value.dtype:
                        return apply(op, x1, x2)
                elif dtype.kind == "f" and type(x2) in _NUMBERS:
                    return apply(op, x1, weak_scalar(dtype, x2))
            return apply(op, *(weak(x1, x2) or promote(x1, x2)))

    else:

        def function(x1: Any, x2: Any) -> Any:
            if type(x1) is Tensor and type(x2) is Tensor:
                dtype = x1._value.dtype
                if dtype is x2._value.dtype and dtype.kind == "f":
                    return apply(op, x1, x2)
            return apply(op, *(weak(x1, x2) or promote(x1, x2, at_least=at_least)))

    return _publish(name, doc, function, operator, numpy)


def to_bool(
    name: str,
    doc: str,
    kernel: Function,
    scalar: str,
    inputs: int = 2,
    *,
    taken: str | None = None,
    operator: bool = False,
    logical: bool = False,
) -> Function:
    """A comparison or test: its result is boolean and has no gradient."""
    rule = to_bool_binary(name)
    op = define_op(
        name, "elementwise", "a b" if inputs == 2 else "x",
        infer=only(taken, name, rule) if taken else rule,
        kernel=kernel, scalar=scalar, samples=uniform(-2, 2, inputs),
    )  # fmt: skip

    function: Function
    if inputs == 1:

        def function(x: Any) -> Any:
            return apply(op, as_bool(x) if logical else convert(x))

    elif logical:

        def function(x1: Any, x2: Any) -> Any:
            return apply(op, as_bool(x1), as_bool(x2))

    else:

        def function(x1: Any, x2: Any) -> Any:
            if type(x1) is Tensor:
                dtype = x1._value.dtype
                if type(x2) is Tensor:
                    if dtype is x2._value.dtype:
                        return apply(op, x1, x2)
                elif dtype.kind == "f" and type(x2) in _NUMBERS:
                    return apply(op, x1, weak_scalar(dtype, x2))
            return apply(op, *(weak(x1, x2) or comparable(x1, x2)))

    return _publish(name, doc, function, operator, None)


def as_bool(x: Any) -> Tensor:
    """The operand as booleans: what is not zero is true."""
    t = convert(x)
    return t if t.dtype == np.bool_ else t.astype(bool)


def as_number(x: Any) -> Tensor:
    """The operand, booleans as int32."""
    t = convert(x)
    return t.astype("int32") if t.dtype.kind == "b" else t


def in_float32(function: Function) -> Function:
    """Let a kernel written for float32 and float64 serve the half types too."""

    def kernel(xp: Any, x: Any, *rest: Any, **attrs: Any) -> Any:
        dtype = x.dtype
        if dtype == np.float32 or dtype == np.float64 or not dtypes.is_float(dtype):
            return function(xp, x, *rest, **attrs)
        wide = (a.astype("float32") for a in (x, *rest))
        return function(xp, *wide, **attrs).astype(dtype)

    return kernel


def both(rule: Any) -> Any:
    """A rule from a pair of functions `(g, a, b)`, run only for the inputs that need it."""
    first, second = rule
    return lambda g, a, b, needs: (
        first(g, a, b) if needs[0] else None,
        second(g, a, b) if needs[1] else None,
    )


def named(function: str) -> Any:
    """The kernel that is NumPy's function. Executors silence its warnings at the edges."""
    return lambda xp, x: getattr(xp, function)(x)
