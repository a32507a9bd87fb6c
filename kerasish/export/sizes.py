"""Sizes that are known only when a file is run.

A function is traced several times, with other numbers for each size that is free. Sizes that differ
are free ones, or follow from those; which operation makes them is known, since all tensors of the
graphs are. The file takes each from the shape of the tensor that had it first. Several traces make
it unlikely that sizes of two meanings, such as one and twice its half, agree in all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["Sizes", "alternatives"]

# Numbers for free sizes in the traces, the batch's first. They grow by different steps, so that no
# sum of one and a constant is another, are even and odd, and lie far enough apart to stay several
# through many strides. Large ones make traces do nothing at once that they leave for later
# elsewhere; small ones fit models that know only so many places.
_LARGE = (
    (97, 104, 70, 83, 90), (170, 341, 203, 263, 131), (149, 307, 226, 182, 264),
    (113, 239, 170, 304, 187), (167, 337, 258, 220, 193), (139, 281, 206, 340, 251),
    (179, 367, 275, 130, 218),
)  # fmt: skip
_SMALL = (
    (7, 10, 5, 6, 12), (10, 24, 17, 13, 30), (13, 29, 20, 16, 23), (17, 36, 25, 31, 14),
    (19, 41, 31, 28, 12), (15, 34, 23, 26, 43), (21, 46, 33, 38, 18),
)  # fmt: skip

Shape = tuple[int | None, ...]


def alternatives(shapes: Sequence[Shape]) -> Iterator[list[list[tuple[int, ...]]]]:
    """Shapes for the traces: each free size by itself, then sizes of one axis equal.

    The batch is one for all inputs; where nothing else is free, two traces tell all.
    """
    traces = len(_LARGE[0]) if any(None in shape[1:] for shape in shapes) else 2
    given = []
    for numbers, shared in itertools.product((_LARGE, _SMALL), (False, True)):
        keys = {(0, 0): numbers[0]}
        for i, shape in enumerate(shapes):
            for axis in range(1, len(shape)):
                if shape[axis] is None:
                    key = (0 if shared else i, axis)
                    keys.setdefault(key, numbers[min(len(keys), len(numbers) - 1)])
        found = [
            [
                tuple(
                    n if n is not None else keys[0 if shared or not axis else i, axis][trace]
                    for axis, n in enumerate(shape)
                )
                for i, shape in enumerate(shapes)
            ]
            for trace in range(traces)
        ]
        if found not in given:
            given.append(found)
            yield found


class Sizes:
    """Where each free size is found.

    Args:
        emitter: Which adds nodes and constants.
    """

    def __init__(self, emitter: Any) -> None:
        self._emitter = emitter
        self._places: dict[tuple[int, ...], tuple[str, int]] = {}
        self._names: dict[tuple[int, ...], str] = {}

    def note(self, name: str, shapes: Sequence[Sequence[int]]) -> None:
        """A tensor of the file and its shapes in all traces."""
        for axis, sizes in enumerate(zip(*shapes, strict=True)):
            if len(set(sizes)) > 1:
                self._places.setdefault(sizes, (name, axis))

    def vector(self, *shapes: Sequence[int]) -> str:
        """Sizes, given for all traces, as a vector of integers."""
        e, found = self._emitter, list(zip(*shapes, strict=True))
        if all(len(set(sizes)) == 1 for sizes in found):
            return e.constant(list(shapes[0]), "int64")  # type: ignore[no-any-return]
        parts = [
            e.constant([sizes[0]], "int64") if len(set(sizes)) == 1 else self._one(sizes)
            for sizes in found
        ]
        return parts[0] if len(parts) == 1 else e.op("Concat", *parts, axis=0)

    def scale(self, values: Sequence[Any]) -> tuple[Any, str, str] | None:
        """A constant that is proportional to a free size or one over it, or differs by a number.

        Returns:
            A number, the size as a vector of one integer, and what is done with the two: "Mul",
            "Div" or "Add"; None if no size is found.
        """
        values = [np.asarray(v, "float64") for v in values]
        for whole, factors in itertools.product((True, False), self._products()):
            sizes = np.prod(factors, axis=0, dtype="float64")
            for kind in ("Mul", "Div"):
                ones = [
                    v / n if kind == "Mul" else v * n for v, n in zip(values, sizes, strict=True)
                ]
                if whole and not np.array_equal(ones[0], np.rint(ones[0])):
                    continue
                if all(np.allclose(one, ones[0], rtol=1e-6, atol=0.0) for one in ones):
                    return ones[0], self._times(factors, 1), kind
        for sizes in self._places:
            ones = [v - n for v, n in zip(values, sizes, strict=True)]
            if all(np.array_equal(one, ones[0]) for one in ones):
                return ones[0], self._times([sizes], 1), "Add"
        return None

    def _products(self) -> Iterator[list[tuple[int, ...]]]:
        yield from ([sizes] for sizes in self._places)
        yield from map(list, itertools.combinations_with_replacement(self._places, 2))

    def _one(self, sizes: tuple[int, ...]) -> str:
        if sizes in self._places:
            return self._times([sizes], 1)
        for factors in self._products():
            found = [int(n) for n in np.prod(factors, axis=0)]
            times = sizes[0] // found[0] if found[0] else 0
            if times and all(n == times * m for n, m in zip(sizes, found, strict=True)):
                return self._times(factors, times)
        raise NotImplementedError(
            f"export: a size is {sizes} in the traces, which follows in no known way from the free "
            f"ones, {', '.join(map(str, self._places))}. Pass an input_signature without None."
        )

    def _times(self, factors: Sequence[tuple[int, ...]], times: int) -> str:
        e = self._emitter
        with e.outermost():  # where bodies of loops see it too
            found = None
            for sizes in factors:
                if sizes not in self._names:
                    name, axis = self._places[sizes]
                    self._names[sizes] = e.op("Shape", name, start=axis, end=axis + 1)
                one = self._names[sizes]
                found = one if found is None else e.op("Mul", found, one)
            return found if times == 1 else e.op("Mul", found, e.constant([times], "int64"))
