"""`keras.utils.data_utils`: downloads unpacked beside themselves, batches made ahead."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...training.pydataset import PyDataset, batches_of
from ...utils import files
from ...utils.files import get_file as modern_get_file
from ...utils.files import validate_file

__all__ = [
    "GeneratorEnqueuer", "OrderedEnqueuer", "Sequence", "SequenceEnqueuer", "get_file",
    "instead_of_get_file", "iter_sequence_infinite", "threadsafe_generator", "validate_file",
]  # fmt: skip

Sequence = PyDataset


def get_file(
    fname: str | None = None, origin: str | None = None, untar: bool = False,
    md5_hash: str | None = None, file_hash: str | None = None, cache_subdir: str = "datasets",
    hash_algorithm: str = "auto", extract: bool = False, archive_format: Any = "auto",
    cache_dir: Any = None, force_download: bool = False,
) -> str:  # fmt: skip
    """The path of a file in the cache, downloaded if it is not there.

    As Keras 2 had it: archives are unpacked beside themselves, into the folder where they lie.

    Args:
        fname: Its name in the cache; that of the URL by default.
        origin: The URL.
        untar: Whether it is a `.tar.gz`, and `fname` the folder that is in it.
        extract: Whether it is an archive to be unpacked.
        md5_hash, file_hash, hash_algorithm, cache_subdir, archive_format, cache_dir,
        force_download: See `keras.utils.get_file`.

    Returns:
        The file's path; with `untar` the folder's.

    Raises:
        ValueError: No URL, the download's hash is wrong, or the archive can't be unpacked.
        OSError: The download failed; the message names the URL.

    Source: Keras 2.15, `keras.utils.get_file`.
    """
    name = os.fspath(fname) if fname else ""
    if untar:
        name = (name or os.path.basename(origin or "")).removesuffix(".tar.gz")
        archive = f"{name}.tar.gz"
    else:
        archive = name
    path = Path(modern_get_file(
        archive or None, origin, md5_hash=md5_hash, file_hash=file_hash, cache_dir=cache_dir,
        cache_subdir=cache_subdir, hash_algorithm=hash_algorithm, force_download=force_download,
    ))  # fmt: skip
    if untar:
        folder = path.with_name(name)
        if not folder.exists():
            files.unpack(path, path.parent, "tar")
        return str(folder)
    if extract:
        files.unpack(path, path.parent, archive_format)
    return str(path)


def instead_of_get_file(modern: Any, *args: Any, **kwargs: Any) -> str:
    """`keras.utils.get_file` in programs for Keras 1 and 2."""
    return get_file(*args, **kwargs)


class SequenceEnqueuer:
    """Batches made ahead by threads or processes.

    Args:
        sequence: A `Sequence`.
        use_multiprocessing: Whether by processes.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence, self.use_multiprocessing = sequence, use_multiprocessing
        self.workers, self.max_queue_size = 0, 10
        self.stop_signal: threading.Event | None = None

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Start.

        Args:
            workers: How many threads or processes.
            max_queue_size: How many batches are made ahead.
        """
        self.workers, self.max_queue_size = workers, max_queue_size
        self.stop_signal = threading.Event()

    def stop(self, timeout: float | None = None) -> None:
        """Stop; batches made ahead are dropped."""
        if self.stop_signal is not None:
            self.stop_signal.set()

    def get(self) -> Iterator[Any]:
        """The batches."""
        raise NotImplementedError(f"{type(self).__name__} must define get().")


class _Ahead(PyDataset):
    """A sequence with the number of workers that an enqueuer has."""

    def __init__(self, sequence: Any, workers: int, processes: bool, size: int) -> None:
        super().__init__(workers, processes, size)
        self._sequence = sequence

    def __len__(self) -> int:
        return len(self._sequence)

    def __getitem__(self, index: int) -> Any:
        return self._sequence[index]


class OrderedEnqueuer(SequenceEnqueuer):
    """The batches of a sequence in their order, epoch after epoch.

    Args:
        sequence: A `Sequence`.
        use_multiprocessing: Whether processes make them.
        shuffle: Whether each epoch has an order of its own.
    """

    def __init__(
        self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False
    ) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def get(self) -> Iterator[Any]:
        source = _Ahead(self.sequence, self.workers, self.use_multiprocessing, self.max_queue_size)
        while self.is_running():
            for batch in batches_of(source, self.shuffle):
                if not self.is_running():
                    return
                yield batch
            if hasattr(self.sequence, "on_epoch_end"):
                self.sequence.on_epoch_end()


class GeneratorEnqueuer(SequenceEnqueuer):
    """The batches of a generator, made ahead by a thread.

    Args:
        generator: The generator. One thread asks it, whatever the number of workers: generators
            run once at a time.
        use_multiprocessing: Accepted as in Keras.
        wait_time, random_seed: Accepted as in Keras 2.0.
    """

    def __init__(
        self, generator: Any, use_multiprocessing: bool = False, wait_time: Any = None,
        random_seed: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(generator, use_multiprocessing)
        self.queue: Any = None
        self._thread: threading.Thread | None = None

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        super().start(workers, max_queue_size)
        self.queue = queue.Queue(max(max_queue_size, 1))
        self._thread = threading.Thread(target=self._fill, daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        try:
            for batch in self.sequence:
                if not self._put((batch, None)):
                    return
            self._put((None, StopIteration()))
        except Exception as error:
            self._put((None, error))

    def _put(self, item: Any) -> bool:
        """Whether there was room before the end."""
        while self.is_running():
            try:
                self.queue.put(item, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def stop(self, timeout: float | None = None) -> None:
        super().stop(timeout)
        if self._thread is not None:
            self._thread.join(timeout)

    def get(self) -> Iterator[Any]:
        while self.is_running():
            try:
                batch, error = self.queue.get(timeout=0.05)
            except queue.Empty:
                continue
            if isinstance(error, StopIteration):
                self.stop()
                return
            if error is not None:
                self.stop()
                raise error
            yield batch


def iter_sequence_infinite(seq: Any) -> Iterator[Any]:
    """The batches of a sequence, again and again."""
    for _ in itertools.count():
        for i in range(len(seq)):
            yield seq[i]


class _Locked:
    def __init__(self, iterator: Any) -> None:
        self._iterator, self._lock = iterator, threading.Lock()

    def __iter__(self) -> _Locked:
        return self

    def __next__(self) -> Any:
        with self._lock:
            return next(self._iterator)


def threadsafe_generator(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a generator function: several threads may ask for what it gives."""

    def locked(*args: Any, **kwargs: Any) -> Any:
        return _Locked(f(*args, **kwargs))

    return locked
