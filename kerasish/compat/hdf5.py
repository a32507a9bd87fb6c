"""`HDF5Matrix` and its kin: arrays in HDF5 files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

__all__ = ["HDF5Matrix", "ask_to_proceed_with_overwrite", "load_array", "save_array"]


class HDF5Matrix:
    """Rows of a data set in a file, read when they are asked for.

    Args:
        datapath: The file.
        dataset: The data set's name in it.
        start, end: Which of its rows.
        normalizer: Applied to what is read.
    """

    def __init__(
        self, datapath: Any, dataset: str, start: int = 0, end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.data = h5py.File(datapath, "r")[dataset]
        self.start = start
        self.end = self.data.shape[0] if end is None else end
        self.normalizer = normalizer

    def __len__(self) -> int:
        return int(self.end - self.start)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            rows: Any = np.arange(*key.indices(len(self)))
        else:
            rows = np.asarray(key)
        if rows.size and (rows.max() >= len(self) or rows.min() < -len(self)):
            raise IndexError(f"HDF5Matrix: row {key} of {len(self)}.")
        rows = rows % max(len(self), 1) + self.start
        if rows.ndim == 0:
            found = self.data[int(rows)]
        else:  # the file wants each row once, in order
            each, places = np.unique(rows, return_inverse=True)
            found = self.data[each][places]
        return found if self.normalizer is None else self.normalizer(found)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.data.shape[1:])

    @property
    def dtype(self) -> Any:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self[:], dtype=dtype)


def save_array(array: Any, name: Any) -> None:
    """Write an array into a file of its own."""
    with h5py.File(name, "w") as file:
        file.create_dataset("array", data=np.asarray(array))


def load_array(name: Any) -> Any:
    """The array of such a file."""
    with h5py.File(name, "r") as file:
        return file["array"][()]


def ask_to_proceed_with_overwrite(filepath: Any) -> bool:
    """Ask at the terminal whether a file may be written over."""
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    return answer == "y"
