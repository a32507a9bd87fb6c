"""Arrays of text: what no tensor can hold, and layers for text take."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["holds_text", "is_text"]


def is_text(x: Any) -> bool:
    """Whether it is an array of strings or bytes."""
    if not isinstance(x, np.ndarray):
        return False
    if x.dtype.kind == "O":
        return x.size > 0 and isinstance(x.flat[0], str | bytes)
    return x.dtype.kind in "USOT"


def holds_text(structure: Any) -> bool:
    """Whether one of the leaves is."""
    kind = type(structure)
    if kind is core.Tensor:
        return False  # most leaves are: no look at the rest
    if kind is tuple or kind is list:
        return any(map(holds_text, structure))
    return any(is_text(leaf) for leaf in core.tree.flatten(structure))
