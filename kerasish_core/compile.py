"""Functions as compiled steps: traced once per input signature, run as graphs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from . import tree
from .dispatch import STATE, eager_scope
from .executors.reference.graph import Program
from .ir import to_text
from .passes import optimize
from .tensor import Tensor, convert
from .tracing import Signature, Traced, explain_difference, signature_of, trace

__all__ = ["CompiledStep", "compile_step", "function"]

# Programs of one function beyond this are dropped, the one used longest ago first.
_MOST_PROGRAMS = 64


class _Entry:
    """One traced signature with its program."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.program = Program(optimize(traced.graph))
        self.count = len(tree.flatten(traced.result))


class CompiledStep:
    """A function that runs as a graph. Variables are read before a run and written after it.

    Attributes:
        retraces: Why each trace after the first was needed.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, key: Callable[[], Any] | None = None
    ) -> None:
        self._fn, self._name, self._key = fn, name, key
        self._entries: dict[Signature, _Entry] = {}
        self._last: Signature | None = None
        self._lock = threading.RLock()
        self.retraces: list[str] = []
        functools.update_wrapper(self, fn, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if STATE.store is not None or STATE.tapes:
            # Inside another trace or under a tape the function's own operations are recorded.
            return self._fn(*args, **kwargs)
        entry, leaves = self._entry(args, kwargs)
        arrays = [
            x.value if isinstance(x, Tensor) else convert(x).value
            for x in leaves
            if isinstance(x, Tensor | np.ndarray)
        ]
        return self._run(entry, arrays)

    def _entry(self, args: Any, kwargs: Any) -> tuple[_Entry, list[Any]]:
        key = self._key() if self._key is not None else None
        signature, leaves = signature_of(args, kwargs, key)
        with self._lock:
            entry = self._entries.pop(signature, None)
            if entry is None:
                if self._last is not None:
                    self.retraces.append(explain_difference(signature, self._last))
                opened = tree.map_structure(_as_tensor, (list(args), kwargs))
                entry = _Entry(trace(self._fn, opened[0], opened[1], self._name))
                while len(self._entries) >= _MOST_PROGRAMS:
                    self._entries.pop(next(iter(self._entries)))
            self._entries[signature] = entry
            self._last = signature
        return entry, leaves

    def _run(self, entry: _Entry, arrays: list[Any]) -> Any:
        traced = entry.traced
        if traced.updates:
            with self._lock:
                outputs = entry.program.run(arrays + [v._tensor.value for v in traced.variables])
                results = self._write(traced, outputs)
        else:
            outputs = entry.program.run(arrays + [v._tensor.value for v in traced.variables])
            results = [Tensor(a) for a in outputs]
        if traced.leaves == (0,) and isinstance(traced.result, Tensor):
            return results[0]
        flat = [
            leaf if place is None else results[place]
            for leaf, place in zip(tree.flatten(traced.result), traced.leaves, strict=True)
        ]
        return tree.pack_sequence_as(traced.result, flat)

    @staticmethod
    def _write(traced: Traced, outputs: list[Any]) -> list[Tensor]:
        count = len(outputs) - len(traced.updates)
        results = [Tensor(a) for a in outputs[:count]]
        for variable, array in zip(traced.updates, outputs[count:], strict=True):
            # A view would keep (and follow) what it was cut from.
            variable.replace(Tensor(array if array.flags.owndata else array.copy()))
        return results

    def explain(self, stage: str = "traced") -> str:
        """The step as text: "traced" as recorded, "optimized" after the passes.

        Raises:
            ValueError: There is no such stage, or the step never ran.
        """
        if not self._entries:
            raise ValueError("The step has not run yet: call it once, then explain() it.")
        entry = next(reversed(self._entries.values()))
        graphs = {"traced": entry.traced.graph, "optimized": entry.program.graph}
        if stage not in graphs:
            raise ValueError(f"explain: stage {stage!r}; expected one of {sorted(graphs)}.")
        return to_text(graphs[stage], shorten=True)


def _as_tensor(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        with eager_scope():
            return convert(x)
    return x


def compile_step(
    fn: Callable[..., Any], *, name: str | None = None, key: Callable[[], Any] | None = None
) -> CompiledStep:
    """A step that is traced once for each signature of its arguments.

    Args:
        fn: Function of tensors, arrays and Python values (which are constants of the trace).
        name: Of the graph in printed text.
        key: What else the trace depends on: hashable, asked before each run.

    Returns:
        The step. Calling it raises TraceError if `fn` needs a value that is not known in a trace.
    """
    return CompiledStep(fn, name, key)


def function(fn: Callable[..., Any]) -> CompiledStep:
    """Decorator: run the function as a compiled step.

    >>> import kerasish_core as core
    >>> @core.function
    ... def double(x):
    ...     return x * 2
    >>> float(double(core.convert(3.0)))
    6.0
    """
    return CompiledStep(fn)
