"""Data sets as classes, in the style of Keras 2."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["without_warning"]


def without_warning(before: property) -> property:
    """An option of a `Sequence`, whose constructor need not have called that of the base."""

    def get(dataset: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return before.fget(dataset)

    return property(get, before.fset)
