"""Normalisation in another way: row by row with exact sums; backward by the whole Jacobian."""

import math

import numpy as np

__all__ = [
    "centred_sums",
    "layer_norm",
    "layer_norm_grad",
    "log_softmax_grad",
    "moments",
    "rms_norm",
    "rms_norm_grad",
    "softmax_grad",
]


def moments(x, axes, keepdims):
    kept = [i for i in range(x.ndim) if i not in axes]
    rows = x.transpose(kept + list(axes)).reshape(math.prod(x.shape[i] for i in kept), -1)
    pairs = [_row_moments(row.tolist()) for row in rows]
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
    shape = shape if keepdims else [x.shape[i] for i in kept]
    return [np.array(v).reshape(shape) for v in zip(*pairs)]


def _row_moments(row):
    mean = math.fsum(row) / len(row)
    return mean, math.fsum((v - mean) ** 2 for v in row) / len(row)


def rows_of(x, gamma):
    return x.reshape(-1, gamma.size)


def row_shape(x, gamma):
    return x.shape[: x.ndim - gamma.ndim] + (1,) * gamma.ndim


def layer_norm(x, gamma, beta, epsilon):
    y, means, invs = [], [], []
    for row in rows_of(x, gamma):
        mean, variance = _row_moments(row.tolist())
        means.append(mean)
        invs.append(1 / math.sqrt(variance + epsilon))
        y.append((row - mean) / math.sqrt(variance + epsilon) * gamma.ravel() + beta.ravel())
    shape = row_shape(x, gamma)
    return np.reshape(y, x.shape), np.reshape(means, shape), np.reshape(invs, shape)


def rms_norm(x, gamma, epsilon):
    powers = [math.fsum(v * v for v in row) / row.size for row in rows_of(x, gamma)]
    inv = np.array([1 / math.sqrt(p + epsilon) for p in powers])
    y = rows_of(x, gamma) * inv[:, None] * gamma.ravel()
    return y.reshape(x.shape), inv.reshape(row_shape(x, gamma))


def layer_norm_grad(g, x, gamma, mean, inv, centred=True):
    n = gamma.size
    centre = np.eye(n) - (1 / n if centred else 0)
    dx, dgamma = [], np.zeros(n)
    for u, row, m, s in zip(rows_of(g, gamma), rows_of(x, gamma), mean.ravel(), inv.ravel()):
        xhat = (row - m) * s
        # d xhat / d x, of which only the symmetric part of the statistics is known here
        jacobian = s * (centre - np.outer(xhat, xhat) / n)
        dx.append(jacobian @ (u * gamma.ravel()))
        dgamma += u * xhat
    dbeta = rows_of(g, gamma).sum(0)
    return np.reshape(dx, x.shape), dgamma.reshape(gamma.shape), dbeta.reshape(gamma.shape)


def rms_norm_grad(g, x, gamma, inv):
    return layer_norm_grad(g, x, gamma, np.zeros(inv.shape), inv, centred=False)[:2]


def centred_sums(g, x, mean):
    rows, us = x.reshape(-1, mean.size), g.reshape(-1, mean.size)
    pairs = [
        (math.fsum(u), math.fsum(a * (b - m) for a, b in zip(u, v)))
        for u, v, m in zip(us.T, rows.T, mean)
    ]
    return [np.array(v) for v in zip(*pairs)]


def by_jacobian(jacobian):
    """The rows of g times the Jacobian that a row of y has."""

    def oracle(g, y, axes):
        kept = [i for i in range(y.ndim) if i not in axes]
        order = kept + list(axes)
        moved = y.transpose(order)
        pairs = zip(*(v.transpose(order).reshape(-1, _size(v, axes)) for v in (g, y)))
        found = np.array([a @ jacobian(b) for a, b in pairs])
        return found.reshape(moved.shape).transpose(np.argsort(order))

    return oracle


def _size(v, axes):
    return math.prod(v.shape[a] for a in axes)


softmax_grad = by_jacobian(lambda y: np.diag(y) - np.outer(y, y))
log_softmax_grad = by_jacobian(lambda y: np.eye(y.size) - np.outer(np.ones(y.size), np.exp(y)))
