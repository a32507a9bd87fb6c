"""What a nested layer call knows of the calls around it."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["CallContext", "current_context", "state"]


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
    # While a function of a data set's elements runs: there image layers make floats, as Keras's do
    # within `tf.data`.
    in_data_set: bool = False


state = _State()


def current_context() -> CallContext | None:
    """The context of the call that is running, or None."""
    return state.context
