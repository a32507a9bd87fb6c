"""Where values lie: which views alias the memory of another value, at what offset and strides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..ir import Node
from ..op import Spec

__all__ = ["Layout", "dense_strides", "is_dense", "view_layout"]


class Layout(NamedTuple):
    """In the memory of the value `root`, from `offset` on, with strides; all in elements."""

    root: int
    offset: int
    strides: tuple[int, ...]


def dense_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in C order, in elements."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def is_dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the elements follow each other in C order without gaps."""
    if 0 in shape:
        return True
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def view_layout(node: Node, spec: Spec, layout: Layout) -> Layout | None:
    """The layout of a view's result, or None if it can't alias its input.

    The op's own kernel tells: it gets an array of the input's shape and strides over memory that
    nobody touches, and either answers with a view of it or copies.

    Args:
        node: A node of kind "view".
        spec: Of its input.
        layout: Of its input.
    """
    if 0 in spec.shape:
        return None
    low = sum((n - 1) * s for n, s in zip(spec.shape, layout.strides, strict=True) if s < 0)
    high = sum((n - 1) * s for n, s in zip(spec.shape, layout.strides, strict=True) if s > 0)
    # Bytes instead of the true dtype: strides in elements then are strides in bytes.
    memory = np.empty(high - low + 1, np.int8)
    array = np.lib.stride_tricks.as_strided(memory[-low:], spec.shape, layout.strides)
    result = node.op.kernel(np, array, **node.attrs)
    if math.prod(result.shape) == 0 or not np.may_share_memory(result, memory):
        return None
    start = result.__array_interface__["data"][0] - array.__array_interface__["data"][0]
    return Layout(layout.root, layout.offset + start, result.strides)
