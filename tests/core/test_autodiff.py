"""Tapes, functions over them, variables' gradients: eager, compiled and inside control flow."""

import gc
import weakref

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops


def both(function):
    """The function as it is and compiled."""
    return pytest.mark.parametrize("wrap", [lambda f: f, core.function], ids=["eager", "compiled"])(
        function
    )


@both
def test_a_variable_sums_over_its_reads(wrap):
    v = core.Variable(3.0)

    @wrap
    def step():
        with core.GradientTape() as tape:
            y = v * v + 2.0 * v
        return tape.gradient(y, v)

    assert float(step()) == 8.0


@both
def test_an_assignment_cuts_the_chain(wrap):
    v = core.Variable(3.0)

    @wrap
    def step():
        with core.GradientTape() as tape:
            first = v * v  # gradient 6
            v.assign(first * 2.0)  # nothing flows through
            y = first + 5.0 * v
        return tape.gradient(y, v), v.value

    gradient, value = step()
    assert float(gradient) == 11.0 and float(value) == 18.0 and float(v) == 18.0


@both
def test_custom_gradient_reads_variables(wrap):
    v = core.Variable(3.0)

    @core.custom_gradient
    def doubled(x):
        return x * v, lambda g: g * 100.0

    @wrap
    def step(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            y = doubled(x) * 2.0
        return tape.gradient(y, [x, v])

    of_x, of_v = step(core.convert(5.0))
    assert float(of_x) == 200.0 and float(of_v) == 10.0


def test_custom_gradient_may_return_the_variables_own():
    v = core.Variable(3.0)

    @core.custom_gradient
    def product(x):
        def rule(g, variables):
            return g * 7.0, [g * 9.0 for _ in variables]

        return x * v, rule

    x = core.convert(5.0)
    with core.GradientTape() as tape:
        tape.watch(x)
        y = product(x)
    assert [float(g) for g in tape.gradient(y, [x, v])] == [7.0, 9.0]


@both
def test_variables_inside_control_flow(wrap):
    v, count = core.Variable(2.0), core.Variable(0, trainable=False)

    @wrap
    def step(x):
        with core.GradientTape() as tape:

            def body(i, total):
                count.assign_add(1)
                return total * v

            y = core.fori_loop(0, 3, body, x)  # x v^3
            y = y + core.cond(x > 0.0, lambda: v * 10.0, lambda: v)
        return y, tape.gradient(y, v)

    y, gradient = step(core.convert(5.0))
    assert float(y) == 60.0 and float(gradient) == 5 * 3 * 4 + 10 and int(count) == 3


@both
def test_loops_and_branches_to_second_order(wrap):
    def f(x):
        y = core.fori_loop(0, 4, lambda i, s: s * x + ops.cast(i, s.dtype), x)
        y = y + core.cond(x > 1.0, lambda: x * x * 2.0, lambda: x * 3.0)
        return y + core.while_loop(lambda s: s < 50.0, lambda s: s * x, x, maximum_iterations=9)

    x = np.float64(1.7)

    def slope(value):
        return float(core.grad(f)(value))

    h = 1e-6
    first = (float(f(core.convert(x + h))) - float(f(core.convert(x - h)))) / (2 * h)
    second = (slope(x + h) - slope(x - h)) / (2 * h)
    assert float(wrap(core.grad(f))(core.convert(x))) == pytest.approx(first, rel=1e-6)
    assert float(wrap(core.grad(core.grad(f)))(core.convert(x))) == pytest.approx(second, rel=1e-6)


def test_unconnected_and_persistent():
    x, z = core.convert(2.0), core.convert(1.0)
    with core.GradientTape(persistent=True) as tape:
        tape.watch([x, z])
        y = x * x
    assert tape.gradient(y, z) is None
    assert float(tape.gradient(y, z, unconnected_gradients="zero")) == 0.0
    assert float(tape.gradient(y, {"a": x})["a"]) == 4.0
    with core.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(core.GradientError, match="persistent=True"):
        tape.gradient(y, x)


def test_stop_recording_and_stop_gradient():
    x = core.convert(3.0)
    with core.GradientTape() as tape:
        tape.watch(x)
        y = x * core.stop_gradient(x)
        with tape.stop_recording():
            y = y + 0.0 * ops.exp(x)
    assert tape.gradient(y, x) is None  # the last operation was not recorded
    assert float(core.grad(lambda x: x * core.stop_gradient(x))(3.0)) == 3.0


def test_jacobians_hessians_and_products():
    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(3, 4)), rng.normal(size=4)
    np.testing.assert_allclose(np.asarray(core.jacobian(lambda v: ops.matmul(a, v))(x)), a)
    cube = core.hessian(lambda v: ops.sum(v**3))(x)
    np.testing.assert_allclose(np.asarray(cube), np.diag(6 * x), rtol=1e-12)
    way = rng.normal(size=4)
    product = core.hvp(lambda v: ops.sum(v**3), (x,), (way,))[0]
    np.testing.assert_allclose(np.asarray(product), 6 * x * way, rtol=1e-12)
    value, tangent = core.jvp(lambda v: ops.sin(v), (x,), (way,))
    np.testing.assert_allclose(np.asarray(tangent), np.cos(x) * way, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(value), np.sin(x))


