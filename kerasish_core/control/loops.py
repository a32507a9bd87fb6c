"""Loops: `scan` is the primitive; `map`, `fori_loop` and bounded `while_loop` lower to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops, tree
from ..dispatch import apply, differentiate
from ..errors import GradientError, ShapeError, TraceError
from ..ir import Graph
from ..op import Spec, define_op
from ..tensor import Tensor, constant, convert
from ..variable import Variable
from .body import align, flat_tensors, replay, run_graph, trace_body, tracing
from .branch import cond as branch

__all__ = ["fori_loop", "map", "scan", "while_loop"]

# -- the primitive: inputs are carries, then per-step slices, then what stays constant


def _scan_spec(
    *xs: Spec, body: Graph, carries: int, sequences: int, length: int, reverse: bool
) -> tuple[Spec, ...]:
    found = body.output_specs
    stacked = tuple(Spec((length, *s.shape), s.dtype) for s in found[carries:])
    return found[:carries] + stacked


def _scan_kernel(
    xp: Any, *arrays: Any, body: Graph, carries: int, sequences: int, length: int, reverse: bool
) -> Any:
    state = list(arrays[:carries])
    rows = arrays[carries : carries + sequences]
    fixed = arrays[carries + sequences :]
    stacks = [xp.empty((length, *s.shape), s.dtype) for s in body.output_specs[carries:]]
    for t in range(length - 1, -1, -1) if reverse else range(length):
        found = run_graph(xp, body, [*state, *(r[t] for r in rows), *fixed])
        state = list(found[:carries])
        for stack, value in zip(stacks, found[carries:], strict=True):
            stack[t] = value
    return (*state, *stacks)


def _scan_rule(
    g: Any, xs: Any, body: Graph, carries: int, sequences: int, length: int, reverse: bool
) -> Any:
    """A scan the other way over the body's pull-back, from the carries before each step."""
    before = _carries_before(xs, body, carries, sequences, length, reverse)
    fixed = xs[carries + sequences :]
    inexact = [ops.is_inexact(x) for x in xs]
    start = [
        [c for c, f in zip(g[:carries], inexact[:carries], strict=True) if f],
        [ops.zeros_like(x) for x, f in zip(fixed, inexact[carries + sequences :]) if f],
    ]

    def step(totals: Any, row: Any) -> Any:
        of_carries, of_fixed = totals
        state, slices, of_stacks = row
        cotangents, given = [], iter(of_carries)
        for c, f in zip(state, inexact[:carries], strict=True):
            cotangents.append(next(given) if f else ops.zeros_like(c))
        found = differentiate(
            lambda *t: replay(body, t), (*state, *slices, *fixed), [*cotangents, *of_stacks]
        )
        full = [
            ops.zeros_like(x) if v is None else v
            for x, v in zip((*state, *slices, *fixed), found, strict=True)
        ]
        next_carries = [v for v, f in zip(full[:carries], inexact, strict=False) if f]
        of_rows = [v for v, f in zip(full[carries : carries + sequences], inexact[carries:]) if f]
        added = [
            v for v, f in zip(full[carries + sequences :], inexact[carries + sequences :]) if f
        ]
        return [next_carries, [a + b for a, b in zip(of_fixed, added, strict=True)]], of_rows

    rows = [list(before), list(xs[carries : carries + sequences]), list(g[carries:])]
    (of_start, of_fixed), of_rows = scan(step, start, rows, length, reverse=not reverse)
    found = iter([*of_start, *of_rows, *of_fixed])
    return tuple(next(found) if f else None for f in inexact)


def _carries_before(
    xs: Any, body: Graph, carries: int, sequences: int, length: int, reverse: bool
) -> list[Tensor]:
    """The carries as they enter each step, stacked, by running the loop again."""
    fixed = xs[carries + sequences :]

    def step(state: Any, slices: Any) -> Any:
        found = replay(body, [*state, *slices, *fixed])
        return list(found[:carries]), list(state)

    rows = list(xs[carries : carries + sequences])
    _, before = scan(step, list(xs[:carries]), rows, length, reverse=reverse)
    return list(before)


_SCAN = define_op(
    "scan", "control", "*xs", infer=_scan_spec, kernel=_scan_kernel, vjp=_scan_rule, multiple=True
)


def scan(
    f: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: int | None = None,
    reverse: bool = False, unroll: Any = 1,
) -> Any:  # fmt: skip
    """Carry a state along the first axis: `carry, y = f(carry, x)` for each slice.

    Args:
        f: Function of the carry and one slice of `xs`.
        init: The first carry, any structure of tensors.
        xs: Structure of tensors of equal first axes, or None.
        length: Number of steps; needed if `xs` is None.
        reverse: From the last slice to the first; results keep the order of `xs`.
        unroll: Accepted for Keras's signature; without effect.

    Returns:
        `(last carry, stacked results)`.

    Raises:
        ShapeError: First axes differ, or the carry changes its spec.
    """
    if not callable(f):
        raise TypeError(f"scan: f must be a function, got {f!r}.")
    rows = flat_tensors(xs) if xs is not None else []
    count = _length(rows, length)
    init = tree.map_structure(convert, init)
    if not tracing():
        return _scan_eager(f, init, xs, rows, count, reverse)
    return _scan_traced(f, init, xs, rows, count, reverse)


