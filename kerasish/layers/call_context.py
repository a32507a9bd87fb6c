"""What a nested layer call knows of the calls around it: training, losses, masks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["current_context", "entered"]


class CallContext:
    """One outermost call of a layer with everything called inside it."""

    __slots__ = ("entry", "training")

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.training: Any = None


class _State(threading.local):
    context: CallContext | None = None


_state = _State()


def current_context() -> CallContext | None:
    """The context of the call that is running, or None."""
    return _state.context


@contextlib.contextmanager
def entered(layer: Any, training: Any) -> Iterator[CallContext]:
    """Run a call with `training` set; the outermost one starts a fresh context."""
    outer = _state.context
    context = outer
    if context is None:
        context = _state.context = CallContext(layer)
    before = context.training
    context.training = training
    try:
        yield context
    finally:
        context.training = before
        _state.context = outer
