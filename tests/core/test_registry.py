"""What every primitive must satisfy, driven by the registry and each op's own samples."""

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import REGISTRY, ops
from kerasish_core.dispatch import apply
from kerasish_core.op import Op, Spec
from kerasish_core.tracing import trace

# Control ops hold graphs and are tested in test_control.py.
NAMES = sorted(name for name, op in REGISTRY.items() if op.kind != "control")
SAMPLED = [name for name in NAMES if REGISTRY[name].samples is not None]
DIFFERENTIABLE = [name for name in SAMPLED if REGISTRY[name].vjp is not None]


def samples(op):
    found = op.samples(np.random.default_rng(7))
    return [([np.asarray(a) for a in arrays], attrs) for arrays, attrs in found]


def run(op, arrays, attrs):
    tensors = [a if isinstance(a, core.Tensor) else core.convert(a) for a in arrays]
    result = apply(op, *tensors, **attrs)
    return result if op.multiple else (result,)


def floating(arrays):
    return [i for i, a in enumerate(arrays) if np.asarray(a).dtype.kind == "f"]


def numeric(function, arrays, index, step=1e-6):
    """Central differences of a scalar function by one array."""
    grad = np.zeros(arrays[index].shape)
    for place in np.ndindex(arrays[index].shape):
        values = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[index][place] += sign * step
            values.append(function(moved))
        grad[place] = (values[0] - values[1]) / (2 * step)
    return grad


def weights_for(shapes, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


def first_order(op, arrays, attrs, weights):
    """Gradients of sum(weights * op(arrays)) by the rule."""
    inputs = [core.convert(a) for a in arrays]
    which = floating(arrays)
    with core.GradientTape() as tape:
        tape.watch([inputs[i] for i in which])
        outputs = [y for y in run(op, inputs, attrs) if y.dtype.kind == "f"]
        total = sum(
            (ops.sum(y * w) for y, w in zip(outputs, weights)), start=ops.zeros((), "float64")
        )
    return tape.gradient(total, [inputs[i] for i in which], unconnected_gradients="zero")


def check_gradient(op, arrays, attrs, tolerance=2e-6):
    arrays = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    outputs = [y for y in run(op, arrays, attrs) if y.dtype.kind == "f"]
    weights = weights_for([y.shape for y in outputs], 3)

    def value(moved):
        found = [np.asarray(y) for y in run(op, moved, attrs) if y.dtype.kind == "f"]
        return sum(float((y * w).sum()) for y, w in zip(found, weights))

    grads = first_order(op, arrays, attrs, weights)
    for i, grad in zip(floating(arrays), grads):
        expected = numeric(value, arrays, i)
        np.testing.assert_allclose(np.asarray(grad), expected, rtol=tolerance, atol=tolerance)


def check_second(op, arrays, attrs, tolerance=2e-5):
    """The gradient of a weighted sum of the gradients, against differences of the rule."""
    arrays = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
    which = floating(arrays)
    outputs = [y for y in run(op, arrays, attrs) if y.dtype.kind == "f"]
    weights = weights_for([y.shape for y in outputs], 3)
    again = weights_for([arrays[i].shape for i in which], 5)

    def value(moved):
        grads = first_order(op, moved, attrs, weights)
        return sum(float((np.asarray(g) * w).sum()) for g, w in zip(grads, again))

    inputs = [core.convert(a) for a in arrays]
    with core.GradientTape() as outer:
        outer.watch([inputs[i] for i in which])
        with core.GradientTape() as tape:
            tape.watch([inputs[i] for i in which])
            found = [y for y in run(op, inputs, attrs) if y.dtype.kind == "f"]
            total = sum(
                (ops.sum(y * w) for y, w in zip(found, weights)), start=ops.zeros((), "float64")
            )
        grads = tape.gradient(total, [inputs[i] for i in which], unconnected_gradients="zero")
        mixed = sum((ops.sum(g * w) for g, w in zip(grads, again)), start=ops.zeros((), "float64"))
    seconds = outer.gradient(mixed, [inputs[i] for i in which], unconnected_gradients="zero")
    for i, second in zip(which, seconds):
        np.testing.assert_allclose(
            np.asarray(second), numeric(value, arrays, i), rtol=tolerance, atol=tolerance
        )


def test_every_op_has_samples():
    assert [name for name in NAMES if REGISTRY[name].samples is None] == []


@pytest.mark.parametrize("name", SAMPLED)
def test_infer_equals_the_result(name):
    op = REGISTRY[name]
    for arrays, attrs in samples(op):
        outputs = run(op, arrays, attrs)
        inferred = op.infer(*(Spec(a.shape, a.dtype) for a in arrays), **attrs)
        inferred = tuple(inferred) if op.multiple else (inferred,)
        assert tuple(y.spec for y in outputs) == inferred


@pytest.mark.parametrize("name", SAMPLED)
def test_inputs_stay_and_layout_does_not_matter(name):
    op = REGISTRY[name]
    for arrays, attrs in samples(op):
        before = [a.copy() for a in arrays]
        expected = [np.asarray(y) for y in run(op, arrays, attrs)]
        strided = [core.Tensor(_strided(a)) for a in arrays]
        for y, e in zip(run(op, strided, attrs), expected):
            np.testing.assert_allclose(np.asarray(y), e, rtol=1e-12, atol=1e-12)
        for tensor, b in zip(strided, before):
            np.testing.assert_array_equal(np.asarray(tensor), b)


def _strided(a):
    """The same values in every second place of a larger array, the axes reversed in memory."""
    if a.ndim == 0:
        return a.copy()
    wide = np.zeros(tuple(2 * n for n in a.shape[::-1]), a.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)].T
    view[...] = a
    return view


