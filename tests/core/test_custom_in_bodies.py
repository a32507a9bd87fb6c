"""Gradients of one's own within the bodies of loops and branches, compiled and not."""

from __future__ import annotations

import numpy as np
import pytest

import kerasish_core as core

o = core.ops


@core.custom_gradient
def reversed_(x):
    return o.sin(x), lambda g: -2.0 * g * o.cos(x)


@core.custom_gradient
def weighed(x, k, y):
    """Two results; nothing flows to the second of three arguments."""
    return (x * k, {"y": y + x}), lambda g, h: (g * 3.0 + h * x, None, h * 5.0)


BODIES = {
    "map": lambda f, x: o.sum(core.map(f, x)),
    "scan": lambda f, x: core.scan(lambda c, t: (o.sin(c) * 0.5 + f(t), None), x[0], x)[0].sum(),
    "reversed scan": lambda f, x: core.scan(
        lambda c, t: (c * 0.5 + f(c + t), f(c)), x[0], x, reverse=True
    )[1].sum(),
    "fori_loop": lambda f, x: core.fori_loop(0, 3, lambda i, s: f(s) + 0.1, x).sum(),
    "while_loop": lambda f, x: core.while_loop(
        lambda i, s: i < 3, lambda i, s: (i + 1, f(s)), (0, x), maximum_iterations=5
    )[1].sum(),
    "cond": lambda f, x: core.cond(o.sum(x) > -9, lambda: f(x), lambda: x).sum(),
    "switch": lambda f, x: core.switch(1, [lambda z: z, lambda z: f(z) * z], x).sum(),
    "scan in cond": lambda f, x: core.cond(
        o.sum(x) > -9, lambda: core.map(lambda t: core.map(f, t), x), lambda: x
    ).sum(),
    "remat": lambda f, x: o.sum(core.map(core.remat(lambda t: f(t) * t), x)),
}
X = np.linspace(-1.0, 2.0, 6).reshape(3, 2)


def first(body, f):
    def run(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            y = body(f, x)
        return tape.gradient(y, x)

    return run


def second(body, f):
    def run(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            y = o.sum(first(body, f)(x) * o.cos(x))
        return tape.gradient(y, x)

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BODIES)
def test_eager_and_compiled_agree(name, dtype):
    x = core.constant(X.astype(dtype))
    for order in (first, second):
        run = order(BODIES[name], reversed_)
        expected = np.asarray(run(x))
        usual = np.asarray(order(BODIES[name], o.sin)(x))
        assert not np.allclose(expected, usual)
        found = np.asarray(core.function(run)(x))
        np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_values_stay():
    x = core.constant(X)
    for body in BODIES.values():
        found = core.function(lambda t, body=body: body(reversed_, t))(x)
        np.testing.assert_allclose(found, body(o.sin, x), rtol=1e-12)


def test_several_arguments_and_results():
    k, y = core.convert(np.array(2.0)), core.constant(X * 2)

    def run(x, y):
        with core.GradientTape() as tape:
            tape.watch((x, y, k))

            def step(pair):
                found, more = weighed(pair[0], k, pair[1])
                return found * found + more["y"]

            z = o.sum(core.map(step, (x, y)))
        return tape.gradient(z, (x, y, k), unconnected_gradients="zero")

    x = core.constant(X)
    for found, expected in zip(core.function(run)(x, y), run(x, y), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert float(run(x, y)[2]) == 0.0


@pytest.mark.parametrize("named", [False, True])
def test_variables_of_the_function(named):
    w = core.Variable(X[0])

    @core.custom_gradient
    def scaled(x):
        if named:
            return x * w.value, lambda g, variables: (g, [7.0 * g * x for _ in variables])
        return x * w.value, lambda g: g

    def run(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            y = o.sum(core.map(lambda t: scaled(t) * w.value, x))
        return tape.gradient(y, (x, w))

    x = core.constant(X)
    for found, expected in zip(core.function(run)(x), run(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    factor = 7.0 if named else 1.0
    by_hand = (factor * X * X[0] + X * X[0]).sum(0)
    np.testing.assert_allclose(run(x)[1], by_hand, rtol=1e-12)


def test_nothing_of_the_rules_is_compiled():
    def run(x):
        return BODIES["scan in cond"](reversed_, x)

    compiled = core.function(run)
    x = core.constant(X)
    compiled(x)
    assert "ruled" in compiled.explain("traced")
    assert "ruled" not in compiled.explain("optimized")
