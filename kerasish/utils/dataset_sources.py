"""Where the elements of data sets come from."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np

import kerasish_core as core

from ..text_arrays import Text
from .dataset_values import INFINITE, UNKNOWN, arrays_of, row

__all__ = ["Sources"]

tree = core.tree


class Sources:
    """The functions of `Dataset` that make one of something else."""

    _new: Callable[..., Any]

    @classmethod
    def from_tensor_slices(cls, tensors: Any, name: Any = None) -> Any:
        """The rows of arrays of equal first axes."""
        arrays = arrays_of(tensors)
        sizes = {len(a) for a in tree.flatten(arrays)}
        if len(sizes) != 1:
            raise ValueError(f"from_tensor_slices: first axes of {sorted(sizes)} must be equal.")
        size = sizes.pop()
        made = cls._new(lambda epoch: (row(arrays, i) for i in range(size)), size)
        made._rows = arrays, lambda epoch: iter(range(size))
        return made

    @classmethod
    def from_generator(
        cls, generator: Callable[..., Any], output_types: Any = None, output_shapes: Any = None,
        args: Any = (), output_signature: Any = None, name: Any = None,
    ) -> Any:  # fmt: skip
        """What a function gives that is called for each epoch.

        Args:
            generator: Called with `args`; returns an iterable of elements.
            output_types: A structure of dtypes, which the elements are cast to.
            output_shapes: Not needed.
            args: Arguments of the function.
            output_signature: A structure of `tf.TensorSpec`, in place of `output_types`.
        """
        kinds = output_types if output_signature is None else output_signature
        given = tuple(args or ())

        def elements(epoch: int) -> Iterator[Any]:
            found = iter(generator(*given))
            return found if kinds is None else (_typed(kinds, element) for element in found)

        made = cls._new(elements)
        made._spec = output_signature
        return made

    @classmethod
    def from_tensors(cls, tensors: Any, name: Any = None) -> Any:
        """A data set of one element."""
        element = arrays_of(tensors)
        return cls._new(lambda epoch: iter([element]), 1)

    @classmethod
    def range(cls, *bounds: int, output_type: Any = "int64", name: Any = None) -> Any:
        """Whole numbers, as of Python's `range`."""
        numbers, kind = range(*map(int, bounds)), core.dtypes.as_dtype(str(output_type)).type
        return cls._new(lambda epoch: map(kind, numbers), len(numbers))

    @classmethod
    def counter(cls, start: Any = 0, step: Any = 1, dtype: Any = "int64", name: Any = None) -> Any:
        """Whole numbers without an end."""
        kind = core.dtypes.as_dtype(str(dtype)).type
        return cls._new(lambda epoch: map(kind, count(int(start), int(step))), INFINITE)

    @classmethod
    def random(
        cls, seed: Any = None, rerandomize_each_iteration: Any = None, name: Any = None
    ) -> Any:
        """Whole numbers below 2**32, drawn without an end."""
        seed = int(np.random.randint(2**31)) if seed is None else int(seed)  # noqa: NPY002

        def numbers(epoch: int) -> Iterator[Any]:
            rng = np.random.default_rng([seed, epoch if rerandomize_each_iteration else 0])
            while True:
                yield np.int64(rng.integers(2**32))

        return cls._new(numbers, INFINITE)

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: Any = None, seed: Any = None, name: Any = None
    ) -> Any:
        """The names of the files that match a pattern, or one of several; in random order unless
        `shuffle` is False.

        Raises:
            ValueError: There are none.
        """
        wanted = np.atleast_1d(np.asarray(Text(np.asarray(file_pattern, object))))
        found = sorted(name for one in wanted for name in glob.glob(str(one)))
        if not found:
            raise ValueError(f"No files matched pattern: {', '.join(map(str, wanted))}")
        files = cls.from_tensor_slices(np.array(found, object))
        return files if shuffle is False else files.shuffle(len(found), seed)

    @classmethod
    def sample_from_datasets(
        cls, datasets: Any, weights: Any = None, seed: Any = None,
        stop_on_empty_dataset: bool = False, rerandomize_each_iteration: Any = None,
    ) -> Any:  # fmt: skip
        """Elements of data sets drawn at random.

        Args:
            datasets: A list of them.
            weights: How likely each is; alike by default.
            seed: Of the draws.
            stop_on_empty_dataset: Whether the first that ends is the end; else the others go on.
        """
        chances = np.ones(len(datasets)) if weights is None else np.asarray(weights, "float64")
        seed = int(np.random.randint(2**31)) if seed is None else int(seed)  # noqa: NPY002

        def elements(epoch: int) -> Iterator[Any]:
            rng = np.random.default_rng([seed, epoch])
            open_ones, left = [d._make(epoch) for d in datasets], chances.copy()
            while left.sum() > 0:
                i = int(rng.choice(len(left), p=left / left.sum()))
                try:
                    yield next(open_ones[i])
                except StopIteration:
                    if stop_on_empty_dataset:
                        return
                    left[i] = 0

        known = [int(d.cardinality()) for d in datasets]
        total = sum(known) if min(known) >= 0 and not stop_on_empty_dataset else UNKNOWN
        return cls._new(elements, INFINITE if INFINITE in known else total)

    @classmethod
    def choose_from_datasets(
        cls, datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Any:
        """Elements of the data sets whose numbers another one gives."""

        def elements(epoch: int) -> Iterator[Any]:
            open_ones = [d._make(epoch) for d in datasets]
            for choice in choice_dataset._make(epoch):
                try:
                    yield next(open_ones[int(np.asarray(choice))])
                except StopIteration:
                    if stop_on_empty_dataset:
                        return

        return cls._new(elements)


def _typed(kinds: Any, value: Any) -> Any:
    """A value of a generator in the dtypes that were named."""
    kind = getattr(kinds, "dtype", None)
    if kind is None and isinstance(kinds, tuple | list):
        return tuple(_typed(k, v) for k, v in zip(kinds, value, strict=True))
    if kind is None and isinstance(kinds, dict):
        return {k: _typed(kinds[k], value[k]) for k in kinds}
    kind = kinds if kind is None else kind
    if kind in (str, bytes) or str(kind) == "string":
        return np.asarray(value, object)
    name = kind if isinstance(kind, str) else core.dtypes.as_dtype(kind).name
    return np.asarray(value).astype(core.dtypes.as_dtype(str(name)))
