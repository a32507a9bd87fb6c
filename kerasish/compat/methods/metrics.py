"""Methods that metrics had."""

from __future__ import annotations

from typing import Any

__all__ = ["reset_states"]


def reset_states(self: Any) -> None:
    """Set the state to its start."""
    self.reset_state()
