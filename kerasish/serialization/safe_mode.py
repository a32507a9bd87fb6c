"""Whether a file may bring code with it: only if the user says so."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

__all__ = ["enable_unsafe_deserialization", "is_safe", "safe_mode_scope"]


class _State(threading.local):
    safe: bool | None = None


_state = _State()
_unsafe_everywhere = False


def enable_unsafe_deserialization() -> None:
    """Allow every later load to run code stored in files (lambdas)."""
    global _unsafe_everywhere
    _unsafe_everywhere = True


def is_safe() -> bool:
    """Whether code in files is refused now."""
    return not _unsafe_everywhere if _state.safe is None else _state.safe


@contextlib.contextmanager
def safe_mode_scope(safe: bool) -> Iterator[None]:
    """Set safe mode inside the block."""
    before, _state.safe = _state.safe, safe
    try:
        yield
    finally:
        _state.safe = before
