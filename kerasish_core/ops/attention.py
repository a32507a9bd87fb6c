"""Attention as one primitive, for devices that have a kernel of it: weights never lie in memory.

`y = softmax(scale q k') v` of each head. Arrays are `(batch, places, heads, size)`; keys and values
may have fewer heads, of which each serves as many consecutive heads of the queries. Beside `y`
stand what the backward primitive computes the weights from: of each query the largest score, and
the sum of `exp(score - largest)`, both `(batch, heads, queries)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply, differentiate
from ..errors import DTypeError, ShapeError
from ..op import Spec, define_op
from ..tensor import OPERATORS, Tensor
from ._args import convert, promote
from .creation import tri
from .elementwise import cast, exp, where
from .linalg import matmul
from .logic import logical_and
from .reduce import max, softmax, sum
from .shape import full, reshape, transpose

__all__ = ["attention"]


class _Ops:
    """What the formulas are written in, for tensors; a module of arrays has the same names."""

    exp, full, logical_and, matmul, max = exp, full, logical_and, matmul, max
    reshape, sum, transpose, tri, where = reshape, sum, transpose, tri, where


def _heads_first(o: Any, x: Any) -> Any:
    return o.transpose(x, (0, 2, 1, 3))


def _shared(o: Any, left: Any, right: Any) -> Any:
    """`left right` where heads of `left` share those of `right`; both `(batch, heads, ., .)`."""
    batch, heads, rows, inner = left.shape
    owners = right.shape[1]
    if owners == heads:
        return o.matmul(left, right)
    grouped = o.reshape(left, (batch, owners, heads // owners * rows, inner))
    return o.reshape(o.matmul(grouped, right), (batch, heads, rows, right.shape[-1]))


def _joined(o: Any, x: Any, owners: int) -> Any:
    """Heads `(batch, heads, keys, size)` summed over those that share an owner."""
    batch, heads, rows, size = x.shape
    if owners == heads:
        return x
    return o.sum(o.reshape(x, (batch, owners, heads // owners, rows, size)), axis=2)


def _seen(o: Any, scores: Any, mask: Any, causal: bool) -> Any:
    """Which scores count, or None for all of them."""
    earlier = o.tri(*scores.shape[-2:], dtype="bool") if causal else None
    if mask is None or earlier is None:
        return earlier if mask is None else mask
    return o.logical_and(mask, earlier)


def _scores(o: Any, q: Any, k: Any, mask: Any, scale: float, causal: bool) -> tuple[Any, Any]:
    """Scores, those that do not count as low as no other, and which do (None: all)."""
    s = _shared(o, _heads_first(o, q), o.transpose(k, (0, 2, 3, 1)))
    s = s * o.full((), scale, dtype=s.dtype)
    seen = _seen(o, s, mask, causal)
    if seen is None:
        return s, None
    lowest = 0.7 * float(dtypes.limits(s.dtype).min)
    return o.where(seen, s, o.full((), lowest, dtype=s.dtype)), seen


def _forward(o: Any, q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool) -> list[Any]:
    s, _ = _scores(o, q, k, mask, scale, causal)
    top = o.max(s, axis=-1, keepdims=True)
    e = o.exp(s - top)
    total = o.sum(e, axis=-1, keepdims=True)
    y = _heads_first(o, _shared(o, e / total, _heads_first(o, v)))
    return [y, top[..., 0], total[..., 0]]


def _backward(
    o: Any, q: Any, k: Any, v: Any, y: Any, top: Any, total: Any, g: Any, mask: Any, scale: float,
    causal: bool,
) -> list[Any]:  # fmt: skip
    s, seen = _scores(o, q, k, mask, scale, causal)
    owners = k.shape[2]
    weights = o.exp(s - top[..., None]) / total[..., None]
    of_y = _heads_first(o, g)
    dv = _joined(o, o.matmul(o.transpose(weights, (0, 1, 3, 2)), of_y), owners)
    pulled = _shared(o, of_y, o.transpose(v, (0, 2, 3, 1)))
    inner = o.sum(of_y * _heads_first(o, y), axis=-1, keepdims=True)
    ds = weights * (pulled - inner) * o.full((), scale, dtype=s.dtype)
    ds = ds if seen is None else o.where(seen, ds, o.full((), 0, dtype=s.dtype))
    dq = _shared(o, ds, _heads_first(o, k))
    dk = _joined(o, o.matmul(o.transpose(ds, (0, 1, 3, 2)), _heads_first(o, q)), owners)
    return [_heads_first(o, x) for x in (dq, dk, dv)]


# -- the primitives: q, k, v, what the backward one is given beside them, and perhaps a mask


def _split(xs: Any, fixed: int) -> list[Any]:
    return [*xs[:fixed], xs[fixed] if len(xs) > fixed else None]


def _kernel(run: Any, rule: Any, fixed: int) -> Any:
    """Half types are computed in float32, and results given as `infer` says."""

    def kernel(xp: Any, *xs: Any, **attrs: Any) -> Any:
        rule(*(Spec(x.shape, x.dtype) for x in xs))  # what broadcasting would let pass
        dtype = xs[0].dtype
        wide = [x.astype("float32") if x.dtype == dtype and dtype.itemsize < 4 else x for x in xs]
        found = run(xp, *_split(wide, fixed), **attrs)
        halves = len(found) if fixed > 3 else 1
        return tuple(y.astype(dtype, copy=False) if i < halves else y for i, y in enumerate(found))

    return kernel


def _wide(x: Any) -> Any:
    return cast(x, "float32") if dtypes.is_float(x.dtype) and x.dtype.itemsize < 4 else x


def _in_tensors(run: Any, fixed: int, attrs: Any) -> Any:
    """The formula in tensors, to be differentiated again."""

    def composed(*xs: Any) -> list[Any]:
        found = run(_Ops, *_split([_wide(x) for x in xs], fixed), **attrs)
        halves = len(found) if fixed > 3 else 1
        return [cast(y, xs[0].dtype) if i < halves else y for i, y in enumerate(found)]

    return composed


def _as_products(q: Any, k: Any, v: Any, *mask: Any, scale: float, causal: bool) -> Any:
    """Attention as products and a softmax in the operands' own dtype."""
    s, _ = _scores(_Ops, q, k, mask[0] if mask else None, scale, causal)
    return _heads_first(_Ops, _shared(_Ops, softmax(s, -1), _heads_first(_Ops, v)))


