"""Composed functions of `ops`: gradients of first and second order against finite differences."""

import numpy as np
import pytest

import kerasish_core as core
from kerasish import ops

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
TALL = RNG.normal(size=(5, 3))
SIGNAL = RNG.normal(size=(2, 16))
IMAGE = RNG.uniform(0.1, 0.9, size=(1, 6, 5, 3))
SEGMENTS = np.array([0, 2, 1, 2, 0])
LOGITS = RNG.normal(size=(2, 6, 4))
ATTENTION = RNG.normal(size=(2, 4, 2, 3))


def _positive(x):
    return ops.matmul(x, ops.swapaxes(x, -1, -2)) + np.eye(3)


def _pair(f):
    """The real and imaginary parts that a function of such gives, of a signal."""
    return lambda x: ops.stack(f((x, ops.flip(x, -1) * 0.5)), 0)


def _symmetric(x):
    return x + ops.swapaxes(x, -1, -2)


# An input, and a function of it that is smooth there.
CASES = {
    "cholesky": (MATRIX, lambda x: ops.cholesky(_positive(x))),
    "cholesky_inverse": (MATRIX, lambda x: ops.cholesky_inverse(ops.cholesky(_positive(x)))),
    "solve": (MATRIX, lambda x: ops.solve(x, x[..., :2] ** 2)),
    "solve_triangular": (MATRIX, lambda x: ops.solve_triangular(x, x[..., :1], lower=True)),
    "inv": (MATRIX, ops.inv),
    "det": (MATRIX, ops.det),
    "slogdet": (MATRIX, lambda x: ops.slogdet(x)[1]),
    "logdet": (MATRIX, lambda x: ops.logdet(_positive(x))),
    "eigh": (MATRIX, lambda x: ops.eigh(_symmetric(x))[0]),
    "svd": (TALL, lambda x: ops.svd(x, full_matrices=False)[1]),
    "svd projection": (TALL, lambda x: ops.matmul(
        ops.svd(x, full_matrices=False)[0], ops.svd(x, full_matrices=False)[2])),
    "qr": (TALL, lambda x: ops.qr(x)[1] ** 2),
    "lstsq": (TALL, lambda x: ops.lstsq(x, x[:, :1] ** 2 + 1)),
    "norm": (TALL, lambda x: ops.norm(x, axis=1)),
    "norm 3": (TALL, lambda x: ops.norm(x, ord=3, axis=0)),
    "norm nuc": (TALL, lambda x: ops.norm(x, ord="nuc")),
    "lu_factor": (MATRIX, lambda x: ops.lu_factor(x)[0]),
    "pinv": (TALL, ops.pinv),
    "fft": (SIGNAL, _pair(ops.fft)),
    "rfft": (SIGNAL, lambda x: ops.stack(ops.rfft(x), 0)),
    "irfft": (SIGNAL, lambda x: ops.irfft((x, x * x))),
    "fft2": (SIGNAL, _pair(ops.fft2)),
    "ifft2": (SIGNAL, _pair(ops.ifft2)),
    "stft": (SIGNAL, lambda x: ops.stack(ops.stft(x, 8, 4, 8), 0)),
    "istft": (SIGNAL, lambda x: ops.istft(ops.stft(x * x, 8, 4, 8), 8, 4, 8)),
    "segment_sum": (TALL, lambda x: ops.segment_sum(x * x, SEGMENTS, 3)),
    "segment_max": (TALL, lambda x: ops.segment_max(x, SEGMENTS, 3) ** 2),
    "segment_min": (TALL, lambda x: ops.segment_min(x, SEGMENTS, 3) ** 2),
    "segment_prod": (TALL, lambda x: ops.segment_prod(x, SEGMENTS, 3)),
    "sort": (TALL, lambda x: ops.sort(x, axis=0) ** 3),
    "top_k": (TALL, lambda x: ops.top_k(x, 2)[0] ** 3),
    "median": (TALL, lambda x: ops.median(x, axis=0) ** 3),
    "quantile": (TALL, lambda x: ops.quantile(x, 0.3, axis=0) ** 3),
    "cumsum": (TALL, lambda x: ops.cumsum(x, axis=0) ** 3),
    "cumprod": (TALL, lambda x: ops.cumprod(x, axis=1)),
    "associative_scan": (TALL, lambda x: ops.associative_scan(ops.multiply, x)),
    "resize bilinear": (IMAGE, lambda x: ops.image.resize(x, (9, 4)) ** 3),
    "resize bicubic": (IMAGE, lambda x: ops.image.resize(x, (4, 7), "bicubic", True) ** 3),
    "resize lanczos3": (IMAGE, lambda x: ops.image.resize(x, (8, 8), "lanczos3") ** 3),
    "affine_transform": (IMAGE, lambda x: ops.image.affine_transform(
        x, np.float32([0.9, 0.1, 0.2, -0.1, 1, 0.3, 0, 0]), fill_mode="reflect") ** 3),
    "perspective_transform": (IMAGE, lambda x: ops.image.perspective_transform(
        x, np.float32([[0.2, 0.1], [4, 0], [0, 5], [4, 4.7]]),
        np.float32([[0, 0], [3.9, 0.3], [0.2, 5], [4, 5]])) ** 3),
    "map_coordinates": (IMAGE, lambda x: ops.image.map_coordinates(
        x[0, ..., 0], ops.stack([x[0, ..., 1] * 3 + 0.4, x[0, ..., 2] * 3 + 0.2]), 1)),
    "dot_product_attention": (ATTENTION, lambda x: ops.dot_product_attention(
        x, ops.flip(x, 1), x * x, is_causal=True)),
    "ctc_loss": (LOGITS, lambda x: ops.ctc_loss(
        np.array([[1, 1, 2], [3, 2, 0]]), x, np.array([3, 2]), np.array([6, 5]))),
    "psnr": (IMAGE, lambda x: ops.psnr(x, x * x, 1.0)),
    "ssim": (np.tile(IMAGE, (1, 2, 3, 1)), lambda x: ops.image.ssim(x, x * x, 1.0)),
    "erfinv": (IMAGE, lambda x: ops.erfinv(x)),
}  # fmt: skip


