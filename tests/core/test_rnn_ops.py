"""Recurrences over sequences: gradients of what users call, directions, masks, errors."""

import numpy as np
import pytest
from gradcheck import check_gradients

import kerasish_core as core
from kerasish_core import ops

RNG = np.random.default_rng(0)
BATCH, TIME, UNITS = 2, 4, 3
MASK = np.array([[True, False, True, True], [False, False, True, False]])
GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}


def arrays(name):
    width = GATES[name] * UNITS
    found = [RNG.normal(size=(BATCH, TIME, width)), RNG.normal(size=(UNITS, width))]
    found += [RNG.normal(size=width)] if name == "gru" else []
    return found + [RNG.normal(size=(BATCH, UNITS)) for _ in range(2 if name == "lstm" else 1)]


def states_of(name, xs, **how):
    return [np.asarray(y) for y in getattr(ops, name)(*xs, **how)]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("mask", [None, MASK], ids=["all", "masked"])
@pytest.mark.parametrize("name", GATES)
def test_gradients(name, mask, reverse):
    """Orders 1 and 2 by the backward recurrence: no cotangent of gates or cells."""
    check_gradients(
        lambda *xs: getattr(ops, name)(*xs, mask=mask, reverse=reverse), arrays(name), rtol=2e-7
    )


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("name", GATES)
def test_gradients_of_one_result(name, which):
    """Of the sequence or of the last state alone: the other's cotangent is absent."""
    check_gradients(lambda *xs: getattr(ops, name)(*xs)[which], arrays(name), rtol=2e-7)


@pytest.mark.parametrize("name", GATES)
def test_a_backward_recurrence_is_one_node(name):
    def step(*xs):
        with core.GradientTape() as tape:
            tape.watch(list(xs))
            y = getattr(ops, name)(*xs)[1]
        return tape.gradient(y, list(xs))

    compiled = core.function(step)
    compiled(*arrays(name))
    text = compiled.explain("optimized")
    assert text.count(f" {name}_grad(") == text.count(f" {name}(") == 1
    assert " tanh(" not in text and " where(" not in text


@pytest.mark.parametrize("name", GATES)
def test_reversed_is_forward_over_flipped_steps(name):
    xs = arrays(name)
    forward = states_of(name, [xs[0][:, ::-1], *xs[1:]])
    backward = states_of(name, xs, reverse=True)
    np.testing.assert_array_equal(backward[0], forward[0][:, ::-1])
    for a, b in zip(backward[1:], forward[1:]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", GATES)
def test_a_masked_step_keeps_the_state(name):
    """A row is what it is without the masked steps, and nothing there reaches the gradient."""
    xs = arrays(name)
    masked = states_of(name, xs, mask=MASK)
    for row, keep in enumerate(MASK):
        starts = [x[row : row + 1] if x.shape == (BATCH, UNITS) else x for x in xs[1:]]
        short = states_of(name, [xs[0][row : row + 1, keep], *starts])
        np.testing.assert_allclose(masked[0][row][keep], short[0][0], rtol=1e-13)
        for a, b in zip(masked[1:], short[1:]):
            np.testing.assert_allclose(a[row], b[0], rtol=1e-13)
    z = core.convert(np.where(MASK[:, :, None], xs[0], np.nan))
    with core.GradientTape() as tape:
        tape.watch(z)
        y = getattr(ops, name)(z, *xs[1:], mask=MASK)
    g = np.asarray(tape.gradient(list(y), z))
    assert np.isfinite(np.asarray(y[0])).all() and np.isfinite(g).all()
    assert (g[~MASK] == 0).all()


def test_numbers_become_floats_and_dtypes_are_promoted():
    z, kernel = np.ones((1, 2, 2), "int32"), np.ones((2, 2), "float32")
    states, _ = ops.simple_rnn(z, kernel, np.zeros((1, 2), "float64"))
    assert states.dtype == np.float64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda xs: xs.__setitem__(0, np.ones((2, 4, 11))), r"z is f64\[2,4,11\].*4 \* units"),
        (lambda xs: xs.__setitem__(0, np.ones((2, 12))), r"z is f64\[2,12\]"),
        (lambda xs: xs.__setitem__(0, np.ones((2, 0, 12))), "one step or more"),
        (lambda xs: xs.__setitem__(1, np.ones((3, 8))), r"recurrent_kernel is f64\[3,8\]"),
        (lambda xs: xs.__setitem__(3, np.ones((3, 3))), r"c0 is f64\[3,3\]; it must be \(2, 3\)"),
    ],
)
def test_shapes_that_do_not_fit(change, message):
    xs = arrays("lstm")
    change(xs)
    with pytest.raises(core.ShapeError, match=message):
        ops.lstm(*xs)


def test_a_mask_that_does_not_fit():
    with pytest.raises(core.ShapeError, match=r"mask is bool\[4,2\]"):
        ops.gru(*arrays("gru"), mask=MASK.T)


def test_an_unknown_activation():
    with pytest.raises(ValueError, match="activation 'elu'; expected one of"):
        ops.lstm(*arrays("lstm"), recurrent_activation="elu")
