"""What the public op functions share: operands to tensors of a common dtype, axes to canonical.

A public function converts and promotes its arguments (Keras's table), canonicalises attributes to
static hashable values, and calls `apply(OP, *tensors, **attrs)`. A primitive therefore sees
operands of one dtype and attributes it need not check again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import STATE, apply
from ..errors import DTypeError, ShapeError
from ..op import Op, Spec, broadcast_shapes, same_dtype
from ..tensor import Tensor, convert

__all__ = [
    "apply",
    "as_float",
    "canonical_axes",
    "canonical_axis",
    "comparable",
    "convert",
    "float_unary",
    "number",
    "only",
    "promote",
    "same_spec",
    "scalar_like",
    "to_bool_binary",
    "uniform",
]

_ALL_AXES = tuple(tuple(range(rank)) for rank in range(9))
# Scalars that adapt to the tensors they meet. NumPy's own results (`np.log(2.0)`) are among them:
# no script means a double by them.
_WEAK: dict[type, Any] = {
    bool: bool, int: int, float: float, complex: complex,
    np.bool_: bool, np.int64: int, np.float64: float, np.complex128: complex,
}  # fmt: skip


def promote(*operands: Any, at_least: Any = None) -> tuple[Tensor, ...]:
    """The operands as tensors of their common dtype, Python scalars being weak.

    Args:
        *operands: Tensors, variables, arrays, numbers, lists.
        at_least: One more participant of the promotion, such as `float`.
    """
    if at_least is None:
        first = operands[0]
        if isinstance(first, Tensor):
            dtype = first.dtype
            for x in operands:
                if not isinstance(x, Tensor) or x.dtype is not dtype:
                    break
            else:
                return operands
    members: list[Any] = [] if at_least is None else [at_least]
    prepared: list[Any] = []
    for x in operands:
        kind = _WEAK.get(type(x))
        if kind is not None:
            members.append(kind)
            prepared.append(kind(x))
        else:
            t = convert(x)
            members.append(t.dtype)
            prepared.append(t)
    if STATE.strict:
        _check_equal([x for x in prepared if isinstance(x, Tensor)])
    dtype = dtypes.result_type(*members)
    return tuple([_to(x, dtype) for x in prepared])


def _check_equal(tensors: list[Tensor]) -> None:
    names = list(dict.fromkeys(t.dtype.name for t in tensors))
    if len(names) > 1:
        raise DTypeError(
            f"Operands have the dtypes {' and '.join(names)}: "
            f"{', '.join(str(t.spec) for t in tensors)}. "
            f"Cast one of them, as in cast(x, '{names[0]}')."
        )


def _to(x: Any, dtype: dtypes.DType) -> Tensor:
    if isinstance(x, Tensor):
        return x if x.dtype == dtype else x.astype(dtype)
    return Tensor(number(x, dtype))


def number(x: Any, dtype: dtypes.DType) -> Any:
    """A Python number as a 0-d array; an integer that the dtype does not hold wraps around."""
    if type(x) is int and dtype.kind in "iu":
        bits = 8 * dtype.itemsize
        x &= (1 << bits) - 1
        return np.asarray(x - (x >> (bits - 1) << bits) if dtype.kind == "i" else x, dtype)
    return np.asarray(x, dtype)


def comparable(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Operands of a comparison: nothing wraps around beside integers of at most 32 bits."""
    for x, y in ((x1, x2), (x2, x1)):
        if type(x) is int and isinstance(y, Tensor) and dtypes.is_integer(y.dtype):
            limits = np.iinfo(y.dtype)
            if y.dtype.itemsize < 8 and not limits.min <= x <= limits.max:
                ends = np.iinfo("int64")
                far = Tensor(np.asarray(min(max(x, ends.min), ends.max), "int64"))
                wide = y.astype("int64")
                return (far, wide) if x is x1 else (wide, far)
    return promote(x1, x2)  # type: ignore[return-value]


