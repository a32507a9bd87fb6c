"""Whether a config may bring code with it: only if the user says so."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

__all__ = ["enable_unsafe_deserialization", "in_safe_mode", "is_safe", "safe_mode_scope"]


class _State(threading.local):
    safe: bool | None = None


_state = _State()
_unsafe_everywhere = False


def enable_unsafe_deserialization() -> None:
    """Let files hold Python code (lambdas), from now on and for the whole process.

    Loading code from a file that you do not trust runs whatever its author wrote.
    """
    global _unsafe_everywhere
    _unsafe_everywhere = True


def in_safe_mode() -> bool | None:
    """What the innermost scope says (or the whole process allows); None outside of all."""
    return False if _unsafe_everywhere else _state.safe


def is_safe() -> bool:
    """Whether code in configs is refused now."""
    return in_safe_mode() is not False


@contextlib.contextmanager
def safe_mode_scope(safe_mode: bool | None = True) -> Iterator[None]:
    """Set safe mode inside the block."""
    before, _state.safe = _state.safe, safe_mode
    try:
        yield
    finally:
        _state.safe = before
