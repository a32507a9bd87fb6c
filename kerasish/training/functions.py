"""Steps as functions of an iterator over batches, which a subclass may replace."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["StepFunctions", "joined"]


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
            lambda t: t.numpy() if isinstance(t, core.Tensor) else t, parts[0]
        )
    return core.tree.map_structure(
        lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts
    )
