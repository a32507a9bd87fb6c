"""Native Fourier transforms beside NumPy's."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.executors import native as executor

pytestmark = pytest.mark.skipif(not executor.available(), reason="no native library")


@pytest.fixture(params=["plain", "avx2", "avx512"])
def instruction_set(request):
    from kerasish_core.executors.native import _native

    before = _native.instruction_set()
    try:
        _native.set_instruction_set(request.param)
    except ValueError:
        pytest.skip(f"no {request.param} on this machine or in this build")
    yield request.param
    _native.set_instruction_set(before)


def compiled(fn, *arrays):
    step = core.compile_step(fn)
    found = step(*[core.convert(a) for a in arrays])
    (entry,) = step._entries.values()
    return [y.numpy() for y in found], entry.native


def parts(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    return [rng.normal(size=shape).astype(dtype) for _ in range(2)]


def near(found, expected, dtype):
    digits = {"float32": 2e-6, "float64": 1e-14}[dtype]
    for a, b in zip(found, (expected.real, expected.imag), strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=digits * max(np.abs(expected).max(), 1e-30))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "n", [1, 2, 3, 4, 5, 6, 8, 12, 15, 16, 31, 60, 64, 77, 128, 225, 256, 1000]
)
def test_lengths(instruction_set, n, dtype):
    for inverse in (False, True):
        re, im = parts((37, n), dtype)
        found, program = compiled(functools.partial(ops.fourier, inverse=inverse), re, im)
        wide = re.astype("float64") + 1j * im
        near(found, (np.fft.ifft if inverse else np.fft.fft)(wide), dtype)
        assert program.generic == 0


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (1, 2), (2, 0), (0, 1, 2)])
@pytest.mark.parametrize("shape", [(6, 10, 7), (3, 4, 33)])
def test_axes(instruction_set, axes, shape):
    re, im = parts(shape, "float64")
    found, program = compiled(lambda x, y: ops.fourier(x, y, axes), re, im)
    near(found, np.fft.fftn(re + 1j * im, axes=axes), "float64")
    assert program.generic == 0


def test_of_real_numbers(instruction_set):
    x = parts((5, 3, 48), "float32")[0]
    found, program = compiled(lambda x: ops.fourier(x, ops.zeros_like(x)), x)
    near(found, np.fft.fft(x.astype("float64")), "float32")
    assert program.generic == 0


def test_few_long_rows_stay_generic():
    re, im = parts((2, 1024), "float64")
    found, program = compiled(ops.fourier, re, im)
    near(found, np.fft.fft(re + 1j * im), "float64")
    assert program.generic == 1


def test_a_large_prime_factor_stays_generic():
    re, im = parts((2, 2 * 37), "float64")
    found, program = compiled(ops.fourier, re, im)
    near(found, np.fft.fft(re + 1j * im), "float64")
    assert program.generic == 1


def test_bits_do_not_depend_on_neighbours_or_threads():
    from kerasish_core.executors.native import _native

    re, im = parts((4000, 24), "float32")
    before = _native.threads()
    results = []
    for threads in (1, 2, 3):
        _native.set_threads(threads)
        results.append(compiled(ops.fourier, re, im)[0])
    _native.set_threads(before)
    results.append(compiled(ops.fourier, re[13:], im[13:])[0])
    for a, b, c, d in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(a[13:], d)


def test_gradients():
    def fn(x):
        with core.GradientTape() as tape:
            tape.watch(x)
            re, im = ops.fourier(x, ops.zeros_like(x))
            loss = ops.sum(ops.sqrt(re * re + im * im + 0.1))
        return [tape.gradient(loss, x)]

    x = parts((3, 20), "float64")[0]
    (found,), program = compiled(fn, x)
    assert program.generic == 0
    np.testing.assert_allclose(found, fn(core.convert(x))[0].numpy(), rtol=1e-10, atol=1e-12)
