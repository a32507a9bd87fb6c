"""Products of tensors."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import ShapeError
from ..op import Spec, define_op, same_dtype
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor, convert
from ._args import canonical_axes, canonical_axis, promote
from .elementwise import cast
from .reduce import sum
from .shape import expand_dims, moveaxis, reshape, sum_to, swapaxes, transpose

__all__ = [
    "cross", "diag", "diagonal", "dot", "inner", "kron", "matmul", "outer", "tensordot",
    "trace", "vdot",
]  # fmt: skip


def _matmul_spec(a: Spec, b: Spec) -> Spec:
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        hint = ""
        if len(b.shape) >= 2 and len(a.shape) >= 2 and a.shape[-1] == b.shape[-1]:
            hint = " Transpose b?"
        raise ShapeError(
            f"matmul: a is {a}, b is {b}; a.shape[-1] ({a.shape[-1] if a.shape else '-'}) must "
            f"equal b.shape[-2] ({b.shape[-2] if len(b.shape) > 1 else '-'}).{hint}"
        )
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ShapeError(f"matmul: a is {a}, b is {b}; batch axes do not broadcast.") from None
    return Spec((*batch, a.shape[-2], b.shape[-1]), same_dtype("matmul", (a, b)))


def _matmul_kernel(xp: Any, a: Any, b: Any) -> Any:
    if a.ndim < 2 or b.ndim < 2 or a.dtype != b.dtype:
        raise ValueError("two matrices of one dtype are needed")
    if dtypes.is_float(a.dtype) and a.dtype.itemsize < 4:
        return xp.matmul(a.astype("float32"), b.astype("float32")).astype(a.dtype)
    if b.ndim == 2 and a.ndim > 2:  # one large product instead of a loop over the batch
        return xp.matmul(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    return xp.matmul(a, b)


def _matmul_rule(g: Any, a: Any, b: Any, needs: Any) -> Any:
    of_a = of_b = None
    if needs[0]:
        of_a = sum_to(apply(_MATMUL, g, swapaxes(b, -1, -2)), a.shape)
    if needs[1]:
        if b.ndim == 2 and a.ndim > 2:
            rows = reshape(a, (-1, a.shape[-1]))
            of_b = apply(_MATMUL, transpose(rows), reshape(g, (-1, g.shape[-1])))
        else:
            of_b = sum_to(apply(_MATMUL, swapaxes(a, -1, -2), g), b.shape)
    return of_a, of_b


_MATMUL = define_op(
    "matmul", "contraction", "a b", infer=_matmul_spec, kernel=_matmul_kernel, vjp=_matmul_rule,
    samples=lambda rng: [
        ([rng.normal(size=s), rng.normal(size=t)], {})
        for s, t in (((2, 3), (3, 4)), ((2, 2, 3), (3, 2)), ((2, 1, 2, 3), (3, 3, 2)))
    ],
)  # fmt: skip


def matmul(x1: Any, x2: Any) -> Tensor:
    """Matrix product over the last two axes; leading axes broadcast, vectors are taken as such.

    Raises:
        ShapeError: The inner sizes differ.
    """
    if type(x1) is Tensor and type(x2) is Tensor and x1.dtype is x2.dtype and x1.dtype.kind == "f":
        a, b = x1, x2
    else:
        first, second = convert(x1), convert(x2)
        small = first.dtype == second.dtype and first.dtype.name == "int8"
        a, b = promote(first, second)
        if small:  # int8 products add up in 32 bits
            a, b = cast(a, "int32"), cast(b, "int32")
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            f"matmul: a is {a.spec}, b is {b.spec}: scalars have no product; use multiply."
        )
    if a.ndim > 1 and b.ndim > 1:
        return apply(_MATMUL, a, b)  # type: ignore[no-any-return]
    left = expand_dims(a, 0) if a.ndim == 1 else a
    right = expand_dims(b, 1) if b.ndim == 1 else b
    result = apply(_MATMUL, left, right)
    shape = result.shape[:-2] + (() if a.ndim == 1 else result.shape[-2:-1])
    return reshape(result, shape + (() if b.ndim == 1 else result.shape[-1:]))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Tensor:
    """Sum of products over the named axes of both.

    Args:
        x1, x2: Tensors.
        axes: How many (last of `x1`, first of `x2`), or a pair of lists of axes.
    """
    a, b = promote(x1, x2)
    if isinstance(axes, int | np.integer):
        if not 0 <= axes <= builtins.min(a.ndim, b.ndim):
            raise ShapeError(
                f"tensordot: x1 is {a.spec}, x2 is {b.spec}: axes={axes} is more than they have."
            )
        left = list(range(a.ndim - axes, a.ndim))
        right = list(range(axes))
    else:
        pairs = [list(v) if isinstance(v, list | tuple) else [v] for v in axes]
        left = [canonical_axis("tensordot", i, a.ndim) for i in pairs[0]]
        right = [canonical_axis("tensordot", i, b.ndim) for i in pairs[1]]
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ShapeError(
            f"tensordot: x1 is {a.spec}, x2 is {b.spec}; axes {left} and {right} must have "
            "equal sizes."
        )
    keep_a = [i for i in range(a.ndim) if i not in left]
    keep_b = [i for i in range(b.ndim) if i not in right]
    inner = int(np.prod([a.shape[i] for i in left], dtype=int))
    rows = int(np.prod([a.shape[i] for i in keep_a], dtype=int))
    columns = int(np.prod([b.shape[i] for i in keep_b], dtype=int))
    product = apply(  # not matmul, which widens int8
        _MATMUL,
        reshape(transpose(a, keep_a + left), (rows, inner)),
        reshape(transpose(b, right + keep_b), (inner, columns)),
    )
    return reshape(product, [a.shape[i] for i in keep_a] + [b.shape[i] for i in keep_b])


def dot(x1: Any, x2: Any) -> Tensor:
    """NumPy's dot: the last axis of `x1` with the last but one of `x2`; scalars multiply."""
    a, b = promote(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b  # type: ignore[no-any-return]
    return tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))


