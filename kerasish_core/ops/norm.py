"""Normalisation: moments, and normalising by given or by own statistics.

What autodiff would make of `var` reads the data five times. Here the statistics are primitives, and
each gradient is its shortest form: with `xhat = (x - mean) * inv` and `h` the cotangent of `xhat`,
`dx = inv * (h - mean(h) - xhat * mean(h * xhat))`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..dispatch import apply, differentiate
from ..errors import ShapeError
from ..op import Spec, define_op
from ..tensor import OPERATORS, Tensor
from ._args import as_float, canonical_axes, convert, promote, same_binary
from .elementwise import cast, rsqrt, square
from .reduce import mean as mean_of
from .shape import broadcast_to, full, reshape, sum_to, transpose

__all__ = ["batch_normalization", "layer_normalization", "moments", "rms_normalization"]


def _zeros_for(g: Any, ys: Any) -> list[Any]:
    return [OPERATORS["zeros"](y.shape, y.dtype) if u is None else u for u, y in zip(g, ys)]


def _wide(*xs: Any) -> tuple[Any, ...]:
    return tuple(x.astype("float32") if x.dtype.itemsize < 4 else x for x in xs)


def _in_dtype(dtype: Any, *ys: Any) -> tuple[Any, ...]:
    return tuple(y.astype(dtype, copy=False) for y in ys)


# -- mean and variance together


def _kept(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _moments_spec(x: Spec, axes: tuple[int, ...], keepdims: bool) -> tuple[Spec, Spec]:
    shape = _kept(x.shape, axes)
    if not keepdims:
        shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    return Spec(shape, x.dtype), Spec(shape, x.dtype)


def _moments_kernel(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    (wide,) = _wide(x)
    count = math.prod(x.shape[a] for a in axes)
    mean = xp.asarray(wide.sum(axis=axes, keepdims=True) / wide.dtype.type(count))
    centred = wide - mean
    variance = (centred * centred).sum(axis=axes, keepdims=True) / wide.dtype.type(count)
    shape = _moments_spec(x, axes, keepdims)[0].shape
    return _in_dtype(x.dtype, mean.reshape(shape), variance.reshape(shape))


def _moments_rule(g: Any, x: Any, y: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    of_mean, of_variance = g
    count = math.prod(x.shape[a] for a in axes)
    leading = axes == tuple(range(len(axes)))  # then what is left broadcasts as it is

    def spread(v: Any) -> Any:
        return v if keepdims or leading else reshape(v, _kept(x.shape, axes))

    if of_variance is None:
        return (broadcast_to(spread(of_mean * (1.0 / count)), x.shape),)
    dx = (x - spread(y[0])) * spread(of_variance * (2.0 / count))
    return (dx if of_mean is None else dx + spread(of_mean * (1.0 / count)),)


_MOMENTS = define_op(
    "moments", "opaque", "x", native=True,
    infer=_moments_spec, kernel=_moments_kernel, vjp=_moments_rule,
    multiple=True,
    samples=lambda rng: [
        ([rng.normal(size=(2, 3, 4))], {"axes": (0, 1), "keepdims": False}),
        ([rng.normal(size=(2, 3, 4))], {"axes": (0, 2), "keepdims": False}),
        ([rng.normal(size=(2, 3))], {"axes": (1,), "keepdims": True}),
        ([rng.normal(size=(3,))], {"axes": (), "keepdims": False}),
    ],
)  # fmt: skip


def moments(x: Any, axes: Any, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance `mean((x - mean)**2)` over axes, in two passes.

    Args:
        x: Tensor; integers become `floatx`.
        axes: One or several; None for all.
        keepdims: Whether reduced axes stay, of size 1.

    Returns:
        Mean and variance.
    """
    x = as_float(x)
    found = canonical_axes("moments", axes, x.ndim)
    return apply(_MOMENTS, x, axes=found, keepdims=bool(keepdims))  # type: ignore[no-any-return]


# -- normalising by given statistics


def _sums_kernel(xp: Any, g: Any, x: Any, mean: Any) -> Any:
    dtype, (g, x, mean) = x.dtype, _wide(g, x, mean)
    lead = tuple(range(x.ndim - 1))
    return _in_dtype(dtype, g.sum(axis=lead), (g * (x - mean)).sum(axis=lead))


def _sums_rule(u: Any, g: Any, x: Any, mean: Any, y: Any) -> Any:
    u, v = _zeros_for(u, y)
    return u + v * (x - mean), g * v, -v * y[0]


