"""Functions with a gradient of their own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .. import ops, tree
from ..dispatch import STATE
from ..tensor import Tensor, convert
from ..variable import Variable
from .tape import GradientTape

__all__ = ["Rule", "custom_gradient"]


class Rule:
    """Stands in a tape's entry where an op stands otherwise."""

    kind = "control"

    multiple = True

    def __init__(self, vjp: Callable[..., Any]) -> None:
        self.vjp = vjp


def custom_gradient(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that returns `(value, grad)` with its own gradient rule.

    `grad(*upstream)` gets one cotangent per result and returns one gradient (or None) per
    positional argument. The function may read variables: their gradients flow as usual, unless
    `grad` takes an argument `variables`; it then returns `(gradients, variable_gradients)`.

    >>> import kerasish_core as core
    >>> @core.custom_gradient
    ... def clipped(x):
    ...     return x, lambda g: core.ops.clip(g, -1.0, 1.0)
    >>> float(core.grad(lambda x: 5.0 * clipped(x))(2.0))
    1.0
    """

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        args = tuple(tree.map_structure(_tensor, a) for a in args)
        if not STATE.tapes:
            return fn(*args, **kwargs)[0]
        reads = GradientTape(persistent=True)
        with reads:
            value, rule = fn(*args, **kwargs)
        return _record(args, value, rule, reads)

    return wrapper


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor | Variable) or not _numeric(x) else convert(x)


def _numeric(x: Any) -> bool:
    return (isinstance(x, int | float) and not isinstance(x, bool)) or hasattr(x, "__array__")


def _record(args: Any, value: Any, rule: Callable[..., Any], reads: GradientTape) -> Any:
    """Pass the results through copies, whose entry on each tape holds the rule."""
    leaves = tree.flatten(args)
    tensors = [
        x.value if isinstance(x, Variable) else x
        for x in leaves
        if isinstance(x, Tensor | Variable)
    ]
    results = [convert(y) for y in tree.flatten(value)]
    # What a variable among the arguments gets is the rule's to say.
    given = {id(x) for x in leaves if isinstance(x, Variable)}
    found = [
        (v, t) for v, by_tid in reads._reads.values() if id(v) not in given for t in by_tid.values()
    ]
    tapes, STATE.tapes = STATE.tapes, ()
    try:
        copies = [ops.identity(y) for y in results]
    finally:
        STATE.tapes = tapes

    def vjp(g: Any) -> list[Any]:
        of_args, of_variables = _call(rule, g, [v for v, _ in found])
        flat = [x for x in _as_list(of_args)]  # noqa: C416
        if len(flat) != len(leaves):
            raise ValueError(
                f"custom_gradient: the rule returned {len(flat)} gradients for {len(leaves)} "
                "arguments. Return one each, None where there is none."
            )
        grads = [
            x for x, leaf in zip(flat, leaves, strict=True) if isinstance(leaf, Tensor | Variable)
        ]
        if of_variables is None:
            seeds = {y._tid: u for y, u in zip(results, g, strict=True) if y._tid}
            of_variables = reads.pull_back(seeds, [[t._tid] for _, t in found])
        return [None if x is None else convert(x) for x in [*grads, *of_variables]]

    inputs = tensors + [t for _, t in found]
    for tape in tapes:
        if isinstance(tape, GradientTape) and any(t._tid in tape._tracked for t in inputs):
            tape.add_entry(Rule(vjp), [], inputs, copies)
    return tree.pack_sequence_as(value, copies)


def _as_list(x: Any) -> list[Any]:
    if isinstance(x, list | tuple | dict):
        return [v for part in (x.values() if isinstance(x, dict) else x) for v in _as_list(part)]
    return [x]


def _call(rule: Callable[..., Any], upstream: tuple[Any, ...], variables: list[Variable]) -> Any:
    """The rule's gradients, and those of the variables if it gives them."""
    try:
        parameters = inspect.signature(rule).parameters
    except (TypeError, ValueError):
        parameters = {}  # type: ignore[assignment]
    if "variables" in parameters and variables:
        of_args, of_variables = rule(*upstream, variables=variables)
        return of_args, list(of_variables)
    if "upstream" in parameters:
        return rule(upstream=upstream[0] if len(upstream) == 1 else upstream), None
    return rule(*upstream), None
