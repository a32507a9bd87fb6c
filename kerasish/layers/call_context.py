"""What a nested layer call knows of the calls around it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["CallContext", "current_context", "in_data_set", "state"]


class CallContext:
    """One outermost call of a layer, with everything called inside it.

    Attributes:
        entry: The outermost layer.
        training: Whether the innermost running call trains; None if nobody said.
    """

    __slots__ = ("entry", "training")

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.training: Any = None


class _State(threading.local):
    context: CallContext | None = None
    in_data_set: bool = False


state = _State()


def current_context() -> CallContext | None:
    """The context of the call that is running, or None."""
    return state.context


@contextlib.contextmanager
def in_data_set() -> Iterator[None]:
    """While a function of a data set's elements runs: there image layers make floats, as Keras's
    do within `tf.data`."""
    before, state.in_data_set = state.in_data_set, True
    try:
        yield
    finally:
        state.in_data_set = before
