"""Recurrent kernels against the ops' NumPy kernels in float64, for each instruction set."""

import numpy as np
import pytest
from native_harness import lower, run_lowered

import kerasish_core as core


def reference(name, arrays, attrs):
    """The op's NumPy kernel."""
    return core.REGISTRY[name].kernel(np, *arrays, **attrs)


GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}
# What a backward recurrence takes of the forward one's inputs and outputs.
KEPT = {
    "simple_rnn": lambda xs, ys: [xs[1], ys[0]],
    "gru": lambda xs, ys: [xs[1], xs[3], ys[0], ys[2]],
    "lstm": lambda xs, ys: [xs[1], xs[3], ys[3], ys[4]],
}
COTANGENTS = {"simple_rnn": 2, "gru": 2, "lstm": 3}


def arrays(name, batch, time, units, masked, dtype):
    rng = np.random.default_rng(batch + time + units)
    width = GATES[name] * units
    found = [rng.normal(size=(batch, time, width)), rng.normal(size=(units, width)) / units**0.5]
    found += [rng.normal(size=width)] if name == "gru" else []
    found += [rng.normal(size=(batch, units)) for _ in range(2 if name == "lstm" else 1)]
    mask = [rng.random((batch, time)) < 0.6] if masked else []
    return [a.astype(dtype) for a in found] + mask


def attributes(name, masked=False, reverse=False, activation="tanh", gate="sigmoid"):
    found = {"masked": masked, "activation": activation, "reverse": reverse}
    return found if name == "simple_rnn" else {**found, "recurrent_activation": gate}


def widened(xs):
    return [a if a.dtype == bool else a.astype("f8") for a in xs]


def compare(native, name, xs, attrs):
    """Errors are those of a chain of roundings; activations keep them from growing."""
    got, expected = run_lowered(native, name, xs, attrs), reference(name, widened(xs), attrs)
    eps = np.finfo(xs[0].dtype).eps
    for y, z in zip(got, expected, strict=True):
        assert y.dtype == xs[0].dtype and y.shape == z.shape
        np.testing.assert_allclose(y, z, rtol=200 * eps, atol=100 * eps * np.abs(z).max(initial=1))


def both(native, name, xs, attrs, given):
    """Forward, and backward from what the reference gave."""
    compare(native, name, xs, attrs)
    ys = reference(name, widened(xs), attrs)
    rng = np.random.default_rng(5)
    us = [rng.normal(size=y.shape) for y, g in zip(ys, given) if g]
    kept = [a.astype(xs[0].dtype) for a in [*KEPT[name](xs, ys), *us]]
    if attrs["masked"]:
        kept.insert(len(kept) - len(us), xs[-1])
    compare(native, f"{name}_grad", kept, {**attrs, "given": given})


SIZES = [(1, 1, 1), (3, 4, 5), (8, 3, 16), (13, 2, 33), (32, 5, 24), (5, 3, 130), (0, 2, 3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", GATES)
def test_sizes(native, instruction_sets, name, size, dtype):
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        xs = arrays(name, *size, False, dtype)
        both(native, name, xs, attributes(name), (True,) * COTANGENTS[name])


@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", GATES)
def test_directions_masks_and_absent_cotangents(native, instruction_sets, name, reverse, masked):
    xs = arrays(name, 9, 6, 7, masked, "float32")
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for place in range(COTANGENTS[name]):
            given = tuple(i == place for i in range(COTANGENTS[name]))
            both(native, name, xs, attributes(name, masked, reverse), given)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "hard_sigmoid", "relu", "linear"])
@pytest.mark.parametrize("name", GATES)
def test_activations(native, instruction_sets, name, activation):
    xs = arrays(name, 4, 3, 20, False, "float32")
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for gate in ("sigmoid", activation):
            attrs = attributes(name, activation=activation, gate=gate)
            both(native, name, xs, attrs, (True,) * COTANGENTS[name])


@pytest.mark.parametrize("name", GATES)
def test_bits_do_not_depend_on_threads(native, name):
    xs = arrays(name, 37, 12, 96, False, "float32")
    found = []
    for threads in (1, 2, 5):
        native.set_threads(threads)
        found.append(run_lowered(native, name, xs, attributes(name)))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_is_not_a_number_stays_in_its_row(native, instruction_sets):
    xs = arrays("lstm", 6, 4, 5, True, "float32")
    xs[4][:] = True
    xs[4][2] = False
    xs[0][2] = xs[0][4, 1] = np.nan
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        states, h, c, *_ = run_lowered(native, "lstm", xs, attributes("lstm", masked=True))
        assert np.isfinite(np.delete(states, 4, 0)).all() and np.isfinite(states[4, 0]).all()
        assert np.isnan(states[4, 1:]).all() and np.isnan(h[4]).all() and np.isnan(c[4]).all()


def test_half_types_are_left_to_the_reference():
    xs = arrays("lstm", 2, 3, 4, False, "float16")
    assert lower("lstm", xs, attributes("lstm")) is None
