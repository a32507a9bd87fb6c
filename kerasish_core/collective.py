"""What trains together, as the core knows it: this process alone, unless somebody connects it.

Members are processes, or (in `replicas.py`) threads of one process with a GPU each.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Protocol

__all__ = [
    "Alone", "Communicator", "DeviceSums", "communicator", "communicator_scope", "connect",
]  # fmt: skip


class DeviceSums(Protocol):
    """Sums of what lies on the processes' GPUs, without the host."""

    def serves(self, dtype: Any) -> bool:
        """Whether elements of the dtype can be summed."""

    def all_reduce(self, array: Any) -> Any:
        """The sum of all processes' arrays of one shape and dtype."""

    def sum_into(self, source: int, target: int, count: int, dtype: Any) -> None:
        """The same from address to address, on the current stream."""

    def abort(self) -> None:
        """End the sums that wait for others, and all later ones."""


class Communicator(Protocol):
    """What connects processes. All of them make the same calls in the same order.

    Attributes:
        rank: The number of this process, from 0.
        size: How many there are.
    """

    rank: int
    size: int

    def on_device(self) -> DeviceSums | None:
        """Sums on the processes' GPUs; None where nothing connects them. All ask at once."""

    def all_reduce(self, array: Any) -> Any:
        """The sum of all processes' arrays of one shape and dtype, which lie on the host."""

    def broadcast(self, array: Any) -> Any:
        """The array of the first process, which has this shape and dtype in all of them."""

    def all_gather(self, value: Any) -> list[Any]:
        """Small Python values of all processes, in their order."""


class Alone:
    """The communicator of a process by itself."""

    rank, size = 0, 1

    def on_device(self) -> DeviceSums | None:
        return None

    def all_reduce(self, array: Any) -> Any:
        return array

    def broadcast(self, array: Any) -> Any:
        return array

    def all_gather(self, value: Any) -> list[Any]:
        return [value]


class _Here(threading.local):
    found: Communicator | None = None


_current: Communicator = Alone()
_here = _Here()


def communicator() -> Communicator:
    """What connects this process with the others."""
    return _here.found or _current


@contextlib.contextmanager
def communicator_scope(to: Communicator) -> Iterator[None]:
    """In the block and this thread, the communicator is another one."""
    before, _here.found = _here.found, to
    try:
        yield
    finally:
        _here.found = before


def connect(to: Communicator) -> None:
    """Let `all_reduce` go through this communicator from now on."""
    global _current
    _current = to
