"""Endless batches of augmented images: from arrays here, from files in `files`."""

# ruff: noqa: NPY002  (scripts seed NumPy's global generator)

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from ...config import floatx, standardize_data_format
from ...training.pydataset import PyDataset
from ...utils.images import array_to_img

__all__ = ["Iterator", "NumpyArrayIterator", "augment", "save_batch"]


class Iterator(PyDataset):
    """Batches of `n` samples by number: endless as an iterator, with a length as a data set.

    A subclass defines `_get_batches_of_transformed_samples(index_array)`.

    Args:
        n: Number of samples.
        batch_size: Samples of a batch; an epoch's last batch may have fewer.
        shuffle: Whether each epoch has an order of its own.
        seed: Of the orders and transforms: batch number k seeds NumPy's generator with `seed + k`.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        super().__init__()
        self.n, self.batch_size = n, int(batch_size)
        self.shuffle, self.seed = shuffle, seed
        self.batch_index = self.total_batches_seen = 0
        # Held while a batch is chosen, and with a seed while it is made: threads would mix draws.
        self.lock = threading.RLock()
        self.index_array: Any = None
        self.index_generator = self._flow_index()

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["lock"], state["index_generator"]  # neither goes to another process
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock, self.index_generator = threading.RLock(), self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed_batch(self) -> None:
        if self.seed is not None:
            np.random.seed((self.seed + self.total_batches_seen) % 2**32)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise ValueError(
                f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}"
            )
        start = self.batch_size * (idx % len(self))

        def rows() -> Any:
            self._seed_batch()
            self.total_batches_seen += 1
            if self.index_array is None:
                self._set_index_array()
            return self.index_array[start : start + self.batch_size]

        return self._make(rows)

    def _make(self, rows: Callable[[], Any]) -> Any:
        with self.lock:
            index_array = rows()
            if self.seed is not None:
                return self._get_batches_of_transformed_samples(index_array)
        return self._get_batches_of_transformed_samples(index_array)

    def _flow_index(self) -> Generator[Any, None, None]:
        """The samples of each batch, epoch after epoch."""
        self.reset()
        while True:
            self._seed_batch()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size % self.n if self.n else 0
            last = start + self.batch_size >= self.n
            self.batch_index = 0 if last else self.batch_index + 1
            self.total_batches_seen += 1
            yield self.index_array[start : start + self.batch_size]

    def reset(self) -> None:
        """Start the epoch again."""
        self.batch_index = 0

    def on_epoch_begin(self) -> None:
        with self.lock:
            if self.use_multiprocessing and self.index_array is None:
                self._seed_batch()
                self._set_index_array()  # else each process would choose an order of its own

    def on_epoch_end(self) -> None:
        with self.lock:
            self._set_index_array()

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next batch."""
        return self._make(lambda: next(self.index_generator))

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define _get_batches_of_transformed_samples(index_array)."
        )


def augment(generator: Any, x: Any) -> Any:
    """One image through a generator's transforms and normalizations."""
    if generator is None:
        return x
    x = generator.apply_transform(x, generator.get_random_transform(x.shape))
    return generator.standardize(x)


def save_batch(iterator: Any, batch: Any, index_array: Any, hashes: float) -> None:
    """Write a batch's images into the folder that was asked for, if one was."""
    if not iterator.save_to_dir:
        return
    for image, row in zip(batch, index_array):
        name = f"{iterator.save_prefix}_{row}_{np.random.randint(int(hashes))}"
        array_to_img(image, iterator.data_format, scale=True).save(
            os.path.join(iterator.save_to_dir, f"{name}.{iterator.save_format}")
        )


def validation_part(subset: str, split: float) -> tuple[float, float]:
    """The fractions between which a subset's samples lie: validation comes first.

    Raises:
        ValueError: The subset has another name.
    """
    if subset == "validation":
        return 0.0, split
    if subset == "training":
        return split, 1.0
    raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')


