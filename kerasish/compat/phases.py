"""`K.learning_phase_scope`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .. import settings

__all__ = ["learning_phase_scope"]


@contextlib.contextmanager
def learning_phase_scope(value: Any) -> Iterator[None]:
    """In the block, layers train (1) or do not (0) where no call says otherwise.

    Raises:
        ValueError: Another value.
    """
    if value not in (0, 1):
        raise ValueError(f"Expected learning phase to be 0 or 1. Received: {value}")
    before = settings.learning_phase()
    settings.set_learning_phase(int(value))
    try:
        yield
    finally:
        settings.set_learning_phase(before)
