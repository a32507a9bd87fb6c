"""One event file."""

from __future__ import annotations

import itertools
import os
import platform
import time
from pathlib import Path
from typing import Any

from . import wire
from .records import framed

__all__ = ["EventWriter"]

_numbers = itertools.count()
_MOST_PENDING = 1 << 20  # bytes


class EventWriter:
    """Appends events to a new file in a folder, which is open only while it is written to.

    Args:
        folder: Made where it does not exist.
    """

    def __init__(self, folder: Any) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        host, process = platform.node(), os.getpid()
        name = f"events.out.tfevents.{int(time.time()):010d}.{host}.{process}.{next(_numbers)}.v2"
        self.path = folder / name
        self._pending = bytearray()
        self._event(wire.text(3, "brain.Event:2"))

    def add(self, value: bytes, step: int) -> None:
        """Write a value of `summaries` for a step."""
        self._event(wire.integer(2, int(step)) + wire.data(5, wire.data(1, value)))

    def _event(self, content: bytes) -> None:
        self._pending += framed(wire.double(1, time.time()) + content)
        if len(self._pending) > _MOST_PENDING:
            self.flush()

    def flush(self) -> None:
        """Let readers see what was written."""
        with open(self.path, "ab") as file:
            file.write(self._pending)
        self._pending.clear()
