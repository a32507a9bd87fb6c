"""Functions as compiled steps: traced once per input signature, run as graphs."""

from __future__ import annotations

import functools
import inspect
import math
import operator
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from . import device, tree
from .collective import communicator
from .dispatch import STATE, eager_scope
from .errors import DeviceError
from .executors import cuda, native
from .executors.reference.graph import Program
from .ir import to_text
from .passes import optimize
from .replicas import Replicas
from .tensor import Tensor, convert
from .tracing import Signature, Traced, explain_difference, quick_key, signature_of, trace

__all__ = ["CompiledStep", "compile_step", "function"]

_TENSOR = operator.attrgetter("_tensor")
# Programs of one function beyond this are dropped, the one used longest ago first.
_MOST_PROGRAMS = 64


class _Entry:
    """One traced signature with its program."""

    def __init__(self, traced: Traced, on: str) -> None:
        self.traced = traced
        self.graph = optimize(traced.graph)
        seen = {id(v) for v in traced.variables}
        self.variables = [
            *traced.variables, *(v for v in traced.updates if id(v) not in seen)
        ]  # fmt: skip
        place = {id(v): i for i, v in enumerate(self.variables)}
        self.pack = _packer(traced.result, iter(traced.leaves))
        self.native: Any = None
        self.program: Any = None
        self.device = on
        sizes = len(self.variables), len(traced.variables)
        updates = [place[id(v)] for v in traced.updates]
        if self.device.startswith("gpu") and cuda.available():
            self.native = cuda.compiled(self.graph, *sizes, updates, self.device)
        elif self.device.startswith("cpu") and native.available():
            self.native = native.compiled(self.graph, *sizes, updates)
        else:
            self.program = Program(self.graph)

    def place_of(self, key: str) -> int | None:
        """The number of the scalar of that key among the results, if it is a float."""
        places: list[Any] = list(range(sum(leaf is not None for leaf in self.traced.leaves)))
        packed = self.pack(places)
        place = packed.get(key) if isinstance(packed, dict) else None
        if not isinstance(place, int):
            return None
        spec = self.graph.specs[self.graph.outputs[place]]
        return place if spec.shape == () and spec.dtype.name in ("float32", "float64") else None

    def _elsewhere(self, arrays: list[Any]) -> DeviceError | None:
        """What is wrong where a step on the CPU is given something on a GPU."""
        values = [*arrays, *(v._tensor._value for v in self.variables)]
        found = {device.device_of(a) for a in values if device.is_gpu_array(a)}
        if not found or self.device.startswith("gpu"):
            return None
        return DeviceError(
            f"A step that runs on {self.device} was given arrays or variables on "
            f"{', '.join(sorted(found))}. Move them, or call it within device('{found.pop()}')."
        )

    def run(self, arrays: list[Any]) -> list[Any]:
        """The results' arrays; variables have their new values afterwards."""
        traced = self.traced
        if self.native is not None:
            try:
                return self.native.run(arrays, self.variables)  # type: ignore[no-any-return]
            except TypeError as error:
                raise self._elsewhere(arrays) or error from None
        # Each `map` runs no Python code, so neither another thread nor an interrupt comes between
        # two variables: all values are of whole steps.
        tensors = list(map(_TENSOR, traced.variables))
        if not self.device.startswith("cpu"):
            arrays = [a if device.is_gpu_array(a) else device.to_device(a, self.device)
                      for a in arrays]  # fmt: skip
        found = self.program.run(arrays + [t.value for t in tensors])
        count = len(found) - len(traced.updates)
        # A view would keep (and follow) what it was cut from.
        fresh = [Tensor(a if a.flags.owndata else a.copy()) for a in found[count:]]
        deque(map(setattr, traced.updates, repeat("_tensor"), fresh), maxlen=0)
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
        self._quick: dict[Any, _Entry] = {}
        # By the object whose method it is.
        self._bound: dict[int, tuple[Any, CompiledStep]] = {}
        self._last: Signature | None = None
        self._steps_of_chunk = 1
        self._lock = threading.RLock()
        self.retraces: list[str] = []
        _STEPS.add(self)
        functools.update_wrapper(self, fn, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if STATE.store is not None or STATE.tapes:
            # Inside another trace or under a tape the function's own operations are recorded.
            return self._fn(*args, **kwargs)
        quick = None if kwargs else self._quick_key(args)
        if quick is not None:
            known = self._quick.get(quick[0])
            if known is not None:
                return self._run(known, quick[1])
        entry, leaves = self._entry(args, kwargs)
        arrays = _arrays(leaves)
        if quick is not None and all(a.dtype == b.dtype for a, b in zip(arrays, quick[1])):
            self._quick[quick[0]] = entry
        return self._run(entry, arrays)

    def __get__(self, owner: Any, kind: type | None = None) -> CompiledStep:
        """A compiled function in a class is a method: one step for each object."""
        if owner is None:
            return self
        place = id(owner)
        bound = self._bound.get(place)
        if bound is None or bound[0]() is not owner:
            held = weakref.ref(owner, lambda _: self._bound.pop(place, None))
            step = CompiledStep(_method(self._fn, held), self._name, self._key)
            bound = self._bound[place] = held, step
        return bound[1]

    def call_known(self, *args: Any) -> Any:
        """The result of a call like one made before, or None: the quickest way in.

        Args:
            *args: Tensors and arrays in tuples, lists and dictionaries. Arrays are not converted.
        """
        if STATE.store is not None or STATE.tapes:
            return None
        quick = self._quick_key(args)
        known = None if quick is None else self._quick.get(quick[0])
        return None if known is None else self._run(known, quick[1])  # type: ignore[index]

    def _quick_key(self, args: Any) -> tuple[Any, list[Any]] | None:
        found = quick_key(args)
        if found is None:
            return None
        key = self._key() if self._key is not None else None
        return (found[0], key, device.current_device()), found[1]

    def run_rows(
        self, args: tuple[Any, ...], arrays: list[Any], rows: Any, batch: int, seconds: float,
        watched: str | None = None,
    ) -> tuple[int, Any]:  # fmt: skip
        """Call the step on one batch of rows after another, in one native call.

        Args:
            args: Arguments of one call, as an example: tensors of `batch` rows.
            arrays: For each tensor of `args`, in the order of `tree.flatten`, the array of which
                it is a part.
            rows: int64[steps * batch], the rows of each step.
            batch: Rows of a step.
            seconds: No step begins later than this.
            watched: The key of a scalar of the step's results: no step begins after it was NaN
                or infinite.

        Returns:
            How many steps were done, at least one, and the result of the last; or 0 and None if
            the step has no native program, or no such result of float32 or float64.
        """
        entry, _ = self._entry(args, {})
        place = -1 if watched is None else entry.place_of(watched)
        if entry.native is None or place is None:
            return 0, None
        with self._lock:
            done, outputs = entry.native.run_rows(
                arrays, rows, batch, entry.variables, seconds, place
            )
        return done, entry.pack([Tensor(a) for a in outputs])

    def spread(self, replicas: Replicas, given: Sequence[Any], within: Callable[[int], Any]) -> Any:
        """Call the step on several GPUs at once.

        Args:
            replicas: The GPUs.
            given: The argument of each replica.
            within: Gives the context in which a replica is traced.

        Returns:
            What the first replica returned.
        """
        with self._lock:
            entries, leaves = self._entries_of(replicas, given, within)
            arrays = [_arrays(each) for each in leaves]
            found = replicas.each(
                lambda i: entries[i].native.run(arrays[i], entries[i].variables, i)
            )
        return entries[0].pack([Tensor(a) for a in found[0]])

    def spread_rows(
        self, replicas: Replicas, given: Sequence[Any], arrays: list[Any], rows: Sequence[Any],
        within: Callable[[int], Any], seconds: float, watched: str | None = None,
    ) -> tuple[int, Any]:  # fmt: skip
        """`run_rows` on several GPUs at once, in about as many seconds.

        Args:
            replicas: The GPUs.
            given: Of each replica the argument of one call, as an example: its rows of a batch.
            arrays: The arrays of which these are parts.
            rows: Of each replica int64[steps, its rows of a batch].
            within: As of `spread`.
            seconds: All do the same number of steps, which took so long the last time.
            watched: As of `run_rows`.

        Returns:
            How many steps were done, and the result of the last; or 0 and None if the step has no
            such result.
        """
        most = self._steps_of_chunk
        with self._lock:
            entries, _ = self._entries_of(replicas, given, within)
            place = -1 if watched is None else entries[0].place_of(watched)
            if place is None:
                return 0, None
            start = time.monotonic()
            found = replicas.each(
                lambda i: entries[i].native.run_rows(
                    arrays, rows[i].reshape(-1), rows[i].shape[1], entries[i].variables, math.inf,
                    place, i, most,
                )
            )  # fmt: skip
        done, outputs = found[0]
        fit = done * seconds / max(time.monotonic() - start, 1e-9)
        self._steps_of_chunk = max(1, min(2 * most, int(fit)))
        return done, entries[0].pack([Tensor(a) for a in outputs])

    def _entries_of(
        self, replicas: Replicas, given: Sequence[Any], within: Callable[[int], Any]
    ) -> tuple[list[_Entry], list[list[Any]]]:
        """The replicas' programs, ready to run, and their flat arguments."""
        entries, leaves = [], []
        for i, argument in enumerate(given):
            with replicas.tracing(i), within(i):
                entry, flat = self._entry((argument,), {}, replicas.devices[i], i)
            entries.append(entry)
            leaves.append(flat)
        cuda.share_among(replicas.devices)
        for i, entry in enumerate(entries):
            # Before anybody waits for others: memory that is missing is said here.
            with replicas.running(i):
                entry.native.prepare(entry.variables, i)
        return entries, leaves

    def _entry(
        self, args: Any, kwargs: Any, on: str | None = None, replica: int = 0
    ) -> tuple[_Entry, list[Any]]:
        key = self._key() if self._key is not None else None
        signature, leaves = signature_of(args, kwargs, key, on)
        with self._lock:
            entry = self._entries.pop(signature, None)
            if entry is None:
                if self._last is not None and replica == 0:
                    self.retraces.append(explain_difference(signature, self._last))
                opened = tree.map_structure(_as_tensor, (list(args), kwargs))
                traced = trace(self._fn, opened[0], opened[1], self._name)
                entry = _Entry(traced, signature.device)
                while len(self._entries) >= _MOST_PROGRAMS * communicator().size:
                    self._entries.pop(next(iter(self._entries)))
                    self._quick.clear()
            self._entries[signature] = entry
            if replica == 0:
                self._last = signature
        return entry, leaves

    def _run(self, entry: _Entry, arrays: list[Any]) -> Any:
        traced = entry.traced
        if traced.updates:
            with self._lock:
                outputs = entry.run(arrays)
        else:
            outputs = entry.run(arrays)
        return entry.pack([Tensor(a) for a in outputs])

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


# All that live: a child of a fork gives each a lock that no thread of its parent holds.
_STEPS: weakref.WeakSet[CompiledStep] = weakref.WeakSet()


def _fresh_locks() -> None:
    for step in _STEPS:
        step._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_locks)


