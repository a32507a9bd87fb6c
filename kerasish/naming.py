"""Names: `dense`, `dense_1`; scopes that make paths; and what `clear_session()` resets."""

from __future__ import annotations

import gc
import os
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

__all__ = [
    "auto_name",
    "check_name",
    "clear_session",
    "current_path",
    "get_uid",
    "name_scope",
    "on_clear",
    "reset_uids",
    "to_snake_case",
    "uniquify",
]

_uids: defaultdict[str, int] = defaultdict(int)
_lock = threading.RLock()
# What `clear_session()` calls: rooms append functions of theirs.
on_clear: list[Callable[[], None]] = []


def _fresh_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # a thread of the parent may have held it
    os.register_at_fork(after_in_child=_fresh_lock)

_NO_WORD = re.compile(r"\W+")
_BEFORE_WORD = re.compile(r"(.)([A-Z][a-z]+)")
_AFTER_LOWER = re.compile(r"([a-z])([A-Z])")


def to_snake_case(name: str) -> str:
    """A class name in the style of layer names.

    >>> to_snake_case("GRUCell"), to_snake_case("Conv2DTranspose"), to_snake_case("ReLU")
    ('gru_cell', 'conv2d_transpose', 're_lu')
    """
    name = _NO_WORD.sub("", name)
    name = _BEFORE_WORD.sub(r"\1_\2", name)
    return _AFTER_LOWER.sub(r"\1_\2", name).lower()


def uniquify(name: str) -> str:
    """The name itself the first time, then with `_1`, `_2` … appended."""
    with _lock:
        seen = _uids[name]
        _uids[name] = seen + 1
    return f"{name}_{seen}" if seen else name


def auto_name(prefix: str) -> str:
    """A name for an object of a class: snake case, and unique in this session."""
    return uniquify(to_snake_case(prefix))


def get_uid(prefix: str = "") -> int:
    """A number that no earlier call (or automatic name) had for this prefix; the first is 1."""
    with _lock:
        _uids[prefix] += 1
        return _uids[prefix]


def reset_uids() -> None:
    """Start all automatic names afresh."""
    with _lock:
        _uids.clear()


def check_name(name: Any) -> str:
    """The name, if it can be part of a path.

    Raises:
        ValueError: It is no string, or has a `/`.
    """
    if not isinstance(name, str) or "/" in name:
        raise ValueError(
            "Argument `name` must be a string and cannot contain character `/`. "
            f"Received: name={name}"
        )
    return name


class _Scopes(threading.local):
    def __init__(self) -> None:
        # Path, name and caller of each open scope.
        self.stack: list[tuple[str, str, Any]] = []


_scopes = _Scopes()


class name_scope:
    """Names of variables made in the block get `name/` in front of their path.

    Args:
        name: The scope's name, without `/`.
        **kwargs: `caller`: whoever opens the scope (its own scope of the same name, opened
            directly inside itself, adds nothing); `deduplicate=False` to add the name even then;
            `override_parent`: a path that stands in for the scopes outside.

    >>> with name_scope("encoder"):
    ...     with name_scope("dense"):
    ...         current_path()
    'encoder/dense'
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        self.name = check_name(name)
        self.caller = kwargs.get("caller")
        self.deduplicate: bool = kwargs.get("deduplicate", True)
        self.override_parent: str | None = kwargs.get("override_parent")

    def __enter__(self) -> name_scope:
        stack = _scopes.stack
        path, name, caller = stack[-1] if stack else ("", "", None)
        repeated = self.caller is not None and caller is self.caller and name == self.name
        if not (repeated and self.deduplicate):
            parent = path if self.override_parent is None else self.override_parent
            path = f"{parent}/{self.name}" if parent else self.name
        # A scope that adds nothing is pushed too, so that leaving is the same for both.
        stack.append((path, self.name, self.caller))
        return self

    def __exit__(self, *error: object) -> None:
        _scopes.stack.pop()


def current_path() -> str:
    """The names of the open scopes, joined by `/`; empty outside of all."""
    stack = _scopes.stack
    return stack[-1][0] if stack else ""


def clear_session(free_memory: bool = True) -> None:
    """Forget the session's state: automatic names, the global seed, the dtype policy.

    Models and variables that you still hold keep working.

    Args:
        free_memory: Also collect garbage at once.
    """
    reset_uids()
    for hook in on_clear:
        hook()
    if free_memory:
        gc.collect()
