"""Kernels run without NumPy's floating-point warnings, and the user's own NumPy is left as it is.

`np.errstate` around each op would cost more than the op. The error state is a context variable,
so that entering a context in which it was set once, one for each thread, costs next to nothing.
A context can't be entered twice; a variable in it tells whether one is inside.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["QUIET", "is_quiet", "quietly"]

_INSIDE: contextvars.ContextVar[bool] = contextvars.ContextVar("quiet", default=False)
is_quiet = _INSIDE.get


class _Quiet(threading.local):
    """The context of one thread."""

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        context.run(_INSIDE.set, True)
        self.run: Callable[..., Any] = context.run


QUIET = _Quiet()


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)` without floating-point warnings."""
    return function(*args) if is_quiet() else QUIET.run(function, *args)
