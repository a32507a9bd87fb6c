"""Sums of products in Einstein's notation.

Two operands become one matrix product, more are paired in the order that costs least; the primitive
serves what is left: one operand, repeated labels, sizes that broadcast.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..dispatch import apply
from ..errors import ShapeError
from ..op import Spec, define_op, same_dtype
from ..tensor import NUMPY_FUNCTIONS, OPERATORS, Tensor
from ._args import promote
from .elementwise import cast, multiply
from .linalg import matmul
from .reduce import sum
from .shape import broadcast_to, reshape, sum_to, transpose

__all__ = ["einsum"]


@functools.lru_cache(maxsize=1024)
def _parse(subscripts: str, ranks: tuple[int, ...]) -> tuple[list[str], str]:
    """Labels of operands and result, the ellipsis written out in capital Greek letters."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ShapeError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(ranks)}.")
    dots, full = "", []
    for term, rank in zip(terms, ranks, strict=True):
        extra = rank - len(term.replace("...", ""))
        if extra < 0 or ("..." not in term and extra):
            raise ShapeError(f"einsum: {term!r} does not fit an operand of rank {rank}.")
        labels = "".join(chr(0x3B1 + 30 - extra + i) for i in range(extra))
        dots = labels if len(labels) > len(dots) else dots
        full.append(term.replace("...", labels))
    letters = "".join(full)
    if arrow:
        result = right.replace("...", dots)
        if len(set(result)) != len(result) or not set(result) <= set(letters):
            raise ShapeError(
                f"einsum: the result {right!r} of {subscripts!r} must name labels of the operands, "
                "each once."
            )
        return full, result
    once = sorted(c for c in set(letters) if letters.count(c) == 1 and c not in dots)
    return full, dots + "".join(once)


