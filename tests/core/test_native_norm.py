"""Softmax and normalisation kernels against the ops' NumPy kernels in float64."""

import numpy as np
import pytest
from native_harness import lower, run_lowered

import kerasish_core as core


def reference(name, arrays, attrs):
    """The op's NumPy kernel."""
    return core.REGISTRY[name].kernel(np, *arrays, **attrs)


RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


def rows(shape, gamma, statistics):
    """Statistics of rows, one of each."""
    lead = (*shape[: len(shape) - len(gamma)], *(1,) * len(gamma))
    return [RNG.uniform(0.5, 1.5, lead) for _ in range(statistics)]


def softmax_cases():
    shapes = [((5, 10), (1,)), ((3, 4, 17), (2,)), ((7, 300), (1,)), ((4, 9, 70), (1,)),
              ((2, 3, 5), (1, 2)), ((0, 3), (1,)), ((2, 0), (1,)), ((3, 1), (1,)), ((6,), (0,)),
              ((64, 1000), (1,)), ((40, 3, 3, 64), (0,)), ((130, 2), (1,)), ((5000, 9), (1,)),
              ((65, 32), (1,)), ((17, 33), (1,))]  # fmt: skip
    found = [(name, [normal(*s) * 3], {"axes": a}) for name in ("softmax", "log_softmax")
             for s, a in shapes]  # fmt: skip
    return found + [(f"{name}_grad", [normal(*s), normal(*s)], {"axes": a})
                    for name in ("softmax", "log_softmax") for s, a in shapes]  # fmt: skip


def moments_cases():
    shapes = [((64, 8, 8, 16), (0, 1, 2)), ((300, 70), (0,)), ((5, 3), (0,)), ((9, 200), (1,)),
              ((3, 40, 5), (1,)), ((2, 7, 9, 33), (1, 2)), ((1, 64), (0,)), ((4, 6), (0, 1)),
              ((130, 1), (0,)), ((2000, 128), (0,)), ((33, 2), (0,)), ((3,), ())]  # fmt: skip
    return [("moments", [normal(*s) + 5], {"axes": a, "keepdims": len(s) % 2 == 0})
            for s, a in shapes]  # fmt: skip


def sums_cases():
    return [("centred_sums", [normal(*s), normal(*s) + 5, normal(s[-1]) + 5], {})
            for s in ((64, 8, 8, 16), (300, 70), (5, 3), (7,), (0, 4), (2000, 128))]  # fmt: skip


def row_cases():
    found = []
    for s, t in (((6, 10), (10,)), ((2, 5, 128), (128,)), ((3, 4, 5), (4, 5)), ((7,), (7,)),
                 ((0, 3), (3,)), ((400, 200), (200,)), ((3, 1), (1,))):  # fmt: skip
        g, x, gamma, beta = normal(*s), normal(*s), normal(*t), normal(*t)
        found += [
            ("layer_norm", [x, gamma, beta], {"epsilon": 0.01}),
            ("rms_norm", [x, gamma], {"epsilon": 0.01}),
            ("layer_norm_grad", [g, x, gamma, *rows(s, t, 2)], {}),
            ("rms_norm_grad", [g, x, gamma, *rows(s, t, 1)], {}),
        ]
    return found


CASES = softmax_cases() + moments_cases() + sums_cases() + row_cases()


def ids(case):
    return f"{case[0]}-{'x'.join(map(str, case[1][0].shape))}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_values(native, instruction_sets, case, dtype):
    name, arrays, attrs = case
    arrays = [a.astype(dtype) for a in arrays]
    expected = reference(name, [a.astype("f8") for a in arrays], attrs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    eps = np.finfo(dtype).eps
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        got = run_lowered(native, name, arrays, attrs)
        for y, z in zip(got if isinstance(got, list) else [got], expected, strict=True):
            assert y.dtype == dtype and y.shape == z.shape
            np.testing.assert_allclose(
                y, z, rtol=30 * eps, atol=40 * eps * np.abs(z).max(initial=1)
            )


LARGE = [c for c in CASES if c[1][0].size > 30_000]


@pytest.mark.parametrize("case", LARGE, ids=ids)
def test_bits_do_not_depend_on_threads(native, case):
    name, arrays, attrs = case
    arrays = [a.astype("float32") for a in arrays]
    found = []
    for threads in (1, 2, 5):
        native.set_threads(threads)
        got = run_lowered(native, name, arrays, attrs)
        found.append(got if isinstance(got, list) else [got])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_there_are_large_cases():
    assert {c[0] for c in LARGE} >= {"softmax", "moments", "centred_sums", "layer_norm_grad"}


@pytest.mark.parametrize("shape", [(4096, 16), (4096, 100), (3, 4096)])
def test_moments_of_numbers_far_from_zero(native, instruction_sets, shape):
    x = (RNG.normal(size=shape) + 4096).astype("float32")
    axes = (0,) if shape[0] > shape[1] else (1,)
    wide = x.astype("f8")
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        mean, variance = run_lowered(native, "moments", [x], {"axes": axes, "keepdims": False})
        np.testing.assert_allclose(mean, wide.mean(axes), rtol=1e-6)
        np.testing.assert_allclose(variance, wide.var(axes), rtol=1e-4)


@pytest.mark.parametrize("place", [0, 3, 40])
def test_what_is_not_a_number_stays_in_its_row(native, instruction_sets, place):
    for value, name in ((np.nan, "softmax"), (np.nan, "log_softmax"), (np.inf, "softmax")):
        x = RNG.normal(size=(4, 41)).astype("float32")
        x[2, place] = value
        for isa in instruction_sets:
            native.set_instruction_set(isa)
            y = run_lowered(native, name, [x], {"axes": (1,)})
            assert np.isnan(y[2]).any() and np.isfinite(np.delete(y, 2, 0)).all()
            if np.isnan(value):
                assert np.isnan(y[2]).all()


def test_large_logits_do_not_overflow(native, instruction_sets):
    x = np.array([[1000.0, 999.0, -1000.0]], "float32")
    for isa in instruction_sets:
        native.set_instruction_set(isa)
        for name in ("softmax", "log_softmax"):
            expected = reference(name, [x.astype("f8")], {"axes": (1,)})
            got = run_lowered(native, name, [x], {"axes": (1,)})
            np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_what_is_left_to_the_reference():
    half = normal(2, 3).astype("float16")
    assert lower("softmax", [half], {"axes": (1,)}) is None
    apart = {"axes": (0, 2), "keepdims": False}
    assert lower("moments", [normal(2, 3, 4)], apart) is None
    assert lower("moments", [normal(0, 3)], {"axes": (0,), "keepdims": False}) is None
