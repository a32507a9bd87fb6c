"""Processes that make the batches of a data set."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import pickle
import queue
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["WorkerProcesses", "WorkerTraceback"]

_JOIN_SECONDS = 2.0
# Passes over data sets so far: each has draws of its own, also where nothing else was drawn.
_passes = itertools.count()


class WorkerTraceback(Exception):
    """The traceback of an error in a worker, as the cause of the same error here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class WorkerProcesses:
    """`dataset[index]`, computed in another process; threads may ask at the same time.

    On Linux workers are forked, unless the program chose another start method: they have the data
    set without copying or pickling it, and a program needs no `if __name__ == "__main__":`. They
    ignore Ctrl-C, which this process answers by ending them.

    NumPy's and Python's global generators are seeded anew for each batch, by its index and the
    state of NumPy's generator here: else workers that inherit a generator would all draw alike.

    Args:
        dataset: Gives a batch for an index.
        count: Number of processes.

    Raises:
        TypeError: Processes start with a pickled data set here, and this one can't be pickled.
    """

    def __init__(self, dataset: Any, count: int) -> None:
        context = _context()
        seed = _seed()
        self._processes: list[Any] = []
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            for _ in range(count):
                here, there = context.Pipe()
                process = context.Process(target=_serve, args=(there, dataset, seed), daemon=True)
                with _without_fork_warning():
                    process.start()
                there.close()  # only the worker holds it: its end is seen here
                self._processes.append((process, here))
                self._free.put((process, here))
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            self.close()
            raise TypeError(
                f"use_multiprocessing=True: worker processes start by {context.get_start_method()}"
                f" here, which sends them the data set, and {type(dataset).__name__} can't be "
                f"pickled ({error}). Define its class at the top of a module, open files in "
                "__getitem__, or use threads (use_multiprocessing=False)."
            ) from error

    def __call__(self, index: int) -> Any:
        """The batch of an index.

        Raises:
            RuntimeError: The worker ended.
            Exception: What `dataset[index]` raised, with the worker's traceback as its cause.
        """
        process, connection = self._free.get()
        try:
            connection.send(index)
            made, result = connection.recv()
        except (EOFError, OSError):
            process.join(_JOIN_SECONDS)
            raise RuntimeError(
                f"A worker process ended (exit code {process.exitcode}) when it was to make batch "
                f"{index}. Negative codes are signals: -9 is what a lack of memory often ends in. "
                "Where processes do not start by fork, the program that trains must stand under "
                '`if __name__ == "__main__":`.'
            ) from None
        finally:
            self._free.put((process, connection))
        if not made:
            error, text = result
            raise error from WorkerTraceback(text)
        return result

    def close(self) -> None:
        """End the workers, also in the middle of a batch."""
        for process, _ in self._processes:
            process.terminate()
        for process, connection in self._processes:
            process.join(_JOIN_SECONDS)
            if process.exitcode is None:
                process.kill()
                process.join()
            connection.close()
        self._processes.clear()


def _seed() -> int:
    """By NumPy's generator, which is not advanced: orders of batches are those without workers."""
    twin = np.random.RandomState()
    twin.set_state(np.random.get_state())  # noqa: NPY002
    return (int(twin.randint(2**31)) + 1_000_003 * next(_passes)) % 2**31


def _context() -> Any:
    method = multiprocessing.get_start_method(allow_none=True)
    if method is None and sys.platform == "linux":
        method = "fork"
    return multiprocessing.get_context(method)


@contextlib.contextmanager
def _without_fork_warning() -> Iterator[None]:
    """Python warns where a process with threads forks; those of ours know of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
        yield


def _serve(connection: Any, dataset: Any, seed: int) -> None:
    """What a worker does: answer indices."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(EOFError, OSError):  # whoever asked is gone
        while True:
            index = connection.recv()
            connection.send_bytes(_answer(dataset, index, seed))


def _answer(dataset: Any, index: int, seed: int) -> bytes:
    """A batch or an error with its traceback, pickled."""
    np.random.seed((seed + index) % 2**32)  # noqa: NPY002
    random.seed(seed + index)
    try:
        return pickle.dumps((True, dataset[index]), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        text = traceback.format_exc()
        try:
            plain: Exception = error
            pickle.loads(pickle.dumps(error))
        except Exception:
            plain = RuntimeError(f"{type(error).__name__}: {error}")
        return pickle.dumps((False, (plain, text)), pickle.HIGHEST_PROTOCOL)
