"""Reuters: 11,228 newswires as sequences of word ranks, in 46 topics."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .. import older
from .cache import BASE, cached, limited, not_too_long, numbered, objects, read_npz

__all__ = ["get_label_names", "get_word_index", "load_data"]

_SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
_TOPICS = """cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade
    reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold
    tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange
    pet-chem dlr gas silver wpi hog lead"""


@older.arguments
def load_data(
    path: str = "reuters.npz", num_words: int | None = None, skip_top: int = 0,
    maxlen: int | None = None, test_split: float = 0.2, seed: int = 113,
    start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3,
) -> Any:  # fmt: skip
    """The data set as `(x_train, y_train), (x_test, y_test)`.

    Args:
        path: Its name in the cache's folder `datasets`.
        num_words: Numbers from this one on become `oov_char`.
        skip_top: Numbers below this one become `oov_char`.
        maxlen: Only newswires with fewer words are kept.
        test_split: Share of them to test on.
        seed: Of the shuffle.
        start_char: Stands first in each newswire.
        oov_char: Stands for words left out; None leaves no mark.
        index_from: Added to all ranks.

    Returns:
        Object arrays of lists of ints, and int64 labels of topics.
    """
    data = read_npz(cached(path, BASE + "reuters.npz", _SHA256))
    x, y = data["x"], data["y"]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    sequences, labels = numbered(x[order], start_char, index_from), y[order]
    if maxlen:
        sequences, labels = not_too_long(maxlen, sequences, labels)
    sequences = limited(sequences, num_words, skip_top, oov_char)
    end = int(len(sequences) * (1 - test_split))
    return (objects(sequences[:end]), labels[:end]), (objects(sequences[end:]), labels[end:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Word to rank; in `load_data` the rank is raised by `index_from`."""
    file = cached(path, BASE + "reuters_word_index.json", _INDEX_MD5)
    return json.loads(file.read_text(encoding="utf-8"))


def get_label_names() -> tuple[str, ...]:
    """The names of the topics by label."""
    return tuple(_TOPICS.split())