def _without_kernel(*xs: Any, **attrs: Any) -> list[Any]:
    """What programs on a GPU run where its kernel does not serve. The statistics mostly go."""
    _, *statistics = _in_tensors(_forward, 3, attrs)(*xs)
    return [_as_products(*xs, **attrs), *statistics]


def _grad_without_kernel(*xs: Any, **attrs: Any) -> list[Any]:
    q, k, v, _, _, _, g, *mask = xs
    found = differentiate(lambda *t: [_as_products(*t, **attrs)], (q, k, v, *mask), [g])
    return list(found[:3])


def _spec(q: Spec, k: Spec, v: Spec, *masks: Spec, **_: Any) -> tuple[Spec, ...]:
    """The rule of `attention`.

    Raises:
        ShapeError: The operands do not fit.
        DTypeError: They are no floats of one kind, or the mask is not boolean.
    """
    given = ", ".join(f"{n} is {s}" for n, s in zip("qkv", (q, k, v)))
    ranks = {len(s.shape) for s in (q, k, v)}
    if ranks != {4} or k.shape[:3] != v.shape[:3] or k.shape[1] == 0:
        raise ShapeError(
            f"attention: {given}; (batch, places, heads, size) are needed, keys and values with "
            "the same places, one or more, and heads."
        )
    if q.shape[0] != k.shape[0] or q.shape[3] != k.shape[3] or q.shape[2] % (k.shape[2] or 1):
        raise ShapeError(
            f"attention: {given}; the batch and the size of queries and keys must be the same, and "
            "the heads of q a multiple of those of k."
        )
    if not (dtypes.is_float(q.dtype) and q.dtype == k.dtype == v.dtype):
        raise DTypeError(f"attention: {given}; floats of one dtype are needed. Cast them.")
    batch, queries, heads, _size = q.shape
    for mask in masks:
        whole = (batch, heads, queries, k.shape[1])
        fits = len(mask.shape) == 4 and all(n in (1, w) for n, w in zip(mask.shape, whole))
        if not fits or len(masks) > 1:
            raise ShapeError(f"attention: mask is {mask}; it must broadcast to {whole}.")
        if mask.dtype != np.bool_:
            raise DTypeError(f"attention: mask is {mask}; it must be boolean.")
    kind = np.dtype("float32") if q.dtype.itemsize < 4 else q.dtype
    statistic = Spec((batch, heads, queries), kind)
    return Spec((batch, queries, heads, v.shape[-1]), q.dtype), statistic, statistic


