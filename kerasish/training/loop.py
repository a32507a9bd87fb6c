"""The passes over data that fit, evaluate and predict are made of."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

import kerasish_core as core

from ..settings import max_epochs, max_steps_per_epoch
from .data import ArrayData

__all__ = [
    "Epochs", "check_frequency", "due", "limited_epochs", "limited_steps", "python_logs",
    "run_epoch", "to_numpy", "whole_executions",
]  # fmt: skip

tree = core.tree


class Epochs:
    """Batches epoch by epoch; with a number of steps an iterator continues where it stopped.

    Args:
        data: An adapter of `data.py`.
        steps: Batches of an epoch; all by default.
        size: Steps per execution: an epoch is whole ones.
    """

    def __init__(self, data: Any, steps: int | None, size: int = 1) -> None:
        self.data, self._steps = data, whole_executions(steps, size)
        self._running: Any = None

    def close(self) -> None:
        """End what makes batches ahead, also where an error or Ctrl-C ended an epoch."""
        if hasattr(self._running, "close"):
            self._running.close()

    @property
    def whole(self) -> bool:
        """Whether an epoch is all rows of arrays in memory."""
        return self._steps is None and isinstance(self.data, ArrayData)

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        data = self.data
        data.on_epoch_begin()
        if self._steps is None:
            self._running = iter(data)
            yield from self._running
        else:
            for step in range(self._steps):
                batch = self._next(step == 0)
                if batch is None:
                    warnings.warn(  # it starts again with the next epoch
                        "Your input ran out of data; interrupting training. Make sure that your "
                        "dataset or generator can generate at least `steps_per_epoch * epochs` "
                        "batches.",
                        stacklevel=3,
                    )
                    break
                yield batch
        data.on_epoch_end()

    def _next(self, first: bool) -> Any:
        if self._running is None:
            self._running = iter(self.data)
        batch = next(self._running, None)
        if batch is None:
            self._running = iter(self.data) if first else None
            batch = next(self._running, None) if first else None
        return batch


def whole_executions(steps: int | None, size: int) -> int | None:
    """The steps of as many executions of `size` steps as are needed; None for all."""
    return steps and -(-steps // size) * size


def limited_epochs(epochs: int) -> int:
    """The epochs of a `fit`, at most `config.max_epochs()`."""
    most = max_epochs()
    if most is None or epochs <= most:
        return epochs
    warnings.warn(f"Limiting epochs to {most}", stacklevel=3)
    return most


def limited_steps(steps: int | None, data: Any) -> int | None:
    """The steps of an epoch (None for all), at most `config.max_steps_per_epoch()`."""
    most, known = max_steps_per_epoch(), steps or data.num_batches
    if most is None or (known is not None and known <= most):
        return steps
    warnings.warn(f"Limiting steps_per_epoch to {most}", stacklevel=3)
    return most


def run_epoch(
    batches: Iterator[Any], step: Any, size: int, begin: Any, end: Any, done: int = 0
) -> Any:
    """Run a step on every batch, with hooks around each `size` of them.

    Args:
        batches: The batches.
        step: Called with a batch; returns its results.
        size: Steps per execution.
        begin: Called with the first index.
        end: Called with the last index, the number of steps done and the list of results; training
            stops where it returns True.
        done: Steps of the epoch that were done before.

    Returns:
        The number of steps, and the last results.
    """
    results: list[Any] = []
    while chunk := list(islice(batches, size)):
        begin(done)
        results = [step(batch) for batch in chunk]
        first, done = done, done + len(chunk)
        if end(first + size - 1, done, results):
            break
    return done, results[-1] if results else {}


def python_logs(logs: Any) -> dict[str, Any]:
    """Values as Python numbers, in Keras's order (sorted)."""
    found = {}
    for key in sorted(logs):
        value = logs[key]
        if isinstance(value, core.Tensor) and not value.shape:
            found[key] = _python(value.item())
            continue
        if isinstance(value, dict):
            found.update(python_logs(value))
            continue
        try:
            array = np.asarray(value)
            found[key] = _python(array.item()) if array.size == 1 else array
        except (TypeError, ValueError):
            found[key] = value
    return found


def _python(value: Any) -> Any:
    """Whole numbers and truth values as floats too, as logs are in Keras."""
    return float(value) if isinstance(value, int) else value


def to_numpy(outputs: Any) -> Any:
    """Tensors of a structure as arrays of the user's own."""
    kind = type(outputs)
    if kind is core.Tensor:
        return outputs.numpy()
    if kind is dict:
        return {key: to_numpy(value) for key, value in outputs.items()}
    if kind is tuple or kind is list:
        return kind(map(to_numpy, outputs))
    return tree.map_structure(lambda t: t.numpy() if isinstance(t, core.Tensor) else t, outputs)


def check_frequency(freq: Any) -> None:
    """Raise if `validation_freq` is neither a whole number nor some of them."""
    if not isinstance(freq, int | np.integer | list | tuple | set):
        raise ValueError(
            "Expected `validation_freq` to be a list or int. Received: "
            f"validation_freq={freq} of the type {type(freq)}."
        )


def due(epoch: int, freq: Any) -> bool:
    """Whether to validate after an epoch (numbered from 0)."""
    if isinstance(freq, list | tuple | set):
        return epoch + 1 in freq
    return (epoch + 1) % int(freq) == 0
