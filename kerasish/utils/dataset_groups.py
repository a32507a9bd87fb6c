"""Data sets of data sets: windows, groups, mixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import kerasish_core as core

from .dataset_values import as_tensors, padded, parts_of, result_of

__all__ = ["Groups"]

tree = core.tree


class Groups:
    """The methods of `Dataset` that look at several elements, or several data sets, at once."""

    _make: Callable[[int], Iterator[Any]]
    _new: Callable[..., Any]
    _cardinality: int

    def padded_batch(
        self, batch_size: int, padded_shapes: Any = None, padding_values: Any = None,
        drop_remainder: bool = False, name: Any = None,
    ) -> Any:  # fmt: skip
        """Elements of different sizes put together, filled up.

        Args:
            batch_size: How many.
            padded_shapes: A structure of shapes to fill up to; None (or -1) for a size, or for
                all, is the largest of the batch.
            padding_values: A structure of what fills up; 0 and "" by default.
            drop_remainder: Whether a smaller last batch is left out.
        """

        def join(elements: list[Any]) -> Any:
            return padded(elements, padded_shapes, padding_values)

        made = self._grouped(batch_size, drop_remainder, join)
        made._open_axes = 2
        return made

    def window(
        self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False
    ) -> Any:
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
                yield parts_of(held[:reach:stride], self._new)
                missing = max(step - len(held), 0)
                del held[:step]
                for _ in islice(elements, missing):
                    pass

        def count(n: int) -> int:
            return max(-(-(n - reach + 1) // step), 0) if drop_remainder else -(-n // step)

        return self._new(windows, self._sized(count))

    def flat_map(self, map_func: Callable[..., Any]) -> Any:
        """The elements of the data sets that a function gives for each element."""

        made = self.map(map_func)

        def inner(epoch: int) -> Iterator[Any]:
            for element in made._make(epoch):
                yield from element._make(epoch)

        return self._new(inner)

    def interleave(
        self, map_func: Callable[..., Any], cycle_length: Any = None, block_length: int = 1,
        num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None,
    ) -> Any:  # fmt: skip
        """The elements of data sets that a function gives, of several of them in turn.

        Args:
            map_func: A data set for each element.
            cycle_length: How many are open at once; 10 by default.
            block_length: How many elements are taken of each before the next.
        """
        made = self.map(map_func)
        slots = 10 if cycle_length is None or int(cycle_length) < 1 else int(cycle_length)

        def elements(epoch: int) -> Iterator[Any]:
            given, open_ones = made._make(epoch), [None] * slots
            more, place, taken = True, 0, 0
            while more or any(one is not None for one in open_ones):
                if open_ones[place] is None:
                    if more:
                        following = next(given, None)
                        if following is not None:
                            open_ones[place] = following._make(epoch)
                            continue
                        more = False
                    place, taken = (place + 1) % slots, 0
                    continue
                for element in islice(open_ones[place], 1):
                    yield element
                    taken += 1
                    break
                else:
                    open_ones[place], taken = None, block_length
                if taken == block_length:
                    place, taken = (place + 1) % slots, 0

        return self._new(elements)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: Any = None) -> Any:
        """What `state, result = scan_func(state, element)` gives for each element."""

        def elements(epoch: int) -> Iterator[Any]:
            state = as_tensors(initial_state)
            for element in self._make(epoch):
                state, found = scan_func(state, as_tensors(element))
                yield result_of(found)

        return self._new(elements, self._cardinality)

    def take_while(self, predicate: Callable[..., Any], name: Any = None) -> Any:
        """The elements before the first of which a function is not true."""

        def elements(epoch: int) -> Iterator[Any]:
            for element in self._make(epoch):
                given = as_tensors(element)
                if not bool(predicate(*given) if isinstance(given, tuple) else predicate(given)):
                    return
                yield element

        return self._like(elements)

    def shard(self, num_shards: int, index: int, name: Any = None) -> Any:
        """Each `num_shards`-th element, from number `index` on."""
        parts, first = int(num_shards), int(index)
        if not 0 <= first < parts:
            raise ValueError(f"shard: index={first} must be from 0 to before {parts}.")
        count = self._sized(lambda n: max(-(-(n - first) // parts), 0))
        return self._chosen(
            lambda make: lambda epoch: islice(make(epoch), first, None, parts), count
        )

    def rebatch(self, batch_size: Any, drop_remainder: bool = False, name: Any = None) -> Any:
        """Batches of another size, or of these sizes in turn."""
        sizes = [int(n) for n in np.atleast_1d(np.asarray(batch_size))]
        rows = self.unbatch()

        def batches(epoch: int) -> Iterator[Any]:
            elements, turn = rows._make(epoch), 0
            while group := list(islice(elements, sizes[turn % len(sizes)])):
                if len(group) == sizes[turn % len(sizes)] or not drop_remainder:
                    yield tree.map_structure(lambda *leaves: np.stack(leaves), *group)
                turn += 1

        return self._new(batches)

    def unique(self, name: Any = None) -> Any:
        """The elements without those that were there before."""

        def elements(epoch: int) -> Iterator[Any]:
            seen = set()
            for element in self._make(epoch):
                key = tuple(np.asarray(x).tobytes() if np.asarray(x).dtype != object
                            else np.asarray(x).item() for x in tree.flatten(element))  # fmt: skip
                if key not in seen:
                    seen.add(key)
                    yield element

        return self._like(elements)

    def apply(self, transformation_func: Callable[[Any], Any], name: Any = None) -> Any:
        """What a function makes of the data set."""
        return transformation_func(self)

    def ignore_errors(self, log_warning: bool = False, name: Any = None) -> Any:
        """The elements without those whose making fails, if what makes them can go on."""

        def elements(epoch: int) -> Iterator[Any]:
            given = self._make(epoch)
            while True:
                try:
                    yield next(given)
                except StopIteration:
                    return
                except Exception:
                    continue

        return self._like(elements)

    def get_single_element(self, name: Any = None) -> Any:
        """The one element.

        Raises:
            ValueError: There is none, or more than one.
        """
        found = list(islice(self._make(0), 2))
        if len(found) != 1:
            raise ValueError(f"get_single_element: there are {'more' if found else 'no'} elements.")
        return as_tensors(found[0])

    def group_by_window(
        self, key_func: Callable[..., Any], reduce_func: Callable[..., Any],
        window_size: Any = None, window_size_func: Any = None, name: Any = None,
    ) -> Any:  # fmt: skip
        """Elements of one key, so many at a time, made to a data set by a function.

        Args:
            key_func: A whole number for each element.
            reduce_func: `(key, dataset)` to a data set.
            window_size: How many elements.
            window_size_func: How many for a key.
        """
        new = self._new

        def elements(epoch: int) -> Iterator[Any]:
            groups: dict[int, list[Any]] = {}

            def reduced(key: int) -> Iterator[Any]:
                group = groups.pop(key)
                inner = new(lambda epoch: iter(group), len(group))
                return reduce_func(core.convert(np.int64(key)), inner)._make(epoch)

            for element in self._make(epoch):
                given = as_tensors(element)
                found = key_func(*given) if isinstance(given, tuple) else key_func(given)
                key = int(np.asarray(found))
                groups.setdefault(key, []).append(element)
                size = window_size if window_size_func is None else window_size_func(
                    core.convert(np.int64(key))
                )  # fmt: skip
                if len(groups[key]) >= int(size):
                    yield from reduced(key)
            for key in sorted(groups):
                yield from reduced(key)

        return self._new(elements)

    def bucket_by_sequence_length(
        self, element_length_func: Callable[..., Any], bucket_boundaries: Any,
        bucket_batch_sizes: Any, padded_shapes: Any = None, padding_values: Any = None,
        pad_to_bucket_boundary: bool = False, no_padding: bool = False,
        drop_remainder: bool = False, name: Any = None,
    ) -> Any:  # fmt: skip
        """Batches of elements of similar length.

        Args:
            element_length_func: The length of an element.
            bucket_boundaries: Lengths at which the next bucket begins.
            bucket_batch_sizes: Of each bucket; one more than boundaries.
            padded_shapes, padding_values: See `padded_batch`.
            pad_to_bucket_boundary: Whether batches are filled up to the boundary less one.
            no_padding: Whether elements are put together as they are.
            drop_remainder: Whether smaller last batches are left out.
        """
        bounds, sizes = [int(n) for n in bucket_boundaries], [int(n) for n in bucket_batch_sizes]
        if len(sizes) != len(bounds) + 1:
            raise ValueError(
                f"bucket_by_sequence_length: {len(bounds)} boundaries need {len(bounds) + 1} "
                f"batch sizes, got {len(sizes)}."
            )

        def bucket(*element: Any) -> int:
            return int(np.searchsorted(bounds, int(np.asarray(element_length_func(*element))),
                                       side="right"))  # fmt: skip

        def batched(key: Any, group: Any) -> Any:
            size = sizes[int(key)]
            if no_padding:
                return group.batch(size, drop_remainder)
            shapes = padded_shapes
            if pad_to_bucket_boundary:
                if int(key) == len(bounds):
                    raise ValueError(
                        "bucket_by_sequence_length: with pad_to_bucket_boundary no element may be "
                        f"as long as {bounds[-1]}."
                    )
                shapes = [bounds[int(key)] - 1]
            return group.padded_batch(size, shapes, padding_values, drop_remainder)

        made = self.group_by_window(bucket, batched, window_size_func=lambda k: sizes[int(k)])
        made._open_axes = 2
        return made