def _grad_spec(
    q: Spec, k: Spec, v: Spec, y: Spec, top: Spec, total: Spec, g: Spec, *masks: Spec, **_: Any
) -> tuple[Spec, ...]:
    """The rule of `attention_grad`.

    Raises:
        ShapeError: The operands do not fit.
    """
    wanted = _spec(q, k, v, *masks)
    for name, found, right in zip(("y", "top", "total"), (y, top, total), wanted):
        if found.shape != right.shape:
            raise ShapeError(f"attention_grad: {name} is {found}; it must be {right}.")
    if g.shape != y.shape:
        raise ShapeError(f"attention_grad: g is {g}; it must be {y}.")
    return q, k, v


def _zeros_for(g: Any, ys: Any) -> list[Any]:
    return [OPERATORS["zeros"](y.shape, y.dtype) if u is None else u for u, y in zip(g, ys)]


def _rule(g: Any, xs: Any, y: Any, scale: float, causal: bool) -> Any:
    attrs = {"scale": scale, "causal": causal}
    if g[1] is not None or g[2] is not None:
        return differentiate(_in_tensors(_forward, 3, attrs), xs, _zeros_for(g, y))
    found = apply(_ATTENTION_GRAD, *xs[:3], *y, g[0], *xs[3:], **attrs)
    return *found, *(None for _ in xs[3:])


def _grad_rule(g: Any, xs: Any, y: Any, scale: float, causal: bool) -> Any:
    attrs = {"scale": scale, "causal": causal}
    return differentiate(_in_tensors(_backward, 7, attrs), xs, _zeros_for(g, y))


def _samples(rng: np.random.Generator) -> Any:
    def f(*shape: int) -> Any:
        return rng.normal(size=shape)

    mask = rng.random((2, 1, 3, 4)) < 0.6
    mask[..., 1] = True  # of the place of one that may look nowhere there is no slope
    return [
        ([f(2, 3, 2, 4), f(2, 4, 2, 4), f(2, 4, 2, 3)], {"scale": 0.5, "causal": False}),
        ([f(2, 3, 4, 2), f(2, 4, 2, 2), f(2, 4, 2, 2), mask], {"scale": 0.7, "causal": False}),
        ([f(1, 4, 2, 2), f(1, 4, 1, 2), f(1, 4, 1, 2)], {"scale": 1.0, "causal": True}),
    ]


def _grad_samples(rng: np.random.Generator) -> Any:
    found = []
    for arrays, attrs in _samples(rng):
        q, k, v, *mask = arrays
        y, top, total = _forward(np, *_split(arrays, 3), **attrs)
        found.append(([q, k, v, y, top, total, rng.normal(size=y.shape), *mask], attrs))
    return found


_ATTENTION = define_op(
    "attention", "opaque", "*xs", infer=_spec, kernel=_kernel(_forward, _spec, 3), multiple=True,
    vjp=_rule, cuda=_without_kernel, samples=_samples,
)  # fmt: skip
_ATTENTION_GRAD = define_op(
    "attention_grad", "opaque", "*xs", multiple=True,
    infer=_grad_spec, kernel=_kernel(_backward, _grad_spec, 7), vjp=_grad_rule,
    cuda=_grad_without_kernel, samples=_grad_samples,
)  # fmt: skip


def attention(
    q: Any, k: Any, v: Any, mask: Any = None, scale: float = 1.0, causal: bool = False
) -> Tensor:
    """`softmax(scale q k') v`, head by head.

    Args:
        q: `(batch, queries, heads, size)`.
        k, v: `(batch, keys, owners, size)`; each owner serves `heads / owners` consecutive heads.
        mask: Broadcast to `(batch, heads, queries, keys)`: true where a query may look. One that
            may look nowhere weighs all keys alike.
        scale: Of the scores.
        causal: Whether each query looks only at keys not later than it.

    Returns:
        `(batch, queries, heads, size of v)`.

    Raises:
        ShapeError: The operands do not fit.

    Source: Dao, FlashAttention-2 (2023), equations of section 3.1.
    """
    given = list(promote(q, k, v, at_least=float))
    if mask is not None:
        mask = cast(convert(mask), "bool")
        given.append(reshape(mask, (1,) * (4 - mask.ndim) + mask.shape))
    y, _, _ = apply(_ATTENTION, *given, scale=float(scale), causal=bool(causal))
    return y  # type: ignore[no-any-return]