def _packer(result: Any, places: Any) -> Callable[[list[Tensor]], Any]:
    """A function from a run's tensors to a structure like the traced result."""
    kind = type(result)
    if kind is dict:
        keys = tree.sorted_keys(result)
        parts = {k: _packer(result[k], places) for k in keys}
        ordered = [(k, parts[k]) for k in result]
        return lambda tensors: {k: part(tensors) for k, part in ordered}
    if kind is tuple or kind is list:
        members = [_packer(child, places) for child in result]
        return lambda tensors: kind([part(tensors) for part in members])
    flat = tree.flatten(result)
    found = [next(places) for _ in flat]
    if len(flat) == 1 and flat[0] is result:
        if found[0] is None:
            return lambda tensors: result
        return operator.itemgetter(found[0])

    def pack(tensors: list[Tensor]) -> Any:
        leaves = [x if i is None else tensors[i] for x, i in zip(flat, found, strict=True)]
        return tree.pack_sequence_as(result, leaves)

    return pack


def _arrays(leaves: list[Any]) -> list[Any]:
    """What a program is given."""
    return [
        x.value if isinstance(x, Tensor) else convert(x).value
        for x in leaves
        if isinstance(x, Tensor | np.ndarray)
    ]


def _as_tensor(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        with eager_scope():
            return convert(x)
    return x


def _method(fn: Callable[..., Any], held: Callable[[], Any]) -> Callable[..., Any]:
    """The method of an object that is not kept alive by it."""

    def method(*args: Any, **kwargs: Any) -> Any:
        return fn(held(), *args, **kwargs)

    functools.update_wrapper(method, fn)
    parameters = list(inspect.signature(fn).parameters.values())[1:]
    method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return method


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
