"""Functions whose inner values are computed again for their gradient instead of being kept."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import ops, tree
from ..dispatch import STATE, scope
from ..tensor import Tensor, convert
from ..variable import StatelessScope, Variable
from .tape import GradientTape, Rule

__all__ = ["remat"]


class _Scout:
    """Stands in the place of the tapes while the function runs: notes what flows in.

    Attributes:
        reads: Variables with the tensors that were read.
        captured: Tensors of the tapes that are no arguments.
    """

    def __init__(self, tapes: Any) -> None:
        self._tracked = [tape._tracked for tape in tapes if isinstance(tape, GradientTape)]
        self.reads: dict[tuple[int, int], tuple[Variable, Tensor]] = {}
        self.captured: dict[int, Tensor] = {}

    def record_read(self, variable: Variable, tensor: Tensor) -> None:
        self.reads.setdefault((id(variable), id(tensor)), (variable, tensor))

    def record(self, op: Any, inputs: Any, outputs: Any, attrs: Any) -> None:
        for t in inputs:
            if t._tid and any(t._tid in tracked for tracked in self._tracked):
                self.captured.setdefault(t._tid, t)


class _FirstReads:
    """A store that passes everything on, and keeps what each variable held at first."""

    def __init__(self) -> None:
        self._outer = STATE.store
        self.values: dict[int, tuple[Variable, Tensor]] = {}

    def read(self, variable: Variable) -> Tensor:
        outer = self._outer
        tensor = variable._settled() if outer is None else outer.read(variable)
        self.values.setdefault(id(variable), (variable, tensor))
        return tensor

    def assign(self, variable: Variable, value: Tensor) -> None:
        if self._outer is None:
            variable.replace(value)
        else:
            self._outer.assign(variable, value)


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Trade time for memory: a tape keeps the function's arguments, not its inner values.

    The function runs a second time when its gradient is taken. It then finds the variables as
    they were, random seeds included, and what it assigns has no effect.

    Args:
        fn: Of tensors, variables and Python values in any structure; may read variables and
            tensors around it.

    Returns:
        A function with the same results and gradients.

    >>> import kerasish_core as core
    >>> float(core.grad(core.remat(lambda x: core.ops.exp(core.ops.sin(x))))(0.0))
    1.0
    """

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        tapes = STATE.tapes
        if not tapes:
            return fn(*args, **kwargs)
        given = list(args), kwargs
        scout, store = _Scout(tapes), _FirstReads()
        with scope(STATE.trace, (scout,), store):
            result = fn(*given[0], **given[1])
        return _record(fn, given, result, scout, store.values)

    return wrapper


def _record(fn: Callable[..., Any], given: Any, result: Any, scout: _Scout, first: Any) -> Any:
    """The results as tensors of their own, whose entry on each tape computes `fn` again."""
    tapes = STATE.tapes
    leaves = tree.flatten(given)
    tensors = [x for x in leaves if isinstance(x, Tensor) and not isinstance(x, Variable)]
    own = {id(t): t for t in tensors}  # each once, however often it is given
    arguments = list(own.values())
    captured = [t for t in scout.captured.values() if id(t) not in own]
    reads = list(scout.reads.values())
    for variable, tensor in reads:
        for tape in tapes:
            tape.record_read(variable, tensor)
    with scope(STATE.trace, (), STATE.store):
        flat = [_copy(y) for y in tree.flatten(result)]
    outputs = [y for y in flat if isinstance(y, Tensor)]

    def vjp(g: Any) -> list[Any]:
        return _again(fn, given, arguments, captured, reads, first, g)

    inputs = [*arguments, *captured, *(t for _, t in reads)]
    for tape in tapes:
        if isinstance(tape, GradientTape) and any(t._tid in tape._tracked for t in inputs):
            tape.add_entry(Rule(vjp), [], inputs, outputs)
    return tree.pack_sequence_as(result, flat)


def _copy(y: Any) -> Any:
    if isinstance(y, Variable):
        y = y.value
    if not isinstance(y, Tensor):
        return y
    copy = ops.identity(y)
    copy.mask = y.mask
    return copy


def _again(
    fn: Callable[..., Any], given: Any, arguments: list[Tensor], captured: list[Tensor],
    reads: list[tuple[Variable, Tensor]], first: Any, g: tuple[Any, ...],
) -> list[Any]:  # fmt: skip
    """The cotangents of all inputs, by running the function on a tape of its own."""
    # Behind a barrier, or the compiler would find the first run's values equal to these.
    fresh = {id(t): _behind(t) for t in arguments}
    values = [(v, _behind(t)) for v, t in first.values()]
    args, kwargs = tree.map_structure(lambda x: fresh.get(id(x), x), given)
    tape = GradientTape(persistent=True)
    # An argument may be read around the function too.
    floating = [t for t in (*fresh.values(), *arguments, *captured) if ops.is_inexact(t)]
    tape.watch(floating)
    for variable, _ in reads:
        tape.watch(variable)
    store = StatelessScope()
    for variable, tensor in values:
        store.assign(variable, tensor)
    with store, tape:
        result = fn(*args, **kwargs)
    flat = [y for y in tree.flatten(result) if isinstance(y, Tensor | Variable)]
    outputs = [y.value if isinstance(y, Variable) else y for y in flat]
    seeds: dict[int, Tensor] = {}
    for y, u in zip(outputs, g, strict=True):
        if u is not None and y._tid in tape._tracked:
            seeds[y._tid] = ops.add(seeds[y._tid], u) if y._tid in seeds else u
    sources = [[fresh[id(t)]._tid, t._tid] for t in arguments] + [[t._tid] for t in captured]
    of_variables: dict[int, bool] = {}
    for variable, _ in reads:
        # Several reads of one variable: the whole gradient goes to the first of them.
        known = of_variables.setdefault(id(variable), False)
        found = tape._reads.get(id(variable))
        sources.append([] if known or found is None else list(found[1]))
        of_variables[id(variable)] = True
    return list(tape.pull_back(seeds, sources))


def _behind(t: Tensor) -> Tensor:
    fresh: Tensor = ops.barrier(t)
    fresh.mask = convert(t).mask
    return fresh
