"""Functions as compiled steps: traced once per input signature, run as graphs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from . import device, tree
from .dispatch import STATE, eager_scope
from .executors import native
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
        self.graph = optimize(traced.graph)
        seen = {id(v) for v in traced.variables}
        self.variables = [
            *traced.variables, *(v for v in traced.updates if id(v) not in seen)
        ]  # fmt: skip
        place = {id(v): i for i, v in enumerate(self.variables)}
        self.native: Any = None
        self.program: Any = None
        if native.available() and device.current_device().startswith("cpu"):
            updates = [place[id(v)] for v in traced.updates]
            self.native = native.compiled(
                self.graph, len(self.variables), len(traced.variables), updates
            )
        else:
            self.program = Program(self.graph)

    def run(self, arrays: list[Any]) -> list[Any]:
        """The results' arrays; variables have their new values afterwards."""
        traced = self.traced
        if self.native is not None:
            return self.native.run(arrays, self.variables)  # type: ignore[no-any-return]
        found = self.program.run(arrays + [v._tensor.value for v in traced.variables])
        count = len(found) - len(traced.updates)
        for variable, array in zip(traced.updates, found[count:], strict=True):
            # A view would keep (and follow) what it was cut from.
            variable.replace(Tensor(array if array.flags.owndata else array.copy()))
        return found[:count]  # type: ignore[no-any-return]


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

    def run_rows(
        self, args: tuple[Any, ...], arrays: list[Any], rows: Any, batch: int, seconds: float
    ) -> tuple[int, Any]:
        """Call the step on one batch of rows after another, in one native call.

        Args:
            args: Arguments of one call, as an example: tensors of `batch` rows.
            arrays: For each tensor of `args`, in the order of `tree.flatten`, the array of which
                it is a part.
            rows: int64[steps * batch], the rows of each step.
            batch: Rows of a step.
            seconds: No step begins later than this.

        Returns:
            How many steps were done, at least one, and the result of the last; or 0 and None if
            the step has no native program.
        """
        entry, _ = self._entry(args, {})
        if entry.native is None:
            return 0, None
        with self._lock:
            done, outputs = entry.native.run_rows(arrays, rows, batch, entry.variables, seconds)
        return done, self._packed(entry, [Tensor(a) for a in outputs])

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
                outputs = entry.run(arrays)
        else:
            outputs = entry.run(arrays)
        return self._packed(entry, [Tensor(a) for a in outputs])

    @staticmethod
    def _packed(entry: _Entry, results: list[Tensor]) -> Any:
        traced = entry.traced
        if traced.leaves == (0,) and isinstance(traced.result, Tensor):
            return results[0]
        flat = [
            leaf if place is None else results[place]
            for leaf, place in zip(tree.flatten(traced.result), traced.leaves, strict=True)
        ]
        return tree.pack_sequence_as(traced.result, flat)

    def explain(self, stage: str = "traced") -> str:
        """The step as text.

        Args:
            stage: "traced" as recorded, "optimized" after the passes that need no backend; of a
                native program also "fused" (groups), "memory" (the arena's plan) and "kernels"
                (instructions with the reasons).

        Raises:
            ValueError: There is no such stage, or the step never ran.
        """
        if not self._entries:
            raise ValueError("The step has not run yet: call it once, then explain() it.")
        entry = next(reversed(self._entries.values()))
        if stage in ("traced", "optimized"):
            graph = entry.traced.graph if stage == "traced" else entry.graph
            return to_text(graph, shorten=True)
        stages = {
            "fused": "explain_fused",
            "memory": "explain_memory",
            "kernels": "explain_kernels",
        }
        if stage not in stages:
            raise ValueError(
                f"explain: stage {stage!r}; expected one of {['traced', 'optimized', *stages]}."
            )
        if entry.native is None:
            return "The step runs on the reference executor: every node by its generic kernel."
        return getattr(entry.native, stages[stage])()  # type: ignore[no-any-return]


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
