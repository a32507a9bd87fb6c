"""Pooling kernels against the op's NumPy kernel, for each instruction set."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from native_harness import lower, run_lowered, spread

import kerasish_core as core

NAMES = ("max_pool", "max_pool_select", "max_pool_grad", "window_sum", "window_spread")


def reference(name, arrays, attrs):
    """The op's NumPy kernel."""
    return core.REGISTRY[name].kernel(np, *arrays, **attrs)


def problem(x, window, strides=None, pads=None):
    """A shape and attributes; the strides are the window's sizes and nothing is added."""
    return x, {
        "window": window,
        "strides": strides or window,
        "pads": pads or ((0, 0),) * len(window),
    }


def arrays_of(name, found, dtype, seed=0):
    """The arrays and attributes of one op. Many elements of x are equal."""
    shape, attrs = found
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape).astype(dtype)
    g = rng.normal(size=reference("max_pool", (x,), attrs).shape).astype(dtype)
    u = rng.normal(size=shape).astype(dtype)
    return {
        "max_pool": ((x,), attrs),
        "max_pool_select": ((x, u), attrs),
        "max_pool_grad": ((x, g), attrs),
        "window_sum": ((u,), attrs),
        "window_spread": ((g,), {**attrs, "shape": shape}),
    }[name]


def check(native, name, found, dtype, seed=0):
    arrays, attrs = arrays_of(name, found, dtype, seed)
    got, expected = run_lowered(native, name, arrays, attrs), reference(name, arrays, attrs)
    assert got.dtype == expected.dtype
    if name in ("max_pool", "max_pool_select"):
        np.testing.assert_array_equal(got, expected, f"{name} {found}")
    else:  # sums in another order
        scale = 8 * np.finfo(dtype).eps * np.prod(attrs["window"])
        np.testing.assert_allclose(got, expected, scale, scale, err_msg=f"{name} {found}")


CASES = {
    "2x2": problem((2, 8, 6, 32), (2, 2)),
    "odd sizes": problem((3, 9, 7, 19), (2, 2)),
    "same": problem((2, 7, 7, 5), (3, 3), (2, 2), ((1, 1), (1, 1))),
    "padding first": problem((1, 4, 4, 70), (2, 3), (1, 1), ((1, 0), (2, 2))),
    "overlap": problem((2, 9, 8, 64), (3, 3), (1, 2)),
    "gaps": problem((2, 11, 12, 130), (2, 2), (3, 4)),
    "one axis": problem((2, 101, 3), (5,), (2,), ((2, 2),)),
    "three axes": problem((2, 6, 5, 4, 3), (2, 3, 2), (2, 1, 2), ((0, 0), (1, 1), (0, 0))),
    "one channel": problem((2, 10, 10, 1), (2, 2)),
    "whole image": problem((2, 9, 9, 17), (9, 9)),
    "no batch": problem((0, 4, 4, 3), (2, 2)),
    "no channels": problem((2, 4, 4, 0), (2, 2)),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CASES)
def test_cases(native, instruction_sets, case, name):
    for chosen in instruction_sets:
        native.set_instruction_set(chosen)
        check(native, name, CASES[case], "float32")
        check(native, name, CASES[case], "float64")


@st.composite
def problems(draw):
    rank = draw(st.integers(1, 3))

    def each(least, most):
        return tuple(draw(st.lists(st.integers(least, most), min_size=rank, max_size=rank)))

    window, strides = each(1, 4), each(1, 4)
    pads = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in window)
    spatial = tuple(
        max(1, k - sum(p)) + n
        for k, p, n in zip(window, pads, each(0, (30, 9, 5)[rank - 1]), strict=True)
    )
    channels = draw(st.sampled_from([1, 2, 7, 16, 33, 64, 65, 130]))
    return problem((draw(st.integers(1, 3)), *spatial, channels), window, strides, pads)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(problems(), st.sampled_from(["float32", "float64"]))
def test_any_problem(native, instruction_sets, found, dtype):
    for chosen in instruction_sets:
        native.set_instruction_set(chosen)
        for name in NAMES:
            check(native, name, found, dtype)


@pytest.mark.parametrize("name", NAMES)
def test_bits_do_not_depend_on_threads(native, name):
    for found in (
        problem((8, 26, 26, 64), (2, 2)),
        problem((1, 60, 60, 256), (3, 3), (2, 2), ((1, 1), (1, 1))),
    ):
        arrays, attrs = arrays_of(name, found, "float32")
        results = []
        for threads in (1, 2):
            native.set_threads(threads)
            results.append(run_lowered(native, name, arrays, attrs))
        np.testing.assert_array_equal(results[1], results[0])
        check(native, name, found, "float32")


@pytest.mark.parametrize("case", ["2x2", "same", "padding first"])
def test_special_numbers(native, instruction_sets, case):
    """A maximum with NaN is NaN; which element was chosen is as the op says."""
    shape, attrs = CASES[case]
    rng = np.random.default_rng(1)
    x = rng.choice([-np.inf, -np.inf, -np.inf, np.nan, 1.0, np.inf, -0.0, 0.0], shape)
    u = rng.normal(size=shape)
    g = rng.normal(size=reference("max_pool", (x,), attrs).shape)
    for chosen in instruction_sets:
        native.set_instruction_set(chosen)
        for name, arrays in (
            ("max_pool", (x,)),
            ("max_pool_select", (x, u)),
            ("max_pool_grad", (x, g)),
        ):
            got, expected = run_lowered(native, name, arrays, attrs), reference(name, arrays, attrs)
            np.testing.assert_allclose(got, expected, 1e-14, 1e-14, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_operands_that_are_not_dense(native, name):
    arrays, attrs = arrays_of(name, CASES["same"], "float32")
    expected = run_lowered(native, name, arrays, attrs)
    apart = [spread(a) for a in arrays]
    np.testing.assert_array_equal(run_lowered(native, name, apart, attrs), expected)


def test_other_dtypes_are_left_to_the_generic_kernel():
    x, attrs = problem((1, 4, 2), (2,))
    assert lower("max_pool", (np.zeros(x, "i4"),), attrs) is None
