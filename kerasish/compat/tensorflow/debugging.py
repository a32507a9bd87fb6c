"""`tf.debugging`: checks of values, shapes and dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ...text_arrays import Text, holds_text
from .dtypes import name_of
from .system import InvalidArgumentError
from .values import plain, static_shape

__all__ = ["assert_equal", "check_numerics"]


def nothing(*_: Any, **__: Any) -> None:
    """Nothing to switch: checks are made where a program asks for them."""


def _known(x: Any) -> Any:
    """The values, or None while a function is traced: checks of values are left out there."""
    if isinstance(x, str | bytes) or holds_text(x):
        return np.asarray(Text(np.asarray(x, object)))
    try:
        return np.asarray(x)
    except core.TraceError:
        return None


def _check(holds: Any, message: Any, what: str, *values: Any) -> None:
    if not np.all(holds):
        shown = "; ".join(str(v)[:200] for v in values)
        raise InvalidArgumentError(f"{message + ': ' if message else ''}{what}: {shown}")


def _comparison(name: str, what: str, compare: Any) -> Any:
    def check(x: Any, y: Any, message: Any = None, summarize: Any = None) -> None:
        a, b = _known(x), _known(y)
        if a is not None and b is not None:
            _check(compare(a, b), message, f"x {what} y does not hold of all elements", a, b)

    check.__name__ = name
    check.__doc__ = f"Check that x {what} y everywhere; while tracing nothing is checked."
    return check


assert_equal = _comparison("assert_equal", "==", np.equal)
_differ = _comparison("assert_none_equal", "!=", np.not_equal)
assert_greater = _comparison("assert_greater", ">", np.greater)
assert_greater_equal = _comparison("assert_greater_equal", ">=", np.greater_equal)
assert_less = _comparison("assert_less", "<", np.less)
assert_less_equal = _comparison("assert_less_equal", "<=", np.less_equal)


def assert_none_equal(x: Any, y: Any, summarize: Any = None, message: Any = None) -> None:
    """Check that x != y everywhere; while tracing nothing is checked."""
    _differ(x, y, message)


def _sign(name: str, what: str, compare: Any) -> Any:
    def check(x: Any, message: Any = None, summarize: Any = None) -> None:
        a = _known(x)
        if a is not None:
            _check(compare(a), message, f"x {what} 0 does not hold of all elements", a)

    check.__name__ = name
    check.__doc__ = f"Check that x {what} 0 everywhere; while tracing nothing is checked."
    return check


assert_positive = _sign("assert_positive", ">", lambda a: a > 0)
assert_negative = _sign("assert_negative", "<", lambda a: a < 0)
assert_non_negative = _sign("assert_non_negative", ">=", lambda a: a >= 0)
assert_non_positive = _sign("assert_non_positive", "<=", lambda a: a <= 0)


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: Any = None, summarize: Any = None
) -> None:
    """Check that `|x - y| < atol + rtol * |y|`; both are 10 times the precision by default."""
    a, b = _known(x), _known(y)
    if a is None or b is None:
        return
    kind = a.dtype if a.dtype.kind == "f" and hasattr(x, "dtype") else np.dtype("float32")
    rtol = 10 * np.finfo(kind).eps if rtol is None else rtol
    atol = 10 * np.finfo(kind).eps if atol is None else atol
    _check(np.abs(a - b) < atol + rtol * np.abs(b), message, "x and y are not near", a, b)


def assert_that(condition: Any, data: Any = (), summarize: Any = None) -> None:
    """Check that a condition holds; `data` is shown if not."""
    held = _known(condition)
    if held is not None:
        _check(
            held, None, "assertion failed", *(data if isinstance(data, list | tuple) else [data])
        )


def check_numerics(tensor: Any, message: str) -> Any:
    """The tensor, if all elements are finite.

    Raises:
        InvalidArgumentError: Some are not.
    """
    values = _known(tensor)
    if values is not None and values.dtype.kind in "fc" and not np.isfinite(values).all():
        what = "NaN" if np.isnan(values).any() else "Inf"
        raise InvalidArgumentError(f"{message} : Tensor had {what} values")
    return tensor


def assert_all_finite(x: Any, message: str = "") -> Any:
    """The tensor, if all elements are finite."""
    return check_numerics(x, message)


@plain
def assert_rank(x: Any, rank: Any, message: Any = None) -> None:
    """Check the number of axes.

    Raises:
        ValueError: It is another.
    """
    if len(static_shape(x)) != int(rank):
        raise ValueError(f"{message or ''}: shape {static_shape(x)} must have rank {int(rank)}.")


def assert_rank_at_least(x: Any, rank: Any, message: Any = None) -> None:
    """Check that there are at least so many axes."""
    if len(static_shape(x)) < int(rank):
        raise ValueError(
            f"{message or ''}: shape {static_shape(x)} must have rank {int(rank)} or higher."
        )


def assert_scalar(tensor: Any, message: Any = None) -> Any:
    """The tensor, if it has no axes."""
    assert_rank(tensor, 0, message)
    return tensor


def assert_shapes(
    shapes: Any, data: Any = None, summarize: Any = None, message: Any = None
) -> None:
    """Check shapes: numbers, None for any, names for sizes that must agree."""
    known: dict[Any, int] = {}
    pairs = shapes.items() if isinstance(shapes, dict) else shapes
    for x, wanted in pairs:
        shape = static_shape(x)
        if len(shape) != len(wanted):
            raise ValueError(f"{message or ''}: shape {shape} must be {tuple(wanted)}.")
        for size, symbol in zip(shape, wanted):
            if symbol is None or symbol == ".":
                continue
            expected = symbol if isinstance(symbol, int) else known.setdefault(symbol, size)
            if size != expected:
                raise ValueError(
                    f"{message or ''}: shape {shape} must be {tuple(wanted)} "
                    f"with {symbol} = {expected}."
                )


def assert_type(tensor: Any, tf_type: Any, message: Any = None) -> None:
    """Check the dtype."""
    if name_of(tensor.dtype) != name_of(tf_type):
        raise TypeError(f"{message or ''}: {name_of(tensor.dtype)} must be {name_of(tf_type)}.")


def assert_integer(x: Any, message: Any = None) -> None:
    """Check that the dtype is of whole numbers."""
    if not name_of(core.convert(x).dtype).startswith(("int", "uint")):
        raise TypeError(f"{message or ''}: expected integers, got {core.convert(x).dtype}.")


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """The one dtype of all tensors."""
    kinds = {name_of(t.dtype) for t in tensors or ()} | ({name_of(dtype)} if dtype else set())
    if len(kinds) > 1:
        raise ValueError(f"The dtypes differ: {sorted(kinds)}.")
    return next(iter(kinds), "float32")


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether it is a tensor of numbers."""
    return isinstance(tensor, core.Tensor) and name_of(tensor.dtype) != "bool"
