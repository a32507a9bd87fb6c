"""Convolution kernels against the op's NumPy kernel in float64, for each instruction set."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from native_harness import lower, run_lowered, spread

import kerasish_core as core
from kerasish_core.executors.native.instructions import conv as lowerings
from kerasish_core.executors.native.instructions.conv import (
    conv_params,
    packed_bytes,
    winograd_bytes,
    winograd_suits,
)

OPS = ("conv", "conv_input_grad", "conv_kernel_grad")


def reference(name, arrays, attrs):
    """The op's NumPy kernel."""
    return core.REGISTRY[name].kernel(np, *arrays, **attrs)


def problem(x, kernel, strides=None, pads=None, dilation=None, groups=1):
    """Shapes and attributes of a convolution; settings are 1, no padding, unless given."""
    rank = len(x) - 2
    return x, kernel, {
        "strides": strides or (1,) * rank,
        "pads": pads or ((0, 0),) * rank,
        "dilation": dilation or (1,) * rank,
        "groups": groups,
    }  # fmt: skip


def arrays_of(found, dtype, seed=0):
    """For each op its arrays and attributes."""
    x_shape, kernel_shape, attrs = found
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=x_shape).astype(dtype), rng.normal(size=kernel_shape).astype(dtype)
    g = rng.normal(size=reference("conv", (x, kernel), attrs).shape).astype(dtype)
    return {
        "conv": ((x, kernel), attrs),
        "conv_input_grad": ((g, kernel), {**attrs, "shape": x_shape}),
        "conv_kernel_grad": ((x, g), {**attrs, "shape": kernel_shape}),
    }


def check(native, found, dtype, seed=0):
    """All three ops: the error of each sum within that of rounding."""
    kernel_shape = found[1]
    terms = math.prod(kernel_shape[:-1])
    for name, (arrays, how) in arrays_of(found, dtype, seed).items():
        got = run_lowered(native, name, arrays, how)
        wide = [a.astype("f8") for a in arrays]
        expected = reference(name, wide, how)
        sizes = reference(name, [np.abs(a) for a in wide], how)
        n = {
            "conv": terms,
            "conv_input_grad": math.prod(kernel_shape[:-2]) * kernel_shape[-1],
            "conv_kernel_grad": math.prod(arrays[1].shape[:-1]),
        }[name]
        assert got.dtype == dtype and got.shape == expected.shape
        # The sum of n products errs by at most n units; roundings are as good as independent.
        bound = np.finfo(dtype).eps * (4 + 2 * math.sqrt(n)) * sizes
        assert (np.abs(got - expected) <= bound).all(), (name, found, dtype)


