"""Reductions, cumulative operations and the softmax family."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import ShapeError
from ..op import Op, Spec, define_op
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, convert
from ._args import as_float, canonical_axes, canonical_axis, same_spec
from ._define import as_bool
from .elementwise import cast, exp, maximum, minimum, negative, sqrt, square
from .logic import equal
from .shape import broadcast_to, concatenate, full, ones_like, reshape, transpose

__all__ = [
    "all", "any", "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "log_softmax",
    "logsumexp", "max", "mean", "min", "prod", "softmax", "std", "sum", "var",
]  # fmt: skip


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def _reduce_spec(x: Spec, axes: tuple[int, ...], keepdims: bool) -> Spec:
    return Spec(_reduced(x.shape, axes, keepdims), x.dtype)


def _spread(g: Any, spec: Spec, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """A reduced tensor repeated over the axes that were reduced."""
    if not keepdims:
        g = reshape(g, _reduced(spec.shape, axes, True))
    return broadcast_to(g, spec.shape)


def _samples(**extra: Any) -> Any:
    def samples(rng: np.random.Generator) -> Any:
        return [
            ([rng.normal(size=(2, 3, 4))], {"axes": (1,), "keepdims": False, **extra}),
            ([rng.normal(size=(2, 3))], {"axes": (0, 1), "keepdims": True, **extra}),
            ([rng.normal(size=())], {"axes": (), "keepdims": False, **extra}),
        ]

    return samples


def _sum_kernel(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    dtype = x.dtype
    if dtype.itemsize < 4 and dtypes.is_float(dtype):
        return x.astype("float32").sum(axis=axes, keepdims=keepdims).astype(dtype)
    if keepdims or len(axes) < x.ndim or xp is not np:
        return x.sum(axes, dtype, None, keepdims)
    # One number remains: with `out` it need not be made an array again.
    return xp.add.reduce(x, None, dtype, xp.empty((), dtype))


_SUM = define_op(
    "sum", "reduce", "x", infer=_reduce_spec, kernel=_sum_kernel, scalar="a + b",
    vjp=lambda g, x_spec, axes, keepdims: (_spread(g, x_spec, axes, keepdims),),
    samples=_samples(),
)  # fmt: skip


@functools.lru_cache(maxsize=64)
def _accumulator(dtype: dtypes.DType) -> dtypes.DType:
    """The dtype in which Keras adds: small integers widen to 32 bits."""
    if dtype.name in ("bool", "int8", "int16", "int4"):
        return np.dtype("int32")
    return np.dtype("uint32") if dtype.name in ("uint8", "uint16", "uint4") else dtype


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum over axes (all by default). Booleans and small integers add up in 32 bits."""
    if type(x) is Tensor and (array := x._value).dtype.kind == "f":
        rank = array.ndim
    else:
        x = convert(x)
        if x.dtype.kind != "f":
            x = cast(x, _accumulator(x.dtype))
        rank = x.ndim
    return _total(x, canonical_axes("sum", axis, rank), bool(keepdims))