def scalar(function, x):
    """The result under uneven weights, so that no direction cancels."""
    y = function(x)
    weights = np.cos(np.arange(y.size)).reshape(y.shape) + 0.3
    return ops.sum(y * core.convert(weights))


def gradient(function, x):
    x = core.convert(x)
    with core.GradientTape() as tape:
        tape.watch(x)
        value = scalar(function, x)
    assert value.dtype.name == "float64"
    return tape.gradient(value, x).numpy()


@pytest.mark.parametrize("name", CASES)
def test_first_and_second_order(name):
    start, function = CASES[name]
    direction, h = np.random.default_rng(1).normal(size=start.shape), 1e-5

    def value(x):
        return float(scalar(function, core.convert(x)))

    slope = (value(start + h * direction) - value(start - h * direction)) / (2 * h)
    first = gradient(function, start)
    np.testing.assert_allclose(np.sum(first * direction), slope, rtol=1e-5, atol=1e-7)

    turn = (
        gradient(function, start + h * direction) - gradient(function, start - h * direction)
    ) / (2 * h)
    x = core.convert(start)
    with core.GradientTape() as outer:
        outer.watch(x)
        with core.GradientTape() as tape:
            tape.watch(x)
            result = scalar(function, x)
        along = ops.sum(tape.gradient(result, x) * core.convert(direction))
    second = outer.gradient(along, x, unconnected_gradients="zero").numpy()
    scale = max(1.0, np.abs(turn).max())
    np.testing.assert_allclose(second / scale, turn / scale, rtol=1e-4, atol=1e-6)