def test_batch_jacobian():
    x = core.convert(np.random.default_rng(0).normal(size=(5, 3)))
    with core.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    found = np.asarray(tape.batch_jacobian(y, x))
    np.testing.assert_allclose(found, np.asarray(x)[:, :, None] * 2 * np.eye(3))


def test_deep_graphs_have_no_recursion_limit():
    x = core.convert(np.float64(0.5))
    with core.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(10_000):
            y = y * 1.0001
    assert float(tape.gradient(y, x)) == pytest.approx(1.0001**10_000)


def test_a_dropped_tape_frees_at_once():
    x = core.convert(np.ones(3))
    gc.disable()
    try:
        with core.GradientTape() as tape:
            tape.watch(x)
            kept = ops.exp(x)
            gone = weakref.ref(kept)
            y = kept * 2.0
        del kept, tape, y
        assert gone() is None
    finally:
        gc.enable()


def test_integers_are_not_watched():
    with pytest.raises(TypeError, match="floating"), core.GradientTape() as tape:
        tape.watch(core.convert(3))


def test_sliced_assignment():
    v = core.Variable(np.arange(10), name="v")
    v[1].assign(10)
    v[6:9].assign([10, 10, 10])
    assert v.numpy().tolist() == [0, 10, 2, 3, 4, 5, 10, 10, 10, 9]
    with pytest.raises(TypeError, match="assign"):
        v[0] = 1
    with pytest.raises(ValueError, match="shape"):
        v.assign([1, 2])


def test_what_was_read_never_changes():
    v = core.Variable(np.zeros(3))
    before, array = v.value, v.numpy()
    v.assign(np.ones(3))
    array[0] = 5
    assert before.numpy().tolist() == [0, 0, 0] and v.numpy().tolist() == [1, 1, 1]


def test_custom_gradient_of_a_variable_counts_once():
    x, w = core.Variable([1.0, 2.0]), core.Variable(3.0)

    @core.custom_gradient
    def f(z):
        return z * z * w, lambda u: u * 5.0

    with core.GradientTape(persistent=True) as tape:
        y = f(x)
    assert tape.gradient(y, x).numpy().tolist() == [5, 5]
    assert float(tape.gradient(y, w)) == 5  # read, not given: as usual
    seen = []

    @core.custom_gradient
    def g(z):
        def rule(u, variables=None):
            seen.extend(variables)
            return u * 7.0, [u.sum() for _ in variables]

        return z * w, rule

    with core.GradientTape(persistent=True) as tape:
        y = g(x)
    assert tape.gradient(y, x).numpy().tolist() == [7, 7] and seen == [w]


def test_a_variable_is_a_target():
    v = core.Variable(3.0)
    for watches in (True, False):
        with core.GradientTape(True, watches) as tape:
            y = v
        assert float(tape.gradient(y, v)) == 1 == float(tape.jacobian(y, v))
    with core.GradientTape() as tape:
        y = v
    assert float(tape.gradient(y, v)) == 1 and tape.watched_variables() == (v,)
    with pytest.raises(RuntimeError, match="used once"):
        tape.gradient(y, v)
