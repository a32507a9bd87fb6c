"""Sizes that are known only when a file is run.

A function is traced twice, with other numbers for each size that is free. A pair of sizes that
differ is a free one, or one that follows from those; which operation makes it is known, since all
tensors of both graphs are. The file takes it from the shape of the tensor that had it first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["Sizes", "alternatives"]

Pair = tuple[int, int]

# Numbers for free sizes in both traces, the batch's first. They grow by different steps, so that no
# sum of one and a constant is another, and leave different rests, so that what depends on a size
# being even or a multiple of three is seen. Large ones make traces do nothing at once that they
# leave for later elsewhere; small ones fit models that know only so many places.
_LARGE = ((97, 104), (103, 114), (127, 140), (113, 132), (139, 162), (149, 178), (163, 194))
_SMALL = ((7, 10), (11, 16), (13, 20), (17, 28), (19, 32), (23, 42), (29, 52))

Shape = tuple[int | None, ...]


def alternatives(shapes: Sequence[Shape]) -> Iterator[list[list[tuple[int, ...]]]]:
    """Shapes for the two traces: each free size by itself, then sizes of one axis equal."""
    given = set()
    for numbers, shared in itertools.product((_LARGE, _SMALL), (False, True)):
        names: dict[Any, Pair] = {None: numbers[0]}  # the batch is one for all
        for i, shape in enumerate(shapes):
            for axis, n in enumerate(shape):
                key = None if axis == 0 else (0 if shared else i, axis)
                if n is None and key not in names:
                    names[key] = numbers[min(len(names), len(numbers) - 1)]
        found = [
            [
                tuple(
                    n if n is not None
                    else names[None if axis == 0 else (0 if shared else i, axis)][turn]
                    for axis, n in enumerate(shape)
                )
                for i, shape in enumerate(shapes)
            ]
            for turn in (0, 1)
        ]  # fmt: skip
        if str(found) not in given:
            given.add(str(found))
            yield found


class Sizes:
    """Where each free size is found.

    Args:
        emitter: Which adds nodes and constants.
    """

    def __init__(self, emitter: Any) -> None:
        self._emitter = emitter
        self._places: dict[Pair, tuple[str, int]] = {}
        self._names: dict[Pair, str] = {}

    def note(self, name: str, shape: Sequence[int], other: Sequence[int]) -> None:
        """A tensor of the file and its shapes in both traces."""
        for axis, pair in enumerate(zip(shape, other, strict=True)):
            if pair[0] != pair[1]:
                self._places.setdefault(pair, (name, axis))

    def vector(self, sizes: Sequence[int], others: Sequence[int]) -> str:
        """Sizes as a vector of integers."""
        e, pairs = self._emitter, list(zip(sizes, others, strict=True))
        if all(a == b for a, b in pairs):
            return e.constant(sizes, "int64")  # type: ignore[no-any-return]
        parts = [e.constant([a], "int64") if a == b else self._one(a, b) for a, b in pairs]
        return parts[0] if len(parts) == 1 else e.op("Concat", *parts, axis=0)

    def scale(self, value: Any, other: Any) -> tuple[Any, str, str] | None:
        """A constant that is proportional to a free size or one over it, or differs by a number.

        Returns:
            A number, the size as a vector of one integer, and what is done with the two: "Mul",
            "Div" or "Add"; None if no size is found.
        """
        value, other = (np.asarray(v, "float64") for v in (value, other))
        for factors in self._products():
            a, b = np.prod(factors, axis=0, dtype="float64")
            for kind, one, two in (("Mul", value / a, other / b), ("Div", value * a, other * b)):
                if np.allclose(one, two, rtol=1e-6, atol=0.0):
                    return one, self._times(factors, 1), kind
        for pair in self._places:
            if np.array_equal(value - pair[0], other - pair[1]):
                return value - pair[0], self._times([pair], 1), "Add"
        return None

    def _products(self) -> Iterator[list[Pair]]:
        yield from ([pair] for pair in self._places)
        yield from map(list, itertools.combinations_with_replacement(self._places, 2))

    def _one(self, a: int, b: int) -> str:
        for factors in self._products():
            p, q = (int(n) for n in np.prod(factors, axis=0))
            if p and q and a % p == 0 and a // p * q == b:
                return self._times(factors, a // p)
        raise NotImplementedError(
            f"export: a size is {a} and {b} where the free ones are "
            f"{' and '.join(map(str, self._places))}, and follows from them in no known way. Pass "
            "an input_signature without None."
        )

    def _times(self, factors: Sequence[Pair], times: int) -> str:
        e = self._emitter
        with e.outermost():  # where bodies of loops see it too
            found = None
            for pair in factors:
                if pair not in self._names:
                    name, axis = self._places[pair]
                    self._names[pair] = e.op("Shape", name, start=axis, end=axis + 1)
                found = (
                    self._names[pair] if found is None else e.op("Mul", found, self._names[pair])
                )
            return found if times == 1 else e.op("Mul", found, e.constant([times], "int64"))
