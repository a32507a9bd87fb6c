"""Each older spelling is said once, with the one of today."""

from __future__ import annotations

import importlib
import os
import sys
import warnings

__all__ = ["OlderSpelling", "forget", "warn", "warn_once"]

_ROOM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_said: set[str] = set()


class OlderSpelling(FutureWarning):
    """A name, argument or method of an earlier Keras was used; it works, and has a newer form."""


def warn_once(old: str, new: str | None, why: str = "") -> None:
    """Say that a spelling is old, at the line of the program that has it.

    Args:
        old: The spelling.
        new: That of today, None if there is none.
        why: More to say.
    """
    if old in _said:
        return
    _said.add(old)
    now = f"write {new}" if new else "it has no counterpart today"
    warn(f"{old} is of an earlier Keras: {now}.{' ' + why if why else ''}", OlderSpelling)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the program, whatever stands between."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    place = frame.f_globals
    warnings.warn_explicit(
        message, category, frame.f_code.co_filename, frame.f_lineno,
        place.get("__name__", "<unknown>"), place.setdefault("__warningregistry__", {}),
    )  # fmt: skip


def _is_machinery(path: str) -> bool:
    return path.startswith((_ROOM, "<frozen importlib")) or path == importlib.__file__


def forget() -> None:
    """Say everything anew (for tests)."""
    _said.clear()
