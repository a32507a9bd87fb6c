"""`tf.data` beside the data set itself."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np

from ...text_arrays import Text
from ...utils.dataset import Dataset

__all__ = ["Options", "TextLineDataset", "cardinality"]


class Options:
    """What a program sets of how data sets run, which has no effect here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        inner = Options()
        object.__setattr__(self, name, inner)
        return inner


ThreadingOptions = Options


class AutoShardPolicy(Enum):
    """How several machines would share the files."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


def TextLineDataset(
    filenames: Any, compression_type: Any = None, buffer_size: Any = None,
    num_parallel_reads: Any = None, name: Any = None,
) -> Dataset:  # fmt: skip
    """The lines of text files, without their ends."""
    opened = gzip.open if compression_type == "GZIP" else open

    def lines(epoch: int) -> Iterator[Any]:
        given = filenames
        if isinstance(given, Dataset):
            given = [np.asarray(x) for x in given._make(epoch)]
        names = np.asarray(Text(np.atleast_1d(np.asarray(given, object))))
        for path in names:
            with opened(str(path), "rt", encoding="utf-8", newline="") as file:
                for line in file:
                    yield np.asarray(line.rstrip("\n").removesuffix("\r"), object)

    return Dataset(lines)


def cardinality(dataset: Any) -> Any:
    """How many elements; -1 if there is no end, -2 if it is not known."""
    return dataset.cardinality()


def assert_cardinality(expected_cardinality: Any) -> Any:
    """A change for `apply`: the number of elements is this one."""
    return lambda d: d._like(d._make, int(expected_cardinality))


def Counter(start: Any = 0, step: Any = 1, dtype: Any = "int64") -> Dataset:
    """Whole numbers without an end."""
    return Dataset.counter(start, step, dtype)


def get_single_element(dataset: Any) -> Any:
    """The one element."""
    return dataset.get_single_element()


def sample_from_datasets(*args: Any, **kwargs: Any) -> Dataset:
    """See `Dataset.sample_from_datasets`."""
    return Dataset.sample_from_datasets(*args, **kwargs)


def choose_from_datasets(*args: Any, **kwargs: Any) -> Dataset:
    """See `Dataset.choose_from_datasets`."""
    return Dataset.choose_from_datasets(*args, **kwargs)


def _change(name: str, method: str) -> Any:
    def change(*args: Any, **kwargs: Any) -> Any:
        return lambda d: getattr(d, method)(*args, **kwargs)

    change.__name__, change.__doc__ = name, f"A change for `apply`: `Dataset.{method}`."
    return change


bucket_by_sequence_length = _change("bucket_by_sequence_length", "bucket_by_sequence_length")
enumerate_dataset = _change("enumerate_dataset", "enumerate")
group_by_window = _change("group_by_window", "group_by_window")
ignore_errors, scan = _change("ignore_errors", "ignore_errors"), _change("scan", "scan")
take_while, unique = _change("take_while", "take_while"), _change("unique", "unique")
