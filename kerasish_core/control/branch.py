"""Branches: `cond` and `switch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops, tree
from ..dispatch import apply, differentiate
from ..errors import ShapeError
from ..ir import Graph
from ..op import Spec, define_op
from ..tensor import Tensor, convert
from .body import align, flat_tensors, replay, run_graph, trace_body, tracing

__all__ = ["cond", "switch"]


def _switch_spec(index: Spec, *operands: Spec, branches: tuple[Graph, ...]) -> tuple[Spec, ...]:
    return branches[0].output_specs


def _switch_kernel(xp: Any, index: Any, *arrays: Any, branches: tuple[Graph, ...]) -> Any:
    chosen = min(max(int(index), 0), len(branches) - 1)
    return tuple(run_graph(xp, branches[chosen], arrays))


def _switch_rule(g: Any, xs: Any, branches: tuple[Graph, ...]) -> Any:
    """The switch over the branches' own pull-backs, which run the branch again."""
    operands = xs[1:]
    floating = [i for i, x in enumerate(operands) if ops.is_inexact(x)]

    def pull(branch: Graph) -> Callable[..., Any]:
        def run(*tensors: Tensor) -> Any:
            primals, cotangents = tensors[: len(operands)], tensors[len(operands) :]
            found = differentiate(lambda *t: replay(branch, t), primals, list(cotangents))
            return [ops.zeros_like(primals[i]) if found[i] is None else found[i] for i in floating]

        return run

    grads = switch(xs[0], [pull(b) for b in branches], *operands, *g)
    full: list[Any] = [None] * len(operands)
    for i, value in zip(floating, grads, strict=True):
        full[i] = value
    return (None, *full)


def _choose(index: Tensor, *operands: Tensor, branches: tuple[Graph, ...]) -> list[Tensor]:
    """The results of the branch of number `index`, where all branches run."""
    found = replay(branches[0], operands)
    for i, branch in enumerate(branches[1:], 1):
        pairs = zip(replay(branch, operands), found, strict=True)
        found = [ops.where(ops.greater_equal(index, i), new, old) for new, old in pairs]
    return found


_SWITCH = define_op(
    "switch", "control", "*xs", infer=_switch_spec, kernel=_switch_kernel, vjp=_switch_rule,
    multiple=True, cuda=_choose,
)  # fmt: skip


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Call the branch of number `index` (moved into range) with the operands.

    Eagerly only that branch is called. In a trace all are recorded; their results must agree in
    structure, shapes and dtypes, and variables that any of them assigns are assigned.

    Raises:
        ShapeError: Traced branches differ in their results, or `index` is no scalar.
    """
    if not branches:
        raise ValueError("switch: at least one branch is needed.")
    index = convert(index)
    if index.size != 1:
        raise ShapeError(f"switch: index is {index.spec}; a scalar is needed.")
    if not tracing():
        chosen = min(max(int(index), 0), len(branches) - 1)
        return branches[chosen](*operands)
    flat = flat_tensors(list(operands))

    def call(branch: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *tensors: branch(*tree.pack_sequence_as(list(operands), list(tensors)))

    specs = [t.spec for t in flat]
    bodies = [trace_body(f"branch_{i}", call(b), specs) for i, b in enumerate(branches)]
    first = bodies[0]
    for i, body in enumerate(bodies[1:], 1):
        mine, other = (b.graph.output_specs[: b.size] for b in (first, body))
        if mine != other:
            raise ShapeError(
                f"Branches must return equal structures of equal specs: branch 0 returns "
                f"{', '.join(map(str, mine))}, branch {i} {', '.join(map(str, other))}."
            )
    graphs, extra, updates = align(bodies, len(flat))
    outputs = apply(
        _SWITCH, ops.cast(ops.reshape(index, ()), "int32"), *flat, *extra, branches=tuple(graphs)
    )
    for variable, value in zip(updates, outputs[first.size :], strict=True):
        variable.assign(value)
    if first.result is None:
        return None
    return tree.pack_sequence_as(first.result, list(outputs[: first.size]))


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """`true_fn()` if `pred` holds, else `false_fn()`.

    Args:
        pred: A boolean scalar.
        true_fn, false_fn: Functions without arguments; see `switch` for what they may return.
    """
    pred = convert(pred)
    if pred.size != 1:
        raise ShapeError(f"cond: pred is {pred.spec}; a scalar is needed. Use where, any or all.")
    if not tracing():
        return true_fn() if bool(pred) else false_fn()
    return switch(ops.cast(pred, "int32"), [false_fn, true_fn])
