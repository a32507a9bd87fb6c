"""Decompositions of matrices by mpmath at 40 digits.

What is unique up to signs gets the signs that SciPy's LAPACK gives.
"""

import mpmath
import numpy as np
import scipy.linalg


def _each(function, x, *more):
    """The function of each matrix of a batch, stacked, result by result."""
    batch = np.shape(x)[:-2]
    if not batch:
        return function(x, *more)
    rows = [_each(function, *row) for row in zip(x, *more)]
    if isinstance(rows[0], tuple):
        return tuple(np.stack(parts) for parts in zip(*rows))
    return np.stack(rows)


def _mp(x):
    return mpmath.matrix(np.asarray(x, "float64").tolist())


def _np(x):
    return np.array(x.tolist(), dtype="float64").reshape(x.rows, x.cols)


def _signed(vectors, like):
    """Columns with the signs of other columns."""
    return vectors * np.sign(np.sum(vectors * like, axis=0))


def inv(x):
    return _each(lambda a: _np(mpmath.inverse(_mp(a))), x)


def solve(a, b):
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    b = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    return _each(lambda c, d: _np(mpmath.inverse(_mp(c)) * _mp(d)), a, b)


def pinv(x, rcond):
    def one(a):
        tall = a.shape[0] >= a.shape[1]
        m = _mp(a)
        gram = m.T * m if tall else m * m.T
        return _np(mpmath.inverse(gram) * m.T if tall else m.T * mpmath.inverse(gram))

    return _each(one, x)


def det(x):
    return _each(lambda a: np.asarray(float(mpmath.det(_mp(a)))), x)


def cofactors(x, det):
    return _each(lambda a, d: _np(mpmath.inverse(_mp(a)).T * float(d)), x, det)


def slogdet(x):
    found = det(x)
    return np.sign(found), np.log(np.abs(found))


def cholesky(x):
    return _each(lambda a: _np(mpmath.cholesky(_mp((a + a.T) / 2))), x)


def qr(x, complete):
    """Gram-Schmidt; the diagonal of R has LAPACK's signs."""

    def one(a):
        m, n = a.shape
        k = min(m, n)
        columns = []
        for j in range(k):
            v = _mp(a[:, j : j + 1])
            for w in columns:
                v = v - w * (w.T * v)[0]
            columns.append(v / mpmath.norm(v))
        q = np.hstack([_np(c) for c in columns])
        q = _signed(q, scipy.linalg.qr(a, mode="economic")[0])
        return q, np.triu(_np(_mp(q).T * _mp(a)))

    return _each(one, x)


def lu(x):
    def one(a):
        packed, pivots = scipy.linalg.lu_factor(a)
        order = np.arange(len(a))
        for i, j in enumerate(pivots):
            order[[i, j]] = order[[j, i]]
        lower = np.tril(packed, -1) + np.eye(len(a))
        np.testing.assert_allclose(lower @ np.triu(packed), a[order], atol=1e-13)
        return packed, pivots, order

    return _each(one, x)


def eigh(x):
    def one(a):
        values, vectors = mpmath.eigsy(_mp((a + a.T) / 2))
        return _np(values)[:, 0], _signed(
            _np(vectors), scipy.linalg.eigh((a + a.T) / 2, driver="evd")[1]
        )

    return _each(one, x)


def eig(x):
    """In LAPACK's order: each pair fulfils its equation, and the values are all of them."""

    def one(a):
        values, vectors = scipy.linalg.eig(a)
        np.testing.assert_allclose(a @ vectors, vectors * values, atol=1e-13)
        exact = sorted((complex(v) for v in mpmath.eig(_mp(a))[0]), key=lambda v: (v.real, v.imag))
        found = sorted(values, key=lambda v: (v.real, v.imag))
        np.testing.assert_allclose(found, exact, rtol=1e-12)
        return values, vectors

    return _each(one, x)


def svd(x, full):
    def one(a):
        left, _, right = scipy.linalg.svd(a, full_matrices=full)
        u, s, vt = (_np(m) for m in mpmath.svd_r(_mp(a)))
        u = _signed(u, left)
        return u, s[:, 0], _signed(vt.T, right.T).T

    return _each(one, x)


def svd_values(x):
    return _each(lambda a: _np(mpmath.svd_r(_mp(a), compute_uv=False))[:, 0], x)