def inner(x1: Any, x2: Any) -> Tensor:
    """Sum of products over the last axes."""
    a, b = promote(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b  # type: ignore[no-any-return]
    return tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


def outer(x1: Any, x2: Any) -> Tensor:
    """Products of all pairs, both tensors flattened."""
    a, b = promote(x1, x2)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))  # type: ignore[no-any-return]


def vdot(x1: Any, x2: Any) -> Tensor:
    """Sum of products of all elements."""
    a, b = promote(x1, x2)
    return dot(reshape(a, (-1,)), reshape(b, (-1,)))


def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
          axis: int | None = None) -> Tensor:  # fmt: skip
    """Cross product of vectors of 3 (or 2) components."""
    a, b = promote(x1, x2)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    sizes = (a.shape[-1], b.shape[-1])
    if not set(sizes) <= {2, 3}:
        raise ShapeError(f"cross: vectors of 2 or 3 components are needed, got {sizes}.")
    zero = a[..., 0] * 0
    (ax, ay, *az), (bx, by, *bz) = ([v[..., i] for i in range(v.shape[-1])] for v in (a, b))
    last = ax * by - ay * bx
    if sizes == (2, 2):
        return last  # type: ignore[no-any-return]
    a2, b2 = (az or [zero])[0], (bz or [zero])[0]
    parts = [ay * b2 - a2 * by, a2 * bx - ax * b2, last]
    return moveaxis(OPERATORS["stack"](parts, -1), -1, axisc)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements `x[i, i + offset]` of two axes, as the last axis."""
    x = convert(x)
    i, j = canonical_axes("diagonal", (axis1, axis2), x.ndim)
    if canonical_axis("diagonal", axis1, x.ndim) > canonical_axis("diagonal", axis2, x.ndim):
        offset = -offset
    moved = moveaxis(x, (i, j), (-2, -1))
    first, second = max(-offset, 0), max(offset, 0)
    count = max(min(moved.shape[-2] - first, moved.shape[-1] - second), 0)
    steps = np.arange(count)
    return moved[..., steps + first, steps + second]


def diag(x: Any, k: int = 0) -> Tensor:
    """A matrix with `x` on its k-th diagonal, or the k-th diagonal of the matrix `x`."""
    x = convert(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag: x is {x.spec}; one or two axes are needed. Use diagonal.")
    size = x.shape[0] + abs(k)
    steps = np.arange(x.shape[0])
    key = (steps + builtins.max(-k, 0), steps + builtins.max(k, 0))
    return OPERATORS["index_add"](OPERATORS["zeros"]((size, size), x.dtype), key, x)  # type: ignore[no-any-return]


def kron(x1: Any, x2: Any) -> Tensor:
    """Kronecker product: each element of `x1` times the whole of `x2`."""
    a, b = promote(x1, x2)
    rank = builtins.max(a.ndim, b.ndim)
    left = (1,) * (rank - a.ndim) + a.shape
    right = (1,) * (rank - b.ndim) + b.shape
    product = reshape(a, [n for size in left for n in (size, 1)]) * reshape(
        b, [n for size in right for n in (1, size)]
    )
    return reshape(product, [n * m for n, m in zip(left, right, strict=True)])


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Sum of the diagonal of two axes."""
    return sum(diagonal(x, offset, axis1, axis2), -1)  # type: ignore[no-any-return]


OPERATORS["matmul"] = matmul
NUMPY_FUNCTIONS.update({
    np.matmul: matmul, np.tensordot: tensordot, np.dot: dot, np.inner: inner, np.outer: outer,
    np.vdot: vdot, np.trace: trace, np.diagonal: diagonal, np.cross: cross,
    np.diag: diag, np.kron: kron,
})  # fmt: skip