def _length(rows: list[Tensor], length: int | None) -> int:
    sizes: set[Any] = {r.shape[0] if r.ndim else None for r in rows}
    if length is not None:
        sizes.add(int(length))
    if len(sizes) != 1 or None in sizes:
        raise ShapeError(
            "scan: the first axes of xs and `length` must be equal, "
            f"got {sorted(str(n) for n in sizes)}."
            if sizes
            else "scan: give xs or length."
        )
    return int(sizes.pop())  # type: ignore[arg-type]


def _scan_eager(f: Any, carry: Any, xs: Any, rows: Any, count: int, reverse: bool) -> Any:
    found: list[Any] = [None] * count
    for t in range(count - 1, -1, -1) if reverse else range(count):
        x = None if xs is None else tree.pack_sequence_as(xs, [r[t] for r in rows])
        carry, found[t] = f(carry, x)
    if count == 0:
        raise ShapeError("scan: no steps to run: the first axis of xs is empty.")
    if found[0] is None:
        return carry, None
    stacked = [ops.stack(parts) for parts in zip(*[flat_tensors(y) for y in found], strict=True)]
    return carry, tree.pack_sequence_as(found[0], stacked)


def _scan_traced(f: Any, init: Any, xs: Any, rows: Any, count: int, reverse: bool) -> Any:
    flat = flat_tensors(init)
    structure: list[Any] = []

    def body(*tensors: Tensor) -> Any:
        carry = tree.pack_sequence_as(init, list(tensors[: len(flat)]))
        x = None if xs is None else tree.pack_sequence_as(xs, list(tensors[len(flat) :]))
        carry, y = f(carry, x)
        structure[:] = [y]
        after = flat_tensors(carry)
        for before, new in zip(flat, after, strict=True):
            if before.spec != new.spec:
                raise ShapeError(
                    f"scan: the carry enters as {before.spec} and leaves as {new.spec}; "
                    "a carry must keep its shape and dtype."
                )
        return after + ([] if y is None else flat_tensors(y))

    specs = [t.spec for t in flat] + [Spec(r.shape[1:], r.dtype) for r in rows]
    traced = trace_body("scan_body", body, specs)
    graph, extra, updates = _carry_updates(traced, len(flat), len(rows))
    state = len(flat) + len(updates)
    start = [*flat, *(v.read() for v in updates)]
    outputs = apply(
        _SCAN, *start, *rows, *extra, body=graph, carries=state, sequences=len(rows),
        length=count, reverse=reverse,
    )  # fmt: skip
    for variable, value in zip(updates, outputs[len(flat) : state], strict=True):
        variable.assign(value)
    y = structure[0]
    result = None if y is None else tree.pack_sequence_as(y, list(outputs[state:]))
    return tree.pack_sequence_as(init, list(outputs[: len(flat)])), result


def _carry_updates(
    traced: Any, own: int, sequences: int
) -> tuple[Graph, list[Tensor], list[Variable]]:
    """Turn the variables that a body assigns into carries of it."""
    (graph,), extra, updates = align([traced], own + sequences)
    if not updates:
        return graph, extra, updates
    inputs = list(graph.inputs)
    tail = inputs[own + sequences :]
    variables = list({id(v): v for v in (*traced.variables, *updates)}.values())
    places = {id(v): len(tail) - len(variables) + i for i, v in enumerate(variables)}
    moved = [places[id(v)] for v in updates]
    carried = [tail[p] for p in moved]
    rest = [v for p, v in enumerate(tail) if p not in moved]
    outputs = list(graph.outputs)
    results, new = outputs[: traced.size], outputs[traced.size :]
    graph = graph._replace(
        inputs=tuple(inputs[:own] + carried + inputs[own : own + sequences] + rest),
        outputs=tuple(results[:own] + new + results[own:]),
    )
    return graph, [t for p, t in enumerate(extra) if p not in moved], updates


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice along the first axis, the results stacked."""
    return scan(lambda carry, x: (carry, f(x)), [], xs)[1]


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`for i in range(lower, upper): value = body_fun(i, value)`.

    Differentiable if the bounds are Python ints (or eager tensors).
    """
    static = all(isinstance(v, int | np.integer) for v in (lower, upper))
    if static or not tracing():
        steps = np.arange(int(lower), int(upper), dtype="int32")
        if not len(steps):
            return tree.map_structure(convert, init_val)
        return scan(lambda v, i: (body_fun(i, v), None), init_val, constant(steps))[0]
    start = convert(lower), tree.map_structure(convert, init_val)
    limit = convert(upper)
    return while_loop(lambda i, v: ops.less(i, limit), lambda i, v: (i + 1, body_fun(i, v)), start)[
        1
    ]


