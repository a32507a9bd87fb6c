"""Kernels run without NumPy's floating-point warnings, and the user's own NumPy is left as it is.

`np.errstate` around each op would cost more than the op. The error state is a context variable,
so that entering a context in which it was set once, one for each thread, costs next to nothing.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["QUIET", "quietly"]


class _Quiet(threading.local):
    """The context of one thread, and whether it is free: it can't be entered twice."""

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run: Callable[..., Any] = context.run
        self.free = True


QUIET = _Quiet()


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)` without floating-point warnings."""
    if not QUIET.free:
        return function(*args)
    QUIET.free = False
    try:
        return QUIET.run(function, *args)
    finally:
        QUIET.free = True
