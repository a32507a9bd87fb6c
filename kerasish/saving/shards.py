"""Weights in several files: `x.weights.json` says which group is in which `x_00000.weights.h5`.

The files have fixed names, so they can't all be replaced in one step. All are written beside
first, then a journal; a reader that finds a journal takes the new files by it, wherever they are.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .h5 import Reader, StoredArray, Writer, atomic_path, open_to_write, opened, synced

__all__ = ["Shards", "ShardedReader", "opened_shards"]

_INDEX_BYTES = 256 << 20


class Shards:
    """Writes groups into files of at most so many bytes of arrays.

    Args:
        path: The index, `x.weights.json`.
        limit: Bytes of arrays in each file.
    """

    def __init__(self, path: Path, limit: float) -> None:
        self._path, self._limit = path, limit
        self._base = path.stem.replace(".weights", "")
        self._temporary: dict[str, Path] = {}
        self._map: dict[str, Any] = {}
        self._used = 0.0
        self._total = 0
        self._stack = contextlib.ExitStack()
        self._file: Any = None

    def __enter__(self) -> Shards:
        self._next_file()
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        try:
            self._stack.close()
            if kind is None:
                self._put_in_place()
        finally:
            for temporary in self._temporary.values():
                temporary.unlink(missing_ok=True)

    def _next_file(self) -> None:
        self._stack.close()
        self._name = f"{self._base}_{len(self._temporary):05}.weights.h5"
        temporary = self._path.with_name(f".{self._name}.{os.getpid()}.part")
        self._temporary[self._name] = temporary
        self._file, self._used = self._stack.enter_context(open_to_write(temporary)), 0

    def writer(self, place: str) -> Writer:
        """A mapping for the arrays of the group at `place`."""
        return _ShardWriter(self, place)

    def put(self, place: str, name: str, value: Any) -> None:
        """Write an array.

        Raises:
            ValueError: It is larger than a file may be.
        """
        if value.nbytes > self._limit:
            raise ValueError(
                f"The array {place}/{name} has {value.nbytes} bytes, which exceeds the maximum "
                f"shard size of {self._limit:.0f} bytes. Increase `max_shard_size` (in GB)."
            )
        if self._used + value.nbytes > self._limit:
            self._next_file()
        self._used += value.nbytes
        self._total += value.nbytes
        Writer(self._file.require_group(place))[name] = value
        files = self._map.setdefault(f"/{place}", [])
        if self._name not in files:
            files.append(self._name)

    def _put_in_place(self) -> None:
        files = {k: v[0] if len(v) == 1 else v for k, v in self._map.items()}
        index = {"metadata": {"total_size": self._total}, "weight_map": files}
        for temporary in self._temporary.values():
            synced(temporary)
        journal = _journal(self._path)
        names = {name: temporary.name for name, temporary in self._temporary.items()}
        with atomic_path(journal) as temporary:
            temporary.write_text(json.dumps({**index, "files": names}), encoding="utf-8")
        for name, temporary in self._temporary.items():
            os.replace(temporary, self._path.with_name(name))
        with atomic_path(self._path) as temporary:
            temporary.write_text(json.dumps(index, indent=4), encoding="utf-8")
        journal.unlink()


class _ShardWriter(Writer):
    def __init__(self, shards: Shards, place: str) -> None:
        self._shards, self._place = shards, place
        self._names: list[str] = []

    def __setitem__(self, name: str, value: Any) -> None:
        value = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
        self._shards.put(self._place, name, value)
        self._names.append(name)

    def keys(self) -> list[str]:
        return list(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _journal(path: Path) -> Path:
    return path.with_name(f".{path.name}.journal")


class ShardedReader(Reader):
    """The arrays of one group, wherever they are.

    Args:
        path: The index, for messages.
        parts: Readers of that group in each file.
        place: The group's path.
    """

    def __init__(self, path: Path, parts: list[Reader], place: str) -> None:
        self._path, self.place = path, place
        self._parts = [p for p in parts if p.exists]

    @property
    def exists(self) -> bool:
        return bool(self._parts)

    def keys(self) -> list[str]:
        return [name for part in self._parts for name in part]

    def __getitem__(self, name: str) -> StoredArray:
        for part in self._parts:
            if name in part:
                return part[name]
        raise KeyError(f"{self._path} has no {self.place}/{name}.")


@contextlib.contextmanager
def opened_shards(path: Path) -> Iterator[Any]:
    """A function from the place of a group to a reader of its arrays.

    Raises:
        ValueError: The index or a file is damaged, or the index names other files than shards.
    """
    journal = _journal(path)
    index = _index(journal if journal.is_file() else path)
    moved = index.get("files") or {}
    with contextlib.ExitStack() as stack:
        files: dict[str, Any] = {}

        def file(name: Any) -> Any:
            if name not in files:
                files[name] = stack.enter_context(opened(_shard(path, name, moved)))
            return files[name]

        def reader(place: str) -> Reader:
            names = index["weight_map"].get(f"/{place}", [])
            names = [names] if isinstance(names, str) else names
            return ShardedReader(path, [Reader(path, file(n), place) for n in names], place)

        yield reader


def _index(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _INDEX_BYTES:
            raise ValueError(f"it has more than {_INDEX_BYTES} bytes")
        index = json.loads(path.read_text(encoding="utf-8"))
        files = index["weight_map"].values()
        if not all(isinstance(f, str | list) for f in files):
            raise ValueError("its weight_map maps to something else than names of files")
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is no readable index of sharded weights: {error!r}.") from error
    return index


def _shard(path: Path, name: Any, moved: dict[str, str]) -> Path:
    for each in (name, moved.get(name, name)):
        plain = isinstance(each, str) and Path(each).name == each and "\\" not in each
        if not plain or not each.endswith((".weights.h5", ".part")):
            raise ValueError(f"{path} names {each!r}, which is no file of weights beside it.")
    waiting = path.with_name(moved.get(name, name))
    return waiting if waiting.is_file() else path.with_name(name)
