"""Data sets as objects that give batch number i, read ahead by workers."""

from __future__ import annotations

import queue
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..shard import common_order

__all__ = ["PyDataset", "batches_of"]


class PyDataset:
    """A data set whose batches are made in Python.

    A subclass defines `__getitem__(index)`, which returns a batch `(x, y)` or `(x, y, weight)`,
    and `__len__` or `num_batches`.

    Args:
        workers: Threads (or processes) that make batches ahead. Of 1 thread, or 0 processes, or
            less: none, batches are made when they are asked for.
        use_multiprocessing: Whether workers are processes. They start anew for each epoch, with
            the data set as it is then; see `WorkerProcesses` for how.
        max_queue_size: How many batches are made ahead.
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self._workers, self._use_multiprocessing = workers, use_multiprocessing
        self._max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index).")

    @property
    def num_batches(self) -> int | None:
        """The number of batches, None for an endless data set."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define __len__ or num_batches.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def _option(name: str, default: Any, doc: str) -> property:
    """An argument of `PyDataset`, which a subclass may have forgotten to pass on."""
    hidden = f"_{name}"

    def get(self: Any) -> Any:
        if hidden not in self.__dict__:
            setattr(self, hidden, default)
            warnings.warn(
                "Your `PyDataset` class should call `super().__init__(**kwargs)` in its "
                "constructor. `**kwargs` can include `workers`, `use_multiprocessing`, "
                "`max_queue_size`. Do not pass these arguments to `fit()`, as they will be "
                "ignored.",
                stacklevel=2,
            )
        return getattr(self, hidden)

    return property(get, lambda self, value: setattr(self, hidden, value), doc=doc)


for _name, _default, _doc in (
    ("workers", 1, "How many threads (or processes) make batches ahead."),
    ("use_multiprocessing", False, "Whether they are processes."),
    ("max_queue_size", 10, "How many batches are made ahead."),
):
    setattr(PyDataset, _name, _option(_name, _default, _doc))


def _endless() -> Iterator[int]:
    i = 0
    while True:
        yield i
        i += 1


def batches_of(dataset: PyDataset, shuffle: Any = False) -> Iterator[Any]:
    """The batches in order (or shuffled), made ahead by the data set's workers."""
    count = dataset.num_batches
    order: Any = _endless() if count is None else range(count)
    if shuffle and count is not None:
        order = common_order(np.random.permutation(count)).tolist()  # noqa: NPY002
    if dataset.workers <= (0 if dataset.use_multiprocessing else 1):
        for i in order:
            yield dataset[i]
        return
    yield from _ahead(dataset, iter(order))


def _ahead(dataset: PyDataset, order: Iterator[int]) -> Iterator[Any]:
    """Batches made ahead by threads; each asks a process of its own where processes are wanted."""
    from concurrent.futures import ThreadPoolExecutor  # loads slowly, as what stands below does

    workers = max(dataset.workers, 1)
    processes = None
    get: Callable[[int], Any] = dataset.__getitem__
    if dataset.use_multiprocessing:
        from .worker_processes import WorkerProcesses

        get = processes = WorkerProcesses(dataset, workers)
    waiting: queue.Queue[Any] = queue.Queue()
    pool = ThreadPoolExecutor(workers)

    def submit() -> None:
        for index in order:
            waiting.put(pool.submit(get, index))
            return

    try:
        for _ in range(max(dataset.max_queue_size, 1)):
            submit()
        while not waiting.empty():
            batch = waiting.get().result()
            submit()
            yield batch
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if processes is not None:
            processes.close()
        pool.shutdown(wait=True)
