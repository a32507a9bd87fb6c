"""`keras.preprocessing.sequence` of Keras 1 and 2: time series in windows, words in pairs."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

from ..training.pydataset import PyDataset
from ..utils.arrays import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Windows of a time series, each with the target that follows it.

    The sample of row r is `data[r - length : r : sampling_rate]`, its target `targets[r]`.

    Args:
        data: `(steps, ...)`.
        targets: Of the same length.
        length: Of a window, in steps.
        sampling_rate: Every how many steps of the window are taken.
        stride: Steps between one window and the next.
        start_index, end_index: The first and the last step to use; all by default.
        shuffle: Whether rows are drawn at random (with NumPy's global generator).
        reverse: Whether windows go backwards in time.
        batch_size: Windows of a batch.

    Raises:
        ValueError: Different lengths, or no window fits.

    Source: Keras 2.15, `keras.preprocessing.sequence.TimeseriesGenerator`.

    >>> generator = TimeseriesGenerator(np.arange(6), np.arange(6), length=2, batch_size=2)
    >>> x, y = generator[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2]], [2, 3])
    """

    def __init__(
        self, data: Any, targets: Any, length: int, sampling_rate: int = 1, stride: int = 1,
        start_index: int = 0, end_index: int | None = None, shuffle: bool = False,
        reverse: bool = False, batch_size: int = 128,
    ) -> None:  # fmt: skip
        super().__init__()
        if len(data) != len(targets):
            raise ValueError(
                "Data and targets have to be of same length. "
                f"Data length is {len(data)} while target length is {len(targets)}"
            )
        self.data, self.targets, self.length = data, targets, length
        self.sampling_rate, self.stride = sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is "
                "disallowed, as no part of the sequence would be left to be used as current step."
            )

    def __len__(self) -> int:
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> Any:
        if self.shuffle:
            rows = np.random.randint(  # noqa: NPY002  (scripts seed the global generator)
                self.start_index, self.end_index + 1, size=self.batch_size
            )
        else:
            step = self.batch_size * self.stride
            first = self.start_index + step * index
            rows = np.arange(first, min(first + step, self.end_index + 1), self.stride)
        windows = [self.data[row - self.length : row : self.sampling_rate] for row in rows]
        samples = np.array(windows)
        targets = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1] if self.reverse else samples), targets

    def get_config(self) -> dict[str, Any]:
        """The arguments, with the data as JSON.

        Raises:
            TypeError: The data can't be written as JSON.
        """
        config: dict[str, Any] = {
            "data": _as_json(self.data, "Data"), "targets": _as_json(self.targets, "Targets"),
        }  # fmt: skip
        for name in (
            "length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse",
            "batch_size",
        ):  # fmt: skip
            config[name] = getattr(self, name)
        return config

    def to_json(self, **kwargs: Any) -> str:
        """The generator as text.

        Args:
            **kwargs: For `json.dumps`.
        """
        return json.dumps(
            {"class_name": type(self).__name__, "config": self.get_config()}, **kwargs
        )


def _as_json(values: Any, name: str) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, np.ndarray) else values)
    except TypeError as error:
        raise TypeError(f"{name} not JSON Serializable: {error}. Pass NumPy arrays.") from error


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> Any:
    """Probabilities to keep the word of each rank, by which `skipgrams` thins frequent ones.

    `p = min(1, sqrt(factor / f))` with the frequency f that Zipf's law gives the rank.

    Args:
        size: Number of ranks.
        sampling_factor: The smaller, the fewer.

    Returns:
        `(size,)`.

    Source: Mikolov et al., Distributed representations of words and phrases (2013), section 2.3.
    """
    rank = np.maximum(np.arange(size), 1)
    inverse = rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank)  # of the frequency
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse))


def skipgrams(
    sequence: Any, vocabulary_size: int, window_size: int = 4, negative_samples: float = 1.0,
    shuffle: bool = True, categorical: bool = False, sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    """Pairs of words that stand near each other (label 1), and as many made up (label 0).

    Args:
        sequence: Ranks of words; 0 is no word.
        vocabulary_size: Made-up words are ranks from 1 to below this.
        window_size: How many steps apart words may be.
        negative_samples: How many pairs are made up for each real one.
        shuffle: Whether to mix them.
        categorical: Whether labels are `[0, 1]` and `[1, 0]`.
        sampling_table: The probability of keeping each rank; see `make_sampling_table`.
        seed: For Python's generator, which the mixing uses.

    Returns:
        Pairs `[word, other word]`, and their labels.

    Source: Mikolov et al., Efficient estimation of word representations in vector space (2013).
    """
    pairs: list[Any] = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        near = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        pairs += [[word, sequence[j]] for j in near if j != i and sequence[j]]
    real, made_up = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [real] * len(pairs)
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [pair[0] for pair in pairs]
        random.shuffle(words)
        largest = int(vocabulary_size - 1)
        pairs += [[words[i % len(words)], random.randint(1, largest)] for i in range(count)]
        labels += [made_up] * count
    if shuffle:
        seed = random.randint(0, int(10e6)) if seed is None else seed
        for values in (pairs, labels):  # the same order for both
            random.seed(seed)
            random.shuffle(values)
    return pairs, labels