def as_float(x: Any) -> Tensor:
    """The operand as a floating (or complex) tensor; integers become `floatx`."""
    if isinstance(x, Tensor) and dtypes.is_inexact(x.dtype):
        return x
    return promote(x, at_least=float)[0]


def scalar_like(x: Tensor, value: Any) -> Tensor:
    """A Python number as a 0-d constant of the tensor's dtype."""
    return Tensor(number(value, x.dtype))


def canonical_axis(name: str, axis: Any, rank: int) -> int:
    """An axis as a number from 0.

    Raises:
        ShapeError: It is out of range.
    """
    index = operator.index(axis)
    if not -rank <= index < rank:
        raise ShapeError(
            f"{name}: axis {index} is out of range for rank {rank}; expected {-rank} to {rank - 1}."
        )
    return index % rank


def canonical_axes(name: str, axis: Any, rank: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of numbers from 0; None means all.

    Raises:
        ShapeError: One is out of range or given twice.
    """
    if axis is None:
        return _ALL_AXES[rank] if rank < len(_ALL_AXES) else tuple(range(rank))
    if type(axis) is int and -rank <= axis < rank:
        return (axis % rank,)
    several = isinstance(axis, list | tuple) or getattr(axis, "ndim", 0) == 1
    given: Sequence[Any] = axis if several else (axis,)
    axes = tuple(sorted(canonical_axis(name, a, rank) for a in given))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: duplicate axis in {axis}.")
    return axes


# -- spec rules that many ops share


def same_spec(x: Spec, **_: Any) -> Spec:
    """The result has the input's shape and dtype."""
    return x


float_unary = same_spec


def same_binary(name: str) -> Callable[..., Spec]:
    """The rule of a broadcasting op whose result has the operands' dtype."""

    def infer(*specs: Spec, **_: Any) -> Spec:
        return Spec(broadcast_shapes(name, specs), same_dtype(name, specs))

    return infer


def to_bool_binary(name: str) -> Callable[..., Spec]:
    """The rule of a broadcasting comparison."""

    def infer(*specs: Spec, **_: Any) -> Spec:
        same_dtype(name, specs)
        return Spec(broadcast_shapes(name, specs), np.dtype(bool))

    return infer


_TAKEN: dict[str, Callable[[dtypes.DType], bool]] = {
    "real numbers": lambda dtype: dtype.kind != "c",
    "numbers": lambda dtype: dtype.kind != "b",
    "integers": dtypes.is_integer,
    "integers or booleans": lambda dtype: dtype.kind == "b" or dtypes.is_integer(dtype),
}


def only(taken: str, name: str, rule: Callable[..., Spec]) -> Callable[..., Spec]:
    """The rule, but other dtypes are refused: `taken` is a key of `_TAKEN`.

    For ops whose kernel fails on them: run eagerly, it is asked why.
    """
    fits = _TAKEN[taken]

    def infer(*specs: Spec, **attrs: Any) -> Spec:
        if not all(fits(s.dtype) for s in specs):
            shown = ", ".join(map(str, specs))
            raise DTypeError(f"{name}: given {shown}; {taken} are needed. Cast them.")
        return rule(*specs, **attrs)

    return infer


# -- samples for the registry-driven tests


def uniform(low: float, high: float, inputs: int = 1, **attrs: Any) -> Callable[..., Any]:
    """Samples drawn from [low, high): equal shapes and, for several inputs, broadcast ones."""

    def samples(rng: np.random.Generator) -> list[tuple[list[Any], dict[str, Any]]]:
        shapes: list[list[tuple[int, ...]]] = [[(2, 3)] * inputs, [()] * inputs]
        if inputs > 1:
            shapes.append([(2, 3), *[(3,)] * (inputs - 1)])
            shapes.append([(1, 3), *[(4, 1)] * (inputs - 1)])
        return [([rng.uniform(low, high, s) for s in row], dict(attrs)) for row in shapes]

    return samples


def op_of(op: Op) -> Callable[..., Any]:
    """A function that calls a unary float op."""

    def function(x: Any) -> Any:
        return apply(op, as_float(x))

    return function
