"""Several GPUs under one process: threads that stand for the processes of `collective.py`.

A replica of a step runs on each GPU at the same time. The first one works on the variables
themselves, the others on equal copies, to which they make the same updates.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from .collective import DeviceSums, communicator_scope
from .device import device_scope
from .errors import DeviceError
from .executors import cuda

__all__ = ["Replicas", "replicas_on"]

T = TypeVar("T")
# After an error in one replica, how long the others may take to come to theirs.
_PATIENCE = 10.0


class _Member:
    """The communicator of one replica."""

    def __init__(self, rank: int, given: list[Any], barrier: threading.Barrier) -> None:
        self.rank, self.size = rank, len(given)
        self._given, self._barrier = given, barrier
        self.sums: DeviceSums | None = None

    def on_device(self) -> DeviceSums | None:
        return self.sums

    def all_gather(self, value: Any) -> list[Any]:
        self._given[self.rank] = value
        self._barrier.wait()
        found = list(self._given)
        self._barrier.wait()
        return found

    def all_reduce(self, array: Any) -> Any:
        first, *others = self.all_gather(np.asarray(array))
        total = first.copy()
        for other in others:
            total += other
        return total

    def broadcast(self, array: Any) -> Any:
        return self.all_gather(array)[0]


class Replicas:
    """GPUs on which the replicas of a step run.

    Args:
        devices: Their names. New arrays are made on the first.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self.devices, self.size = tuple(devices), len(devices)
        given: list[Any] = [None] * self.size
        self._barrier = threading.Barrier(self.size)
        self._members = [_Member(i, given, self._barrier) for i in range(self.size)]
        # Imported by those who have several GPUs.
        self._futures = importlib.import_module("concurrent.futures")
        self._pool = self._futures.ThreadPoolExecutor(self.size, "kerasish-replica")
        self._alone = threading.Lock()
        self._lost: BaseException | None = None
        self.each(self._connect)

    def _connect(self, rank: int) -> None:
        self._members[rank].sums = cuda.connect_gpus(self._members[rank])

    @contextlib.contextmanager
    def tracing(self, rank: int) -> Iterator[None]:
        """In the block `communicator()` is that of one replica."""
        with communicator_scope(self._members[rank]):
            yield

    @contextlib.contextmanager
    def running(self, rank: int) -> Iterator[None]:
        """The same, and its GPU is the current device."""
        with self.tracing(rank), device_scope(self.devices[rank]):
            yield

    def each(self, call: Callable[[int], T]) -> list[T]:
        """Call with the number of each replica, all at the same time, `running`; the results.

        An interrupt waits until all are done: a sum that one leaves out, the others wait in.

        Raises:
            DeviceError: An earlier call failed in some replicas and not in the others.
            BaseException: What a call raised.
        """
        with self._alone:  # steps of two threads would meet in each other's sums
            if self._lost is not None:
                raise DeviceError(
                    f"{', '.join(self.devices)} are out of step since an error "
                    f"({type(self._lost).__name__}: {self._lost}). Load the last checkpoint in a "
                    "new process."
                )
            calls = [self._pool.submit(self._one, call, rank) for rank in range(self.size)]
            try:
                self._settle(calls)
            except BaseException:
                self._settle(calls)
                raise
            return [each.result() for each in calls]

    def _one(self, call: Callable[[int], T], rank: int) -> T:
        with self.running(rank):
            return call(rank)

    def _settle(self, calls: list[Any]) -> None:
        wait = self._futures.wait
        if wait(calls, return_when="FIRST_EXCEPTION").not_done:  # then one failed
            wait(calls, timeout=_PATIENCE)
        errors = [e for e in (each.exception() for each in calls if each.done()) if e is not None]
        if 0 < len(errors) < self.size:
            self._lost = errors[0]
            self._barrier.abort()
            for member in self._members:
                if member.sums is not None:
                    member.sums.abort()
            wait(calls)
            raise errors[0]


@functools.cache
def replicas_on(devices: tuple[str, ...]) -> Replicas | None:
    """Replicas on these devices, connected once; None where programs can't be spread over them."""
    if len(devices) < 2 or not all(d.startswith("gpu:") for d in devices) or not cuda.available():
        return None
    return Replicas(devices)