@pytest.mark.parametrize("name", SAMPLED)
def test_graphs_give_the_same(name):
    op = REGISTRY[name]
    for arrays, attrs in samples(op):
        expected = [np.asarray(y) for y in run(op, arrays, attrs)]
        step = core.compile_step(lambda *xs, op=op, attrs=attrs: list(run(op, xs, attrs)))
        for y, e in zip(step(*[core.convert(a) for a in arrays]), expected):
            np.testing.assert_array_equal(np.asarray(y), e)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradient(name):
    for arrays, attrs in samples(REGISTRY[name]):
        check_gradient(REGISTRY[name], arrays, attrs)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_second_gradient(name):
    for arrays, attrs in samples(REGISTRY[name]):
        check_second(REGISTRY[name], arrays, attrs)


@pytest.mark.parametrize("name", [n for n in SAMPLED if REGISTRY[n].kind == "elementwise"])
def test_empty_inputs(name):
    op = REGISTRY[name]
    arrays, attrs = samples(op)[0]
    empty = [np.zeros((0, 3), a.dtype) for a in arrays]
    for y in run(op, empty, attrs):
        assert y.shape == (0, 3)


def test_a_planted_wrong_rule_fails():
    wrong = Op(
        "wrong_exp", "elementwise", "x", infer=lambda x: x, kernel=lambda xp, x: xp.exp(x),
        vjp=lambda g, y: (g * y * 1.001,),
    )  # fmt: skip
    with pytest.raises(AssertionError):
        check_gradient(wrong, [np.array([0.3, -0.2])], {})
    # Right at first order, but not linear through the value: wrong at second order.
    hidden = Op(
        "hidden_square", "elementwise", "x", infer=lambda x: x, kernel=lambda xp, x: x * x,
        vjp=lambda g, x: (g * ops.stop_gradient(x) * 2,),
    )  # fmt: skip
    check_gradient(hidden, [np.array([0.3, -0.2])], {})
    with pytest.raises(AssertionError):
        check_second(hidden, [np.array([0.3, -0.2])], {})


def test_traced_specs_are_static():
    traced = trace(lambda x: ops.matmul(x, ops.transpose(x)), [Spec((2, 3), np.dtype("float32"))])
    assert traced.graph.output_specs == (Spec((2, 2), np.dtype("float32")),)
