"""A data set in two."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import kerasish_core as core

from .dataset import Dataset

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any, left_size: Any = None, right_size: Any = None, shuffle: bool = False,
    seed: int | None = None, preferred_backend: Any = None,
) -> Any:  # fmt: skip
    """Two data sets, of the first and the last samples.

    Args:
        dataset: An array, a list or tuple (or structure) of arrays of one length, or a data set,
            whose batches are taken apart and put together again.
        left_size, right_size: Numbers of samples, or parts of all from 0 to 1; one may be None.
        shuffle: Whether samples are mixed first.
        seed: Of the mixing; the order is Keras's.
        preferred_backend: Accepted as in Keras: there is one kind of data set.

    Returns:
        Two `Dataset`s of samples (of batches, if `dataset` was one of batches).

    Raises:
        TypeError: No arrays and no data set.
        ValueError: The sizes do not fit.
    """
    batch_size = None
    if isinstance(dataset, Dataset):
        batch_size = dataset._batch_size
        source = dataset if batch_size is None else dataset.unbatch()
        samples = list(source.as_numpy_iterator())
        if not samples:
            raise ValueError("Received an empty dataset.")
        dataset = core.tree.map_structure(lambda *rows: np.stack(rows), *samples)
    if not isinstance(dataset, np.ndarray | core.Tensor | list | tuple | dict):
        raise TypeError(
            "The `dataset` argument must be a data set or a list/tuple of arrays. "
            f"Received: dataset={dataset} of type {type(dataset)}"
        )
    arrays = [np.asarray(a) for a in core.tree.flatten(dataset)]
    lengths = [len(a) if a.ndim else 0 for a in arrays]
    if not arrays or len(set(lengths)) > 1:
        raise ValueError(f"split_dataset needs arrays of one length; got lengths {lengths}.")
    total = lengths[0]
    left, right = _sizes(left_size, right_size, total)
    order = list(range(total))
    if shuffle:
        seed = random.randint(0, 10**6) if seed is None else seed
        random.Random(seed).shuffle(order)
    halves = []
    for chosen in (order[:left], order[total - right :]):
        part = core.tree.pack_sequence_as(dataset, [a[chosen] for a in arrays])
        half = Dataset.from_tensor_slices(tuple(part) if isinstance(part, list) else part)
        halves.append(half if batch_size is None else half.batch(batch_size))
    return tuple(halves)


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. Received: "
            "left_size=None and right_size=None"
        )
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if not isinstance(size, int | float):
            raise TypeError(
                f"Invalid `{name}` Type. Expected: int or float or None, Received: "
                f"type({name})={type(size)}."
            )
        limit = 1 if isinstance(size, float) else total
        if not 0 < size < limit:
            raise ValueError(
                f"`{name}` should be either a positive integer smaller than {total} or a float "
                f"between 0 and 1. Received: {name}={size}"
            )
    n_left, n_right = (
        round(size * total) if isinstance(size, float) else size for size in (left, right)
    )
    n_left = total - n_right if n_left is None else n_left
    n_right = total - n_left if n_right is None else n_right
    if n_left + n_right > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` ({n_left} + {n_right}) is greater than the "
            f"number of samples ({total})."
        )
    if not n_left or not n_right:
        raise ValueError(
            f"With `dataset` of length={total}, `left_size`={n_left} and `right_size`={n_right}: "
            "one part would be empty. Adjust the sizes."
        )
    return n_left, n_right
