"""Steps as functions of an iterator over batches, which a subclass may replace."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["Joining", "StepFunctions", "joined"]


class StepFunctions:
    """`make_train_function` and its kin. `Steps` is the only heir.

    `fit` makes no such functions by itself, but where a subclass overrides `make_train_function`,
    it calls that, and then `train_function` for each batch; likewise `evaluate` and `predict`.

    Attributes:
        train_function, test_function, predict_function: Of an iterator over batches: run
            `steps_per_execution` of them (or as many as are left). The first two return the logs
            of the last one, the third the outputs of all. None before they are made.
    """

    steps_per_execution: int
    _run_step: Any
    _keep: Any
    train_function: Any = None
    test_function: Any = None
    predict_function: Any = None

    def make_train_function(self, force: bool = False) -> Any:
        """Make `train_function`, if there is none or `force`, and return it."""
        return self._make_function("train", force)

    def make_test_function(self, force: bool = False) -> Any:
        """Make `test_function`, if there is none or `force`, and return it."""
        return self._make_function("test", force)

    def make_predict_function(self, force: bool = False) -> Any:
        """Make `predict_function`, if there is none or `force`, and return it."""
        return self._make_function("predict", force)

    def _make_function(self, kind: str, force: bool) -> Any:
        known = getattr(self, f"{kind}_function")
        if known is not None and not force:
            return known
        held = weakref.ref(self)  # the model holds the function

        def function(iterator: Iterator[Any]) -> Any:
            model: Any = held()
            results = [
                model._run_step(f"{kind}_step", batch)
                for batch in islice(iterator, model.steps_per_execution)
            ]
            if not results:
                raise StopIteration
            return joined(results) if kind == "predict" else results[-1]

        self._keep(**{f"{kind}_function": function})
        return function

    def _own_function(self, kind: str) -> Callable[[Any], Any] | None:
        """The step function of a subclass that makes its own, of a batch; else None."""
        name = f"make_{kind}_function"
        if getattr(type(self), name) is getattr(StepFunctions, name):
            return None
        getattr(self, name)()
        return lambda batch: getattr(self, f"{kind}_function")(iter((batch,)))


def joined(parts: list[Any]) -> Any:
    """The outputs of several batches as one structure of writable arrays."""
    if len(parts) == 1:
        return core.tree.map_structure(
            lambda t: np.asarray(t) if isinstance(t, core.Tensor) else t, parts[0]
        )
    return core.tree.map_structure(lambda *leaves: np.concatenate(list(map(_read, leaves))), *parts)


def _read(leaf: Any) -> Any:
    """The values of an output, not to be written to."""
    value = leaf.value if isinstance(leaf, core.Tensor) else leaf
    return value if type(value) is np.ndarray else np.asarray(leaf)


class Joining:
    """Outputs of batches on their way into arrays of all rows.

    What is copied there as it comes leaves its memory to the next batch: outputs of many megabytes
    are not touched twice.

    Args:
        rows: Of all batches; None if nobody knows.
    """

    def __init__(self, rows: int | None) -> None:
        self._rows, self._done = rows, 0
        self._whole: Any = None
        self._parts: list[Any] = []

    def add(self, outputs: Any) -> None:
        """Take the outputs of the next batch."""
        if self._rows is None or not self._copied(outputs):
            self._parts.append(outputs)

    def _copied(self, outputs: Any) -> bool:
        leaves = core.tree.flatten(outputs)
        values = [x.value if isinstance(x, core.Tensor) else x for x in leaves]
        count = {len(v) if type(v) is np.ndarray and v.ndim else -1 for v in values}
        rows = count.pop() if len(count) == 1 else -1
        if self._whole is None and not self._parts and 0 < rows < self._rows:
            arrays = [np.empty((self._rows, *v.shape[1:]), v.dtype) for v in values]
            self._whole = core.tree.pack_sequence_as(outputs, arrays)
        into = [] if self._whole is None else core.tree.flatten(self._whole)
        done = self._done + rows
        if rows < 0 or done > self._rows or not _alike(into, values):
            self._give_up()
            return False
        for array, value in zip(into, values, strict=True):
            array[self._done : done] = value
        self._done = done
        return True

    def _give_up(self) -> None:
        """Go on with a list: the outputs have no rows, or others than the ones before."""
        self._rows = None
        if self._done:
            self._parts.append(self._begun())

    def _begun(self) -> Any:
        return core.tree.map_structure(lambda a: a[: self._done], self._whole)

    def result(self) -> Any:
        """All outputs; None if there was no batch."""
        if self._parts:
            return joined(self._parts)
        if self._done == self._rows:
            return self._whole
        return self._begun() if self._done else None


def _alike(arrays: list[Any], values: list[Any]) -> bool:
    return len(arrays) == len(values) and all(
        a.shape[1:] == v.shape[1:] and a.dtype == v.dtype
        for a, v in zip(arrays, values, strict=True)
    )