def _sizes(terms: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        if len(term) != len(shape):
            raise ShapeError(f"einsum: the labels {term!r} do not fit an operand of shape {shape}.")
        for label, n in zip(term, shape, strict=True):
            if sizes.setdefault(label, n) != n and 1 not in (n, sizes[label]):
                raise ShapeError(
                    f"einsum: label {label!r} has sizes {sizes[label]} and {n}; they must be equal."
                )
            sizes[label] = max(sizes[label], n)
    return sizes


def _einsum_spec(*xs: Spec, terms: tuple[str, ...], result: str) -> Spec:
    sizes = _sizes(terms, [x.shape for x in xs])
    return Spec(tuple(sizes[c] for c in result), same_dtype("einsum", xs))


def _einsum_kernel(xp: Any, *xs: Any, terms: tuple[str, ...], result: str) -> Any:
    letters: dict[str, int] = {}
    for c in "".join(terms) + result:
        letters.setdefault(c, len(letters))
    dtype = xs[0].dtype
    if any(x.dtype != dtype for x in xs):
        raise TypeError("operands of one dtype are needed")
    if dtypes.is_float(dtype) and dtype.itemsize < 4:
        xs = tuple(x.astype("float32") for x in xs)
    operands: list[Any] = []
    for x, term in zip(xs, terms, strict=True):
        operands += [x, [letters[c] for c in term]]
    found = xp.einsum(*operands, [letters[c] for c in result], optimize=len(xs) > 1)
    return found.astype(dtype, copy=False)


def _einsum_rule(g: Any, xs: Any, terms: tuple[str, ...], result: str, needs: Any) -> Any:
    found: list[Any] = []
    sizes = _sizes(terms, [x.shape for x in xs])
    for i, (x, term) in enumerate(zip(xs, terms, strict=True)):
        if not needs[i]:
            found.append(None)
            continue
        others = [t for j, t in enumerate(terms) if j != i]
        # A label of this operand alone was summed: its cotangent is repeated along it.
        lone = [c for c in dict.fromkeys(term) if c not in result and c not in "".join(others)]
        unique = "".join(dict.fromkeys(c for c in term if c not in lone))
        rest = [y for j, y in enumerate(xs) if j != i]
        part = apply(_EINSUM, g, *rest, terms=(result, *others), result=unique)
        shape = [sizes[c] if c in lone else x.shape[term.index(c)] for c in dict.fromkeys(term)]
        given = dict(zip(unique, part.shape, strict=True))
        kept = [given.get(c, 1) for c in dict.fromkeys(term)]
        least = tuple(min(a, b) for a, b in zip(kept, shape, strict=True))
        part = broadcast_to(sum_to(reshape(part, kept), least), tuple(shape))
        found.append(_on_diagonal(part, term, x.shape))
    return tuple(found)


def _on_diagonal(part: Any, term: str, shape: tuple[int, ...]) -> Any:
    """The cotangent of an operand whose labels repeat: what is off the diagonal is 0."""
    unique = list(dict.fromkeys(term))
    if len(unique) == len(term):
        return part
    index = []
    for c in term:
        view = [1] * len(unique)
        view[unique.index(c)] = -1
        index.append(np.arange(part.shape[unique.index(c)]).reshape(view))
    zeros = OPERATORS["zeros"](shape, part.dtype)
    return OPERATORS["index_add"](zeros, tuple(np.broadcast_arrays(*index)), part)


_EINSUM = define_op(
    "einsum", "contraction", "*xs", infer=_einsum_spec, kernel=_einsum_kernel, vjp=_einsum_rule,
    samples=lambda rng: [
        ([rng.normal(size=(2, 3)), rng.normal(size=(3, 4))],
         {"terms": ("ij", "jk"), "result": "ki"}),
        ([rng.normal(size=(3, 2)), rng.normal(size=(4, 1, 2))],
         {"terms": ("αj", "βij"), "result": "α"}),
        ([rng.normal(size=(3, 3, 2))], {"terms": ("iij",), "result": "i"}),
        ([rng.normal(size=(2, 3)), rng.normal(size=(3,)), rng.normal(size=(2, 2))],
         {"terms": ("ab", "b", "ac"), "result": "c"}),
    ],
)  # fmt: skip


class _Plan(NamedTuple):
    """How two operands become one matrix product."""

    sums: tuple[tuple[int, ...], tuple[int, ...]]  # axes that nobody else has
    orders: tuple[tuple[int, ...], tuple[int, ...]]  # transpositions, () for none
    shapes: tuple[tuple[int, ...], tuple[int, ...]]  # of the two matrices
    product: bool  # else all pairs are multiplied
    shape: tuple[int, ...]
    order: tuple[int, ...]


def _order(term: str, wanted: str) -> tuple[int, ...]:
    return () if term == wanted else tuple(term.index(c) for c in wanted)


@functools.lru_cache(maxsize=1024)
def _plan(left: str, right: str, result: str, shapes: tuple[tuple[int, ...], ...]) -> _Plan | None:
    """The plan, or None where labels repeat or sizes broadcast."""
    size = _sizes((left, right), shapes)
    for term, shape in ((left, shapes[0]), (right, shapes[1])):
        if len(set(term)) < len(term) or shape != tuple(size[c] for c in term):
            return None
    sums = tuple(
        tuple(i for i, c in enumerate(term) if c not in other and c not in result)
        for term, other in ((left, right), (right, left))
    )
    left = "".join(c for i, c in enumerate(left) if i not in sums[0])
    right = "".join(c for i, c in enumerate(right) if i not in sums[1])
    batch = "".join(c for c in result if c in left and c in right)
    inner = "".join(c for c in left if c in right and c not in result)
    rows = "".join(c for c in result if c in left and c not in right)
    columns = "".join(c for c in result if c in right and c not in left)

    def count(group: str) -> int:
        return math.prod(size[c] for c in group)

    lead = tuple(size[c] for c in batch)
    return _Plan(
        (sums[0], sums[1]),
        (_order(left, batch + rows + inner), _order(right, batch + inner + columns)),
        ((*lead, count(rows), count(inner)), (*lead, count(inner), count(columns))),
        bool(inner),
        tuple(size[c] for c in batch + rows + columns),
        _order(batch + rows + columns, result),
    )


def _pair(a: Tensor, b: Tensor, plan: _Plan) -> Tensor:
    """Two operands as one matrix product, batched over the labels that all three have."""
    parts = []
    for x, axes, order, shape in zip((a, b), plan.sums, plan.orders, plan.shapes, strict=True):
        if axes:
            x = cast(sum(x, axes), x.dtype)
        x = transpose(x, order) if order else x
        parts.append(x if x.shape == shape else reshape(x, shape))
    result = matmul(*parts) if plan.product else multiply(*parts)
    result = result if result.shape == plan.shape else reshape(result, plan.shape)
    return transpose(result, plan.order) if plan.order else result


def _contract(xs: Sequence[Tensor], terms: Sequence[str], result: str) -> Tensor:
    if len(xs) == 2:
        plan = _plan(terms[0], terms[1], result, (xs[0].shape, xs[1].shape))
        if plan is not None:
            return _pair(xs[0], xs[1], plan)
    return apply(_EINSUM, *xs, terms=tuple(terms), result=result)  # type: ignore[no-any-return]


def _path(xs: Sequence[Tensor], terms: Sequence[str], result: str) -> list[tuple[int, ...]]:
    """Which operands to contract next, step by step."""
    operands: list[Any] = []
    letters = {c: i for i, c in enumerate(dict.fromkeys("".join(terms)))}
    for x, term in zip(xs, terms, strict=True):
        operands += [np.broadcast_to(np.float32(0), x.shape), [letters[c] for c in term]]
    path, _ = np.einsum_path(*operands, [letters[c] for c in result], optimize="greedy")
    return path[1:]


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """Sums of products in Einstein's notation, as in NumPy.

    Args:
        subscripts: As in `"bij,bjk->bik"`; `...` stands for further axes, which broadcast. Without
            `->` the result has the labels that occur once, in alphabetical order.
        *operands: Tensors, one for each term.

    Raises:
        ShapeError: Labels and shapes do not fit.

    >>> einsum("ij,ij->", [[1, 2], [3, 4]], [[1, 0], [0, 1]]).item()
    5
    """
    xs = list(promote(*operands))
    if all(x.dtype.name == "int8" for x in xs):  # their sums need more than 8 bits
        xs = [cast(x, "int32") for x in xs]
    terms, result = _parse(subscripts, tuple([x.ndim for x in xs]))
    if len(xs) < 3:
        return _contract(xs, terms, result)
    _sizes(terms, [x.shape for x in xs])
    for step in _path(xs, terms, result):
        chosen = [(xs[i], terms[i]) for i in step]
        xs = [x for i, x in enumerate(xs) if i not in step]
        terms = [t for i, t in enumerate(terms) if i not in step]
        others = "".join(terms) + result
        kept = "".join(dict.fromkeys(c for _, t in chosen for c in t if c in others))
        kept = kept if terms else result
        xs.append(_contract([x for x, _ in chosen], [t for _, t in chosen], kept))
        terms.append(kept)
    return xs[0]


NUMPY_FUNCTIONS[np.einsum] = einsum
