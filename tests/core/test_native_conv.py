"""Convolution kernels against the op's NumPy kernel in float64, for each instruction set."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from native_harness import lower, run_lowered, spread

import kerasish_core as core
from kerasish_core.executors.native.instructions.conv import conv_params, packed_bytes

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
    "flat": problem((4, 24, 24, 64), (1, 1, 64, 64)),
    "depthwise": problem((4, 40, 40, 64), (3, 3, 1, 64), pads=((1, 1), (1, 1)), groups=64),
}


@pytest.mark.parametrize("case", THREADED)
def test_bits_do_not_depend_on_threads(native, case):
    for name, (arrays, attrs) in arrays_of(THREADED[case], "float32").items():
        results = []
        for threads in (1, 2, 3):
            native.set_threads(threads)
            results.append(run_lowered(native, name, arrays, attrs))
        np.testing.assert_array_equal(results[1], results[0], name)
        np.testing.assert_array_equal(results[2], results[0], name)
    check(native, THREADED[case], "float32")


@pytest.mark.parametrize("case", ["3x3", "groups", "depthwise", "1x1"])
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
