"""Functions with a gradient of their own.

On a tape the rule is a Python function. A body (of a loop, a branch) is differentiated from its
graph, so that there the rule is a graph too: an attribute of a node that passes the results on.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .. import ops, tree
from ..autodiff.tape import GradientTape, Rule
from ..dispatch import STATE, apply
from ..ir import Graph
from ..op import Spec, define_op
from ..tensor import Tensor, convert
from ..variable import Variable
from .body import replay, trace_body

__all__ = ["custom_gradient"]


def _ruled_spec(*xs: Spec, rule: Graph, results: int, places: tuple[int, ...]) -> tuple[Spec, ...]:
    return xs[:results]


def _ruled_kernel(
    xp: Any, *xs: Any, rule: Graph, results: int, places: tuple[int, ...]
) -> tuple[Any, ...]:
    return tuple(x.view() for x in xs[:results])


def _ruled_rule(
    g: Any, xs: Any, rule: Graph, results: int, places: tuple[int, ...]
) -> tuple[Tensor | None, ...]:
    captured = xs[len(xs) - len(rule.inputs) + results :]
    found: list[Tensor | None] = [None] * len(xs)
    for place, value in zip(places, replay(rule, [*g, *captured]), strict=True):
        found[place] = value
    return tuple(found)


# Inputs: the results, what gets gradients, what the rule reads. `rule` takes cotangents of the
# results and what it reads, and gives the gradients of the inputs at `places`.
_RULED = define_op(
    "ruled", "control", "*xs", infer=_ruled_spec, kernel=_ruled_kernel, vjp=_ruled_rule,
    multiple=True,
)  # fmt: skip


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
        if not STATE.tapes and not _in_body():
            return fn(*args, **kwargs)[0]
        reads = GradientTape(persistent=True)
        with reads:
            value, rule = fn(*args, **kwargs)
        return _record(args, value, rule, reads)

    return wrapper


def _in_body() -> bool:
    return STATE.trace is not None and STATE.trace.parent is not None


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor | Variable) or not _numeric(x) else convert(x)


def _numeric(x: Any) -> bool:
    return (isinstance(x, int | float) and not isinstance(x, bool)) or hasattr(x, "__array__")


def _record(args: Any, value: Any, rule: Callable[..., Any], reads: GradientTape) -> Any:
    """Pass the results through copies, whose node or entry on each tape holds the rule."""
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
    if _in_body():
        return tree.pack_sequence_as(value, _node(results, inputs, vjp))
    tapes, STATE.tapes = STATE.tapes, ()
    try:
        copies = [ops.identity(y) for y in results]
    finally:
        STATE.tapes = tapes
    for tape in tapes:
        if isinstance(tape, GradientTape) and any(t._tid in tape._tracked for t in inputs):
            tape.add_entry(Rule(vjp), [], inputs, copies)
    return tree.pack_sequence_as(value, copies)


def _node(results: list[Tensor], inputs: list[Tensor], vjp: Callable[..., Any]) -> list[Tensor]:
    """The results behind a node with the rule's graph."""
    places: list[int] = []

    def rule(*g: Tensor) -> list[Tensor]:
        given = vjp(g)
        places[:] = [i for i, x in enumerate(given) if x is not None]
        return [given[i] for i in places]

    body = trace_body("rule", rule, [y.spec for y in results])
    graph = body.graph._replace(outputs=body.graph.outputs[: len(places)])
    read = [*body.captures, *(v.read() for v in body.variables)]
    return list(
        apply(
            _RULED, *results, *inputs, *read, rule=graph, results=len(results),
            places=tuple(len(results) + i for i in places),
        )
    )  # fmt: skip


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
