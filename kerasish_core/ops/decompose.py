"""Decompositions and inverses of matrices, the last two axes; earlier axes are batches.

Gradients follow M. Giles, "An extended collection of matrix derivative results", 2008, and for the
singular values J. Townsend, "Differentiating the singular value decomposition", 2016.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..device import raising_linalg
from ..dispatch import apply
from ..errors import GradientError, ShapeError
from ..op import Spec, define_op
from ..tensor import Tensor
from ._args import as_float, promote
from .creation import eye, tril, triu
from .elementwise import add, cast, conj, multiply, real, subtract, true_divide
from .indexing import take_along_axis
from .linalg import matmul
from .shape import broadcast_to, concatenate, expand_dims, sum_to, swapaxes
from .sorting import argsort

__all__ = [
    "cholesky", "det", "eig", "eigh", "inv", "lu", "pinv", "qr", "slogdet", "solve", "svd",
    "svd_values",
]  # fmt: skip


# -- shapes and kernels that several share


def _check(name: str, x: Spec, square: bool = True) -> tuple[int, int]:
    if len(x.shape) < 2 or (square and x.shape[-1] != x.shape[-2]):
        what = "square matrices" if square else "matrices"
        raise ShapeError(f"{name}: x is {x}; {what} in the last two axes are needed.")
    return x.shape[-2], x.shape[-1]


def _like(name: str) -> Any:
    """The rule of an op from square matrices to matrices."""

    def infer(x: Spec) -> Spec:
        _check(name, x)
        return x

    return infer


def _numbers(name: str, count: int = 1) -> Any:
    """The rule of an op from a square matrix to numbers."""

    def infer(x: Spec) -> Any:
        _check(name, x)
        spec = Spec(x.shape[:-2], x.dtype)
        return spec if count == 1 else (spec,) * count

    return infer


def _wide(function: Any) -> Any:
    """Let a kernel written for float32 and float64 serve the half types, one or more outputs."""

    def kernel(xp: Any, *xs: Any, **attrs: Any) -> Any:
        dtype = xs[0].dtype
        if not dtypes.is_float(dtype) or dtype.itemsize >= 4:
            return function(xp, *xs, **attrs)
        found = function(xp, *(x.astype("float32") for x in xs), **attrs)
        if not isinstance(found, tuple):
            return found.astype(dtype)
        return tuple(y.astype(dtype) if y.dtype == np.float32 else y for y in found)

    return kernel


def _t(x: Any) -> Any:
    return swapaxes(x, -1, -2)


def _symmetric(x: Any) -> Any:
    return multiply(add(x, _t(x)), 0.5)


def _column(x: Any) -> Any:
    return expand_dims(x, -1)


def _row(x: Any) -> Any:
    return expand_dims(x, -2)


def _given(g: Any, ys: Any) -> list[Any]:
    """Zeros in place of cotangents that nobody has."""
    return [multiply(y, 0) if u is None else u for u, y in zip(g, ys, strict=True)]


def _well_posed(rng: np.random.Generator, *batch: int, n: int = 3) -> np.ndarray:
    """Positive definite matrices with eigenvalues well apart."""
    x = rng.normal(size=(*batch, n, n))
    q = np.linalg.qr(x)[0]
    return (q * np.linspace(1, 3, n)) @ np.swapaxes(q, -1, -2)


def _general(rng: np.random.Generator, *batch: int, m: int = 3, n: int = 3) -> np.ndarray:
    """Matrices with singular values well apart."""
    k = min(m, n)
    u = np.linalg.qr(rng.normal(size=(*batch, m, k)))[0]
    v = np.linalg.qr(rng.normal(size=(*batch, n, k)))[0]
    return (u * np.linspace(3, 1, k)) @ np.swapaxes(v, -1, -2)


# -- inverses


def _per_matrix(xp: Any, function: Any, *xs: Any) -> Any:
    """The function of equal batches; where a matrix is singular, what divisions by 0 give: NaN."""
    try:
        with raising_linalg(xp):
            return function(*xs)
    except np.linalg.LinAlgError:
        if xs[0].ndim == 2:
            return xp.full((xs[0].shape[0], xs[-1].shape[-1]), np.nan, xs[0].dtype)
        return xp.stack([_per_matrix(xp, function, *row) for row in zip(*xs, strict=True)])


def _inv_kernel(xp: Any, x: Any) -> Any:
    _square(x)
    return _per_matrix(xp, xp.linalg.inv, x)


def _square(x: Any) -> None:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:  # before the search for singular ones
        raise ValueError("square matrices are needed")


_INV = define_op(
    "inv", "opaque", "x", infer=_like("inv"), kernel=_wide(_inv_kernel),
    vjp=lambda g, y: (-matmul(matmul(_t(y), g), _t(y)),),
    samples=lambda rng: [([_well_posed(rng)], {}), ([_general(rng, 2)], {})],
)  # fmt: skip


def inv(x: Any) -> Tensor:
    """Inverses of square matrices; NaN for singular ones.

    Raises:
        ShapeError: They are not square.
    """
    return apply(_INV, as_float(x))  # type: ignore[no-any-return]


def _solve_spec(a: Spec, b: Spec) -> Spec:
    _check("solve", a)
    if len(b.shape) < 2 or b.shape[-2] != a.shape[-1]:
        raise ShapeError(f"solve: a is {a}, b is {b}; b must have as many rows as a.")
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ShapeError(f"solve: a is {a}, b is {b}; batch axes do not broadcast.") from None
    return Spec((*batch, *b.shape[-2:]), b.dtype)


def _solve_kernel(xp: Any, a: Any, b: Any) -> Any:
    _square(a)
    if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
        raise ValueError("b must have as many rows as a")
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])  # CuPy does not broadcast them
    a, b = (xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
    return _per_matrix(xp, xp.linalg.solve, a, b)


def _solve_rule(g: Any, a: Any, b: Any, y: Any) -> Any:
    from_b = solve(_t(a), g)
    return sum_to(-matmul(from_b, _t(y)), a.shape), sum_to(from_b, b.shape)


_SOLVE = define_op(
    "solve", "opaque", "a b", infer=_solve_spec, kernel=_wide(_solve_kernel), vjp=_solve_rule,
    samples=lambda rng: [
        ([_general(rng), rng.normal(size=(3, 2))], {}),
        ([_general(rng, 2), rng.normal(size=(3, 1))], {}),
    ],
)  # fmt: skip


def solve(a: Any, b: Any) -> Tensor:
    """`x` with `a x = b`; NaN where `a` is singular.

    Args:
        a: `(..., n, n)`.
        b: `(..., n, k)`, or `(n,)`.

    Raises:
        ShapeError: They do not fit.
    """
    a, b = promote(a, b, at_least=float)
    if b.ndim == 1:
        return apply(_SOLVE, a, _column(b))[..., 0]  # type: ignore[no-any-return]
    return apply(_SOLVE, a, b)  # type: ignore[no-any-return]


def _pinv_kernel(xp: Any, x: Any, rcond: float) -> Any:
    u, s, vt = xp.linalg.svd(x, full_matrices=False)
    kept = s > rcond * s[..., :1]  # the largest comes first, if there is any
    inverse = xp.where(kept, 1, 0) / xp.where(kept, s, 1)
    return xp.swapaxes(vt, -1, -2) * inverse[..., None, :] @ xp.swapaxes(u, -1, -2)


def _pinv_rule(g: Any, x: Any, y: Any) -> Any:
    gt, yt = _t(g), _t(y)
    outside = matmul(subtract(gt, matmul(x, matmul(y, gt))), matmul(y, yt))
    inside = matmul(yt, matmul(y, subtract(gt, matmul(gt, matmul(y, x)))))
    return (outside + inside - matmul(matmul(yt, g), yt),)


def _pinv_spec(x: Spec, rcond: float) -> Spec:
    m, n = _check("pinv", x, False)
    return Spec((*x.shape[:-2], n, m), x.dtype)


_PINV = define_op(
    "pinv", "opaque", "x", infer=_pinv_spec, vjp=_pinv_rule,
    kernel=_wide(lambda xp, x, rcond: _pinv_kernel(xp, x, rcond).astype(x.dtype, copy=False)),
    samples=lambda rng: [
        ([_general(rng, 2, m=4, n=3)], {"rcond": 1e-9}),
        ([_general(rng, m=2, n=3)], {"rcond": 1e-9}),
    ],
)  # fmt: skip


def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """Moore-Penrose inverses, `(..., n, m)` of `(..., m, n)`.

    Args:
        x: Matrices.
        rcond: Singular values below this part of the largest count as 0; by default ten times the
            larger size times the dtype's precision.
    """
    x = as_float(x)
    if rcond is None:
        wide = np.dtype("float32") if x.dtype.itemsize < 4 else x.dtype
        rcond = 10.0 * max(x.shape[-2:], default=0) * float(np.finfo(wide).eps)
    return apply(_PINV, x, rcond=float(rcond))  # type: ignore[no-any-return]


# -- determinants


def _cofactors_kernel(xp: Any, x: Any, det: Any) -> Any:
    _square(x)
    if det.shape != x.shape[:-2] or det.dtype != x.dtype:
        raise ValueError("one determinant is needed for each matrix")
    inverse = xp.swapaxes(_per_matrix(xp, xp.linalg.inv, x), -1, -2)
    regular = (det != 0) & xp.isfinite(inverse).all((-2, -1))
    if regular.all():
        return inverse * det[..., None, None]
    finite = xp.isfinite(x).all((-2, -1))  # others have no singular values
    u, s, vt = xp.linalg.svd(xp.where(finite[..., None, None], x, 0))
    others = xp.where(xp.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    others = (
        others * (xp.linalg.det(u) * xp.linalg.det(vt) * xp.where(finite, 1, xp.nan))[..., None]
    )
    singular = (xp.conj(u) * others[..., None, :]) @ xp.conj(vt)
    found = xp.where(regular[..., None, None], inverse * det[..., None, None], singular)
    return found.astype(x.dtype, copy=False)


def _cofactors_spec(x: Spec, det: Spec) -> Spec:
    _check("cofactors", x)
    if det != Spec(x.shape[:-2], x.dtype):
        raise ShapeError(f"cofactors: x is {x}, det is {det}; one number for each matrix.")
    return x


def _cofactors_rule(g: Any, x: Any, y: Any) -> Any:
    inverse = _t(inv(x))
    of_det = (g * inverse).sum((-2, -1))
    return -matmul(matmul(y, _t(g)), inverse), of_det


# `det * inv(x)^T`, and where x is singular, which `inv` refuses, its cofactors by the singular
# values. Its own gradient is that of regular matrices.
_COFACTORS = define_op(
    "cofactors", "opaque", "x det", infer=_cofactors_spec, kernel=_wide(_cofactors_kernel),
    vjp=_cofactors_rule,
    samples=lambda rng: [
        ([_general(rng), rng.normal(size=())], {}),
        ([_well_posed(rng, 2), rng.normal(size=2)], {}),
    ],
)  # fmt: skip
_DET = define_op(
    "det", "opaque", "x", infer=_numbers("det"),
    kernel=_wide(lambda xp, x: xp.asarray(xp.linalg.det(x))),
    vjp=lambda g, x, y: (multiply(apply(_COFACTORS, x, y), _column(_column(g))),),
    samples=lambda rng: [([_general(rng)], {}), ([_well_posed(rng, 2)], {})],
)  # fmt: skip


def det(x: Any) -> Tensor:
    """Determinants of square matrices."""
    return apply(_DET, as_float(x))  # type: ignore[no-any-return]


def _slogdet_rule(g: Any, x: Any) -> Any:
    return (None if g[1] is None else multiply(_t(inv(x)), _column(_column(g[1]))),)


_SLOGDET = define_op(
    "slogdet", "opaque", "x", infer=_numbers("slogdet", 2), multiple=True,
    kernel=_wide(lambda xp, x: tuple(map(xp.asarray, xp.linalg.slogdet(x)))), vjp=_slogdet_rule,
    samples=lambda rng: [([_general(rng)], {}), ([-_well_posed(rng, 2)], {})],
)  # fmt: skip


def slogdet(x: Any) -> tuple[Tensor, Tensor]:
    """Sign and logarithm of the absolute value of determinants."""
    return apply(_SLOGDET, as_float(x))  # type: ignore[no-any-return]


# -- factors


def _cholesky_kernel(xp: Any, x: Any) -> Any:
    _square(x)
    with raising_linalg(xp):
        return xp.linalg.cholesky((x + xp.swapaxes(x, -1, -2)) / 2)


def _cholesky_rule(g: Any, y: Any) -> Any:
    product = tril(matmul(_t(y), g))
    half = product - multiply(product, 0.5 * eye(y.shape[-1], dtype=y.dtype))
    inner = solve(_t(y), half)  # L^-T half L^-1
    return (_symmetric(_t(solve(_t(y), _t(inner)))),)


_CHOLESKY = define_op(
    "cholesky", "opaque", "x", infer=_like("cholesky"), kernel=_wide(_cholesky_kernel),
    vjp=_cholesky_rule, samples=lambda rng: [([_well_posed(rng)], {}), ([_well_posed(rng, 2)], {})],
)  # fmt: skip


def cholesky(x: Any) -> Tensor:
    """The lower triangular `L` with `L L^T` equal to the symmetric part of `x`.

    Raises:
        ValueError: A matrix is not positive definite.
    """
    return apply(_CHOLESKY, as_float(x))  # type: ignore[no-any-return]


def _qr_spec(x: Spec, complete: bool) -> Any:
    m, n = _check("qr", x, False)
    k = m if complete else min(m, n)
    batch = x.shape[:-2]
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k, n), x.dtype)


def _qr_rule(g: Any, x: Any, y: Any, complete: bool) -> Any:
    m, n = x.shape[-2:]
    q, r = y
    of_q, of_r = _given(g, y)
    if complete and m > n:
        raise GradientError(
            f"qr: the complete factors of {x.spec} have no gradient; use mode='reduced'."
        )
    if m >= n:
        return (_tall_qr(q, r, of_q, of_r),)
    # [X Y] = Q [U V] with a square X: V is Q^T Y.
    of_v, right = of_r[..., m:], x[..., m:]
    of_square = _tall_qr(q, r[..., :m], of_q + matmul(right, _t(of_v)), of_r[..., :m])
    return (concatenate([of_square, matmul(q, of_v)], -1),)


def _tall_qr(q: Any, r: Any, of_q: Any, of_r: Any) -> Any:
    product = matmul(r, _t(of_r)) - matmul(_t(of_q), q)
    lower = tril(product, -1)
    mirrored = lower + _t(lower) + multiply(product, eye(r.shape[-1], dtype=r.dtype))
    return _t(solve(r, _t(of_q + matmul(q, mirrored))))


_QR = define_op(
    "qr", "opaque", "x", infer=_qr_spec, vjp=_qr_rule, multiple=True,
    kernel=_wide(
        lambda xp, x, complete: tuple(xp.linalg.qr(x, mode="complete" if complete else "reduced"))
    ),
    samples=lambda rng: [
        ([_general(rng, 2, m=4, n=3)], {"complete": False}),
        ([_general(rng, m=2, n=3)], {"complete": False}),
        ([_general(rng)], {"complete": True}),
    ],
)  # fmt: skip


def qr(x: Any, complete: bool = False) -> tuple[Tensor, Tensor]:
    """`Q` with orthonormal columns and upper triangular `R` with `Q R = x`.

    Args:
        x: `(..., m, n)`.
        complete: Whether Q is `(..., m, m)`; else it has `min(m, n)` columns.
    """
    return apply(_QR, as_float(x), complete=bool(complete))  # type: ignore[no-any-return]


def _lu_spec(x: Spec) -> Any:
    m, n = _check("lu", x, False)
    int32, batch = np.dtype("int32"), x.shape[:-2]
    return x, Spec((*batch, min(m, n)), int32), Spec((*batch, m), int32)


def _lu_kernel(xp: Any, x: Any) -> Any:
    m, n = x.shape[-2:]
    batch = x.shape[:-2]
    a = xp.array(x.reshape(math.prod(batch), m, n), copy=True)
    every = xp.arange(a.shape[0])
    order = xp.tile(xp.arange(m, dtype="int32"), (a.shape[0], 1))
    pivots = xp.zeros((a.shape[0], min(m, n)), "int32")
    for i in range(min(m, n)):
        best = i + xp.argmax(xp.abs(a[:, i:, i]), axis=1)
        pivots[:, i] = best
        for table in (a, order):
            kept = table[every, best].copy()
            table[every, best] = table[:, i]
            table[:, i] = kept
        pivot = a[:, i : i + 1, i]
        a[:, i + 1 :, i] /= xp.where(pivot == 0, 1, pivot)
        a[:, i + 1 :, i + 1 :] -= a[:, i + 1 :, i : i + 1] * a[:, i : i + 1, i + 1 :]
    return a.reshape(x.shape), pivots.reshape(*batch, min(m, n)), order.reshape(*batch, m)


def _lu_rule(g: Any, x: Any, y: Any) -> Any:
    m, n = x.shape[-2:]
    if g[0] is None:
        return (None,)
    if m != n:
        raise GradientError(f"lu: the factors of {x.spec} have a gradient only if it is square.")
    packed, _, order = y
    lower, upper = tril(packed, -1) + eye(n, dtype=x.dtype), triu(packed)
    of_lower, of_upper = tril(g[0], -1), triu(g[0])
    inner = tril(matmul(_t(lower), of_lower), -1) + triu(matmul(of_upper, _t(upper)))
    permuted = _t(solve(upper, _t(solve(_t(lower), inner))))
    back = broadcast_to(_column(argsort(order, -1)), x.shape)
    return (take_along_axis(permuted, back, -2),)


_LU = define_op(
    "lu", "opaque", "x", infer=_lu_spec, kernel=_wide(_lu_kernel), vjp=_lu_rule, multiple=True,
    samples=lambda rng: [([_general(rng)], {}), ([_general(rng, 2)], {})],
)  # fmt: skip


def lu(x: Any) -> tuple[Tensor, Tensor, Tensor]:
    """LU factors with row pivoting.

    Returns:
        `L` (without its diagonal of ones) and `U` in one matrix; with which row each was
        exchanged, in order; the row of `x` that each row of `L U` is.
    """
    return apply(_LU, as_float(x))  # type: ignore[no-any-return]


# -- eigenvalues and singular values


def _gaps(values: Any) -> Any:
    """`1 / (v[j] - v[i])`, 0 on the diagonal."""
    n = values.shape[-1]
    unit = eye(n, dtype=values.dtype)
    gaps = _row(values) - _column(values)
    return true_divide(1.0 - unit, gaps + unit)


def _eigh_spec(x: Spec) -> Any:
    _check("eigh", x)
    return Spec(x.shape[:-1], x.dtype), x


def _eigh_kernel(xp: Any, x: Any) -> Any:
    _square(x)
    return tuple(xp.linalg.eigh((x + xp.swapaxes(x, -1, -2)) / 2))


def _eigh_rule(g: Any, y: Any) -> Any:
    values, vectors = y
    of_values, of_vectors = _given(g, y)
    inner = multiply(_gaps(values), matmul(_t(vectors), of_vectors))
    inner = inner + multiply(_column(of_values), eye(values.shape[-1], dtype=values.dtype))
    return (_symmetric(matmul(matmul(vectors, inner), _t(vectors))),)


_EIGH = define_op(
    "eigh", "opaque", "x", infer=_eigh_spec, kernel=_wide(_eigh_kernel), vjp=_eigh_rule,
    multiple=True, samples=lambda rng: [([_well_posed(rng)], {}), ([_well_posed(rng, 2)], {})],
)  # fmt: skip


def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, and eigenvectors, as columns, of the symmetric part of `x`."""
    return apply(_EIGH, as_float(x))  # type: ignore[no-any-return]