_SUMS = define_op(
    "centred_sums", "opaque", "g x mean", native=True,
    kernel=_sums_kernel, vjp=_sums_rule, multiple=True,
    infer=lambda g, x, mean: (mean, mean),
    samples=lambda rng: [
        ([*rng.normal(size=(2, *s)), rng.normal(size=s[-1:])], {}) for s in ((2, 3, 2), (3,))
    ],
)  # fmt: skip


def _affine_rule(g: Any, x: Any, mean: Any, factor: Any, shift_spec: Spec) -> Any:
    if mean.shape == factor.shape == shift_spec.shape == x.shape[-1:]:  # channels last: one reading
        of_shift, of_factor = apply(_SUMS, g, x, mean)
    else:
        of_shift, of_factor = sum_to(g, shift_spec.shape), g * (x - mean)
    # Statistics of one shape share the sum of g.
    same = mean.shape == factor.shape == shift_spec.shape
    of_mean = of_shift * factor if same else g * factor
    return g * factor, -of_mean, of_factor, of_shift


_AFFINE = define_op(
    "centred_affine", "elementwise", "x mean factor shift", infer=same_binary("centred_affine"),
    kernel=lambda xp, x, mean, factor, shift: (x - mean) * factor + shift,
    scalar="(x - mean) * factor + shift", vjp=_affine_rule,
    samples=lambda rng: [  # nothing cancels
        ([rng.uniform(2, 3, s), *(rng.uniform(a, a + 1, t) for a in (-1, 1, 1))], {})
        for s, t in (((2, 3), (2, 3)), ((), ()), ((4, 3), (3,)), ((2, 3, 2), (3, 1)))
    ] + [([rng.uniform(2, 3, s) for s in ((2, 3), (3,), (2, 1), ())], {})],
)  # fmt: skip


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int = -1, offset: Any = None, scale: Any = None,
    epsilon: float = 1e-3,
) -> Tensor:  # fmt: skip
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset` for each channel.

    Args:
        x: Tensor.
        mean, variance: Of each channel, `(channels,)`.
        axis: The axis of the channels.
        offset, scale: Of each channel; 0 and 1 by default.
        epsilon: Added to the variance.

    Source: S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015.
    """
    given = [v for v in (offset, scale) if v is not None]
    x, mean, variance, *rest = promote(x, mean, variance, *given, at_least=float)
    place = axis % x.ndim if x.ndim else 0
    factor = rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * rest[-1]
    shift = full(mean.shape, 0, x.dtype) if offset is None else rest[0]
    if place != x.ndim - 1:  # the last axis broadcasts as it is
        view = tuple(-1 if i == place else 1 for i in range(x.ndim))
        mean, factor, shift = (reshape(v, view) for v in (mean, factor, shift))
    return apply(_AFFINE, x, mean, factor, shift)  # type: ignore[no-any-return]


# -- normalising each row by its own statistics: the last axes of x, which gamma and beta have


def _rows(x: Any, gamma: Any) -> tuple[int, ...]:
    """The last axes."""
    return tuple(range(x.ndim - gamma.ndim, x.ndim))


def _row_spec(name: str, x: Spec, gamma: Spec) -> Spec:
    rank = len(gamma.shape)
    if not rank or x.shape[-rank:] != gamma.shape:
        raise ShapeError(f"{name}: x is {x}, gamma is {gamma}; gamma must have the last axes of x.")
    return Spec(x.shape[:-rank] + (1,) * rank, x.dtype)


def _layer_spec(x: Spec, gamma: Spec, beta: Spec, epsilon: float) -> tuple[Spec, ...]:
    row = _row_spec("layer_norm", x, gamma)
    return x, row, row


def _check_rows(x: Any, gamma: Any) -> None:
    if not gamma.ndim or x.shape[-gamma.ndim :] != gamma.shape:  # it would be broadcast
        raise ValueError("a factor with the last axes of x is needed")


def _layer_kernel(xp: Any, x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    if beta.shape != gamma.shape:
        raise ValueError("a shift like gamma is needed")
    dtype, (x, gamma, beta) = x.dtype, _wide(x, gamma, beta)
    axes = _rows(x, gamma)
    _check_rows(x, gamma)
    mean = x.mean(axis=axes, keepdims=True)
    centred = x - mean
    inv = 1 / xp.sqrt((centred * centred).mean(axis=axes, keepdims=True) + x.dtype.type(epsilon))
    centred *= inv
    return _in_dtype(dtype, centred * gamma + beta, mean, inv)


def _layer_composed(x: Any, gamma: Any, beta: Any, epsilon: float) -> Any:
    axes = _rows(x, gamma)
    mean = mean_of(x, axes, True)
    inv = rsqrt(mean_of(square(x - mean), axes, True) + epsilon)
    return [(x - mean) * inv * gamma + beta, mean, inv]


def _row_gradient(g: Any, xhat: Any, gamma: Any, inv: Any, centred: bool, mean: Any) -> Any:
    """`dx` from the cotangent of the result; `mean` takes means over a row."""
    h = g * gamma
    dx = h - xhat * mean(h * xhat)
    return (dx - mean(h) if centred else dx) * inv


def _layer_grad_kernel(xp: Any, g: Any, x: Any, gamma: Any, mean: Any, inv: Any) -> Any:
    dtype, (g, x, gamma, mean, inv) = x.dtype, _wide(g, x, gamma, mean, inv)
    axes = _rows(x, gamma)
    lead = tuple(range(x.ndim - gamma.ndim))
    xhat = (x - mean) * inv
    dx = _row_gradient(g, xhat, gamma, inv, True, lambda v: v.mean(axis=axes, keepdims=True))
    return _in_dtype(dtype, dx, (g * xhat).sum(axis=lead), g.sum(axis=lead))


def _layer_grad_composed(g: Any, x: Any, gamma: Any, mean: Any, inv: Any) -> Any:
    axes = _rows(x, gamma)
    xhat = (x - mean) * inv
    dx = _row_gradient(g, xhat, gamma, inv, True, lambda v: mean_of(v, axes, True))
    return [dx, sum_to(g * xhat, gamma.shape), sum_to(g, gamma.shape)]


def _layer_rule(g: Any, x: Any, gamma: Any, beta: Any, y: Any, epsilon: float) -> Any:
    if g[1] is not None or g[2] is not None:
        return differentiate(
            functools.partial(_layer_composed, epsilon=epsilon), (x, gamma, beta), _zeros_for(g, y)
        )
    return apply(_LAYER_GRAD, g[0], x, gamma, y[1], y[2])


def _row_samples(beta: bool) -> Any:
    def samples(rng: np.random.Generator) -> Any:
        return [
            ([rng.normal(size=s), *(rng.normal(size=t) for _ in range(1 + beta))], {"epsilon": 0.1})
            for s, t in (((2, 3, 4), (4,)), ((2, 3, 2), (3, 2)), ((3,), (3,)))
        ]

    return samples


def _row_grad_samples(statistics: int) -> Any:
    def samples(rng: np.random.Generator) -> Any:
        return [
            ([*(rng.normal(size=s) for _ in range(2)), rng.normal(size=t),
              *(rng.uniform(0.5, 1, s[: -len(t)] + (1,) * len(t)) for _ in range(statistics))], {})
            for s, t in (((2, 3, 4), (4,)), ((2, 3, 2), (3, 2)), ((3,), (3,)))
        ]  # fmt: skip

    return samples


_LAYER = define_op(
    "layer_norm", "opaque", "x gamma beta", native=True, infer=_layer_spec, kernel=_layer_kernel,
    vjp=_layer_rule, multiple=True, samples=_row_samples(beta=True),
)  # fmt: skip
_LAYER_GRAD = define_op(
    "layer_norm_grad", "opaque", "g x gamma mean inv", native=True, multiple=True,
    infer=lambda g, x, gamma, mean, inv: (x, gamma, gamma), kernel=_layer_grad_kernel,
    vjp=lambda u, g, x, gamma, mean, inv, y: differentiate(
        _layer_grad_composed, (g, x, gamma, mean, inv), _zeros_for(u, y)
    ),
    samples=_row_grad_samples(2),
)  # fmt: skip


def _rms_kernel(xp: Any, x: Any, gamma: Any, epsilon: float) -> Any:
    _check_rows(x, gamma)
    dtype, (x, gamma) = x.dtype, _wide(x, gamma)
    power = (x * x).mean(axis=_rows(x, gamma), keepdims=True)
    inv = 1 / xp.sqrt(power + x.dtype.type(epsilon))
    return _in_dtype(dtype, x * inv * gamma, inv)


def _rms_composed(x: Any, gamma: Any, epsilon: float) -> Any:
    inv = rsqrt(mean_of(square(x), _rows(x, gamma), True) + epsilon)
    return [x * inv * gamma, inv]


def _rms_grad_kernel(xp: Any, g: Any, x: Any, gamma: Any, inv: Any) -> Any:
    dtype, (g, x, gamma, inv) = x.dtype, _wide(g, x, gamma, inv)
    axes = _rows(x, gamma)
    xhat = x * inv
    dx = _row_gradient(g, xhat, gamma, inv, False, lambda v: v.mean(axis=axes, keepdims=True))
    return _in_dtype(dtype, dx, (g * xhat).sum(axis=tuple(range(x.ndim - gamma.ndim))))


def _rms_grad_composed(g: Any, x: Any, gamma: Any, inv: Any) -> Any:
    axes = _rows(x, gamma)
    xhat = x * inv
    dx = _row_gradient(g, xhat, gamma, inv, False, lambda v: mean_of(v, axes, True))
    return [dx, sum_to(g * xhat, gamma.shape)]


def _rms_rule(g: Any, x: Any, gamma: Any, y: Any, epsilon: float) -> Any:
    if g[1] is not None:
        return differentiate(
            functools.partial(_rms_composed, epsilon=epsilon), (x, gamma), _zeros_for(g, y)
        )
    return apply(_RMS_GRAD, g[0], x, gamma, y[1])


_RMS = define_op(
    "rms_norm", "opaque", "x gamma", native=True, kernel=_rms_kernel, vjp=_rms_rule, multiple=True,
    infer=lambda x, gamma, epsilon: (x, _row_spec("rms_norm", x, gamma)),
    samples=_row_samples(beta=False),
)  # fmt: skip
_RMS_GRAD = define_op(
    "rms_norm_grad", "opaque", "g x gamma inv", native=True, multiple=True,
    infer=lambda g, x, gamma, inv: (x, gamma), kernel=_rms_grad_kernel,
    vjp=lambda u, g, x, gamma, inv, y: differentiate(
        _rms_grad_composed, (g, x, gamma, inv), _zeros_for(u, y)
    ),
    samples=_row_grad_samples(1),
)  # fmt: skip


def _by_row(op: Any, x: Any, axis: Any, weights: tuple[Any, ...], epsilon: float) -> Tensor:
    """Normalise over axes: the last ones directly, others moved there and back.

    `weights` are gamma and perhaps beta, or None. Those that have the axes' shape are part of the
    primitive; those that broadcast otherwise are applied to its result.
    """
    x = as_float(x)
    dtype = x.dtype
    x = cast(x, "float32") if dtype.itemsize < 4 else x
    axes = canonical_axes(op.name, axis, x.ndim)
    lead = tuple(i for i in range(x.ndim) if i not in axes)
    order = lead + axes
    moved = order != tuple(range(x.ndim))
    shape = tuple(x.shape[a] for a in axes)
    tensors = [None if w is None else cast(convert(w), x.dtype) for w in weights]
    fits = not moved and all(t is None or _trails(t, len(lead), shape) for t in tensors)
    blank = [full(shape, v, x.dtype) for v in (1, 0)][: len(weights)]
    inner = blank
    if fits:
        inner = [b if t is None else reshape(t, shape) if t.shape != shape else t
                 for t, b in zip(tensors, blank)]  # fmt: skip
    y = apply(op, transpose(x, order) if moved else x, *inner, epsilon=float(epsilon))[0]
    if moved:
        y = transpose(y, tuple(order.index(i) for i in range(x.ndim)))
    if not fits:
        gamma, beta = (*tensors, None)[:2]
        y = y if gamma is None else y * gamma
        y = y if beta is None else y + beta
    return cast(y, dtype)


def _trails(t: Tensor, lead: int, shape: tuple[int, ...]) -> bool:
    return t.shape in (shape, (1,) * lead + shape)


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float = 1e-3
) -> Tensor:
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta`, mean and variance over axes of each row.

    Args:
        x: Tensor; half types are computed in float32.
        gamma, beta: Of the axes' shape, or of one that broadcasts to `x`; 1 and 0 by default.
        axis: One or several.
        epsilon: Added to the variance.

    Source: J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016, equations 3 and 4.
    """
    return _by_row(_LAYER, x, axis, (gamma, beta), epsilon)


def rms_normalization(x: Any, gamma: Any = None, axis: Any = -1, epsilon: float = 1e-6) -> Tensor:
    """`x / sqrt(mean(x**2) + epsilon) * gamma`, the mean over axes of each row.

    Args:
        x: Tensor; half types are computed in float32.
        gamma: Of the axes' shape, or of one that broadcasts to `x`; 1 by default.
        axis: One or several.
        epsilon: Added to the mean square.

    Source: B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019, equation 4.
    """
    return _by_row(_RMS, x, axis, (gamma,), epsilon)