CASES = {
    "3x3": problem((2, 12, 11, 16), (3, 3, 16, 32), pads=((1, 1), (1, 1))),
    "first layer": problem((2, 14, 30, 1), (3, 3, 1, 32)),
    "three colours": problem((2, 9, 17, 3), (3, 3, 3, 40), pads=((1, 1), (1, 1))),
    "stride 2": problem((2, 9, 10, 16), (3, 3, 16, 32), (2, 2), ((1, 1), (0, 1))),
    "1x1": problem((2, 5, 7, 70), (1, 1, 70, 33)),
    "1x1 stride 2": problem((2, 9, 8, 16), (1, 1, 16, 48), (2, 2)),
    "stride beyond the window": problem((1, 11, 13, 5), (2, 2, 5, 6), (3, 4)),
    "dilation": problem((1, 13, 12, 8), (3, 2, 8, 9), (2, 1), ((2, 3), (0, 1)), (3, 4)),
    "groups": problem((2, 8, 9, 12), (3, 3, 4, 51), pads=((1, 1), (1, 1)), groups=3),
    "depthwise": problem((2, 8, 19, 37), (3, 3, 1, 37), pads=((1, 1), (1, 1)), groups=37),
    "depthwise stride 2": problem((2, 8, 19, 16), (3, 3, 1, 16), (2, 2), groups=16),
    "depthwise, two each": problem((1, 6, 7, 5), (3, 3, 1, 10), groups=5),
    "one axis": problem((3, 700, 6), (5, 6, 20), (1,), ((4, 0),)),
    "one long axis": problem((1, 3000, 2), (9, 2, 4), (3,), ((4, 4),), (2,)),
    "three axes": problem((2, 5, 6, 7, 4), (3, 2, 3, 4, 18), (1, 2, 1), ((1, 1), (0, 1), (1, 1))),
    "more padding than window": problem((1, 3, 4, 2), (2, 2, 2, 3), (1, 1), ((4, 3), (5, 0))),
    "tall": problem((2, 40, 1, 8), (5, 1, 8, 16), pads=((2, 2), (0, 0))),
    "one written": problem((3, 13, 20, 24), (3, 3, 24, 1), pads=((1, 1), (1, 1))),
    "three written": problem((3, 13, 20, 24), (3, 3, 24, 3), pads=((1, 1), (1, 1))),
    "seven written": problem((2, 14, 15, 18), (5, 4, 18, 7), dilation=(2, 3)),
    "one written, many": problem((16, 24, 25, 64), (3, 3, 64, 1)),
    "three written, many": problem((9, 24, 25, 40), (3, 3, 40, 3), pads=((2, 0), (0, 2))),
    "one read, stride 2": problem((3, 24, 26, 1), (4, 4, 1, 33), (2, 2), ((1, 1), (1, 1))),
    "three read, strides": problem((2, 25, 26, 3), (3, 5, 3, 33), (2, 3), ((0, 1), (4, 1)), (2, 1)),
    "one written of a long axis": problem((2, 5000, 12), (9, 12, 1), pads=((8, 0),)),
    "two written of a long axis": problem((2, 5000, 12), (9, 12, 2), dilation=(3,)),
    "one read of a long axis": problem((2, 9000, 1), (7, 1, 16), (3,), ((2, 2),)),
    "three axes, two written": problem((2, 6, 7, 8, 20), (3, 2, 3, 20, 2), pads=((1, 1),) * 3),
    "one written, padding beyond": problem((2, 3, 4, 20), (2, 2, 20, 1), pads=((4, 3), (5, 0))),
    "no batch": problem((0, 6, 6, 3), (3, 3, 3, 4)),
    "no channels": problem((2, 6, 6, 0), (3, 3, 0, 4)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_cases(native, instruction_sets, case, dtype):
    for name in instruction_sets:
        native.set_instruction_set(name)
        check(native, CASES[case], dtype)


@st.composite
def problems(draw):
    rank = draw(st.integers(1, 3))

    def each(least, most):
        return tuple(draw(st.lists(st.integers(least, most), min_size=rank, max_size=rank)))

    window, strides, dilation = each(1, 4), each(1, 3), each(1, 3)
    pads = tuple(zip(each(0, 3), each(0, 3), strict=True))
    more = each(0, (40, 12, 6)[rank - 1])
    spatial = tuple(
        max(1, (k - 1) * d + 1 - sum(p)) + n
        for k, d, p, n in zip(window, dilation, pads, more, strict=True)
    )
    groups = draw(st.sampled_from([1, 1, 1, 2, 5]))
    deep, wide = draw(st.sampled_from([1, 2, 3, 8, 17])), draw(st.sampled_from([1, 3, 16, 33, 70]))
    if draw(st.integers(0, 7)) == 0:
        groups, deep, wide = draw(st.integers(2, 40)), 1, 1
    batch = draw(st.integers(1, 3))
    return problem(
        (batch, *spatial, deep * groups), (*window, deep, wide * groups), strides, pads, dilation,
        groups,
    )  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(problems(), st.sampled_from(["float32", "float64"]))
@example(problem((1, 1, 1), (1, 1, 1)), "float32")
def test_any_problem(native, instruction_sets, found, dtype):
    for name in instruction_sets:
        native.set_instruction_set(name)
        check(native, found, dtype)


THREADED = {
    "batches": problem((8, 20, 20, 16), (3, 3, 16, 32), pads=((1, 1), (1, 1))),
    "many filters, few pixels": problem((2, 4, 4, 128), (3, 3, 128, 192), pads=((1, 1), (1, 1))),
    "stride 2": problem((4, 31, 30, 24), (3, 3, 24, 40), (2, 2), ((1, 1), (1, 1))),
    "long rows": problem((1, 20000, 8), (5, 8, 16), pads=((2, 2),)),
    "few written": problem((9, 40, 41, 32), (3, 3, 32, 3), pads=((1, 1), (1, 1))),
    "one written": problem((9, 40, 41, 32), (3, 3, 32, 1)),
    "one written of long rows": problem((2, 20000, 12), (9, 12, 1)),
    "flat": problem((4, 24, 24, 64), (1, 1, 64, 64)),
    "depthwise": problem((4, 40, 40, 64), (3, 3, 1, 64), pads=((1, 1), (1, 1)), groups=64),
}


def check_bits(native, found):
    """They are equal for 1, 2 and 3 threads."""
    for name, (arrays, attrs) in arrays_of(found, "float32").items():
        results = []
        for threads in (1, 2, 3):
            native.set_threads(threads)
            results.append(run_lowered(native, name, arrays, attrs))
        np.testing.assert_array_equal(results[1], results[0], name)
        np.testing.assert_array_equal(results[2], results[0], name)


@pytest.mark.parametrize("case", THREADED)
def test_bits_do_not_depend_on_threads(native, case):
    check_bits(native, THREADED[case])
    check(native, THREADED[case], "float32")


@pytest.mark.parametrize(
    "case", ["3x3", "groups", "depthwise", "1x1", "one written", "three written"]
)
@pytest.mark.parametrize("flags", [1, 2, 3])
def test_bias_and_relu(native, instruction_sets, case, flags):
    found = CASES[case]
    (x, kernel), attrs = arrays_of(found, "float32")["conv"]
    bias = np.random.default_rng(3).normal(size=kernel.shape[-1]).astype("f4")
    plain = run_lowered(native, "conv", (x, kernel), attrs)
    expected = plain + bias if flags & 1 else plain
    expected = np.maximum(expected, 0) if flags & 2 else expected
    groups = attrs["groups"]
    got = np.full(plain.shape, np.nan, "f4")
    arrays = [x, kernel, bias, got] if flags & 1 else [x, kernel, got]
    params = conv_params(x.shape, kernel.shape, got.shape, **attrs, flags=flags)
    scratch = packed_bytes(kernel.shape, groups, kernel.shape[-1] // groups, 4)
    native.call("conv_f32", arrays, params, scratch)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_special_numbers_reach_what_they_should(native, instruction_sets, special):
    found = problem((1, 6, 9, 2), (3, 3, 2, 3))
    for name in instruction_sets:
        native.set_instruction_set(name)
        for (arrays, attrs), op in zip(arrays_of(found, "float32").values(), OPS, strict=True):
            first = arrays[0].copy()
            first[0, 2, 3, 1] = special
            got = run_lowered(native, op, (first, arrays[1]), attrs)
            with np.errstate(invalid="ignore"):
                expected = reference(op, (first, arrays[1]), attrs)
            np.testing.assert_array_equal(np.isfinite(got), np.isfinite(expected), op)


def shifted(array):
    """A copy that begins one element after an aligned address."""
    found = np.zeros(array.size + 16, array.dtype)
    start = 1 + (-found.ctypes.data // array.itemsize) % 16
    found = found[start : start + array.size].reshape(array.shape)
    found[...] = array
    return found


def test_unaligned_arrays(native, instruction_sets):
    for op, (arrays, attrs) in arrays_of(CASES["3x3"], "float32").items():
        expected = run_lowered(native, op, arrays, attrs)
        builder = lower(op, arrays, attrs)[0]
        (step,) = builder.instructions
        result = shifted(np.full(expected.shape, np.nan, "f4"))
        operands = [*(shifted(a) for a in arrays), result]
        native.call(step.kernel, operands, list(step.params), step.scratch)
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("op", OPS)
def test_operands_that_are_not_dense(native, op):
    """As channels-first arrays are: copied first."""
    arrays, attrs = arrays_of(CASES["stride 2"], "float32")[op]
    expected = run_lowered(native, op, arrays, attrs)
    apart = [spread(a) for a in arrays]
    assert not any(a.flags.c_contiguous for a in apart)
    np.testing.assert_array_equal(run_lowered(native, op, apart, attrs), expected)


def test_other_dtypes_are_left_to_the_generic_kernel():
    x, kernel, attrs = problem((1, 5, 2), (2, 2, 3))
    arrays = np.zeros(x, "f2"), np.zeros(kernel, "f2")
    assert lower("conv", arrays, attrs) is None


FILTERED = {
    "same": problem((2, 9, 14, 16), (3, 3, 16, 32), pads=((1, 1), (1, 1))),
    "valid": problem((3, 13, 11, 32), (3, 3, 32, 64)),
    "many images": problem((17, 13, 7, 8), (3, 3, 8, 16)),
    "odd channels": problem((2, 10, 7, 9), (3, 3, 9, 37), pads=((1, 1), (1, 1))),
    "many channels": problem((2, 6, 5, 70), (3, 3, 70, 133), pads=((1, 1), (1, 1))),
    "uneven padding": problem((1, 8, 9, 8), (3, 3, 8, 9), pads=((2, 0), (0, 3))),
    "images, uneven padding": problem((16, 7, 9, 8), (3, 3, 8, 9), pads=((2, 0), (0, 1))),
    "more padding than window": problem((1, 3, 4, 8), (3, 3, 8, 8), pads=((4, 3), (5, 0))),
    "one pixel": problem((1, 1, 1, 8), (3, 3, 8, 8), pads=((1, 1), (1, 1))),
    "5x5": problem((2, 9, 7, 16), (5, 5, 16, 8), pads=((2, 2), (2, 2))),
    "5x5 valid": problem((16, 11, 8, 9), (5, 5, 9, 20)),
    "blocks": problem((20, 9, 9, 16), (3, 3, 16, 16), pads=((1, 1), (1, 1))),
}


@pytest.fixture
def filtering(monkeypatch):
    """Winograd's filtering wherever it is possible, however small the problem."""
    monkeypatch.setattr(lowerings, "LEAST_CHANNELS", 1)
    monkeypatch.setattr(lowerings, "LEAST_TILES", 1)
    monkeypatch.setattr(lowerings, "LEAST_SAVING", 0)
    monkeypatch.setattr(lowerings, "SUMMED_TILES", 8)


def check_filtered(native, found, seed=0):
    """As `check`, but an error may be that of the largest sum, or of the largest product: tiles
    share them, also products that end in no sum.

    The transforms of values near each other in size round a dozen times more.
    """
    terms = math.prod(found[1][:-1])
    for name, (arrays, how) in arrays_of(found, "float32", seed).items():
        (step,) = lower(name, arrays, how)[0].instructions
        assert step.kernel == f"winograd{name.removeprefix('conv')}_f32"
        got = run_lowered(native, name, arrays, how)
        wide = [a.astype("f8") for a in arrays]
        expected = reference(name, wide, how)
        wide = [np.abs(a) for a in wide]
        largest = max(reference(name, wide, how).max(), wide[0].max() * wide[1].max())
        bound = np.finfo("f4").eps * (16 + 2 * math.sqrt(terms)) * largest
        assert np.abs(got - expected).max() <= bound, (name, found)


@pytest.mark.parametrize("case", FILTERED)
def test_winograd(native, instruction_sets, filtering, case):
    for name in instruction_sets:
        native.set_instruction_set(name)
        check_filtered(native, FILTERED[case])


@st.composite
def filtered_problems(draw):
    window = draw(st.sampled_from([3, 5]))
    pads = tuple((draw(st.integers(0, 4)), draw(st.integers(0, 4))) for _ in range(2))
    spatial = tuple(max(1, window - sum(p)) + draw(st.integers(0, 11)) for p in pads)
    channels, filters = (draw(st.sampled_from([1, 3, 8, 16, 17, 40, 70])) for _ in range(2))
    batch = draw(st.sampled_from([1, 2, 3, 16, 19]))
    return problem((batch, *spatial, channels), (window, window, channels, filters), pads=pads)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(filtered_problems())
def test_winograd_of_any_problem(native, instruction_sets, filtering, found):
    for name in instruction_sets:
        native.set_instruction_set(name)
        check_filtered(native, found)


WINOGRAD_THREADED = {
    "images": problem((33, 14, 13, 16), (3, 3, 16, 32)),
    "tiles": problem((3, 40, 37, 32), (3, 3, 32, 24), pads=((1, 1), (1, 1))),
    "5x5": problem((18, 20, 16, 8), (5, 5, 8, 70)),
}


@pytest.mark.parametrize("case", WINOGRAD_THREADED)
def test_winograd_bits_do_not_depend_on_threads(native, case):
    check_bits(native, WINOGRAD_THREADED[case])
    check_filtered(native, WINOGRAD_THREADED[case])


@pytest.mark.parametrize("flags", [1, 2, 3])
@pytest.mark.parametrize("case", ["odd channels", "valid"])
def test_winograd_bias_and_relu(native, instruction_sets, filtering, case, flags):
    (x, kernel), attrs = arrays_of(FILTERED[case], "float32")["conv"]
    bias = np.random.default_rng(3).normal(size=kernel.shape[-1]).astype("f4")
    for name in instruction_sets:
        native.set_instruction_set(name)
        plain = run_lowered(native, "conv", (x, kernel), attrs)
        expected = plain + bias if flags & 1 else plain
        expected = np.maximum(expected, 0) if flags & 2 else expected
        got = np.full(plain.shape, np.nan, "f4")
        arrays = [x, kernel, bias, got] if flags & 1 else [x, kernel, got]
        params = conv_params(x.shape, kernel.shape, got.shape, **attrs, flags=flags)
        native.call("winograd_f32", arrays, params, winograd_bytes(*kernel.shape[-2:]))
        np.testing.assert_array_equal(got, expected)


def test_winograd_keeps_nan_and_infinity(native, instruction_sets, filtering):
    """They reach all sums of their tile: those of the window at least."""
    (x, kernel), attrs = arrays_of(FILTERED["valid"], "float32")["conv"]
    for special in (np.nan, np.inf):
        x[1, 5, 5, 3] = special
        for name in instruction_sets:
            native.set_instruction_set(name)
            got = run_lowered(native, "conv", (x, kernel), attrs)
            with np.errstate(invalid="ignore"):
                expected = reference("conv", (x, kernel), attrs)
            assert not np.isfinite(got[~np.isfinite(expected)]).any()
            assert np.isfinite(got[0]).all() and np.isfinite(got[2]).all()


def test_winograd_only_where_it_pays():
    ones = {"strides": (1, 1), "dilation": (1, 1), "groups": 1}
    assert winograd_suits((3, 3, 16, 16), (64, 32, 32, 16), **ones)
    assert winograd_suits((5, 5, 8, 16), (64, 28, 28, 16), **ones)
    assert not winograd_suits((3, 3, 1, 32), (64, 28, 28, 32), **ones)  # one channel
    assert not winograd_suits((3, 3, 16, 16), (1, 8, 8, 16), **ones)  # four tiles
    assert not winograd_suits((3, 3, 16, 16), (900, 1, 1, 16), **ones)  # one sum of sixteen
    assert not winograd_suits((3, 5, 16, 16), (64, 32, 32, 16), **ones)
    assert not winograd_suits((3, 16, 16), (64, 320, 16), (1,), (1,), 1)
    for changed in ({"strides": (2, 2)}, {"dilation": (1, 2)}, {"groups": 2}):
        assert not winograd_suits((3, 3, 16, 16), (64, 32, 32, 16), **{**ones, **changed})
