"""IMDB: 50,000 movie reviews as sequences of word ranks, good or bad (Maas et al. 2011)."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np

from .. import older
from .cache import BASE, cached, limited, not_too_long, numbered, objects, read_npz

__all__ = ["get_word_index", "load_data"]

_SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


@older.arguments
def load_data(
    path: str = "imdb.npz", num_words: int | None = None, skip_top: int = 0,
    maxlen: int | None = None, seed: int = 113, start_char: int | None = 1,
    oov_char: int | None = 2, index_from: int = 3, **kwargs: Any,
) -> Any:  # fmt: skip
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: Its name in the cache's folder `datasets`.
        num_words: Numbers from this one on become `oov_char`.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Only reviews with fewer words are kept.
        seed: Of the shuffle.
        start_char: Stands first in each review.
        oov_char: Stands for words left out; None leaves no mark.
        index_from: Added to all ranks.

    Returns:
        Object arrays of lists of ints, and int64 labels, 1 for good.

    Raises:
        ValueError: `maxlen` leaves no review.
    """
    if "nb_words" in kwargs:
        warnings.warn(
            "The `nb_words` argument in `load_data` has been renamed `num_words`.", stacklevel=2
        )
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}.")
    data = read_npz(cached(path, BASE + "imdb.npz", _SHA256))
    generator = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        x, y = data[f"x_{part}"], data[f"y_{part}"]
        order = np.arange(len(x))
        generator.shuffle(order)
        sequences, labels = numbered(x[order], start_char, index_from), y[order]
        if maxlen:
            sequences, labels = not_too_long(maxlen, sequences, labels)
            if not sequences:
                raise ValueError(
                    f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was "
                    "kept. Increase maxlen."
                )
        parts.append((sequences, labels))
    (x_train, y_train), (x_test, y_test) = parts
    all_words = limited(x_train + x_test, num_words, skip_top, oov_char)
    end = len(x_train)
    return (objects(all_words[:end]), y_train), (objects(all_words[end:]), y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Word to rank; in `load_data` the rank is raised by `index_from`."""
    file = cached(path, BASE + "imdb_word_index.json", _INDEX_MD5)
    return json.loads(file.read_text(encoding="utf-8"))
