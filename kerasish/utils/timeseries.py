"""Windows of series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .dataset import Dataset
from .from_directory import _check_format

__all__ = ["timeseries_dataset_from_array"]


def _check(data: Any, start: Any, end: Any, sampling_rate: int, stride: int) -> None:
    count = len(data)
    if start and start < 0:
        raise ValueError(f"`start_index` must be 0 or greater. Received: start_index={start}")
    if start and start >= count:
        raise ValueError(
            "`start_index` must be lower than the length of the data. Received: "
            f"start_index={start}, for data of length {count}"
        )
    if end and start and end <= start:
        raise ValueError(
            "`end_index` must be higher than `start_index`. Received: "
            f"start_index={start}, and end_index={end}"
        )
    if end and end >= count:
        raise ValueError(
            "`end_index` must be lower than the length of the data. Received: "
            f"end_index={end}, for data of length {count}"
        )
    if end and end <= 0:
        raise ValueError(f"`end_index` must be higher than 0. Received: end_index={end}")
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", stride)):
        if value <= 0:
            raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
        if value >= count:
            raise ValueError(
                f"`{name}` must be lower than the length of the data. Received: {name}={value}, "
                f"for data of length {count}"
            )


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1,
    sampling_rate: int = 1, batch_size: Any = 128, shuffle: bool = False, seed: Any = None,
    start_index: Any = None, end_index: Any = None, format: str = "tf",
) -> Any:  # fmt: skip
    """Windows of a series, with the target of their first step.

    Window i holds the steps `i * sequence_stride + k * sampling_rate` for k below
    `sequence_length`; its target is `targets[i * sequence_stride]`.

    Args:
        data: `(steps, ...)`.
        targets: `(steps, ...)`, or None: windows only.
        sequence_length: Steps of a window.
        sequence_stride: Steps between the beginnings of two windows.
        sampling_rate: Steps between two of a window.
        batch_size: None gives single windows.
        shuffle: Whether windows are mixed, anew in each epoch.
        seed: Of the mixing.
        start_index, end_index: The part of the data that is used; the end is not included.
        format: "tf" or "grain", accepted as in Keras: the data set is ours for both.

    Returns:
        A data set of windows, or of pairs.

    Raises:
        ValueError: An index or a step that does not fit the data.

    Source: https://keras.io/api/data_loading/timeseries/
    """
    _check(data, start_index, end_index, sampling_rate, sequence_stride)
    _check_format(format)
    start = start_index or 0
    end = len(data) if end_index is None else end_index
    steps = np.asarray(data)[start:end]
    wanted = None if targets is None else np.asarray(targets)[start:]
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    first = np.arange(0, max(count, 0), sequence_stride)
    seed = int(np.random.randint(1e6)) if seed is None else seed  # noqa: NPY002
    if shuffle:
        np.random.RandomState(seed).shuffle(first)
    within = np.arange(sequence_length) * sampling_rate
    size = 1 if batch_size is None else batch_size

    def windows(epoch: int) -> Iterator[Any]:
        order = first
        if shuffle:
            order = np.random.default_rng([seed, epoch]).permutation(first)
        # A batch is gathered at once; one by one it would be copied twice.
        for at in range(0, len(order), size):
            rows = order[at : at + size] if batch_size is not None else order[at]
            window = steps[rows[:, None] + within if batch_size is not None else rows + within]
            yield window if wanted is None else (window, wanted[rows])

    return Dataset(windows, -(-len(first) // size))
