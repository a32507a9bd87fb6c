"""Comparisons, logic, bits, divisors and tests of numbers. Nothing here has a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..errors import ShapeError
from ..op import Spec, define_op
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor
from ._args import apply, convert, only, promote, same_binary, same_spec
from ._define import binary, to_bool

__all__ = [
    "bitcast", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "equal", "gcd", "greater",
    "greater_equal", "isfinite", "isinf", "isnan", "lcm", "left_shift", "less", "less_equal",
    "logical_and", "logical_not", "logical_or", "logical_xor", "nextafter", "not_equal",
    "right_shift", "signbit",
]  # fmt: skip

equal = to_bool("equal", "`x1 == x2`.", lambda xp, a, b: xp.equal(a, b), "a == b", operator=True)
not_equal = to_bool(
    "not_equal", "`x1 != x2`.", lambda xp, a, b: xp.not_equal(a, b), "a != b", operator=True
)
less = to_bool("less", "`x1 < x2`.", lambda xp, a, b: xp.less(a, b), "a < b", operator=True)
less_equal = to_bool(
    "less_equal", "`x1 <= x2`.", lambda xp, a, b: xp.less_equal(a, b), "a <= b", operator=True
)
greater = to_bool(
    "greater", "`x1 > x2`.", lambda xp, a, b: xp.greater(a, b), "a > b", operator=True
)
greater_equal = to_bool(
    "greater_equal", "`x1 >= x2`.", lambda xp, a, b: xp.greater_equal(a, b), "a >= b",
    operator=True,
)  # fmt: skip

logical_and = to_bool(
    "logical_and", "Both are true (not zero).", lambda xp, a, b: xp.logical_and(a, b), "a && b",
    operator=True, logical=True,
)  # fmt: skip
logical_or = to_bool(
    "logical_or", "Either is true.", lambda xp, a, b: xp.logical_or(a, b), "a || b", logical=True
)
logical_xor = to_bool(
    "logical_xor", "Exactly one is true.", lambda xp, a, b: xp.logical_xor(a, b), "!a != !b",
    logical=True,
)  # fmt: skip
logical_not = to_bool(
    "logical_not", "It is false (zero).", lambda xp, x: xp.logical_not(x), "!x", 1, logical=True
)

isnan = to_bool("isnan", "It is NaN.", lambda xp, x: xp.isnan(x), "isnan(x)", 1, operator=True)
isinf = to_bool("isinf", "It is infinite.", lambda xp, x: xp.isinf(x), "isinf(x)", 1)
isfinite = to_bool(
    "isfinite", "It is neither NaN nor infinite.", lambda xp, x: xp.isfinite(x), "isfinite(x)", 1
)
signbit = to_bool(
    "signbit", "Its sign bit is set.", lambda xp, x: xp.signbit(x), "signbit(x)", 1,
    taken="real numbers",
)  # fmt: skip


def _integers(rng: Any) -> Any:
    shapes = (((2, 3), (2, 3)), ((), ()), ((2, 3), (3,)))
    return [([rng.integers(0, 8, s), rng.integers(0, 8, t)], {}) for s, t in shapes]


def _of_integers(
    name: str, doc: str, scalar: str | None, at_least: Any = None, taken: str = "integers"
) -> Any:
    op = define_op(
        name, "elementwise", "a b", infer=only(taken, name, same_binary(name)), scalar=scalar,
        samples=_integers, kernel=lambda xp, a, b: getattr(xp, name)(a, b),
    )  # fmt: skip

    def function(x: Any, y: Any) -> Any:
        return apply(op, *promote(x, y, at_least=at_least))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    OPERATORS[name] = NUMPY_FUNCTIONS[getattr(np, name)] = function
    return function


_BITS = "integers or booleans"
bitwise_and = _of_integers("bitwise_and", "Bits set in both.", "a & b", taken=_BITS)
bitwise_or = _of_integers("bitwise_or", "Bits set in either.", "a | b", taken=_BITS)
bitwise_xor = _of_integers("bitwise_xor", "Bits set in exactly one.", "a ^ b", taken=_BITS)
left_shift = _of_integers("left_shift", "`x * 2**y` by shifting bits.", "left_shift(a, b)", int)
right_shift = _of_integers("right_shift", "`x // 2**y` by shifting bits.", "right_shift(a, b)", int)

gcd = _of_integers("gcd", "Greatest common divisor.", None)
lcm = _of_integers("lcm", "Least common multiple.", None)
nextafter = binary(
    "nextafter", "The next number after `x1` towards `x2`.",
    lambda xp, a, b: xp.nextafter(a, b), "nextafter(a, b)", at_least=float,
    taken="real numbers",
)  # fmt: skip

_BITWISE_NOT = define_op(
    "bitwise_not", "elementwise", "x", infer=only(_BITS, "bitwise_not", same_spec), scalar="~x",
    kernel=lambda xp, x: xp.bitwise_not(x),
    samples=lambda rng: [([rng.integers(-8, 8, (2, 3))], {}), ([np.array([True, False])], {})],
)  # fmt: skip


def bitwise_not(x: Any) -> Any:
    """Every bit turned; of booleans the negation."""
    return apply(_BITWISE_NOT, convert(x))


OPERATORS["bitwise_not"] = NUMPY_FUNCTIONS[np.bitwise_not] = bitwise_not


def _bitcast_spec(x: Spec, dtype: str) -> Spec:
    to = dtypes.as_dtype(dtype)
    have, want = x.dtype.itemsize, to.itemsize
    if have == want:
        return Spec(x.shape, to)
    if not x.shape or x.shape[-1] * have % want:
        raise ShapeError(
            f"bitcast: the last axis of {x} does not hold a whole number of {dtype}s "
            f"({want} bytes each)."
        )
    return Spec((*x.shape[:-1], x.shape[-1] * have // want), to)


_BITCAST = define_op(
    "bitcast", "opaque", "x", infer=_bitcast_spec,
    kernel=lambda xp, x, dtype: xp.ascontiguousarray(x).reshape(x.shape).view(
        dtypes.as_dtype(dtype)
    ),
    samples=lambda rng: [
        ([rng.integers(0, 99, (2, 3)).astype("int32")], {"dtype": "float32"}),
        ([rng.integers(0, 99, (2, 4)).astype("uint8")], {"dtype": "int16"}),
    ],
)  # fmt: skip


def bitcast(x: Any, dtype: Any) -> Tensor:
    """The bytes read as another dtype; the last axis grows or shrinks by the ratio of sizes."""
    return apply(_BITCAST, convert(x), dtype=dtypes.name_of(dtype))  # type: ignore[no-any-return]
