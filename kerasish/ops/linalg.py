"""The functions of `keras.ops.linalg`: matrices are the last two axes, earlier axes are batches."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .core import jvp as jvp
from .symbolic import symbolic

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "logdet", "lstsq", "lu_factor",
    "matrix_rank", "norm", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd",
]  # fmt: skip

_o = core.ops


def _matrices(x: Any, square: bool = True) -> Any:
    """The operand as floating matrices.

    Raises:
        ValueError: It has less than two axes, or is not square though it must be.
    """
    x = core.convert(x)
    if x.ndim < 2:
        raise ValueError(f"Expected input to have rank >= 2. Received input with shape {x.shape}")
    if square and x.shape[-1] != x.shape[-2]:
        raise core.ShapeError(
            f"Expected a square matrix. Received non-square input with shape {x.shape}"
        )
    return x


@symbolic
def cholesky(x: Any, upper: bool = False) -> Any:
    """The lower triangular `L` with `L L^T = x`, or with `upper` its transpose.

    Raises:
        ValueError: A matrix is not square or not positive definite.
    """
    x = _matrices(x)
    try:
        factor = _o.cholesky(x)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "Cholesky decomposition failed: the input might not be a positive definite matrix."
        ) from error
    return _o.swapaxes(factor, -1, -2) if upper else factor


@symbolic
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix whose Cholesky factor is `x`."""
    x = _matrices(x)
    factor = _o.swapaxes(_o.triu(x), -1, -2) if upper else _o.tril(x)
    half = _o.inv(factor)
    return _o.matmul(_o.swapaxes(half, -1, -2), half)


@symbolic
def det(x: Any) -> Any:
    """Determinants of square matrices."""
    return _o.det(_matrices(x))


@symbolic
def eig(x: Any) -> Any:
    """Eigenvalues and eigenvectors (as columns) of square matrices, as complex numbers."""
    return _o.eig(_matrices(x))


@symbolic
def eigh(x: Any) -> Any:
    """Eigenvalues, ascending, and eigenvectors (as columns) of symmetric matrices."""
    return _o.eigh(_matrices(x))


@symbolic
def inv(x: Any) -> Any:
    """Inverses of square matrices."""
    return _o.inv(_matrices(x))


@symbolic
def lu_factor(x: Any) -> Any:
    """LU factors in one matrix, and with which row each was exchanged."""
    return _o.lu(_matrices(x, False))[:2]


@symbolic
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norms of vectors (one axis) or matrices (two).

    Args:
        x: Tensor; integers become `floatx`.
        ord: For vectors any number, `inf` or `-inf`; for matrices 1, -1, 2, -2, `inf`, `-inf`,
            "fro" or "nuc". By default the root of the sum of squares.
        axis: One axis, or two; by default all.
        keepdims: Whether reduced axes stay, of size 1.

    Raises:
        ValueError: The order has no meaning for so many axes.

    Source: https://keras.io/api/ops/linalg/
    """
    x = _o.multiply(x, 1.0)
    axes = tuple(range(x.ndim)) if axis is None else axis
    axes = (axes,) if isinstance(axes, int) else tuple(a % x.ndim for a in axes)
    if (ord is None and (axis is None or len(axes) < 3)) or (
        len(axes) == (1 if ord == 2 else 2) and ord in (2, "fro")
    ):
        return _o.sqrt(_o.sum(_o.square(_o.absolute(x)), axes, keepdims))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"Improper number of dimensions to norm. Received: x.shape={x.shape}, {axis=}")


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    size = _o.absolute(x)
    if isinstance(ord, str):
        raise ValueError(f"Invalid `ord` argument for vector norm. Received: ord={ord}")
    if ord == np.inf:
        return _o.max(size, axis, keepdims)
    if ord == -np.inf:
        return _o.min(size, axis, keepdims)
    if ord == 0:
        return _o.sum(_o.cast(_o.not_equal(x, 0), size.dtype), axis, keepdims)
    if ord == 1:
        return _o.sum(size, axis, keepdims)
    return _o.power(_o.sum(_o.power(size, ord), axis, keepdims), 1.0 / ord)


def _matrix_norm(x: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    rows, columns = axes
    if ord in (1, -1, np.inf, -np.inf):
        summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = _o.sum(_o.absolute(x), summed, True)
        y = (_o.max if ord > 0 else _o.min)(sums, other, True)
        return y if keepdims else _o.squeeze(y, axes)
    if ord in (2, -2, "nuc"):
        values = _o.svd_values(_o.moveaxis(x, axes, (-2, -1)))
        y = {2: _o.max, -2: _o.min, "nuc": _o.sum}[ord](values, -1)
        return _o.expand_dims(y, tuple(sorted(axes))) if keepdims else y
    raise ValueError(f"Invalid `ord` argument for matrix norm. Received: ord={ord}")


@symbolic
def pinv(x: Any, rcond: Any = None) -> Any:
    """Moore-Penrose inverses; singular values below `rcond` times the largest count as 0."""
    return _o.pinv(_matrices(x, False), rcond)


@symbolic
def matrix_rank(x: Any, tol: Any = None) -> Any:
    """How many singular values are above `tol`, by default as many as precision tells from 0."""
    x = _matrices(x, False)
    values = _o.svd_values(x)
    if tol is None:
        eps = float(core.dtypes.limits(values.dtype).eps)
        tol = _o.max(values, -1, True) * (max(x.shape[-2:]) * eps)
    else:
        tol = _o.expand_dims(tol, -1)
    return _o.sum(_o.cast(_o.greater(values, tol), "int32"), -1)


@symbolic
def qr(x: Any, mode: str = "reduced") -> Any:
    """`Q` with orthonormal columns and upper triangular `R` with `Q R = x`.

    Args:
        x: `(..., m, n)`.
        mode: "reduced" for `min(m, n)` columns of Q, "complete" for m.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(
            "`mode` argument value not supported. Expected one of {'reduced', 'complete'}. "
            f"Received: mode={mode}"
        )
    return _o.qr(_matrices(x, False), mode == "complete")


