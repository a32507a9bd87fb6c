"""Fourier transforms, Bessel function and CTC beside Keras."""

import jax
import numpy as np
import pytest
import scipy.special

import kerasish
import kerasish_core as core

# JAX compiles every op anew: minutes, so that only `scripts/check --all` runs this file.
pytestmark = [pytest.mark.parity, pytest.mark.slow]
ours = kerasish.ops


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.ops


def draw(*shape):
    return np.random.default_rng(list(shape)).normal(size=shape).astype("float32")


PAIR = (draw(2, 8), draw(2, 8) + 1)
LONG = draw(2, 50)
CASES = {
    "fft": (lambda k, a, b: k.fft((a, b)), PAIR),
    "fft2": (lambda k, a, b: k.fft2((a, b)), (draw(2, 3, 4), draw(2, 3, 4) + 1)),
    "ifft2": (lambda k, a, b: k.ifft2((a, b)), (draw(2, 3, 4), draw(2, 3, 4) + 1)),
    "rfft": (lambda k, x: k.rfft(x), (draw(2, 9),)),
    "rfft shorter": (lambda k, x: k.rfft(x, fft_length=6), (draw(2, 9),)),
    "rfft longer": (lambda k, x: k.rfft(x, fft_length=12), (draw(2, 9),)),
    "irfft": (lambda k, a, b: k.irfft((a, b)), PAIR),
    "irfft odd": (lambda k, a, b: k.irfft((a, b), fft_length=9), PAIR),
    "irfft longer": (lambda k, a, b: k.irfft((a, b), fft_length=20), PAIR),
    "stft": (lambda k, x: k.stft(x, 8, 4, 16), (LONG,)),
    "stft of one": (lambda k, x: k.stft(x, 8, 3, 8, window="hamming"), (LONG[0],)),
    "stft bare": (lambda k, x: k.stft(x, 7, 4, 10, window=None, center=False), (LONG,)),
    "stft factors": (lambda k, x: k.stft(x, 8, 4, 9, window=draw(8)), (LONG,)),
    "stft by a weight": (lambda k, x, w: k.stft(x, 8, 4, 9, window=w), (LONG, draw(8))),
    "istft": (lambda k, x: k.istft(k.stft(x, 8, 4, 16), 8, 4, 16), (LONG,)),
    "istft by a weight": (
        lambda k, x, w: k.istft(k.stft(x, 8, 4, 8, w), 8, 4, 8, None, w),
        (LONG, 2 + draw(8) ** 2),
    ),
    "istft cut": (lambda k, x: k.istft(k.stft(x, 8, 2, 8), 8, 2, 8, length=45), (LONG,)),
    "istft bare": (
        lambda k, x: k.istft(k.stft(x, 8, 4, 8, "hamming", False), 8, 4, 8, None, "hamming", False),
        (LONG,),
    ),
    "i0": (lambda k, x: k.i0(x), (3 * draw(2, 3),)),
}


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(theirs, case):
    function, inputs = CASES[case]

    def scalar(xs):
        return sum((y * np.cos(np.arange(y.size)).reshape(y.shape)).sum()
                   for y in jax.tree.leaves(function(theirs, *xs)))  # fmt: skip

    expected = jax.tree.leaves(function(theirs, *inputs))
    tensors = [core.constant(x) for x in inputs]
    with core.GradientTape() as tape:
        tape.watch(tensors)
        found = core.tree.flatten(function(ours, *tensors))
        total = sum(
            core.ops.sum(y * np.cos(np.arange(y.size)).reshape(y.shape).astype("float32"))
            for y in found
        )
    for y, z in zip(found, expected, strict=True):
        assert y.shape == z.shape and y.dtype == z.dtype
        np.testing.assert_allclose(y, z, rtol=1e-4, atol=2e-5)
    gradients = jax.grad(scalar)([jax.numpy.asarray(x) for x in inputs])
    for y, z in zip(tape.gradient(total, tensors), gradients, strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-3, atol=1e-4)


def test_bessel_function_to_the_last_digits():
    x = np.array([-700.0, -30.0, -1.0, 0.0, 1e-3, 0.5, 4.0, 60.0, 300.0])
    np.testing.assert_allclose(ours.i0(core.constant(x)), scipy.special.i0(x), rtol=2e-13)
    t = core.constant(np.array([0.0, 0.7]))
    with core.GradientTape() as outer:
        outer.watch(t)
        with core.GradientTape() as inner:
            inner.watch(t)
            y = ours.i0(t)
        slope = inner.gradient(y, t)
    np.testing.assert_allclose(slope, scipy.special.i1([0.0, 0.7]), atol=1e-14)
    second = 0.5 * (scipy.special.i0([0.0, 0.7]) + scipy.special.iv(2, [0.0, 0.7]))
    np.testing.assert_allclose(outer.gradient(slope, t), second, atol=1e-14)


def test_refusals(theirs):
    for run in [
        lambda k: k.fft((PAIR[0], PAIR[1][:, :3])),
        lambda k: k.stft(LONG, 8, 4, 6),
        lambda k: k.stft(LONG, 8, 4, 16, window="other"),
        lambda k: k.stft(LONG, 8, 4, 16, window=draw(5)),
        lambda k: k.istft(PAIR, 8, 4, 6),
    ]:
        for k in (theirs, ours):
            with pytest.raises(ValueError):
                run(k)
    with pytest.raises(ValueError, match="tuple of two"):
        ours.fft(LONG)


def test_symbolic():
    x = kerasish.Input((50,))
    real, imag = ours.stft(x, 8, 4, 16)
    assert real.shape == imag.shape == (None, 13, 9)
    assert ours.istft((real, imag), 8, 4, 16).shape == (None, 48)
