"""Keras 2's branches, folds and the loop of recurrent layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from ..ops.symbolic import KerasTensor, any_symbolic, classic
from .session import LearningPhase, learning_phase

__all__ = ["foldl", "foldr", "in_test_phase", "in_train_phase", "map_fn", "rnn", "switch"]

_o = core.ops
tree = core.tree

# -- branches


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` where the program trains, else `alt`.

    Args:
        x, alt: Tensors, or functions without arguments that give them.
        training: Whether it trains; by default `learning_phase()`, for symbolic tensors that of
            each run.
    """
    if training is None or isinstance(training, LearningPhase):
        found = [v() if callable(v) and _gives_symbolic(v) else v for v in (x, alt)]
        if any_symbolic(found):
            return _by_phase(*(v() if callable(v) else v for v in found))
        training = learning_phase()
    if isinstance(training, core.Tensor | core.Variable | KerasTensor):
        return switch(training, x, alt)
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` where the program does not train, else `alt`."""
    return in_train_phase(alt, x, training)


def _gives_symbolic(function: Callable[..., Any]) -> bool:
    """Whether a function without arguments refers to symbolic tensors."""
    cells = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    scope = getattr(function, "__globals__", {})
    held = [c.cell_contents for c in cells] + [scope.get(n) for n in names]
    return any_symbolic(held)


@classic
def _by_phase(x: Any, alt: Any) -> Any:
    return core.convert(x if learning_phase() else alt)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """`then_expression` where the condition holds, else `else_expression`.

    Args:
        condition: A boolean scalar, or a tensor of at most as many axes as the results: it then
            chooses element by element, its axes being the first.
        then_expression, else_expression: Tensors, or functions without arguments that give them;
            of a scalar condition only the chosen one is called, where values are known.

    Raises:
        ValueError: The condition has more axes than a result.
    """
    if isinstance(condition, LearningPhase):
        return in_train_phase(then_expression, else_expression, condition)
    if isinstance(condition, bool | int | np.bool_):
        chosen = then_expression if condition else else_expression
        return chosen() if callable(chosen) else chosen
    branches = (then_expression, else_expression)
    if isinstance(condition, KerasTensor) or any_symbolic(branches):
        return _select(condition, *(b() if callable(b) else b for b in branches))
    if len(condition.shape) == 0:
        calls = [b if callable(b) else (lambda b=b: core.convert(b)) for b in branches]
        return core.cond(_o.cast(condition, "bool"), *calls)
    return _select(condition, *(b() if callable(b) else b for b in branches))


@classic
def _select(condition: Any, then_value: Any, else_value: Any) -> Any:
    condition = _o.cast(condition, "bool")
    values = [core.convert(v) for v in (then_value, else_value)]
    rank = max(v.ndim for v in values)
    if condition.ndim > min(v.ndim for v in values):
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of `then_expression` and "
            f"`else_expression`. ndim(condition)={condition.ndim}, "
            f"ndim(then_expression)={values[0].ndim}"
        )
    if condition.ndim:
        condition = _o.reshape(condition, condition.shape + (1,) * (rank - condition.ndim))
    return _o.where(condition, *values)


# -- folds


@classic
def map_fn(fn: Any, elems: Any, name: Any = None, dtype: Any = None) -> Any:
    """`fn` of each slice along the first axis, stacked."""
    found = core.map(fn, elems)
    return found if dtype is None else tree.map_structure(lambda y: _o.cast(y, dtype), found)


def _fold(fn: Any, elems: Any, initializer: Any, reverse: bool) -> Any:
    elems = tree.map_structure(core.convert, elems)
    if initializer is None:
        first, rest = (-1, np.s_[:-1]) if reverse else (0, np.s_[1:])
        initializer = tree.map_structure(lambda x: x[first], elems)
        elems = tree.map_structure(lambda x: x[rest], elems)
    if not tree.flatten(elems)[0].shape[0]:
        return initializer
    return core.scan(lambda total, x: (fn(total, x), None), initializer, elems, reverse=reverse)[0]


@classic
def foldl(fn: Any, elems: Any, initializer: Any = None, name: Any = None) -> Any:
    """`fn(fn(initializer, elems[0]), elems[1])` and so on; begins with `elems[0]` by default."""
    return _fold(fn, elems, initializer, False)


@classic
def foldr(fn: Any, elems: Any, initializer: Any = None, name: Any = None) -> Any:
    """The same from the last element to the first."""
    return _fold(fn, elems, initializer, True)


# -- recurrence


@classic
def rnn(
    step_function: Any, inputs: Any, initial_states: Any, go_backwards: bool = False,
    mask: Any = None, constants: Any = None, unroll: bool = False, input_length: Any = None,
    time_major: bool = False, zero_output_for_mask: bool = False, return_all_outputs: bool = True,
) -> Any:  # fmt: skip
    """Run a step function along the time axis.

    Where the mask is false, states stay, and the output is the one before (zeros at first).

    Args:
        step_function: `(input, states + constants)` to `(output, new states)`.
        inputs: `(batch, time, ...)`, or a structure of such.
        initial_states: List of tensors `(batch, ...)`.
        go_backwards: Whether to run from the last step to the first.
        mask: `(batch, time)`.
        constants: List of tensors that each step gets too.
        unroll: Whether to repeat the operations instead of looping.
        input_length: How many steps each sample has, `(batch,)`, as a mask; a number has no effect.
        time_major: Whether inputs and outputs are `(time, batch, ...)`.
        zero_output_for_mask: Whether the output is zeros wherever the mask is false.
        return_all_outputs: Whether to return all outputs, or the last with a time axis of 1.

    Returns:
        The last output, all outputs in the order in which they were computed, the last states.
    """
    order = (lambda x: x) if time_major else (lambda x: _o.swapaxes(x, 0, 1))
    rows = tree.map_structure(lambda x: order(core.convert(x)), inputs)
    steps = tree.flatten(rows)[0].shape[0]
    keep = _kept_steps(mask, input_length, steps, go_backwards, order)
    if go_backwards:
        rows = tree.map_structure(lambda x: _o.flip(x, 0), rows)
    constants = tuple(constants or ())

    def step(states: Any, before: Any, row: Any, now: Any) -> Any:
        output, after = step_function(row, tuple(states) + constants)
        after = tree.map_structure(core.convert, list(after))
        output = tree.map_structure(core.convert, output)
        if now is not None:
            after = tree.map_structure(lambda a, b: _where(now, a, b), after, list(states))
            if before is None or zero_output_for_mask:
                before = tree.map_structure(_o.zeros_like, output)
            output = tree.map_structure(lambda a, b: _where(now, a, b), output, before)
        return after, output

    states = tree.map_structure(core.convert, list(initial_states))
    states, outputs = _run(step, states, rows, keep, steps, unroll)
    last = tree.map_structure(lambda y: y[-1], outputs)
    if not return_all_outputs:
        outputs = tree.map_structure(lambda y: y[-1:], outputs)
    return last, tree.map_structure(order, outputs), tuple(states)


def _kept_steps(mask: Any, length: Any, steps: int, go_backwards: bool, order: Any) -> Any:
    """`(time, batch)`, in the order of the run: which steps count. None: all."""
    if mask is not None:
        mask = _o.cast(mask, "bool")
        if mask.ndim > 2:
            mask = _o.squeeze(mask, -1)
        mask = order(mask)
        return _o.flip(mask, 0) if go_backwards else mask
    if length is None or isinstance(length, int) or not core.convert(length).ndim:
        return None
    time = _o.arange(steps, dtype="int32")[:, None]
    length = _o.cast(length, "int32")[None]
    return time > _o.max(length) - 1 - length if go_backwards else time < length


def _where(keep: Any, a: Any, b: Any) -> Any:
    return _o.where(_o.reshape(keep, keep.shape + (1,) * (a.ndim - keep.ndim)), a, b)


def _run(step: Any, states: Any, rows: Any, keep: Any, steps: int, unroll: bool) -> Any:
    """The first step by itself, since it tells what outputs look like; then the loop."""

    def at(t: Any) -> Any:
        now = None if keep is None else keep[t]
        return tree.map_structure(lambda x: x[t], rows), now

    states, first = step(states, None, *at(0))
    found = [tree.map_structure(lambda y: y[None], first)]
    if unroll:
        before = first
        for t in range(1, steps):
            states, before = step(states, before, *at(t))
            found.append(tree.map_structure(lambda y: y[None], before))
    elif steps > 1:

        def loop(carry: Any, row: Any) -> Any:
            x, now = row if keep is not None else (row, None)
            after, output = step(*carry, x, now)
            return (after, output), output

        (states, _), rest = core.scan(loop, (states, first), _later(rows, keep))
        found.append(rest)
    return states, tree.map_structure(lambda *parts: _o.concatenate(parts, 0), *found)


def _later(rows: Any, keep: Any) -> Any:
    rest = tree.map_structure(lambda x: x[1:], rows)
    return rest if keep is None else (rest, keep[1:])
