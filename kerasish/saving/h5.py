"""Arrays in HDF5 groups, written as Keras writes them and read with distrust.

A file may come from anywhere. Links out of the file, virtual and external data, object types and
references are refused, and an array is read only when its shape is the expected one or its size
is plausible for what the file holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from .heaps import check_heaps

__all__ = [
    "KERAS_VERSION", "Reader", "StoredArray", "Writer", "atomic_path", "open_to_write", "opened",
    "read_attribute", "synced",
]  # fmt: skip

# The version of Keras whose formats are written.
KERAS_VERSION = "3.15.0"
# What h5py raises when it meets damage: any of these, with HDF5's message.
_LIBRARY_ERRORS = (
    OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError,
    MemoryError, UnicodeError,
)  # fmt: skip
_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to; put in its place when the block succeeds.

    A symbolic link stays one, and a file keeps its mode.

    Raises:
        OSError: It can't be written; the message names the file. What was there is unchanged.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield temporary
        synced(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
        synced(target.parent)
    except OSError as error:
        raise OSError(f"Can't write {path}: {error}. What was there is unchanged.") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def opened(path: Path, source: Any = None) -> Iterator[Any]:
    """An HDF5 file opened for reading.

    Args:
        path: The file's name, for messages.
        source: An open binary file to read instead.

    Raises:
        ValueError: It is no HDF5 file, or a damaged one.
    """
    import h5py

    try:
        with contextlib.ExitStack() as stack:
            if source is None:
                source = stack.enter_context(open(path, "rb"))
            check_heaps(source)
            with h5py.File(source, "r") as file:
                yield file
    except _LIBRARY_ERRORS as error:
        if not _from_library(error):
            raise
        raise ValueError(
            f"{path} is no readable HDF5 file: {error}. It may be cut off or damaged; save it "
            "again or use a backup."
        ) from error


def _from_library(error: BaseException) -> bool:
    """Whether an error comes from HDF5 or the check before it, not from what uses the file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else trace.tb_frame.f_code.co_filename
    return "h5py" in name or name == check_heaps.__code__.co_filename


@contextlib.contextmanager
def open_to_write(path: Path) -> Iterator[Any]:
    """An HDF5 file opened for writing.

    Raises:
        OSError: It can't be written, at any time until it is closed.
    """
    import h5py

    file = h5py.File(path, "w")
    try:
        yield file
    except BaseException:
        # What could not be written can't be when it is closed either.
        with contextlib.suppress(OSError, RuntimeError):
            file.close()
        raise
    try:
        file.close()
    except RuntimeError as error:  # HDF5's error of the last write
        raise OSError(str(error)) from error


def read_attribute(path: Path, item: Any, name: str) -> Any:
    """An attribute of a group: text as str, lists of text as they are; None if there is none.

    Raises:
        ValueError: It can't be read, or claims to be larger than the file.
    """
    import h5py

    if name not in item.attrs:
        return None
    try:
        attribute = h5py.h5a.open(item.id, name.encode())
        shape, size = attribute.shape, attribute.dtype.itemsize
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if count * size > os.path.getsize(path):
            raise ValueError(f"it claims shape {shape}, more than the file can hold")
        value = item.attrs[name]
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, UnicodeError) as error:
        raise ValueError(
            f"{path}: attribute {name!r} of {item.name} can't be read: {error}. The file is "
            "damaged."
        ) from error
    return value.decode("utf-8") if isinstance(value, bytes) else value


