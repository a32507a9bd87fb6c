"""Layers that name the size of their batches: `K.random_normal((batch_size, 2))` in a `Lambda`.

TensorFlow's graphs let a size that is not known agree with any; here a size stands for it, and
where that does not fit, those are tried that the error names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import kerasish_core as core

from ..ops.symbolic import KerasTensor, map_symbolic

__all__ = ["at_two_sizes"]

tree = core.tree
_LARGEST = 65536


def at_two_sizes(before: Callable[..., Any], fn: Any, args: Any, kwargs: Any) -> Any:
    """The results with two sizes in place of None, or with the batch size that `fn` names."""
    try:
        return before(fn, args, kwargs)
    except core.ShapeError as error:
        symbols = [x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
        unknown = any(x.shape and x.shape[0] is None for x in symbols)
        for size in _named(str(error)) if unknown else ():
            try:
                return before(fn, *_sized((args, kwargs), size))
            except core.ShapeError:
                continue
        raise


def _named(text: str) -> list[int]:
    found = {int(number) for number in re.findall(r"\b\d+\b", text)}
    return sorted(n for n in found if 0 < n <= _LARGEST)


def _sized(structure: Any, size: int) -> Any:
    def sized(x: KerasTensor) -> KerasTensor:
        if not x.shape or x.shape[0] is not None:
            return x
        return KerasTensor((size, *x.shape[1:]), x.dtype, name=x.name)

    return map_symbolic(sized, structure)