@symbolic
def slogdet(x: Any) -> Any:
    """Sign and logarithm of the absolute value of determinants."""
    return _o.slogdet(_matrices(x))


@symbolic
def logdet(x: Any) -> Any:
    """Logarithm of the absolute value of determinants."""
    return _o.slogdet(_matrices(x))[1]


def _check_solve(a: Any, b: Any) -> tuple[Any, Any]:
    a, b = _matrices(a), core.convert(b)
    if b.ndim < a.ndim and b.ndim and b.shape != a.shape[:-1]:  # the same for every matrix
        batch = a.shape[:-2] if b.ndim == 1 else a.shape[: a.ndim - b.ndim]
        b = _o.broadcast_to(b, batch + b.shape)
    rows = b.shape[-1] if b.ndim == a.ndim - 1 else b.shape[-2] if b.ndim == a.ndim else None
    if rows != a.shape[-1]:
        raise core.ShapeError(
            "Incompatible shapes between `a` and `b`. Expected `a.shape[-2] == b.shape[-2]` (or "
            f"`b.shape[-1]` for vectors). Received: a.shape={a.shape}, b.shape={b.shape}"
        )
    return a, b


@symbolic
def solve(a: Any, b: Any) -> Any:
    """`x` with `a x = b`; `b` holds columns, or one vector for each matrix."""
    a, b = _check_solve(a, b)
    if b.ndim == a.ndim - 1:
        return _o.solve(a, _o.expand_dims(b, -1))[..., 0]
    return _o.solve(a, b)


@symbolic
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """`x` with `a x = b` for the upper (or lower) triangle of `a`."""
    a, b = _check_solve(a, b)
    a = _o.tril(a) if lower else _o.triu(a)
    if b.ndim == a.ndim - 1:
        return _o.solve(a, _o.expand_dims(b, -1))[..., 0]
    return _o.solve(a, b)


@symbolic
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`U`, the singular values (descending) and `V^T`; only the values without `compute_uv`."""
    x = _matrices(x, False)
    return _o.svd(x, full_matrices) if compute_uv else _o.svd_values(x)


@symbolic
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The shortest `x` for which `|a x - b|` is least.

    Args:
        a: `(m, n)`.
        b: `(m,)` or `(m, k)`.
        rcond: Singular values below this part of the largest count as 0.
    """
    a, b = _matrices(a, False), core.convert(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ValueError(
            f"`lstsq` needs a of shape (m, n) and b of shape (m,) or (m, k). Received: "
            f"a.shape={a.shape}, b.shape={b.shape}"
        )
    if rcond is None:
        rcond = float(core.dtypes.limits(_o.multiply(a, 1.0).dtype).eps) * max(a.shape)
    return _o.matmul(_o.pinv(a, rcond), b)
