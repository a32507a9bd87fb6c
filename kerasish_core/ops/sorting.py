"""Sorting and searching."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dispatch import apply
from ..errors import ShapeError
from ..op import Spec, define_op
from ..tensor import NUMPY_FUNCTIONS, Tensor, convert
from ._args import canonical_axis, promote
from .creation import zeros
from .elementwise import cast, where
from .indexing import put_along_axis, take_along_axis
from .reduce import sum
from .scatter import scatter_add
from .shape import expand_dims, reshape

__all__ = ["argsort", "bincount", "in_top_k", "searchsorted", "sort", "top_k"]

_INT32 = np.dtype("int32")


def _comparable(x: Any) -> Any:
    """The same order: NumPy sorts NaN last for its own dtypes only, bfloat16 is none of them."""
    return x.astype("float32") if x.dtype.name == "bfloat16" else x


_ARGSORT = define_op(
    "argsort", "opaque", "x",
    infer=lambda x, axis: Spec(x.shape, _INT32),
    kernel=lambda xp, x, axis: xp.argsort(
        _comparable(x), axis=axis, kind="stable"
    ).astype("int32"),
    samples=lambda rng: [([rng.normal(size=(2, 5))], {"axis": 1})],
)  # fmt: skip


def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The order that sorts along an axis; equal elements keep their order."""
    x = convert(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return apply(_ARGSORT, x, axis=canonical_axis("argsort", axis, x.ndim))  # type: ignore[no-any-return]


_SORT = define_op(
    "sort", "opaque", "x", infer=lambda x, axis: x,
    kernel=lambda xp, x, axis: xp.sort(_comparable(x), axis=axis).astype(x.dtype, copy=False),
    vjp=lambda g, x, axis: (
        put_along_axis(zeros(x.shape, g.dtype), argsort(x, axis), g, axis, add=True),
    ),
    samples=lambda rng: [([rng.normal(size=(2, 5))], {"axis": 1})],
)  # fmt: skip


def sort(x: Any, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along an axis, NaN last."""
    x = convert(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    if x.ndim == 0:
        return x  # type: ignore[no-any-return]
    return apply(_SORT, x, axis=canonical_axis("sort", axis, x.ndim))  # type: ignore[no-any-return]


def _top_k_kernel(xp: Any, x: Any, k: int) -> Any:
    # Backwards twice, so that of equal elements the first comes first, and NaN before all.
    x = _comparable(x)
    order = xp.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    if order.shape[-1] != k:
        raise ValueError(f"there are less than k={k} elements")
    return (x.shape[-1] - 1 - order).astype("int32")


def _top_k_spec(x: Spec, k: int) -> Spec:
    if not x.shape or not 0 <= k <= x.shape[-1]:
        raise ShapeError(f"top_k: x is {x}; the last axis must have at least k={k} elements.")
    return Spec((*x.shape[:-1], k), _INT32)


_TOP_K_INDICES = define_op(
    "top_k_indices", "opaque", "x", infer=_top_k_spec, kernel=_top_k_kernel,
    samples=lambda rng: [([rng.normal(size=(2, 5))], {"k": 3})],
)  # fmt: skip


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest of the last axis, descending, and their indices (int32).

    Of equal elements the first comes first; NaN counts as the largest.

    Args:
        x: Tensor `(..., n)`.
        k: How many, at most n.
        sorted: Whether the order matters (they are sorted anyway).
    """
    x = convert(x)
    order = apply(_TOP_K_INDICES, x, k=int(k))
    return take_along_axis(x, order, -1), order


def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Whether each target class is among the k best predictions; ties count as in.

    A prediction of NaN counts as the lowest.
    """
    targets, predictions = convert(targets), convert(predictions)
    picked = take_along_axis(predictions, expand_dims(targets, -1), -1)
    picked = where(picked == picked, picked, -np.inf)
    return sum(cast(predictions > picked, "int32"), -1) < k  # type: ignore[no-any-return]


_SEARCHSORTED = define_op(
    "searchsorted", "opaque", "x values",
    infer=lambda x, values, side: Spec(values.shape, _INT32),
    kernel=lambda xp, x, values, side: xp.searchsorted(
        _comparable(x), _comparable(values), side=side
    ).astype("int32"),
    samples=lambda rng: [
        ([np.sort(rng.normal(size=5)), rng.normal(size=(2, 3))], {"side": "left"}),
    ],
)  # fmt: skip


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Tensor:
    """Where values would be inserted into a sorted one-dimensional tensor (int32)."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side={side!r}; expected 'left' or 'right'.")
    rows, values = promote(sorted_sequence, values)
    if rows.ndim != 1:
        raise ShapeError(f"searchsorted: sorted_sequence is {rows.spec}; one axis is needed.")
    return apply(_SEARCHSORTED, rows, values, side=side)  # type: ignore[no-any-return]


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often (or with what total weight) each integer occurs. Needs the values of `x`."""
    x = cast(x, "int32")
    if x.ndim != 1:
        raise ShapeError(f"bincount: x is {x.spec}; one axis is needed.")
    size = int(np.max(np.asarray(x), initial=-1)) + 1
    size = size if size > minlength else minlength
    amounts = convert(np.ones(x.shape, "int32")) if weights is None else convert(weights)
    return scatter_add(zeros((size,), amounts.dtype), expand_dims(x, -1), amounts)


NUMPY_FUNCTIONS.update({
    np.sort: sort, np.argsort: argsort, np.searchsorted: searchsorted, np.bincount: bincount,
})  # fmt: skip
