"""Arguments that data sets and helpers took in earlier releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...applications import NETWORKS
from ..row import Row, one_of

__all__ = ["ROWS"]

# Files of Keras 1, which held the same as today's.
_FILES = {
    "imdb.pkl": "imdb.npz", "imdb_full.pkl": "imdb.npz", "mnist.pkl.gz": "mnist.npz",
    "reuters.pkl": "reuters.npz",
}  # fmt: skip


def _data_set(order: Mapping[int, str], **first: str | None) -> Row:
    def change(kwargs: dict[str, Any]) -> None:
        if "path" in kwargs:
            kwargs["path"] = one_of(_FILES)(kwargs["path"])

    return Row(first=first, order=order, change=change)


# Networks were a package of their own, which was told whose layers to take.
_PACKAGE = Row(second=dict.fromkeys(("backend", "layers", "models", "utils")))

_WORDS = "path num_words skip_top maxlen"

ROWS: dict[str, Row] = {
    **{f"{file}.{name}": _PACKAGE for file, names in NETWORKS.items() for name in names},
    "imdb.load_data": _data_set({1: _WORDS, 2: _WORDS}, test_split=None),
    "mnist.load_data": _data_set({1: "path", 2: "path"}),
    "reuters.load_data": _data_set({1: _WORDS, 2: _WORDS}, nb_words="num_words"),
}