def _complex_of(dtype: Any) -> Any:
    return np.dtype("complex128" if dtype == np.float64 else "complex64")


def _eig_spec(x: Spec) -> Any:
    _check("eig", x)
    dtype = _complex_of(x.dtype)
    return Spec(x.shape[:-1], dtype), Spec(x.shape, dtype)


def _eig_kernel(xp: Any, x: Any) -> Any:
    _square(x)
    dtype = _complex_of(x.dtype)
    return tuple(y.astype(dtype) for y in xp.linalg.eig(x))


def _eig_rule(g: Any, x_spec: Spec, y: Any) -> Any:
    """C. Boeddeker et al., "On the Computation of Complex-valued Gradients", 2017, section 4.

    The formula is for gradients themselves; the tape hands rules their conjugates.
    """
    values, vectors = y
    of_values, of_vectors = (conj(u) for u in _given(g, y))
    turned = conj(_t(vectors))
    gaps = conj(_row(values) - _column(values))
    unit = cast(eye(values.shape[-1], dtype="float64"), values.dtype)
    inner = matmul(turned, of_vectors)
    own = cast(real(inner), values.dtype) * unit
    inner = (inner - matmul(matmul(turned, vectors), own)) * (1 - unit) / (gaps + unit)
    total = solve(turned, matmul(inner + _row(of_values) * unit, turned))
    return (conj(total) if x_spec.dtype.kind == "c" else real(total),)