def _total(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The sum over axes, which is a view if all have one element."""
    shape = x.shape
    for a in axes:
        if shape[a] != 1:
            return apply(_SUM, x, axes=axes, keepdims=keepdims)
    return x if keepdims or not axes else reshape(x, _reduced(shape, axes, False))


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over axes; integers become `floatx`."""
    x = as_float(x)
    axes = canonical_axes("mean", axis, x.ndim)
    count = 1
    for a in axes:
        count *= x.shape[a]
    half = x.dtype.itemsize < 4
    total = _total(cast(x, "float32") if half else x, axes, bool(keepdims))
    if count == 0:
        return total * float("nan")
    if count == 1:
        return cast(total, x.dtype)
    return cast(total / float(count), x.dtype) if half else total / float(count)


def _extreme(name: str, doc: str, bound: Any) -> Any:
    def kernel(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        return getattr(xp, name)(x, axis=axes, keepdims=keepdims)

    def rule(g: Any, x: Any, y: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        spec = x.spec
        winners = cast(equal(x, _spread(y, spec, axes, keepdims)), x.dtype)
        count = apply(_SUM, winners, axes=axes, keepdims=keepdims)
        return (winners * _spread(g / count, spec, axes, keepdims),)

    op = define_op(
        name, "reduce", "x", infer=_reduce_spec, kernel=kernel, vjp=rule, samples=_samples()
    )

    def function(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        x = convert(x)
        axes = canonical_axes(name, axis, x.ndim)
        if initial is None:
            if any_empty(x.shape, axes):
                raise ShapeError(
                    f"{name}: x is {x.spec}: an empty axis has no {name}imum. Give `initial`."
                )
            return apply(op, x, axes=axes, keepdims=bool(keepdims))
        if any_empty(x.shape, axes):
            return full(_reduced(x.shape, axes, bool(keepdims)), initial, x.dtype)
        return bound(apply(op, x, axes=axes, keepdims=bool(keepdims)), initial)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def any_empty(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether one of the axes has no elements."""
    return 0 in [shape[a] for a in axes]


max = _extreme("max", "Largest element over axes; ties share the gradient.", maximum)
min = _extreme("min", "Smallest element over axes; ties share the gradient.", minimum)


def _prod_rule(g: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The product of all others, without dividing, so that zeros are right."""
    rank = x.ndim
    order = tuple(i for i in range(rank) if i not in axes) + axes
    moved = transpose(x, order)
    kept = moved.shape[: rank - len(axes)]
    rows = reshape(moved, (*kept, int(np.prod([x.shape[a] for a in axes], dtype=int))))
    others = _cumprod_others(rows)
    back = reshape(others, moved.shape)
    inverse = tuple(int(i) for i in np.argsort(order)) if rank else ()
    return (transpose(back, inverse) * _spread(g, x.spec, axes, keepdims),)


def _cumprod_others(rows: Any) -> Any:
    """For each element of the last axis the product of the other ones."""
    n = rows.shape[-1]
    columns = [rows[..., i : i + 1] for i in range(n)]
    ones = ones_like(columns[0]) if n else rows
    before, after = [ones], [ones]
    for i in range(n - 1):
        before.append(before[-1] * columns[i])
        after.append(after[-1] * columns[n - 1 - i])
    pairs = [b * a for b, a in zip(before, reversed(after), strict=True)]
    return concatenate(pairs, -1) if n else rows


_PROD = define_op(
    "prod", "reduce", "x", infer=_reduce_spec, vjp=_prod_rule, samples=_samples(), scalar="a * b",
    kernel=lambda xp, x, axes, keepdims: xp.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype),
)  # fmt: skip


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over axes; the gradient is right where elements are zero."""
    x = convert(x)
    x = cast(x, dtype or _accumulator(x.dtype))
    return apply(_PROD, x, axes=canonical_axes("prod", axis, x.ndim), keepdims=bool(keepdims))


def _truth(name: str, doc: str) -> Any:
    def infer(x: Spec, axes: tuple[int, ...], keepdims: bool) -> Spec:
        return Spec(_reduced(x.shape, axes, keepdims), np.dtype(bool))

    op = define_op(
        name, "reduce", "x", infer=infer,
        kernel=lambda xp, x, axes, keepdims: getattr(xp, name)(x, axis=axes, keepdims=keepdims),
        samples=lambda rng: [([rng.random((2, 3)) < 0.5], {"axes": (1,), "keepdims": False})],
    )  # fmt: skip

    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = as_bool(x)
        return apply(op, x, axes=canonical_axes(name, axis, x.ndim), keepdims=bool(keepdims))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


any = _truth("any", "Whether one element is true, over axes.")
all = _truth("all", "Whether every element is true, over axes.")


def _arg(name: str, doc: str) -> Any:
    def infer(x: Spec, axis: int, keepdims: bool) -> Spec:
        return Spec(_reduced(x.shape, (axis,), keepdims), np.dtype("int32"))

    def kernel(xp: Any, x: Any, axis: int, keepdims: bool) -> Any:
        if dtypes.is_float(x.dtype):
            # Keras orders -0.0 before 0.0.
            below = (x == 0) & xp.signbit(x)
            if below.any():
                x = xp.where(below, x.dtype.type(-dtypes.limits(x.dtype).smallest_normal), x)
        return getattr(xp, name)(x, axis=axis, keepdims=keepdims).astype("int32")

    op = define_op(
        name, "reduce", "x", infer=infer, kernel=kernel,
        samples=lambda rng: [([rng.normal(size=(2, 3))], {"axis": 1, "keepdims": False})],
    )  # fmt: skip

    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = convert(x)
        if axis is None:
            flat = apply(op, reshape(x, (-1,)), axis=0, keepdims=False)
            return reshape(flat, (1,) * x.ndim) if keepdims else flat
        return apply(op, x, axis=canonical_axis(name, axis, x.ndim), keepdims=bool(keepdims))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


argmax = _arg("argmax", "Index of the first largest element along an axis, or in the flat tensor.")
argmin = _arg("argmin", "Index of the first smallest element along an axis, or in the flat tensor.")


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements are not zero."""
    return sum(as_bool(x), axis, keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Variance `mean((x - mean(x))**2)`, in two passes."""
    x = as_float(x)
    wide = cast(x, "float32") if x.dtype.itemsize < 4 else x
    return cast(mean(square(wide - mean(wide, axis, True)), axis, keepdims), x.dtype)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Standard deviation, the root of `var`."""
    return sqrt(var(x, axis, keepdims))


# -- the softmax family: primitive, since composing loses accuracy


def _logsumexp_kernel(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    if 0 in (x.shape[a] for a in axes):
        return xp.full(_reduced(x.shape, axes, keepdims), -xp.inf, x.dtype)
    top = wide.max(axis=axes, keepdims=True)
    top = xp.where(xp.isfinite(top), top, 0).astype(wide.dtype)
    result = xp.log(xp.exp(wide - top).sum(axis=axes, keepdims=True)) + top
    return result.reshape(_reduced(x.shape, axes, keepdims)).astype(x.dtype)


_LOGSUMEXP = define_op(
    "logsumexp", "reduce", "x", infer=_reduce_spec, kernel=_logsumexp_kernel,
    # Of softmax, not exp(x - y): y rounds where it is large.
    vjp=lambda g, x, axes, keepdims: (
        _spread(g, x.spec, axes, keepdims) * apply(_SOFTMAX, x, axes=axes),
    ),
    samples=_samples(),
)  # fmt: skip


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`log(sum(exp(x)))` over axes, without overflow."""
    x = as_float(x)
    return apply(
        _LOGSUMEXP, x, axes=canonical_axes("logsumexp", axis, x.ndim), keepdims=bool(keepdims)
    )


def _softmax_kernel(xp: Any, x: Any, axes: tuple[int, ...]) -> Any:
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    if x.size == 0:
        return x.copy()
    powers = xp.exp(wide - wide.max(axis=axes, keepdims=True))
    powers /= powers.sum(axis=axes, keepdims=True)
    return powers.astype(x.dtype, copy=False)


def _log_softmax_kernel(xp: Any, x: Any, axes: tuple[int, ...]) -> Any:
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    if x.size == 0:
        return x.copy()
    shifted = wide - wide.max(axis=axes, keepdims=True)
    shifted -= xp.log(xp.exp(shifted).sum(axis=axes, keepdims=True))
    return shifted.astype(x.dtype, copy=False)


def _soft_samples(rng: np.random.Generator) -> Any:
    return [
        ([rng.normal(size=(2, 3, 4))], {"axes": (2,)}),
        ([rng.normal(size=(2, 3, 4))], {"axes": (0, 1)}),
    ]


def _pull_samples(rng: np.random.Generator) -> Any:
    return [
        ([rng.normal(size=(2, 3, 4)), rng.uniform(0, 1, (2, 3, 4))], {"axes": axes})
        for axes in ((2,), (0, 1))
    ]


def _softmax_pull(xp: Any, g: Any, y: Any, axes: tuple[int, ...]) -> Any:
    a, b = (v.astype("float32") if v.dtype.itemsize < 4 else v for v in (g, y))
    return (b * (a - (a * b).sum(axis=axes, keepdims=True))).astype(y.dtype, copy=False)


def _log_softmax_pull(xp: Any, g: Any, y: Any, axes: tuple[int, ...]) -> Any:
    a, b = (v.astype("float32") if v.dtype.itemsize < 4 else v for v in (g, y))
    return (a - xp.exp(b) * a.sum(axis=axes, keepdims=True)).astype(y.dtype, copy=False)


def _softmax_pull_rule(u: Any, g: Any, y: Any, axes: tuple[int, ...], needs: Any) -> Any:
    """The Jacobian `diag(y) - y y'` is symmetric: the cotangent of g is pulled back as g is."""
    of_g = apply(_SOFTMAX_GRAD, u, y, axes=axes) if needs[0] else None
    if not needs[1]:
        return of_g, None
    return of_g, u * (g - sum(g * y, axes, True)) - g * sum(u * y, axes, True)


def _log_softmax_pull_rule(u: Any, g: Any, y: Any, axes: tuple[int, ...]) -> Any:
    p = exp(y)
    return u - sum(u * p, axes, True), negative(u * p * sum(g, axes, True))


# Their gradients are primitives too: a row is in the cache for all passes over it.
_SOFTMAX_GRAD: Op = define_op(
    "softmax_grad", "reduce", "g y", infer=lambda g, y, axes: y, kernel=_softmax_pull,
    vjp=_softmax_pull_rule, samples=_pull_samples,
)  # fmt: skip
_LOG_SOFTMAX_GRAD = define_op(
    "log_softmax_grad", "reduce", "g y", infer=lambda g, y, axes: y, kernel=_log_softmax_pull,
    vjp=_log_softmax_pull_rule, samples=_pull_samples,
)  # fmt: skip
_SOFTMAX: Op = define_op(
    "softmax", "reduce", "x", infer=same_spec, kernel=_softmax_kernel,
    vjp=lambda g, y, axes: (apply(_SOFTMAX_GRAD, g, y, axes=axes),), samples=_soft_samples,
)  # fmt: skip
_LOG_SOFTMAX = define_op(
    "log_softmax", "reduce", "x", infer=same_spec, kernel=_log_softmax_kernel,
    vjp=lambda g, y, axes: (apply(_LOG_SOFTMAX_GRAD, g, y, axes=axes),), samples=_soft_samples,
)  # fmt: skip


def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x) / sum(exp(x))` over the axis, axes, or (None) all."""
    x = as_float(x)
    return apply(_SOFTMAX, x, axes=canonical_axes("softmax", axis, x.ndim))


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """`log(softmax(x))` without the loss of accuracy."""
    x = as_float(x)
    return apply(_LOG_SOFTMAX, x, axes=canonical_axes("log_softmax", axis, x.ndim))


# -- cumulative


def _cumulative(name: str, doc: str, rule: Any) -> Any:
    def kernel(xp: Any, x: Any, axis: int, reverse: bool) -> Any:
        half = x.dtype.itemsize < 4 and dtypes.is_float(x.dtype)
        wide = x.astype("float32") if half else x
        flipped = xp.flip(wide, axis) if reverse else wide
        result = getattr(xp, name)(flipped, axis=axis, dtype=wide.dtype).astype(x.dtype, copy=False)
        return xp.flip(result, axis) if reverse else result

    op = define_op(
        name, "reduce", "x", infer=lambda x, axis, reverse: x, kernel=kernel, vjp=rule,
        samples=lambda rng: [
            ([rng.normal(size=(2, 3))], {"axis": 1, "reverse": False}),
            ([rng.normal(size=(2, 3))], {"axis": 0, "reverse": True}),
        ],
    )  # fmt: skip

    def function(x: Any, axis: Any = None, dtype: Any = None, reverse: bool = False) -> Any:
        x = convert(x)
        x = cast(x, dtype or ("int32" if x.dtype == np.bool_ else x.dtype))
        if axis is None:
            x, axis = reshape(x, (-1,)), 0
        return apply(op, x, axis=canonical_axis(name, axis, x.ndim), reverse=bool(reverse))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _cumprod_rule(g: Any, x: Any, axis: int, reverse: bool) -> Any:
    """d y_j / d x_i is the product of the others up to j: by a recurrence, right at zeros.

    With y_j = y_(j-1) x_j, the cotangent of y_j is c_j = g_j + c_(j+1) x_(j+1), and
    that of x_j is c_j y_(j-1).
    """
    n = x.shape[axis]
    if n == 0:
        return (g,)
    order = range(n - 1, -1, -1) if reverse else range(n)
    key = (slice(None),) * axis
    xs = [x[(*key, slice(i, i + 1))] for i in order]
    gs = [g[(*key, slice(i, i + 1))] for i in order]
    before = [ones_like(xs[0])]
    for part in xs[:-1]:
        before.append(before[-1] * part)
    carry, found = gs[-1], []
    for j in range(n - 1, -1, -1):
        found.append(carry * before[j])
        if j:
            carry = gs[j - 1] + carry * xs[j]
    return (concatenate(found if reverse else found[::-1], axis),)


cumsum: Any = _cumulative(
    "cumsum", "Sums of all elements up to each, along an axis (the flat tensor by default).",
    lambda g, axis, reverse: (cumsum(g, axis, reverse=not reverse),),
)  # fmt: skip
cumprod = _cumulative(
    "cumprod", "Products of all elements up to each, along an axis.", _cumprod_rule
)

OPERATORS["sum"] = sum
NUMPY_FUNCTIONS.update({
    np.sum: sum, np.mean: mean, np.max: max, np.min: min, np.prod: prod, np.any: any, np.all: all,
    np.argmax: argmax, np.argmin: argmin, np.var: var, np.std: std, np.cumsum: cumsum,
    np.cumprod: cumprod, np.count_nonzero: count_nonzero,
})  # fmt: skip
