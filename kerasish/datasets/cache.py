"""Files of data sets: found in the cache or downloaded; reading runs nothing that is in them."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..config import keras_home
from ..utils.files import get_file

__all__ = [
    "BASE", "cached", "limited", "load_pickle", "not_too_long", "numbered", "objects", "read_npz",
    "split",
]  # fmt: skip

BASE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def cached(path: str, origin: str, file_hash: str | None = None, subdir: str = "datasets") -> Path:
    """The file of this name in the cache, whatever its hash; else it is downloaded and checked."""
    found = Path(keras_home()) / subdir / path
    if found.is_file():
        return found
    return Path(get_file(path, origin, file_hash=file_hash, cache_subdir=subdir))


# What the pickles of NumPy arrays of lists need, and no more.
_ALLOWED = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "scalar")
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


class _OnlyArrays(pickle.Unpickler):
    """Refuses everything but arrays, lists and numbers: a pickle can otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"the file asks for {module}.{name}; only arrays of numbers and lists are read"
            )
        return super().find_class(module, name)


def load_pickle(file: Any, encoding: str = "ASCII") -> Any:
    """What a pickle of arrays, lists and dictionaries holds."""
    return _OnlyArrays(file, encoding=encoding).load()


def read_npz(path: Path) -> dict[str, Any]:
    """The arrays of an `.npz` file; lists in object arrays are read, other objects refused.

    Raises:
        ValueError: The file is damaged or holds something else.
    """
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    found[name.removesuffix(".npy")] = _read_npy(member)
    except (zipfile.BadZipFile, pickle.UnpicklingError, EOFError, OSError) as error:
        raise ValueError(
            f"{path} is no readable data set: {error}. Delete it, and it is downloaded again."
        ) from error
    return found


def _read_npy(member: Any) -> Any:
    version = np.lib.format.read_magic(member)
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if reader is None:
        raise ValueError(f"npy format {version} is not known.")
    shape, fortran, dtype = reader(member)
    if dtype.hasobject:
        return load_pickle(member)
    data = np.frombuffer(bytearray(member.read()), dtype=dtype)
    return data.reshape(shape, order="F" if fortran else "C")


def split(x: Any, y: Any, test_split: float, seed: int) -> Any:
    """Shuffle rows and split off the last ones.

    Raises:
        ValueError: `test_split` is not in [0, 1).
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be in [0, 1). Received: test_split={test_split}")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    end = int(len(x) * (1 - test_split))
    return (np.array(x[:end]), np.array(y[:end])), (np.array(x[end:]), np.array(y[end:]))


def numbered(sequences: Any, start_char: Any, index_from: Any) -> list[list[int]]:
    """Word ranks as Keras numbers them: a start sign first, and room for special numbers."""
    shift = index_from or 0
    first = [] if start_char is None else [start_char]
    return [first + [w + shift for w in s] for s in sequences]


def limited(
    sequences: list[list[int]], num_words: Any, skip_top: int, oov_char: Any
) -> list[list[int]]:
    """Words outside of `[skip_top, num_words)` replaced by `oov_char`, or left out if None."""
    if not num_words:
        num_words = max(max(s) for s in sequences)
    if oov_char is not None:
        return [[w if skip_top <= w < num_words else oov_char for w in s] for s in sequences]
    return [[w for w in s if skip_top <= w < num_words] for s in sequences]


def not_too_long(maxlen: int, sequences: list[Any], labels: Any) -> tuple[list[Any], Any]:
    """The sequences shorter than `maxlen`, and their labels."""
    keep = [i for i, s in enumerate(sequences) if len(s) < maxlen]
    return [sequences[i] for i in keep], np.asarray(labels)[keep]


def objects(sequences: list[list[int]]) -> Any:
    """Lists of different lengths in an array."""
    found = np.empty(len(sequences), dtype=object)
    found[:] = sequences
    return found
