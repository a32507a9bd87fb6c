"""The gradient tape: records operations as they happen, then runs their rules backwards.

A tape knows tensors by number (`Tensor._tid`), given when it first meets them. Tensors know
nothing of tapes, so a dropped tape frees what it kept at once, and the backward loop over a list
has no depth limit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import dtypes, ops, tree
from ..dispatch import STATE
from ..errors import GradientError, ShapeError
from ..op import Op, Saved
from ..tensor import Tensor, convert, new_tid
from ..variable import Variable

__all__ = ["GradientTape", "Rule"]

# (op, what its rule asked for, input numbers, input shapes, output numbers, output specs)
Entry = tuple[Any, Any, Any, Any, Any, Any]


class Rule:
    """Stands in a tape's entry where an op stands otherwise."""

    kind = "control"

    multiple = True

    def __init__(self, vjp: Callable[..., Any]) -> None:
        self.vjp = vjp


class GradientTape:
    """Records operations for automatic differentiation.

    Trainable variables are watched when read; other tensors by `watch`. Tapes nest: computing a
    gradient inside an outer tape's block records the gradient's own operations there, which gives
    gradients of any order. The gradient of a variable sums over all its reads since the tape
    began; an assignment cuts the chain.

    Args:
        persistent: Allow `gradient` to be called more than once.
        watch_accessed_variables: Watch trainable variables by themselves when read.

    >>> import kerasish_core as core
    >>> x = core.convert(3.0)
    >>> with core.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self._recording = False
        self._clear()

    def _clear(self) -> None:
        self._entries: list[Entry] = []
        self._tracked: set[int] = set()
        self._reads: dict[int, tuple[Variable, dict[int, Tensor]]] = {}
        self._watched: dict[int, Variable] = {}
        self._used = False

    # -- recording
    def __enter__(self) -> GradientTape:
        if self._recording:
            raise ValueError("The tape is recording already: its block can't be entered twice.")
        self._recording = True
        STATE.tapes = (*STATE.tapes, self)
        return self

    def __exit__(self, *error: object) -> None:
        self._recording = False
        STATE.tapes = tuple(t for t in STATE.tapes if t is not self)

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Pause the tape inside the block."""
        before = STATE.tapes
        STATE.tapes = tuple(t for t in before if t is not self)
        try:
            yield
        finally:
            STATE.tapes = before

    def reset(self) -> None:
        """Forget everything recorded."""
        self._clear()

    def watch(self, tensor: Any) -> None:
        """Follow tensors or variables that the tape does not watch by itself.

        Raises:
            TypeError: A leaf is neither a tensor nor a variable.
        """
        for leaf in tree.flatten(tensor):
            if isinstance(leaf, Variable):
                self._watched[id(leaf)] = leaf
                continue
            if not isinstance(leaf, Tensor):
                raise TypeError(
                    f"watch() takes tensors and variables, got {type(leaf).__name__}. "
                    "Convert it first: convert_to_tensor(x)."
                )
            if not dtypes.is_inexact(leaf.dtype):
                raise TypeError(
                    f"watch() got {leaf.spec}: gradients flow through floating tensors only. "
                    "Cast it before watching."
                )
            self._track(leaf)

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in the order of their first read."""
        found = {id(v): v for v, _ in self._reads.values()} | self._watched
        return tuple(found.values())

    def _track(self, tensor: Tensor) -> int:
        if not tensor._tid:
            tensor._tid = new_tid()
        self._tracked.add(tensor._tid)
        return tensor._tid

    def record_read(self, variable: Variable, tensor: Tensor) -> None:
        key = id(variable)
        if not (self.watch_accessed_variables and variable.trainable) and key not in self._watched:
            return
        if dtypes.is_inexact(tensor.dtype):
            self._note_read(variable, tensor)

    def _note_read(self, variable: Variable, tensor: Tensor) -> None:
        tid = self._track(tensor)
        self._reads.setdefault(id(variable), (variable, {}))[1][tid] = tensor

    def record(self, op: Op, inputs: Any, outputs: Any, attrs: dict[str, Any]) -> None:
        tracked = self._tracked
        for t in inputs:
            if t._tid in tracked:
                break
        else:
            return
        if op.vjp is None:
            return
        saved = [_keep(s, inputs, outputs, attrs, tracked) for s in op.saved]
        self.add_entry(op, saved, inputs, outputs)

    def add_entry(self, op: Any, saved: list[Any], inputs: Any, outputs: Any) -> None:
        """Record an application of `op` (anything with `vjp` and `kind`)."""
        tracked = self._tracked
        tids = []
        for y in outputs:
            if not dtypes.is_inexact(y.dtype):
                tids.append(0)
                continue
            if not y._tid:
                y._tid = new_tid()
            tids.append(y._tid)
            tracked.add(y._tid)
        specs = [y.spec for y in outputs] if op.multiple else None
        self._entries.append(
            (op, saved, [t._tid for t in inputs], [t.shape for t in inputs], tids, specs)
        )

    # -- gradients
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """The gradient of the sum of all targets with respect to each source.

        Args:
            target: Tensor, or nested structure of tensors, that was computed in the block.
            sources: Tensor or Variable, or nested structure of them.
            output_gradients: Structure like `target`: the cotangents, by default ones.
            unconnected_gradients: What a source that does not reach the target gets: "none"
                gives None, "zero" gives zeros.

        Returns:
            A structure like `sources`.

        Raises:
            GradientError: A second call on a tape that is not persistent.
        """
        unconnected = str(getattr(unconnected_gradients, "value", unconnected_gradients)).lower()
        if unconnected not in ("none", "zero"):
            raise ValueError(
                f"unconnected_gradients={unconnected_gradients!r}: expected 'none' or 'zero'."
            )
        if self._used:
            raise GradientError(
                "This tape was used once and freed its records. Use GradientTape(persistent=True) "
                "to compute several gradients."
            )
        flat_sources = tree.flatten(sources)
        paused = self.stop_recording() if not self.persistent else contextlib.nullcontext()
        with paused:
            seeds = self._seeds(target, output_gradients)
            found = self.pull_back(seeds, [self._source_tids(s) for s in flat_sources])
            if unconnected == "zero":
                found = [
                    ops.zeros_like(s) if g is None else g
                    for g, s in zip(found, flat_sources, strict=True)
                ]
        self._release()
        return tree.pack_sequence_as(sources, found)

    def _release(self) -> None:
        """After a use, keep the records or which variables there were only."""
        if not self.persistent:
            watched = self.watched_variables()
            self._clear()
            self._watched = {id(v): v for v in watched}
            self._used = True

    def _target(self, y: Any) -> Tensor:
        """A target as a tensor; a variable is one by itself, read or not."""
        if isinstance(y, Variable):
            variable, y = y, y.value
            if dtypes.is_inexact(y.dtype):
                self._note_read(variable, y)
        if not isinstance(y, Tensor):
            raise TypeError(f"A gradient target must be a tensor, got {type(y).__name__}.")
        return y

    def _seeds(self, target: Any, output_gradients: Any) -> dict[int, Tensor]:
        targets = tree.flatten(target)
        given = (
            [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
        )
        seeds: dict[int, Tensor] = {}
        for y, g in zip(targets, given, strict=True):
            y = self._target(y)
            if not dtypes.is_inexact(y.dtype):
                continue
            seed = ops.ones_like(y) if g is None else convert(g, y.dtype)
            if seed.shape != y.shape:
                raise ShapeError(
                    f"output_gradients is {seed.spec} for a target {y.spec}: equal shapes needed."
                )
            if y._tid in self._tracked:
                seeds[y._tid] = ops.add(seeds[y._tid], seed) if y._tid in seeds else seed
        return seeds

    def _source_tids(self, source: Any) -> list[int]:
        if isinstance(source, Variable):
            entry = self._reads.get(id(source))
            return list(entry[1]) if entry is not None else []
        if not isinstance(source, Tensor):
            raise TypeError(
                f"A gradient source must be a tensor or a variable, got {type(source).__name__}."
            )
        return [source._tid] if source._tid in self._tracked else []

    def pull_back(self, seeds: dict[int, Tensor], sources: list[list[int]]) -> list[Tensor | None]:
        """Run the rules backwards from cotangents by number; the sum at each source."""
        wanted = {tid for tids in sources for tid in tids}
        entries = self._reaching(wanted)
        cotangents = dict(seeds)
        g: Any
        for op, saved, in_tids, in_shapes, out_tids, specs in reversed(entries):
            if specs is None:
                g = cotangents.get(out_tids[0])
                if g is None:
                    continue
                if out_tids[0] not in wanted:
                    del cotangents[out_tids[0]]
            else:
                g = self._gather(cotangents, out_tids, wanted)
                if g is None:
                    continue
                if op.kind == "control":  # its bodies want a cotangent of every result
                    pairs = zip(g, specs, strict=True)
                    g = tuple(ops.zeros(s.shape, s.dtype) if u is None else u for u, s in pairs)
            results = op.vjp(g, *saved) if not _is_complex(g) else _adjoint(op, g, saved)
            elementwise = op.kind == "elementwise"
            for tid, shape, result in zip(in_tids, in_shapes, results, strict=True):
                if result is None or tid not in self._tracked:
                    continue
                if elementwise and result.shape != shape:
                    result = ops.sum_to(result, shape)
                before = cotangents.get(tid)
                cotangents[tid] = result if before is None else ops.add(before, result)
        return [self._total(cotangents, tids) for tids in sources]

    @staticmethod
    def _gather(cotangents: dict[int, Tensor], tids: list[int], wanted: set[int]) -> Any:
        """The cotangents of several results, None where none flows; None if there are none."""
        if not any(tid in cotangents for tid in tids):
            return None
        return tuple(
            cotangents.get(tid) if tid in wanted else cotangents.pop(tid, None) for tid in tids
        )

    @staticmethod
    def _total(cotangents: dict[int, Tensor], tids: list[int]) -> Tensor | None:
        total = None
        for tid in tids:
            g = cotangents.get(tid)
            if g is not None:
                total = g if total is None else ops.add(total, g)
        return total

    def _reaching(self, sources: set[int]) -> list[Entry]:
        """The entries on a path from the sources."""
        reached = set(sources)
        kept = []
        for entry in self._entries:
            if not reached.isdisjoint(entry[2]):
                reached.update(entry[4])
                kept.append(entry)
        return kept

    # -- Jacobians
    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: Any = None,
    ) -> Any:
        """`J[i..., j...] = d target[i...] / d source[j...]` for each source.

        Args:
            target: One tensor.
            sources: Tensor or Variable, or nested structure of them.
            unconnected_gradients: "none" or "zero", as in `gradient`.
            parallel_iterations: Accepted for TensorFlow's signature; without effect.
            experimental_use_pfor: As before.

        Returns:
            Structure like `sources` of tensors of shape `target.shape + source.shape`.
        """
        flat, target = tree.flatten(sources), self._target(target)
        rows = self._rows(target, flat, target.size, lambda basis: basis)
        found: list[Tensor | None] = []
        for column, source in zip(rows, flat, strict=True):
            if column is None and unconnected_gradients == "zero":
                column = ops.zeros((target.size, *source.shape), target.dtype)
            found.append(
                None if column is None else ops.reshape(column, target.shape + source.shape)
            )
        return tree.pack_sequence_as(sources, found)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: Any = None,
    ) -> Any:
        """`J[b, i..., j...] = d target[b, i...] / d source[b, j...]`, samples being independent.

        Raises:
            ShapeError: The first axes differ.
        """
        if target.ndim == 0 or source.ndim == 0 or target.shape[0] != source.shape[0]:
            raise ShapeError(
                f"batch_jacobian: target is {target.spec}, source {source.spec}; "
                "their first axes must be equal."
            )
        batch = target.shape[0]
        inner = int(np.prod(target.shape[1:], dtype=np.int64))

        def spread(basis: Any) -> Any:
            return np.broadcast_to(basis, (batch, inner))

        column = self._rows(target, [source], inner, spread)[0]
        if column is None:
            if unconnected_gradients != "zero":
                return None
            column = ops.zeros((inner, *source.shape), target.dtype)
        return ops.reshape(ops.moveaxis(column, 0, 1), target.shape + source.shape[1:])

    def _rows(self, target: Tensor, sources: list[Any], count: int, spread: Any) -> list[Any]:
        """For each source the stacked pull-backs of `count` basis cotangents."""
        if self._used:
            raise GradientError("This tape was used once; use GradientTape(persistent=True).")
        tids = [self._source_tids(s) for s in sources]
        rows: list[list[Any]] = [[] for _ in sources]
        paused = self.stop_recording() if not self.persistent else contextlib.nullcontext()
        with paused:
            for i in range(count):
                basis = np.zeros(count, target.dtype)
                basis[i] = 1
                seed = convert(np.ascontiguousarray(spread(basis)).reshape(target.shape))
                seeds = {target._tid: seed} if target._tid in self._tracked else {}
                for row, g in zip(rows, self.pull_back(seeds, tids), strict=True):
                    row.append(g)
            result = [
                None
                if all(g is None for g in row) or not row
                else ops.stack([ops.zeros(s.shape, s.dtype) if g is None else g for g in row])
                for row, s in zip(rows, sources, strict=True)
            ]
        self._release()
        return result


def _keep(saved: Saved, inputs: Any, outputs: Any, attrs: dict[str, Any], tracked: set[int]) -> Any:
    source, key = saved
    if source == "input":
        return inputs[key]
    if source == "output":
        return outputs[0] if len(outputs) == 1 else tuple(outputs)
    if source == "attr":
        return attrs.get(key)
    if source == "needs":
        return [t._tid in tracked for t in inputs]
    if source == "spec":
        return inputs[key].spec
    if source == "inputs":
        return tuple(inputs)
    if source == "specs":
        return tuple(t.spec for t in inputs)
    return outputs[0].spec if len(outputs) == 1 else tuple(t.spec for t in outputs)


def _is_complex(g: Any) -> bool:
    if isinstance(g, tuple):
        return any(u is not None and u.dtype.kind == "c" for u in g)
    return bool(g.dtype.kind == "c")


def _adjoint(op: Any, g: Any, saved: Any) -> list[Any]:
    """The rule of an op for complex cotangents.

    The gradient of a real number L by `z = a + ib` is `dL/da + i dL/db`. Through a function with
    derivative f' it goes as `g conj(f')`. Rules are written as `g f'`, linear in g.
    """
    turned = tuple([_turn(u) for u in g]) if isinstance(g, tuple) else _turn(g)
    return [_turn(result) for result in op.vjp(turned, *saved)]


def _turn(x: Any) -> Any:
    return x if x is None or x.dtype.kind != "c" else ops.conj(x)
