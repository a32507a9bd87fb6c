"""Passes over scans: loops that are the same run once, unused results are left out."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.control import scan
from kerasish_core.control.body import run_graph
from kerasish_core.ir import verify
from kerasish_core.passes import optimize
from kerasish_core.tracing import trace


def graph_of(fn, *shapes):
    specs = [core.Spec(s, np.dtype("float32")) for s in shapes]
    graph = optimize(trace(fn, specs).graph)
    verify(graph)
    return graph


def scans(graph):
    return [node for node in graph.nodes if node.op.name == "scan"]


def arrays(*shapes):
    rng = np.random.default_rng(5)
    return [rng.normal(size=s).astype("float32") for s in shapes]


def recurrent(x, w, b):
    def step(carry, row):
        new = ops.tanh(ops.matmul(carry, w) + row + b)
        return new, ops.exp(new)

    return scan(step, ops.zeros_like(x[0]), x)


def test_a_gradient_runs_the_loop_forwards_once():
    def fn(x, w, b):
        with core.GradientTape() as tape:
            tape.watch([w, b])
            carry, found = recurrent(x, w, b)
            loss = ops.sum(carry) + ops.sum(found)
        return [loss, *tape.gradient(loss, [w, b])]

    shapes = [(5, 2, 3), (3, 3), (3,)]
    graph = graph_of(fn, *shapes)
    assert len(scans(trace(fn, [core.Spec(s, np.dtype("float32")) for s in shapes]).graph)) == 3
    forwards, back = scans(graph)
    assert not forwards.attrs["reverse"] and back.attrs["reverse"]
    # Nobody asks for the gradient of x: what is stacked is that of the product, for the sum of w.
    assert len(back.outputs) == back.attrs["carries"] + 1
    given = arrays(*shapes)
    for a, b in zip(run_graph(np, graph, given), core.tree.flatten(fn(*map(core.convert, given)))):
        np.testing.assert_allclose(a, b.numpy(), rtol=2e-5, atol=1e-6)


def test_second_gradients_of_a_nested_loop():
    def inner(carry, w):
        return scan(lambda c, _: (ops.sin(c) * w, None), carry, None, length=3)[0]

    def fn(x, w):
        with core.GradientTape() as outer:
            outer.watch(w)
            with core.GradientTape() as tape:
                tape.watch(w)
                found = scan(lambda c, row: (inner(c + row, w), None), x[0], x)[0]
                loss = ops.sum(found)
            first = tape.gradient(loss, w)
            norm = ops.sum(first * first)
        return [loss, first, outer.gradient(norm, w)]

    shapes = [(4, 3), (3,)]
    graph = graph_of(fn, *shapes)
    given = arrays(*shapes)
    for a, b in zip(run_graph(np, graph, given), fn(*map(core.convert, given)), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("way", ["other step", "other length", "other way round", "late input"])
def test_different_loops_stay_apart(way):
    def fn(x):
        def step(carry, row):
            return carry * row, carry

        def other(carry, row):
            return carry - row, carry

        first, rows = scan(step, x[0], x)
        if way == "other step":
            second = scan(other, x[0], x)[0]
        elif way == "other length":
            second = scan(step, x[0], x[:2])[0]
        elif way == "other way round":
            second = scan(step, x[0], x, reverse=True)[1]
        else:  # it reads a result of the first loop
            second = scan(lambda c, row: (c + row, c * first), x[0], x)[1]
        return first, rows, second

    graph = graph_of(fn, (4, 3))
    assert len(scans(graph)) == 2
    (x,) = arrays((4, 3))
    for a, b in zip(run_graph(np, graph, [x]), fn(core.convert(x)), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-6)


def test_what_only_an_unused_result_needed_goes():
    def fn(x, y, w):
        def step(carry, rows):
            a, b = rows
            return carry * a, (ops.matmul(b, w) * carry, a * 2)

        carry, (_, doubled) = scan(step, x[0], (x, y))
        return carry, doubled

    graph = graph_of(fn, (4, 3), (4, 3, 3), (3, 3))
    (node,) = scans(graph)
    assert node.attrs["sequences"] == 1
    assert len(node.inputs) == 2 and len(node.outputs) == 2
    given = arrays((4, 3), (4, 3, 3), (3, 3))
    for a, b in zip(run_graph(np, graph, given), fn(*map(core.convert, given)), strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_loops_of_branches_are_the_same_too():
    def fn(x, w):
        def step(carry, row):
            return core.cond(ops.sum(row) > 0, lambda: carry * w, lambda: carry + row), None

        with core.GradientTape() as tape:
            tape.watch(w)
            loss = ops.sum(scan(step, x[0], x)[0])
        return [loss, tape.gradient(loss, w)]

    graph = graph_of(fn, (4, 3), (3,))
    assert len(scans(graph)) == 2
    given = arrays((4, 3), (3,))
    for a, b in zip(run_graph(np, graph, given), fn(*map(core.convert, given)), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-5)
