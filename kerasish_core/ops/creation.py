"""Tensors made from nothing but a shape, a range or another tensor's spec."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..errors import ShapeError
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, constant, convert
from ._args import canonical_axis, promote, scalar_like
from .elementwise import cast, floor, where
from .logic import equal
from .shape import expand_dims, filled, full, reshape, shape_tuple

__all__ = [
    "arange", "eye", "full_like", "linspace", "meshgrid", "one_hot", "ones", "tri", "tril",
    "triu", "zeros", "zeros_like",
]  # fmt: skip


def _dtype(dtype: Any) -> Any:
    return dtypes.as_dtype(dtypes.default_float() if dtype is None else dtype)


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros, `floatx` by default."""
    return filled(shape_tuple("zeros", shape), _dtype(dtype), 0)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones, `floatx` by default."""
    return filled(shape_tuple("ones", shape), _dtype(dtype), 1)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros in the shape (and dtype) of another tensor."""
    x = convert(x)
    return zeros(x.shape, x.dtype if dtype is None else dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape (and dtype) of another tensor."""
    x = convert(x)
    return full(x.shape, fill_value, x.dtype if dtype is None else dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Evenly spaced values in `[start, stop)`; int32 or `floatx` by the arguments' types."""
    if stop is None:
        start, stop = 0, start
    given = [v.item() if hasattr(v, "item") else v for v in (start, stop, step) if v is not None]
    if dtype is None:
        # NumPy's own 64-bit scalars count as Python numbers, as on JAX.
        bounds = [v for v in (start, stop, step) if v is not None]
        kinds: list[Any] = [
            v.dtype if getattr(getattr(v, "dtype", None), "itemsize", 8) < 8 else type(n)
            for v, n in zip(bounds, given, strict=True)
        ]
        dtype = dtypes.result_type(*kinds)
    return constant(np.arange(*given, dtype=dtypes.as_dtype(dtype)))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """`num` evenly spaced values from `start` to `stop`; both may be tensors."""
    low, high = promote(start, stop, at_least=float)
    parts = num - 1 if endpoint else num
    step = (high - low) / parts if parts > 0 else (high - low) * float("nan")
    place = canonical_axis("linspace", axis, (low + high).ndim + 1)
    shape = [1] * ((low + high).ndim + 1)
    shape[place] = num
    weights = np.arange(num, dtype="float64") / max(parts, 1)
    ramp = constant(weights.reshape(shape).astype(low.dtype))
    delta = expand_dims(high - low, place)
    result = expand_dims(low + high * 0, place) + delta * ramp
    if endpoint and num > 1:
        last = constant((np.arange(num) == num - 1).reshape(shape))
        result = where(last, expand_dims(high + low * 0, place), result)
    if dtype is not None:
        whole = not dtypes.is_inexact(dtypes.as_dtype(dtype))
        result = cast(floor(result) if whole else result, dtype)
    return (result, step) if retstep else result


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the k-th diagonal of an N x M matrix of zeros."""
    return constant(np.eye(N, M, k, dtype=_dtype(dtype)))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones at and below the k-th diagonal."""
    return constant(np.tri(N, M, k, dtype=_dtype(dtype)))


def _matrix(name: str, x: Any) -> Tensor:
    x = convert(x)
    if x.ndim < 2:
        raise ShapeError(f"{name}: x is {x.spec}; a matrix (two axes or more) is needed.")
    return x  # type: ignore[no-any-return]


def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of the last two axes, zeros elsewhere."""
    x = _matrix("tril", x)
    return where(np.tri(x.shape[-2], x.shape[-1], k, dtype=bool), x, scalar_like(x, 0))


def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of the last two axes, zeros elsewhere."""
    x = _matrix("triu", x)
    return where(np.tri(x.shape[-2], x.shape[-1], k - 1, dtype=bool), scalar_like(x, 0), x)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Coordinates of a grid, one tensor for each axis."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing={indexing!r}; expected 'xy' or 'ij'.")
    axes = [reshape(convert(v), (-1,)) for v in x]
    order = list(range(len(axes)))
    if indexing == "xy" and len(axes) > 1:
        order[:2] = [1, 0]
    sizes = [axes[i].shape[0] for i in order]
    grids = []
    for i, v in enumerate(axes):
        shape = [1] * len(axes)
        shape[order.index(i)] = v.shape[0]
        grids.append(OPERATORS["broadcast_to"](reshape(v, shape), sizes))
    return grids


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    """1 at the class of each element, 0 elsewhere; a class out of range gives all 0.

    Args:
        x: Integer tensor of any shape.
        num_classes: Size of the new axis.
        axis: Its place in the result.
        dtype: `floatx` by default.
    """
    x = convert(x)
    if not dtypes.is_float(x.dtype) and x.dtype.itemsize < 4:  # may be too small for the classes
        x = cast(x, "int32")
    place = canonical_axis("one_hot", axis, x.ndim + 1)
    shape = [1] * (x.ndim + 1)
    shape[place] = num_classes
    kinds = constant(np.arange(num_classes, dtype=x.dtype).reshape(shape))
    return cast(equal(expand_dims(x, place), kinds), _dtype(dtype))


OPERATORS.update(zeros=zeros)
NUMPY_FUNCTIONS.update({
    np.zeros_like: zeros_like, np.full_like: full_like, np.tril: tril, np.triu: triu,
    np.linspace: linspace, np.meshgrid: meshgrid,
})  # fmt: skip