class NumpyArrayIterator(Iterator):
    """Batches of images in memory.

    Args:
        x: `(samples, height, width, channels)` (or channels first), or `(x, more)`, where `more`
            is an array or a list of arrays that are handed on as they are.
        y: Labels, or None.
        image_data_generator: The transforms.
        batch_size: Samples of a batch.
        shuffle: Whether each epoch has an order of its own.
        sample_weight: A weight for each sample.
        seed: Of order and transforms.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        save_to_dir, save_prefix, save_format: Where and how to keep the pictures, if at all.
        subset: "training" or "validation", by the generator's `validation_split`.
        ignore_class_split: Whether both parts may have different labels.
        dtype: Of the batches; `floatx()` by default.

    Raises:
        ValueError: Arrays of different lengths, another rank, an unknown subset, or parts with
            different labels.

    Source: Keras 2.15, `keras.preprocessing.image.NumpyArrayIterator`.
    """

    def __init__(
        self, x: Any, y: Any, image_data_generator: Any, batch_size: int = 32,
        shuffle: bool = False, sample_weight: Any = None, seed: int | None = None,
        data_format: str | None = None, save_to_dir: Any = None, save_prefix: str = "",
        save_format: str = "png", subset: str | None = None, ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        self.dtype = floatx() if dtype is None else dtype
        self.data_format = standardize_data_format(data_format)
        more: list[Any] = []
        if isinstance(x, tuple | list):
            x, rest = x
            more = [np.asarray(v) for v in (rest if isinstance(rest, list) else [rest])]
        y = None if y is None else np.asarray(y)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        _check_lengths(x, [("x[1]", v) for v in more] + [("y", y), ("sample_weight", weight)])
        if subset is not None:
            split = image_data_generator._validation_split
            first, last = (int(len(x) * f) for f in validation_part(subset, split))
            if not ignore_class_split:
                _check_classes(y, int(len(x) * split))
            x, y, weight, *more = (v if v is None else v[first:last] for v in (x, y, weight, *more))
        self.x = np.asarray(x, dtype=self.dtype)
        self.y, self.sample_weight, self.x_misc = y, weight, more
        check_images(self.x, self.data_format, "Input data in `NumpyArrayIterator`")
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix = save_to_dir, save_prefix
        self.save_format = save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        batch = np.zeros((len(index_array), *self.x.shape[1:]), dtype=self.dtype)
        for i, row in enumerate(index_array):
            batch[i] = augment(self.image_data_generator, self.x[row].copy())
        save_batch(self, batch, index_array, 1e4)
        x: Any = [batch, *(v[index_array] for v in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def _check_lengths(x: Any, others: list[tuple[str, Any]]) -> None:
    for name, value in others:
        if value is not None and len(value) != len(x):
            raise ValueError(
                f"`x` (images tensor) and `{name}` should have the same length. Found: "
                f"x.shape = {np.shape(x)}, {name}.shape = {np.shape(value)}"
            )


def _check_classes(y: Any, cut: int) -> None:
    if y is not None and not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:])):
        raise ValueError(
            "Training and validation subsets have different number of classes after the split. If "
            "your numpy arrays are sorted by the label, you might want to shuffle them."
        )


def check_images(x: Any, data_format: str, name: str) -> None:
    """Images are of rank 4; another number of channels than 1, 3 or 4 is warned about.

    Raises:
        ValueError: Another rank.
    """
    if x.ndim != 4:
        raise ValueError(
            f"{name} should have rank 4. You passed an array with shape {x.shape}. Grayscale "
            "images need an axis of 1 channel."
        )
    axis = 3 if data_format == "channels_last" else 1
    if x.shape[axis] not in (1, 3, 4):
        warnings.warn(
            f"{name} is expected to follow the data format {data_format!r}, with 1, 3 or 4 "
            f"channels on axis {axis}. It has shape {x.shape} ({x.shape[axis]} channels).",
            stacklevel=3,
        )
