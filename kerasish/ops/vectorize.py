"""Functions of scalars or small tensors, applied over the leading axes of larger ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["vectorize"]

_o = core.ops
_GROUP = r"\(\s*(?:\w+(?:\s*,\s*\w+)*)?\s*\)"
_SIGNATURE = re.compile(rf"\s*{_GROUP}(?:\s*,\s*{_GROUP})*\s*->\s*{_GROUP}(?:\s*,\s*{_GROUP})*\s*")


def _ranks(signature: str) -> list[int]:
    """How many axes the function takes of each argument: 1 and 0 of "(n),()->(n)".

    Raises:
        ValueError: It is no signature.
    """
    if not _SIGNATURE.fullmatch(signature):
        raise ValueError(f'vectorize: {signature!r} is not of the form "(m,n),(n)->(m)".')
    groups = re.findall(_GROUP, signature.partition("->")[0])
    return [len(re.findall(r"\w+", group)) for group in groups]


def vectorize(pyfunc: Any, *, excluded: Any = None, signature: Any = None) -> Any:
    """A function applied element by element, or to slices, over broadcast leading axes.

    Args:
        pyfunc: A function of tensors.
        excluded: Positions and names of arguments that it gets as they are.
        signature: The axes that it takes of each argument, such as "(m,n),(n)->(m)"; none by
            default.

    Returns:
        The function of whole tensors. Named arguments are passed on as they are.

    Raises:
        ValueError: The signature is none, or names another number of arguments than are given.
    """
    kept = set(excluded or ())
    ranks = None if signature is None else _ranks(signature)

    def vectorized(*args: Any, **kwargs: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in kept]
        inner = [0] * len(mapped) if ranks is None else ranks
        if len(inner) != len(mapped):
            raise ValueError(
                f"vectorize: signature {signature!r} is of {len(inner)} arguments, "
                f"{len(mapped)} were given."
            )

        def call(parts: Any) -> Any:
            full = list(args)
            for i, part in zip(mapped, parts, strict=True):
                full[i] = part
            return pyfunc(*full, **kwargs)

        return _over_leading(call, [core.convert(args[i]) for i in mapped], inner)

    vectorized.__doc__ = pyfunc.__doc__
    return vectorized


def _over_leading(call: Callable[[Any], Any], tensors: list[Any], inner: list[int]) -> Any:
    """`call` of the slices of all but the `inner` last axes, broadcast against each other."""
    for x, rank in zip(tensors, inner, strict=True):
        if x.ndim < rank:
            raise ValueError(
                f"vectorize: an argument of rank {rank} or more is needed, got {x.spec}."
            )
    leading = [x.shape[: x.ndim - rank] for x, rank in zip(tensors, inner, strict=True)]
    shape = np.broadcast_shapes(*leading)
    if not shape:
        return call(tuple(tensors))
    flat = tuple(
        _o.reshape(_o.broadcast_to(x, shape + rest), (-1, *rest))
        for x, rest in (
            (x, x.shape[x.ndim - rank :]) for x, rank in zip(tensors, inner, strict=True)
        )
    )
    found = core.map(call, flat)
    return core.tree.map_structure(lambda y: _o.reshape(y, (*shape, *y.shape[1:])), found)