def synced(path: Path) -> None:
    """Have a file or folder written to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # folders can't be opened there
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Writer:
    """A mapping of names to arrays that goes into one group.

    Args:
        group: The h5py group.
    """

    def __init__(self, group: Any) -> None:
        self._group = group

    def __setitem__(self, name: str, value: Any) -> None:
        value = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
        if value.dtype.name == "bfloat16":
            # HDF5 has no such type: the two bytes as they are, with a note.
            dataset = self._group.create_dataset(name, data=value.view("V2"))
            dataset.attrs["dtype"] = "bfloat16"
        else:
            self._group.create_dataset(name, data=value)

    def __getitem__(self, name: str) -> Any:
        return self._group[name][()]

    def __contains__(self, name: str) -> bool:
        return name in self._group

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)

    def keys(self) -> list[str]:
        """The names written so far."""
        return list(self._group)


class StoredArray:
    """An array in a file: its shape is known before it is read.

    Attributes:
        shape: Its shape.
        dtype: Its dtype.
    """

    def __init__(self, path: Path, dataset: Any) -> None:
        self._path, self._dataset = path, dataset
        self.shape = tuple(dataset.shape)
        self._bfloat16 = dataset.attrs.get("dtype") == "bfloat16"
        self.dtype = _BFLOAT16 if self._bfloat16 else dataset.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def numpy(self) -> Any:
        """Its values.

        Raises:
            ValueError: They can't be read, or the file claims more than it can hold.
        """
        dataset = self._dataset
        # Compressed data may claim any size; what is stored must make it plausible.
        stored = dataset.id.get_storage_size()
        if dataset.size * dataset.dtype.itemsize > 1000 * stored + 4096:
            raise ValueError(
                f"{self._path}: {dataset.name} claims shape {self.shape}, but the file holds only "
                f"{stored} bytes of it."
            )
        try:
            array = np.asarray(dataset[()])
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{self._path}: {dataset.name} can't be read: {error}. The file is damaged."
            ) from error
        return array.view(_BFLOAT16) if self._bfloat16 else array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.numpy(), dtype=dtype)

    def __getitem__(self, key: Any) -> Any:
        return self.numpy()[key]

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<StoredArray {self._dataset.name} shape={self.shape} dtype={self.dtype}>"


class Reader:
    """The arrays of one group by name.

    Args:
        path: The file's name, for messages.
        file: The h5py file or group to start from.
        place: The group's path; a group that is not there has no arrays.
    """

    def __init__(self, path: Path, file: Any, place: str) -> None:
        self._path, self.place = path, place
        self._group = self._walk(file, place)

    def _walk(self, group: Any, place: str) -> Any:
        import h5py

        for name in place.split("/"):
            link = group.get(name, getlink=True)
            if link is None:
                return None
            self._check_link(link, f"{group.name}/{name}")
            group = group[name]
            if not isinstance(group, h5py.Group):
                raise ValueError(f"{self._path}: {group.name} should be a group, it is an array.")
        return group

    def _check_link(self, link: Any, name: str) -> None:
        import h5py

        if not isinstance(link, h5py.HardLink):
            raise ValueError(
                f"{self._path}: {name} is a link to elsewhere ({type(link).__name__}). Links are "
                "refused: a file of weights holds its own arrays."
            )

    @property
    def group(self) -> Any:
        """The h5py group, None if the file does not have it."""
        return self._group

    @property
    def exists(self) -> bool:
        """Whether the file has this group."""
        return self._group is not None

    def keys(self) -> list[str]:
        """The names of the arrays."""
        return [] if self._group is None else list(self._group)

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: str) -> bool:
        return name in self.keys()

    def items(self) -> list[tuple[str, StoredArray]]:
        """Names and arrays."""
        return [(name, self[name]) for name in self.keys()]

    def values(self) -> list[StoredArray]:
        """The arrays."""
        return [self[name] for name in self.keys()]

    def __getitem__(self, name: str) -> StoredArray:
        import h5py

        link = None if self._group is None else self._group.get(name, getlink=True)
        if link is None:
            raise KeyError(f"{self._path} has no {self.place}/{name}.")
        self._check_link(link, f"{self.place}/{name}")
        dataset = self._group[name]
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{self._path}: {dataset.name} should be an array, it is a group.")
        if dataset.is_virtual or dataset.external:
            raise ValueError(
                f"{self._path}: {dataset.name} keeps its data in other files: refused."
            )
        kind = dataset.dtype.kind
        if kind not in "biufc" and not (kind == "V" and dataset.dtype == np.dtype("V2")):
            raise ValueError(
                f"{self._path}: {dataset.name} has dtype {dataset.dtype}: only numbers are read."
            )
        return StoredArray(self._path, dataset)