def _while_spec(*xs: Spec, test: Graph, body: Graph, carries: int, tests: int) -> Any:
    return body.output_specs


def _while_kernel(xp: Any, *arrays: Any, test: Graph, body: Graph, carries: int, tests: int) -> Any:
    state = list(arrays[:carries])
    for_test, for_body = arrays[carries : carries + tests], arrays[carries + tests :]
    while bool(run_graph(xp, test, [*state, *for_test])[0]):
        state = list(run_graph(xp, body, [*state, *for_body]))
    return tuple(state)


def _while_rule(g: Any, xs: Any) -> Any:
    raise GradientError(
        "A traced while_loop without a bound has no gradient: how many steps to keep is not known. "
        "Give maximum_iterations=, or run it eagerly."
    )


_WHILE = define_op(
    "while", "control", "*xs", infer=_while_spec, kernel=_while_kernel, vjp=_while_rule,
    multiple=True,
)  # fmt: skip


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:  # fmt: skip
    """`while cond(*loop_vars): loop_vars = body(*loop_vars)`.

    Args:
        cond: Function of the loop variables to a boolean scalar.
        body: Function of the loop variables to their next values.
        loop_vars: A tensor, or a list or tuple of structures of tensors.
        maximum_iterations: The most steps. In a trace it makes the loop differentiable.

    Returns:
        The last loop variables.
    """
    several = isinstance(loop_vars, list | tuple)
    state = tree.map_structure(convert, tuple(loop_vars) if several else (loop_vars,))

    def advance(values: Any) -> Any:
        found = body(*values)
        return tree.map_structure(convert, tuple(found) if several else (found,))

    if not tracing():
        step = 0
        while (maximum_iterations is None or step < maximum_iterations) and bool(
            convert(cond(*state))
        ):
            state, step = advance(state), step + 1
    elif maximum_iterations is not None:
        state = _bounded(cond, advance, state, int(maximum_iterations))
    else:
        state = _unbounded(cond, advance, state)
    return (
        (type(loop_vars)(state) if type(loop_vars) in (list, tuple) else state)
        if several
        else state[0]
    )


def _bounded(cond: Any, advance: Any, state: Any, limit: int) -> Any:
    """A scan whose steps do nothing once the condition has failed."""

    def step(carry: Any, _: Any) -> Any:
        running, values = carry
        go = ops.logical_and(running, ops.reshape(convert(cond(*values)), ()))
        return (go, branch(go, lambda: advance(values), lambda: values)), None

    if limit <= 0:
        return state
    return scan(step, (convert(np.array(True)), state), None, limit)[0][1]


def _unbounded(cond: Any, advance: Any, state: Any) -> Any:
    flat = flat_tensors(state)
    specs = [t.spec for t in flat]

    def packed(fn: Any) -> Any:
        return lambda *t: fn(tree.pack_sequence_as(state, list(t)))

    test = trace_body("while_test", packed(lambda v: [ops.reshape(convert(cond(*v)), ())]), specs)
    body = trace_body("while_body", packed(lambda v: flat_tensors(advance(v))), specs)
    if test.updates:
        raise TraceError("while_loop: the condition may not assign variables.")
    if body.graph.output_specs[: len(flat)] != tuple(specs):
        raise ShapeError(
            f"while_loop: the loop variables enter as {', '.join(map(str, specs))} and leave as "
            f"{', '.join(map(str, body.graph.output_specs[: len(flat)]))}; they must keep their "
            "shapes and dtypes."
        )
    (test_graph,), for_test, _ = align([test], len(flat))
    graph, for_body, updates = _carry_updates(body, len(flat), 0)
    seen = {id(v) for v in updates}
    if any(id(v) in seen for v in test.variables):
        raise TraceError(
            "while_loop: the condition reads a variable that the body assigns. "
            "Make it a loop variable."
        )
    width = len(flat) + len(updates)
    if updates:
        test_graph = _ignore(test_graph, len(flat), [v.spec for v in updates])
    outputs = apply(
        _WHILE, *flat, *(v.read() for v in updates), *for_test, *for_body, test=test_graph,
        body=graph, carries=width, tests=len(for_test),
    )  # fmt: skip
    for variable, value in zip(updates, outputs[len(flat) :], strict=True):
        variable.assign(value)
    return tree.pack_sequence_as(state, list(outputs[: len(flat)]))


def _ignore(graph: Graph, place: int, added: list[Spec]) -> Graph:
    """The graph with further inputs that it does not use."""
    first = max(graph.specs, default=-1) + 1
    numbers = tuple(range(first, first + len(added)))
    inputs = graph.inputs[:place] + numbers + graph.inputs[place:]
    return graph._replace(
        inputs=inputs, specs={**graph.specs, **dict(zip(numbers, added, strict=True))}
    )
