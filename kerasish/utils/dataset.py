"""A data set: elements made one after the other, changed and put together on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np

import kerasish_core as core

from ..layers.call_context import state
from .dataset_groups import Groups
from .dataset_sources import Sources
from .dataset_values import (
    INFINITE,
    UNKNOWN,
    Cardinality,
    Elements,
    as_numpy,
    as_tensors,
    result_of,
    row,
    spec_of,
    stacked,
)  # fmt: skip

tree = core.tree

__all__ = ["INFINITE", "UNKNOWN", "Dataset"]


class Dataset(Sources, Groups):
    """What `image_dataset_from_directory` and its kin return: an iterable of elements or batches.

    It may be gone through many times, and given to `fit`, `evaluate` and `predict`. The methods
    that change it return a new one, and have the names and meanings of those of `tf.data`.

    Args:
        make: Gives an iterator of elements (arrays, or structures of them) for the number of the
            epoch.
        cardinality: How many elements; `INFINITE` or `UNKNOWN`.

    Attributes:
        class_names: The names of the classes, where they are known.
        file_paths: The files in the order of the first elements, where there are some.
    """

    class_names: Any = None
    file_paths: Any = None
    _batch_size: int | None = None
    # How many of the first axes differ from element to element; what a program said of them.
    _open_axes: int = 0
    _spec: Any = None
    # Where elements are rows of arrays: these, and the numbers of the rows by epoch.
    _rows: tuple[Any, Callable[[int], Iterator[int]]] | None = None

    def __init__(self, make: Callable[[int], Iterator[Any]], cardinality: int = UNKNOWN) -> None:
        self._make, self._cardinality = make, cardinality
        self._epoch = 0

    @staticmethod
    def _new(make: Callable[[int], Iterator[Any]], cardinality: int = UNKNOWN) -> Dataset:
        return Dataset(make, cardinality)

    def _like(self, make: Callable[[int], Iterator[Any]], cardinality: int = UNKNOWN) -> Dataset:
        """A data set whose elements have the shapes that this one's have."""
        made = Dataset(make, cardinality)
        made._open_axes, made._spec = self._open_axes, self._spec
        return made

    def _chosen(
        self, choose: Callable[[Callable[[int], Iterator[Any]]], Any], cardinality: int = UNKNOWN
    ) -> Dataset:
        """Some of the elements in some order, which does not depend on what they are.

        Args:
            choose: From what gives the elements of an epoch, or the numbers of their rows, to
                what gives those chosen.
            cardinality: How many.
        """
        made = self._like(choose(self._make), cardinality)
        if self._rows is not None:
            arrays, numbers = self._rows
            made._rows = arrays, choose(numbers)
        return made

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Elements of several data sets together; as many as the shortest has.

        Args:
            *datasets: Data sets, or one structure of them: elements have this structure.
        """
        structure: Any = datasets[0] if len(datasets) == 1 else datasets
        structure = tuple(structure) if isinstance(structure, list) else structure
        flat = tree.flatten(structure)
        known = [d.cardinality() for d in flat]
        finite = [n for n in known if n != INFINITE]
        count = UNKNOWN if UNKNOWN in known else min(finite, default=INFINITE)

        def elements(epoch: int) -> Iterator[Any]:
            for parts in zip(*(d._make(epoch) for d in flat)):
                yield tree.pack_sequence_as(structure, parts)

        return Dataset(elements, count)

    # -- going through it
    def _elements(self) -> Iterator[Any]:
        epoch, self._epoch = self._epoch, self._epoch + 1
        return self._make(epoch)

    def __iter__(self) -> Iterator[Any]:
        if core.is_tracing():
            raise core.TraceError(
                "A data set is gone through while a function is traced: its elements would become "
                "constants. Go through it outside, or run the function eagerly."
            )
        return Elements(map(as_tensors, self._elements()))

    def as_numpy_iterator(self) -> Iterator[Any]:
        """An iterator of the elements as NumPy arrays."""
        return (as_numpy(element) for element in self._elements())

    def cardinality(self) -> int:
        """How many elements; -1 if there is no end, -2 if it is not known."""
        return Cardinality(self._cardinality)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        if self._cardinality == INFINITE:
            raise TypeError("The dataset is infinite.")
        if self._cardinality == UNKNOWN:
            raise TypeError("The dataset length is unknown.")
        return self._cardinality

    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of the first element; None for sizes that differ in others."""
        if self._spec is not None:
            return self._spec
        return tree.map_structure(lambda x: spec_of(x, self._open_axes), next(self._make(0)))

    # -- changes
    def _sized(self, change: Callable[[int], int]) -> int:
        return self._cardinality if self._cardinality < 0 else change(self._cardinality)

    def map(
        self, map_func: Callable[..., Any], num_parallel_calls: Any = None, **_: Any
    ) -> Dataset:
        """A function of each element; a tuple is passed as several arguments."""

        def run(element: Any) -> Any:
            element = as_tensors(element)
            outer, state.in_data_set = state.in_data_set, True
            try:
                found = map_func(*element) if isinstance(element, tuple) else map_func(element)
            finally:
                state.in_data_set = outer
            return result_of(found)

        made = self._like(lambda epoch: map(run, self._make(epoch)), self._cardinality)
        made._spec = None
        return made

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements of which a function is true."""

        def kept(element: Any) -> bool:
            element = as_tensors(element)
            return bool(predicate(*element) if isinstance(element, tuple) else predicate(element))

        return self._like(lambda epoch: filter(kept, self._make(epoch)))

    def batch(self, batch_size: int, drop_remainder: bool = False, **_: Any) -> Dataset:
        """Elements put together along a new first axis."""
        return self._grouped(batch_size, drop_remainder, stacked)

    def _grouped(self, size: int, drop: bool, join: Callable[[Any], Any]) -> Dataset:
        size = int(size)
        if size < 1:
            raise ValueError(f"`batch_size` must be at least 1, got {size}.")

        def groups(epoch: int) -> Iterator[Any]:
            elements = self._make(epoch)
            while group := list(islice(elements, size)):
                if len(group) == size or not drop:
                    yield join(group)

        def batches(epoch: int) -> Iterator[Any]:
            arrays, numbers = self._rows  # type: ignore[misc]
            rows = iter(numbers(epoch))
            while group := list(islice(rows, size)):
                if len(group) == size or not drop:
                    yield tree.map_structure(lambda a: a[group], arrays)

        if join is stacked and self._rows is not None:
            groups = batches
        grouped = Dataset(groups, self._sized(lambda n: n // size if drop else -(-n // size)))
        grouped._batch_size = size
        grouped._open_axes = 0 if drop else 1
        return grouped

    def unbatch(self) -> Dataset:
        """The rows of batches."""

        def rows(epoch: int) -> Iterator[Any]:
            for batch in self._make(epoch):
                for i in range(len(tree.flatten(batch)[0])):
                    yield row(batch, i)

        return Dataset(rows)

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """What `state = reduce_func(state, element)` ends with."""
        state = as_tensors(initial_state)
        for element in self:
            state = reduce_func(state, element)
        return state

    def take(self, count: int) -> Dataset:
        """The first elements; all of them for -1."""
        if count < 0:
            return self
        known = count if self._cardinality == INFINITE else self._sized(lambda n: min(n, count))
        return self._chosen(lambda make: lambda epoch: islice(make(epoch), count), known)

    def skip(self, count: int) -> Dataset:
        """All but the first elements; none for -1."""
        if count < 0:
            return self.take(0)
        known = self._sized(lambda n: max(n - count, 0))
        return self._chosen(lambda make: lambda epoch: islice(make(epoch), count, None), known)

    def repeat(self, count: Any = None) -> Dataset:
        """All elements again and again; without an end for None or -1."""
        endless = count is None or count < 0

        def choose(make: Callable[[int], Iterator[Any]]) -> Any:
            def again(epoch: int) -> Iterator[Any]:
                turn = 0
                while endless or turn < count:
                    empty = True
                    for element in make(epoch + turn):
                        empty = False
                        yield element
                    if empty:
                        return
                    turn += 1

            return again

        return self._chosen(choose, INFINITE if endless else self._sized(lambda n: n * count))

    def shuffle(
        self, buffer_size: int, seed: Any = None, reshuffle_each_iteration: bool = True
    ) -> Dataset:
        """Another order: each element is drawn out of the next `buffer_size`."""
        seed = int(np.random.randint(2**31)) if seed is None else int(seed)  # noqa: NPY002

        size = int(buffer_size)

        def choose(make: Callable[[int], Iterator[Any]]) -> Any:
            def mixed(epoch: int) -> Iterator[Any]:
                rng = np.random.default_rng([seed, epoch if reshuffle_each_iteration else 0])
                elements = iter(make(epoch))
                buffer = list(islice(elements, size))
                for i, element in zip(_draws(rng, size), elements):
                    buffer[i], element = element, buffer[i]
                    yield element
                yield from map(buffer.__getitem__, rng.permutation(len(buffer)).tolist())

            return mixed

        return self._chosen(choose, self._cardinality)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this data set, then those of another."""
        known = [self._cardinality, dataset.cardinality()]
        count = min(known) if min(known) < 0 else sum(known)

        def both(epoch: int) -> Iterator[Any]:
            yield from self._make(epoch)
            yield from dataset._make(epoch)

        return self._like(both, count)

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number and an element."""
        return Dataset(
            lambda epoch: zip(map(np.int64, count(start)), self._make(epoch)), self._cardinality
        )

    def cache(self, filename: str = "") -> Dataset:
        """The elements kept in memory, once they were all gone through; no file is written."""

        def choose(make: Callable[[int], Iterator[Any]]) -> Any:
            kept: list[Any] = []
            done = False

            def elements(epoch: int) -> Iterator[Any]:
                nonlocal done
                if done:
                    yield from kept
                    return
                fresh = []
                for element in make(epoch):
                    fresh.append(element)
                    yield element
                if not done:
                    kept[:], done = fresh, True

            return elements

        return self._chosen(choose, self._cardinality)

    def with_options(self, options: Any = None) -> Dataset:
        """The data set itself."""
        return self

    def prefetch(self, buffer_size: Any = None, **_: Any) -> Dataset:
        """The data set itself: files are read by several threads in any case."""
        return self


def _draws(rng: Any, below: int) -> Iterator[int]:
    """Whole numbers without an end, many drawn at a time."""
    while True:
        yield from rng.integers(below, size=1024).tolist()
