"""Files by classes: sub-folders are classes; the order of a seed is Keras's."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .dataset import Dataset

__all__ = ["Files", "datasets_of"]

_READERS = 4
_AHEAD = 32


class Files:
    """The files of a folder, with their labels.

    Args:
        directory: The folder.
        labels: "inferred" (by sub-folder), None, or a list of ints in the order of the files.
        label_mode: "int", "categorical", "binary" or None.
        class_names: The sub-folders that are classes, in their order; all of them by default.
        formats: Endings of files.
        kind: What they are, for messages.
        shuffle, seed: Whether to mix the files, and how.
        validation_split, subset: See `image_dataset_from_directory`.
        follow_links: Whether links to folders are followed.
        verbose: Whether to say how many were found.

    Raises:
        ValueError: Arguments that do not go together.
    """

    def __init__(
        self, directory: Any, labels: Any, label_mode: Any, class_names: Any,
        formats: tuple[str, ...], kind: str, shuffle: bool, seed: Any, validation_split: Any,
        subset: Any, follow_links: bool, verbose: bool,
    ) -> None:  # fmt: skip
        self.directory, self.formats, self.kind = os.fspath(directory), formats, kind
        self.follow_links, self.verbose = follow_links, verbose
        self._check_labels(labels, label_mode, class_names)
        _check_split(validation_split, subset, shuffle, seed)
        self.validation_split, self.subset, self.shuffle = validation_split, subset, shuffle
        self.seed = int(np.random.randint(1e6)) if seed is None else seed  # noqa: NPY002
        if labels is None or label_mode is None:
            labels = label_mode = None
        self.label_mode = label_mode
        self.paths, self.labels, self.class_names = self._index(labels, class_names)
        if label_mode == "binary" and len(self.class_names) != 2:
            raise ValueError(
                'When passing `label_mode="binary"`, there must be exactly 2 class_names. '
                f"Received: class_names={self.class_names}"
            )

    def _check_labels(self, labels: Any, label_mode: Any, class_names: Any) -> None:
        if labels not in ("inferred", None):
            if not isinstance(labels, list | tuple):
                raise ValueError(
                    "`labels` argument should be a list/tuple of integer labels, of the same size "
                    f"as the number of {self.kind} files in the target directory, or 'inferred' "
                    "(by sub-folder), or None (no labels). Received: "
                    f"labels={labels}"
                )
            if class_names:
                raise ValueError(
                    'You can only pass `class_names` if `labels="inferred"`. Received: '
                    f"labels={labels}, and class_names={class_names}"
                )
        elif labels is None and class_names is not None:
            raise ValueError(
                "When `labels=None` (no labels), argument `class_names` cannot be specified."
            )
        if label_mode not in ("int", "categorical", "binary", None):
            raise ValueError(
                '`label_mode` argument must be one of "int", "categorical", "binary", or None. '
                f"Received: label_mode={label_mode}"
            )

    def _index(self, labels: Any, class_names: Any) -> tuple[Any, Any, Any]:
        folders = [""]
        if labels == "inferred":
            found = sorted(
                name for name in os.listdir(self.directory)
                if os.path.isdir(os.path.join(self.directory, name)) and not name.startswith(".")
            )  # fmt: skip
            if class_names is not None and not set(class_names) <= set(found):
                raise ValueError(
                    "The `class_names` passed did not match the names of the subdirectories of the "
                    f"target directory. Expected: {found} (or a subset of it), but received: "
                    f"class_names={class_names}"
                )
            folders = found if class_names is None else list(class_names)
        paths, numbers = [], []
        for number, folder in enumerate(folders):
            files = list(self._walk(os.path.join(self.directory, folder) if folder else ""))
            paths += files
            numbers += [number] * len(files)
        if labels == "inferred":
            names, labels = folders, np.array(numbers, "int32")
        elif labels is None:
            names = None
        else:
            if len(labels) != len(paths):
                raise ValueError(
                    "Expected the lengths of `labels` to match the number of files in the target "
                    f"directory. len(labels) is {len(labels)} while we found {len(paths)} files in "
                    f"directory {self.directory}."
                )
            names, labels = [str(label) for label in sorted(set(labels))], np.array(labels, "int32")
        if self.verbose:
            classes = "." if names is None else f" belonging to {len(names)} classes."
            print(f"Found {len(paths)} files{classes}")
        if self.shuffle:
            # Keras mixes by this generator: the same seed gives the same order and split.
            np.random.RandomState(self.seed).shuffle(paths)
            if labels is not None:
                np.random.RandomState(self.seed).shuffle(labels)
        return paths, labels, names

    def _walk(self, folder: str) -> Iterator[str]:
        top = folder or self.directory
        walked = os.walk(top, followlinks=self.follow_links)
        for root, _, names in sorted(walked, key=lambda entry: entry[0]):
            for name in sorted(names):
                if name.lower().endswith(self.formats):
                    yield os.path.join(root, name)

    def parts(self) -> list[tuple[str | None, Any, Any]]:
        """Name, paths and labels of the subsets asked for."""
        if not self.validation_split:
            return [(None, self.paths, self.labels)]
        last = int(self.validation_split * len(self.paths))
        first = len(self.paths) - last if last else 0
        found = []
        for name, rows in (("training", slice(None, first)), ("validation", slice(first, None))):
            if self.subset not in (name, "both"):
                continue
            if self.verbose:
                count = last if name == "validation" else len(self.paths) - last
                print(f"Using {count} files for {name}.")
            labels = None if self.labels is None else self.labels[rows]
            found.append((name, self.paths[rows], labels))
        return found


def _check_split(validation_split: Any, subset: Any, shuffle: bool, seed: Any) -> None:
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be between 0 and 1, received: {validation_split}"
        )
    if bool(validation_split) != bool(subset):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f'`subset` must be either "training", "validation" or "both", received: {subset}'
        )
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` "
            "argument, to make sure that there is no overlap between the training and validation "
            "subset."
        )


def _encoded(labels: Any, label_mode: str, num_classes: int) -> Any:
    if label_mode == "binary":
        return labels.astype("float32")[:, None]
    if label_mode == "categorical":
        return np.eye(num_classes, dtype="float32")[labels]
    return labels


def datasets_of(files: Files, read: Any, finish: Any, batch: Callable[[Dataset], Dataset]) -> Any:
    """The data set of files, or the list of both for `subset="both"`.

    Args:
        files: The files.
        read: Path to content; called by several threads.
        finish: Content to element; called by the thread that goes through the data set.
        batch: Puts elements together.
    """
    found = []
    for name, paths, labels in files.parts():
        if not len(paths):
            which = f"{name} " if files.subset == "both" else ""
            raise ValueError(
                f"No {which}{files.kind} files found in directory {files.directory}. Allowed "
                f"formats: {files.formats}"
            )
        if labels is not None:
            labels = _encoded(labels, files.label_mode, len(files.class_names))
        mixed = files.shuffle and not (files.subset == "both" and name == "validation")
        elements = _Elements(paths, labels, read, finish, files.seed if mixed else None)
        dataset = batch(Dataset(elements, len(paths)))
        dataset.class_names, dataset.file_paths = files.class_names, paths
        found.append(dataset)
    return found if files.subset == "both" else found[0]


class _Elements:
    """Reads files ahead; in another order in each epoch if there is a seed."""

    def __init__(self, paths: Any, labels: Any, read: Any, finish: Any, seed: Any) -> None:
        self.paths, self.labels, self.seed = paths, labels, seed
        self.read, self.finish = read, finish

    def __call__(self, epoch: int) -> Iterator[Any]:
        order = np.arange(len(self.paths))
        if self.seed is not None:
            np.random.default_rng([self.seed, epoch]).shuffle(order)
        for i, content in zip(order, self._contents(order), strict=True):
            element = self.finish(content)
            yield element if self.labels is None else (element, self.labels[i])

    def _contents(self, order: Any) -> Iterator[Any]:
        pool = ThreadPoolExecutor(_READERS)
        waiting: deque[Any] = deque()
        try:
            for i in order:
                waiting.append(pool.submit(self.read, self.paths[i]))
                if len(waiting) == _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
