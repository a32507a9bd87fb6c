"""Data that comes in batches: Keras 1 counted samples, Keras 2 gave the workers to `fit`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import kerasish_core as core

from ...training.pydataset import PyDataset
from ..warning import warn, warn_once

__all__ = ["batches_for_samples", "with_workers", "workers_of_data_set"]


def workers_of_data_set(arguments: dict[str, Any]) -> None:
    """`fit(sequence, workers=4)`: the data set's own workers today."""
    workers = arguments.pop("workers", None)
    processes = arguments.pop("use_multiprocessing", None)
    size = arguments.pop("max_queue_size", 10)
    if processes is not None or workers is not None:
        warn_once("fit(workers=...)", "keras.utils.PyDataset(workers=...)")
        for name in ("x", "validation_data"):
            with_workers(arguments.get(name), workers, processes, size)


def with_workers(data: Any, workers: Any, processes: Any, max_queue_size: Any = 10) -> None:
    """Let threads or processes make the batches of a `Sequence` ahead.

    A generator has no batches by number: one thread asks it, in this process.
    """
    workers = 1 if workers is None else int(workers)
    if isinstance(data, PyDataset):
        data.workers, data.use_multiprocessing = workers, bool(processes)
        data.max_queue_size = max_queue_size or 10
    elif processes and workers > 0 and hasattr(data, "__next__"):
        warn(
            f"use_multiprocessing=True: copies of the generator {data!r} in other processes would "
            "give each batch several times, so this process makes its batches. To have processes "
            "do so, make it a keras.utils.Sequence."
        )


def batches_for_samples(**counts: tuple[str, str]) -> Callable[[dict[str, Any]], None]:
    """A change that turns numbers of samples into numbers of batches.

    An epoch ended when at least that many samples had come. The size of a batch is the first
    one's, which is looked at and put back.

    Args:
        **counts: For each number of samples, the argument with the batches and that with their
            number.
    """

    def change(arguments: dict[str, Any]) -> None:
        for name, (source, steps) in counts.items():
            samples = arguments.pop(name, None)
            if samples is None:
                continue
            warn_once(f"{name}=...", f"{steps}=..., the number of batches")
            if arguments.get(source) is not None:
                size, arguments[source] = _batch_size(arguments[source])
                arguments[steps] = -(-int(samples) // size)

    return change


def _batch_size(source: Any) -> tuple[int, Any]:
    """The number of samples in a batch, and the batches, none of them missing."""
    size = getattr(source, "batch_size", None)
    if size:
        return int(size), source
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return _samples(source[0]), source
    if not hasattr(source, "__next__"):
        return 1, source
    first = next(source)
    return _samples(first), itertools.chain([first], source)


def _samples(batch: Any) -> int:
    leaves = core.tree.flatten(batch[0] if isinstance(batch, tuple) else batch)
    return max(len(leaves[0]), 1)
