"""A data set: elements made one after the other, changed and put together on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import kerasish_core as core

tree = core.tree

__all__ = ["INFINITE", "UNKNOWN", "Dataset"]

INFINITE, UNKNOWN = -1, -2


class Dataset:
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

    def __init__(self, make: Callable[[int], Iterator[Any]], cardinality: int = UNKNOWN) -> None:
        self._make, self._cardinality = make, cardinality
        self._epoch = 0

    # -- sources
    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """The rows of arrays of equal first axes."""
        arrays = tree.map_structure(np.asarray, tensors)
        count = len(tree.flatten(arrays)[0])

        def rows(epoch: int) -> Iterator[Any]:
            return (_row(arrays, i) for i in range(count))

        return Dataset(rows, count)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any], *_: Any, args: Any = (), **__: Any
    ) -> Dataset:
        """What a function gives that is called for each epoch; shapes and dtypes are as they come.

        Args:
            generator: Called with `args`; returns an iterable of elements.
            args: Its arguments.
        """
        return Dataset(lambda epoch: iter(generator(*(args or ()))))

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """A data set of one element."""
        return Dataset(lambda epoch: iter([tensors]), 1)

    @staticmethod
    def range(*bounds: int) -> Dataset:
        """Whole numbers, as of Python's `range`."""
        numbers = range(*map(int, bounds))
        return Dataset(lambda epoch: map(np.int64, numbers), len(numbers))

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Elements of several data sets together; as many as the shortest has."""
        if len(datasets) == 1 and isinstance(datasets[0], tuple | list):
            datasets = tuple(datasets[0])
        known = [d.cardinality() for d in datasets]
        finite = [n for n in known if n != INFINITE]
        count = UNKNOWN if UNKNOWN in known else min(finite, default=INFINITE)
        return Dataset(lambda epoch: zip(*(d._make(epoch) for d in datasets)), count)

    # -- going through it
    def _elements(self) -> Iterator[Any]:
        epoch, self._epoch = self._epoch, self._epoch + 1
        return self._make(epoch)

    def __iter__(self) -> Iterator[Any]:
        return map(_as_tensors, self._elements())

    def as_numpy_iterator(self) -> Iterator[Any]:
        """An iterator of the elements as NumPy arrays."""
        return (tree.map_structure(np.asarray, element) for element in self._elements())

    def cardinality(self) -> int:
        """How many elements; -1 if there is no end, -2 if it is not known."""
        return self._cardinality

    def __len__(self) -> int:
        if self._cardinality == INFINITE:
            raise TypeError("The dataset is infinite.")
        if self._cardinality == UNKNOWN:
            raise TypeError("The dataset length is unknown.")
        return self._cardinality

    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of the first element."""
        first = next(self._make(0))
        return tree.map_structure(lambda a: (np.shape(a), np.asarray(a).dtype.name), first)

    # -- changes
    def _sized(self, change: Callable[[int], int]) -> int:
        return self._cardinality if self._cardinality < 0 else change(self._cardinality)

    def map(
        self, map_func: Callable[..., Any], num_parallel_calls: Any = None, **_: Any
    ) -> Dataset:
        """A function of each element; a tuple is passed as several arguments."""

        def run(element: Any) -> Any:
            element = _as_tensors(element)
            return map_func(*element) if isinstance(element, tuple) else map_func(element)

        return Dataset(lambda epoch: map(run, self._make(epoch)), self._cardinality)

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements of which a function is true."""

        def kept(element: Any) -> bool:
            element = _as_tensors(element)
            return bool(predicate(*element) if isinstance(element, tuple) else predicate(element))

        return Dataset(lambda epoch: filter(kept, self._make(epoch)))

    def batch(self, batch_size: int, drop_remainder: bool = False, **_: Any) -> Dataset:
        """Elements put together along a new first axis."""
        return self._grouped(batch_size, drop_remainder, _stacked)

    def padded_batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Elements of different sizes put together, filled up with zeros to the largest."""
        return self._grouped(batch_size, drop_remainder, _padded)

    def _grouped(self, size: int, drop: bool, join: Callable[[Any], Any]) -> Dataset:
        if size < 1:
            raise ValueError(f"`batch_size` must be at least 1, got {size}.")

        def groups(epoch: int) -> Iterator[Any]:
            elements = self._make(epoch)
            while group := list(islice(elements, size)):
                if len(group) == size or not drop:
                    yield join(group)

        grouped = Dataset(groups, self._sized(lambda n: n // size if drop else -(-n // size)))
        grouped._batch_size = size
        return grouped

    def unbatch(self) -> Dataset:
        """The rows of batches."""

        def rows(epoch: int) -> Iterator[Any]:
            for batch in self._make(epoch):
                for i in range(len(tree.flatten(batch)[0])):
                    yield _row(batch, i)

        return Dataset(rows)

    def window(
        self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False
    ) -> Dataset:
        """Data sets of neighbouring elements, one for each component of an element.

        Args:
            size: Elements of a window.
            shift: How many elements further the next window begins; `size` by default.
            stride: How far apart the elements of a window are.
            drop_remainder: Whether windows that the end cuts short are left out.

        Raises:
            ValueError: A number is below 1.
        """
        step = size if shift is None else shift
        if min(size, step, stride) < 1:
            raise ValueError(
                f"window: size={size}, shift={shift} and stride={stride} must be at least 1."
            )
        reach = (size - 1) * stride + 1

        def windows(epoch: int) -> Iterator[Any]:
            elements, held = self._make(epoch), list[Any]()
            while True:
                held += islice(elements, max(reach - len(held), 0))
                whole = len(held) >= reach
                if not held or (drop_remainder and not whole):
                    return
                yield _parts(held[:reach:stride])
                missing = max(step - len(held), 0)
                del held[:step]
                for _ in islice(elements, missing):
                    pass

        def count(n: int) -> int:
            return max(-(-(n - reach + 1) // step), 0) if drop_remainder else -(-n // step)

        return Dataset(windows, self._sized(count))

    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the data sets that a function gives for each element."""

        made = self.map(map_func)

        def inner(epoch: int) -> Iterator[Any]:
            for element in made._make(epoch):
                yield from element._make(epoch)

        return Dataset(inner)

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any]) -> Any:
        """What `state = reduce_func(state, element)` ends with."""
        state = _as_tensors(initial_state)
        for element in self:
            state = reduce_func(state, element)
        return state

    def take(self, count: int) -> Dataset:
        """The first elements; all of them for -1."""
        if count < 0:
            return self
        known = count if self._cardinality == INFINITE else self._sized(lambda n: min(n, count))
        return Dataset(lambda epoch: islice(self._make(epoch), count), known)

    def skip(self, count: int) -> Dataset:
        """All but the first elements; none for -1."""
        if count < 0:
            return self.take(0)
        known = self._sized(lambda n: max(n - count, 0))
        return Dataset(lambda epoch: islice(self._make(epoch), count, None), known)

    def repeat(self, count: Any = None) -> Dataset:
        """All elements again and again; without an end for None or -1."""
        endless = count is None or count < 0

        def again(epoch: int) -> Iterator[Any]:
            turn = 0
            while endless or turn < count:
                empty = True
                for element in self._make(epoch + turn):
                    empty = False
                    yield element
                if empty:
                    return
                turn += 1

        return Dataset(again, INFINITE if endless else self._sized(lambda n: n * count))

    def shuffle(
        self, buffer_size: int, seed: Any = None, reshuffle_each_iteration: bool = True
    ) -> Dataset:
        """Another order: each element is drawn out of the next `buffer_size`."""
        seed = int(np.random.randint(2**31)) if seed is None else int(seed)  # noqa: NPY002

        def mixed(epoch: int) -> Iterator[Any]:
            rng = np.random.default_rng([seed, epoch if reshuffle_each_iteration else 0])
            buffer: list[Any] = []
            for element in self._make(epoch):
                if len(buffer) < buffer_size:
                    buffer.append(element)
                    continue
                i = rng.integers(len(buffer))
                buffer[i], element = element, buffer[i]
                yield element
            rng.shuffle(buffer)
            yield from buffer

        return Dataset(mixed, self._cardinality)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this data set, then those of another."""
        known = [self._cardinality, dataset.cardinality()]
        count = min(known) if min(known) < 0 else sum(known)

        def both(epoch: int) -> Iterator[Any]:
            yield from self._make(epoch)
            yield from dataset._make(epoch)

        return Dataset(both, count)

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number and an element."""
        return Dataset(lambda epoch: enumerate(self._make(epoch), start), self._cardinality)

    def cache(self, filename: str = "") -> Dataset:
        """The elements kept in memory, once they were all gone through."""
        if filename:
            raise ValueError(
                f"cache({filename!r}): elements are kept in memory only; pass nothing."
            )
        kept: list[Any] = []
        done = False

        def elements(epoch: int) -> Iterator[Any]:
            nonlocal done
            if done:
                yield from kept
                return
            fresh = []
            for element in self._make(epoch):
                fresh.append(element)
                yield element
            if not done:
                kept[:], done = fresh, True

        return Dataset(elements, self._cardinality)

    def with_options(self, options: Any = None) -> Dataset:
        """The data set itself."""
        return self

    def prefetch(self, buffer_size: Any = None, **_: Any) -> Dataset:
        """The data set itself: files are read by several threads in any case."""
        return self


def _parts(elements: list[Any]) -> Any:
    """A data set of each component of elements."""

    def part(*leaves: Any) -> Dataset:
        return Dataset(lambda epoch: iter(leaves), len(leaves))

    return tree.map_structure(part, *elements)


def _row(arrays: Any, i: int) -> Any:
    return tree.map_structure(lambda a: np.asarray(a)[i], arrays)


def _as_tensors(element: Any) -> Any:
    """Numbers as tensors; text and the like stay arrays."""

    def leaf(x: Any) -> Any:
        if isinstance(x, core.Tensor | Dataset):
            return x
        x = np.asarray(x)
        return core.constant(x) if x.dtype.kind in "biufcV" else x

    return tree.map_structure(leaf, element)


def _stacked(elements: list[Any]) -> Any:
    return tree.map_structure(lambda *leaves: np.stack([_array(x) for x in leaves]), *elements)


def _array(x: Any) -> Any:
    return np.array(x, dtype=object) if isinstance(x, str | bytes) else np.asarray(x)


def _padded(elements: list[Any]) -> Any:
    def join(*leaves: Any) -> Any:
        arrays = [_array(x) for x in leaves]
        if not arrays[0].ndim:
            return np.stack(arrays)
        size = np.max([a.shape for a in arrays], axis=0)
        whole = np.zeros((len(arrays), *map(int, size)), arrays[0].dtype)
        for row, a in zip(whole, arrays, strict=True):
            row[tuple(slice(n) for n in a.shape)] = a
        return whole

    return tree.map_structure(join, *elements)