_EIG = define_op(
    "eig", "opaque", "x", infer=_eig_spec, kernel=_wide(_eig_kernel), multiple=True, vjp=_eig_rule,
    samples=lambda rng: [([_general(rng)], {}), ([_general(rng, 2)], {})],
)  # fmt: skip


def eig(x: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors, as columns of length 1, of any square matrices; complex.

    Eigenvectors are known up to a complex factor of size 1: only what does not depend on it has a
    gradient.
    """
    return apply(_EIG, as_float(x))  # type: ignore[no-any-return]


def _svd_spec(x: Spec, full: bool) -> Any:
    m, n = _check("svd", x, False)
    k, batch = min(m, n), x.shape[:-2]
    u = Spec((*batch, m, m if full else k), x.dtype)
    return u, Spec((*batch, k), x.dtype), Spec((*batch, n if full else k, n), x.dtype)


def _svd_rule(g: Any, x: Any, y: Any, full: bool) -> Any:
    m, n = x.shape[-2:]
    u, s, vt = y
    if full and m != n and (g[0] is not None or g[2] is not None):
        raise GradientError(
            f"svd: the full factors of {x.spec} have no gradient; use full_matrices=False."
        )
    if full and m != n:
        k = min(m, n)
        u, vt = u[..., :k], vt[..., :k, :]
        g = (None, g[1], None)
    of_u, of_s, of_vt = _given(g, (u, s, vt))
    v, of_v = _t(vt), _t(of_vt)
    unit = eye(s.shape[-1], dtype=s.dtype)
    gaps = _gaps(multiply(s, s))
    skew = [matmul(_t(a), b) for a, b in ((u, of_u), (v, of_v))]
    first, second = (multiply(gaps, a - _t(a)) for a in skew)
    inner = multiply(first, _row(s)) + multiply(_column(s), second) + multiply(_column(of_s), unit)
    total = matmul(matmul(u, inner), vt)
    if m > n:
        outside = true_divide(of_u, _row(s))
        total = total + matmul(outside - matmul(u, matmul(_t(u), outside)), vt)
    if n > m:
        outside = true_divide(of_v, _row(s))
        total = total + matmul(u, _t(outside - matmul(v, matmul(_t(v), outside))))
    return (total,)


_SVD = define_op(
    "svd", "opaque", "x", infer=_svd_spec, vjp=_svd_rule, multiple=True,
    kernel=_wide(lambda xp, x, full: tuple(xp.linalg.svd(x, full_matrices=full))),
    samples=lambda rng: [
        ([_general(rng, 2, m=4, n=3)], {"full": False}),
        ([_general(rng, m=2, n=3)], {"full": False}),
        ([_general(rng)], {"full": True}),
    ],
)  # fmt: skip


def svd(x: Any, full_matrices: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """`U`, the singular values (descending) and `V^T` with `U diag(s) V^T = x`.

    Args:
        x: `(..., m, n)`.
        full_matrices: Whether U and V are square; else they have `min(m, n)` columns.
    """
    return apply(_SVD, as_float(x), full=bool(full_matrices))  # type: ignore[no-any-return]


def _values_spec(x: Spec) -> Spec:
    m, n = _check("svd_values", x, False)
    return Spec((*x.shape[:-2], min(m, n)), x.dtype)


def _values_rule(g: Any, x: Any) -> Any:
    u, _, vt = apply(_SVD, x, full=False)
    return (matmul(multiply(u, _row(g)), vt),)


_SVD_VALUES = define_op(
    "svd_values", "opaque", "x", infer=_values_spec, vjp=_values_rule,
    kernel=_wide(lambda xp, x: xp.linalg.svd(x, compute_uv=False)),
    samples=lambda rng: [([_general(rng, 2, m=4, n=3)], {}), ([_general(rng, m=2, n=3)], {})],
)  # fmt: skip


def svd_values(x: Any) -> Tensor:
    """The singular values, descending."""
    return apply(_SVD_VALUES, as_float(x))  # type: ignore[no-any-return]
