"""`tf.linalg`: matrices on the last two axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import ops
from .values import ints, tensor

__all__ = ["band_part", "matmul", "norm", "svd"]

_o = core.ops


def _turned(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2)


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False,
    output_type: Any = None,
) -> Any:  # fmt: skip
    """The matrix product, of either or both turned first."""
    a, b = tensor(a), tensor(b)
    a = _turned(a) if transpose_a else adjoint(a) if adjoint_a else a
    b = _turned(b) if transpose_b else adjoint(b) if adjoint_b else b
    found = ops.matmul(a, b)
    return found if output_type is None else ops.cast(found, output_type)


def adjoint(matrix: Any) -> Any:
    """The turned and conjugate matrix."""
    return ops.conj(_turned(tensor(matrix)))


def matrix_transpose(a: Any, conjugate: bool = False) -> Any:
    """The last two axes exchanged."""
    return adjoint(a) if conjugate else _turned(tensor(a))


def matvec(
    a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, a_is_sparse: bool = False,
    b_is_sparse: bool = False,
) -> Any:  # fmt: skip
    """A matrix times a vector."""
    column = ops.expand_dims(tensor(b), -1)
    return ops.squeeze(matmul(a, column, transpose_a, adjoint_a=adjoint_a), axis=-1)


def einsum(equation: str, *inputs: Any, **_: Any) -> Any:
    """Sums of products as the equation says."""
    return ops.einsum(equation, *inputs)


def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    """The norm over axes: 2 ("euclidean"), 1, inf, "fro" or any other number."""
    x = core.convert(tensor)
    axis = ints(axis)
    if ord in ("euclidean", "fro") or (ord == 2 and not isinstance(axis, tuple)):
        return _o.sqrt(_o.sum(_o.square(_o.absolute(x)), axis, keepdims=keepdims))
    if isinstance(axis, tuple):
        return ops.norm(x, ord, axis, keepdims)
    if ord == np.inf:
        return _o.max(_o.absolute(x), axis, keepdims=keepdims)
    total = _o.sum(_o.absolute(x) ** ord, axis, keepdims=keepdims)
    return total ** (1.0 / ord)


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None) -> Any:
    """The tensor over its norm, and the norm."""
    x = core.convert(tensor)
    size = norm(x, ord, axis, keepdims=True)
    return x / size, size


def diag(
    diagonal: Any, k: Any = 0, num_rows: int = -1, num_cols: int = -1, padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Any:  # fmt: skip
    """Matrices with these diagonals, else `padding_value`."""
    x, k = core.convert(diagonal), int(k)
    n = x.shape[-1]
    rows = n + abs(k) if num_rows == -1 else int(num_rows)
    columns = n + abs(k) if num_cols == -1 else int(num_cols)
    i = np.arange(n)
    places = np.zeros((rows, columns), "int32")
    places[i + max(-k, 0), i + max(k, 0)] = i + 1
    padding = _o.cast(core.convert(padding_value), x.dtype.name)
    first = _o.broadcast_to(padding, (*x.shape[:-1], 1))
    return _o.take(_o.concatenate([first, x], -1), core.constant(places), -1)


def diag_part(input: Any, k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT") -> Any:
    """The diagonals of matrices, number `k` above the main one."""
    return ops.diagonal(input, int(k), -2, -1)


def set_diag(input: Any, diagonal: Any, k: Any = 0, align: str = "RIGHT_LEFT") -> Any:
    """Matrices with other diagonals."""
    x, k = core.convert(input), int(k)
    rows, columns = x.shape[-2:]
    there = core.constant(np.eye(rows, columns, k, dtype=bool))
    whole = diag(_o.cast(core.convert(diagonal), x.dtype.name), k, rows, columns)
    return _o.where(there, whole, x)


def tensor_diag(diagonal: Any) -> Any:
    """A tensor of twice the axes, with these elements where both halves of the indices agree."""
    x = core.convert(diagonal)
    return _o.reshape(diag(_o.reshape(x, (-1,))), x.shape * 2)


def tensor_diag_part(input: Any) -> Any:
    """The elements where both halves of the indices agree."""
    x = core.convert(input)
    shape = x.shape[: x.ndim // 2]
    size = int(np.prod(shape))
    return _o.reshape(diag_part(_o.reshape(x, (size, size))), shape)


def band_part(input: Any, num_lower: Any, num_upper: Any) -> Any:
    """Zero outside a band of `num_lower` diagonals below and `num_upper` above (-1: all)."""
    x = core.convert(input)
    rows, columns = x.shape[-2:]
    below = np.arange(rows)[:, None] - np.arange(columns)[None]
    low, high = int(num_lower), int(num_upper)
    kept = ((below <= low) | (low < 0)) & ((-below <= high) | (high < 0))
    return _o.where(core.constant(kept), x, _o.zeros_like(x))


def trace(x: Any) -> Any:
    """The sum of the diagonal."""
    x = core.convert(x)
    return _o.cast(ops.trace(x, 0, -2, -1), x.dtype.name)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """`s, u, v` with `tensor = u @ diag(s) @ transpose(v)`; only `s` without `compute_uv`."""
    if not compute_uv:
        return ops.svd(tensor, full_matrices, False)
    u, s, turned = ops.svd(tensor, full_matrices)
    return s, u, _turned(turned)


class Qr(NamedTuple):
    """An orthogonal and a triangular factor."""

    q: Any
    r: Any


class LogMatrixDeterminant(NamedTuple):
    """The sign and the logarithm of the absolute value of determinants."""

    sign: Any
    log_abs_determinant: Any


def qr(input: Any, full_matrices: bool = False) -> Any:
    """An orthogonal and a triangular factor."""
    return Qr(*ops.qr(input, "complete" if full_matrices else "reduced"))


def eigh(tensor: Any) -> Any:
    """Eigenvalues in ascending order and eigenvectors (columns) of symmetric matrices."""
    values, vectors = ops.eigh(tensor)
    return values, vectors


def eigvalsh(tensor: Any) -> Any:
    """Eigenvalues of symmetric matrices in ascending order."""
    return ops.eigh(tensor)[0]


def slogdet(input: Any) -> Any:
    """The sign and the logarithm of the absolute value of the determinant."""
    return LogMatrixDeterminant(*ops.slogdet(input))


def logdet(matrix: Any) -> Any:
    """The logarithm of the determinant of positive matrices: `2 sum(log(diag(cholesky)))`."""
    return 2.0 * _o.sum(_o.log(diag_part(_o.cholesky(core.convert(matrix)))), -1)


def solve(matrix: Any, rhs: Any, adjoint: bool = False) -> Any:
    """What `matrix` makes `rhs` of."""
    matrix = core.convert(matrix)
    return ops.solve(_turned(matrix) if adjoint else matrix, rhs)


def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Any:
    """What a triangular matrix (the other half is not read) makes `rhs` of."""
    matrix = core.convert(matrix)
    matrix = band_part(matrix, -1, 0) if lower else band_part(matrix, 0, -1)
    if adjoint:
        matrix, lower = _turned(matrix), not lower
    return ops.solve_triangular(matrix, rhs, lower)


def cholesky_solve(chol: Any, rhs: Any) -> Any:
    """What `chol @ transpose(chol)` makes `rhs` of."""
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


def lstsq(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True) -> Any:
    """`x` with least `|matrix @ x - rhs|**2 + l2_regularizer * |x|**2`."""
    a, b = core.convert(matrix), core.convert(rhs)
    rows, columns = a.shape[-2:]
    if rows >= columns or not fast:
        eye = _o.eye(columns, dtype=a.dtype.name) * l2_regularizer
        return _o.solve(_o.matmul(_turned(a), a) + eye, _o.matmul(_turned(a), b))
    eye = _o.eye(rows, dtype=a.dtype.name) * l2_regularizer
    return _o.matmul(_turned(a), _o.solve(_o.matmul(a, _turned(a)) + eye, b))


def pinv(a: Any, rcond: Any = None, validate_args: bool = False) -> Any:
    """The pseudoinverse."""
    return ops.pinv(a) if rcond is None else ops.pinv(a, rcond)


def cross(a: Any, b: Any) -> Any:
    """The cross product of vectors of three numbers."""
    return ops.cross(a, b)


def inv(input: Any, adjoint: bool = False) -> Any:
    """The inverse."""
    x = core.convert(input)
    return ops.inv(_turned(x) if adjoint else x)


def expm(input: Any) -> Any:
    """The matrix exponential: Taylor's series of `x / 16`, squared 4 times."""
    x = core.convert(input)
    eye = _o.eye(x.shape[-1], dtype=x.dtype.name)
    small, term = x / 16.0, eye
    total = eye
    for i in range(1, 21):
        term = _o.matmul(term, small) / float(i)
        total = total + term
    for _ in range(4):
        total = _o.matmul(total, total)
    return total
