"""Losses, metrics, optimizers and schedules over several steps: gradients as on Keras, compiled as
eager, and made again from their configs. The cases are those of the files that compare values.
"""

import inspect
import warnings

import jax
import keras
import numpy as np
import pytest
import test_losses_parity as of_losses
import test_metrics_parity as of_metrics
import test_optimizers_parity as of_optimizers
from layer_pairs import both

import kerasish
import kerasish_core as core
from kerasish.variable import Variable

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
STEPS = 3


def close(a, b, rtol=2e-5, atol=3e-6):
    a, b = (np.asarray(x, "float64") for x in (a, b))
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


# -- every class has cases

TABLES = {
    "losses": {c[0] for c in of_losses.CASES},
    "metrics": {c[0] for c in of_metrics.CASES},
    "optimizers": {c[0] for c in of_optimizers.FORMULAS},
    "optimizers.schedules": {c[0] for c in of_optimizers.SCHEDULES},
}
# They compute nothing themselves, or hold another that does; tests of their own.
OTHERS = {
    "losses": {"Loss"},
    "metrics": {"Metric", "Mean", "Sum", "MeanMetricWrapper"},
    "optimizers": {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"},
    "optimizers.schedules": {"LearningRateSchedule"},
}


@pytest.mark.parametrize("module", TABLES)
def test_every_class_has_a_case(module):
    found = keras
    for part in module.split("."):
        found = getattr(found, part)
    classes = {name: value for name, value in vars(found).items() if inspect.isclass(value)}
    seen = {id(classes[name]) for name in TABLES[module] | OTHERS[module]}
    assert not [name for name, value in classes.items() if id(value) not in seen]


# -- losses


def moved(y_pred, step):
    """Other predictions of the same kind in each step."""
    return np.roll(y_pred, step, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("name, arguments, y_true, y_pred", of_losses.CASES, ids=of_losses.IDS)
def test_losses(name, arguments, y_true, y_pred):
    ours, theirs = of_losses.pair(name, arguments)
    of_theirs = jax.jit(jax.value_and_grad(lambda p: theirs(y_true, p)))

    def value_and_gradient(prediction):
        with core.GradientTape() as tape:
            tape.watch(prediction)
            value = ours(y_true, prediction)
        return value, tape.gradient(value, prediction)

    compiled = kerasish.function(value_and_gradient)
    again = type(ours).from_config(ours.get_config())
    for step in range(STEPS):
        prediction = core.constant(moved(y_pred, step))
        value, gradient = value_and_gradient(prediction)
        expected, slope = of_theirs(np.asarray(prediction))
        close(value, expected)
        close(gradient, slope, 1e-4, 1e-5)
        for one, other in zip(compiled(prediction), (value, gradient), strict=True):
            close(one, other, 1e-5, 1e-6)
        close(again(y_true, prediction), value, 1e-6, 1e-7)


# -- metrics


def parts(y_true, y_pred):
    """Batches, the last of them with weights."""
    third = len(y_true) // STEPS
    for step in range(STEPS):
        rows = slice(step * third, (step + 1) * third)
        weight = np.arange(1, third + 1) if step == STEPS - 1 else None
        yield y_true[rows], y_pred[rows], weight


@pytest.mark.slow
@pytest.mark.parametrize("name, arguments, y_true, y_pred", of_metrics.CASES, ids=of_metrics.NAMES)
def test_metrics(name, arguments, y_true, y_pred):
    eager, compiled = (getattr(kerasish.metrics, name)(**arguments) for _ in range(2))
    again = type(eager).from_config(eager.get_config())

    @kerasish.function
    def step(*batch):
        compiled.update_state(*batch)
        return compiled.result()

    for y, p, weight in parts(y_true, y_pred):
        batch = (y, p) if weight is None else (y, p, weight)
        found = step(*(core.constant(x) for x in batch))
        for metric in (eager, again):
            metric.update_state(*batch)
        close(found, eager.result(), 1e-5, 1e-6)
        close(again.result(), eager.result(), 0, 0)
        for one, other in zip(compiled.variables, eager.variables, strict=True):
            assert one.dtype == other.dtype
            close(one, other, 1e-5, 1e-6)


# -- optimizers and schedules


@pytest.mark.parametrize(
    "name, arguments",
    [*of_optimizers.FORMULAS, *(("Adam", c) for c in of_optimizers.COMMON)],
    ids=str,
)
def test_optimizers(name, arguments):
    both()  # names start anew
    theirs = getattr(keras.optimizers, name)(**arguments)
    made = [getattr(kerasish.optimizers, name)(**arguments) for _ in range(2)]
    assert made[0].get_config() == theirs.get_config()
    optimizers = [*made, type(made[0]).from_config(theirs.get_config())]
    variables = [of_optimizers.make(Variable) for _ in optimizers]
    for optimizer, own in zip(optimizers, variables, strict=True):
        optimizer.build(own)
    eager, compiled, again = optimizers

    @kerasish.function
    def step(*gradients):
        compiled.apply(list(gradients), variables[1])

    for gradients in of_optimizers.GRADIENTS[:6]:
        eager.apply(gradients, variables[0])
        step(*(core.constant(g) for g in gradients))
        again.apply(gradients, variables[2])
    states = [[*o.variables, *own] for o, own in zip(optimizers, variables, strict=True)]
    for one, two, three in zip(*states, strict=True):
        close(two, one, 1e-5, 1e-6)
        close(three, one, 0, 0)


@pytest.mark.parametrize("name, arguments, more", of_optimizers.SCHEDULES, ids=str)
def test_schedules(name, arguments, more):
    schedule = getattr(kerasish.optimizers.schedules, name)(*arguments, **more)
    step = kerasish.function(schedule)
    for i in (0, 1, 3, 4, 8, 100):
        close(step(core.convert(i)), schedule(i), 1e-6, 1e-9)


def test_what_holds_other_optimizers():
    def whole(k, variable_class):
        inner = k.optimizers.Adam(0.1)
        optimizer = k.optimizers.LossScaleOptimizer(inner, 64.0, dynamic_growth_steps=2)
        variables = of_optimizers.make(variable_class)
        optimizer.build(variables)
        return optimizer, variables

    (eager, first), (compiled, second) = (whole(kerasish, Variable) for _ in range(2))

    @kerasish.function
    def step(*gradients):
        compiled.apply([64.0 * g for g in gradients], second)

    for gradients in of_optimizers.GRADIENTS[:2]:
        eager.apply([64.0 * g for g in gradients], first)
        step(*(core.constant(g) for g in gradients))
    for one, other in zip([*compiled.variables, *second], [*eager.variables, *first], strict=True):
        close(one, other, 1e-5, 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = type(eager).from_config(eager.get_config())
    assert again.get_config() == eager.get_config()
