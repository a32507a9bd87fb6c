"""Helpers for arrays and seeds."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from .. import ops, random

__all__ = ["normalize", "pad_sequences", "set_random_seed", "to_categorical"]


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and our own global generators: runs become reproducible.

    Raises:
        ValueError: The seed is no int from 0 to 2**32 - 1.
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(
            "Expected `seed` argument to be an integer from 0 to 2**32 - 1. "
            f"Received: seed={seed!r} (of type {type(seed)})"
        )
    python_random.seed(int(seed))
    np.random.seed(seed)  # noqa: NPY002  (the global generator is what is meant)
    random.set_global_seed(int(seed))


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Integers as one-hot rows; a last axis of size 1 is dropped first."""
    x = np.asarray(x, dtype="int64")
    shape = x.shape[:-1] if x.ndim > 1 and x.shape[-1] == 1 else x.shape
    flat = x.reshape(-1)
    classes = int(num_classes) if num_classes else int(flat.max()) + 1
    result = np.zeros((len(flat), classes))
    result[np.arange(len(flat)), flat] = 1
    return result.reshape((*shape, classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Norms of 1 along the axis; rows of zeros stay. Lists and tensors give a tensor.

    Raises:
        ValueError: An order below 1, or infinite, of anything but an array.
    """
    if not isinstance(x, np.ndarray):
        return ops.normalize(x, axis, order)
    size = np.atleast_1d(np.linalg.norm(x, order, axis))
    return x / np.expand_dims(np.where(size == 0, 1, size), axis)


def pad_sequences(
    sequences: Any, maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
    truncating: str = "pre", value: Any = 0.0,
) -> Any:  # fmt: skip
    """Lists of different lengths as one array.

    Args:
        sequences: List of lists (or arrays).
        maxlen: Length of the result; the longest by default.
        dtype: Of the result.
        padding, truncating: "pre" or "post": at which end.
        value: What is filled in.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    rows = []
    for row in sequences:
        if not hasattr(row, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {row}")
        if isinstance(row, str):
            raise ValueError(
                f"pad_sequences: {row!r} is text; a sequence holds numbers. "
                "`layers.TextVectorization` turns texts into sequences of them."
            )
        rows.append(np.asarray(row))
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise ValueError(f'{name}="{choice}": expected "pre" or "post".')
    length = max(map(len, rows), default=0) if maxlen is None else maxlen
    shape = next((r.shape[1:] for r in rows if len(r)), ())
    result = np.full((len(rows), length, *shape), value, dtype=dtype)
    for i, row in enumerate(rows):
        if not len(row):
            continue
        cut = (row[-length:] if truncating == "pre" else row[:length]) if length else row[:0]
        if cut.shape[1:] != shape:
            raise ValueError(
                f"Shape of sample {cut.shape[1:]} of sequence at position {i} is different from "
                f"expected shape {shape}"
            )
        if padding == "post":
            result[i, : len(cut)] = cut
        elif len(cut):
            result[i, -len(cut) :] = cut
    return result
