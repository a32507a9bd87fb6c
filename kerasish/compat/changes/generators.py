"""`fit_generator` and its kin in Keras 1, which counted samples instead of batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import kerasish_core as core

from ..warning import warn_once

__all__ = ["batches_for_samples"]


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
