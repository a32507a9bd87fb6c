"""Transforms between time and frequency, labels without alignment, and a Bessel function."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .patches import extract_sequences
from .symbolic import symbolic

__all__ = ["fft", "fft2", "i0", "ifft2", "irfft", "istft", "rfft", "stft"]

_o = core.ops


def _pair(x: Any) -> tuple[Any, Any]:
    """Real and imaginary part.

    Raises:
        ValueError: It is no pair of tensors of one shape and a floating dtype.
    """
    if not isinstance(x, tuple | list) or len(x) != 2:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. Received: "
            f"x of type {type(x).__name__}"
        )
    real, imag = (core.convert(v) for v in x)
    if not (core.dtypes.is_float(real.dtype) and core.dtypes.is_float(imag.dtype)):
        raise ValueError(
            "At least one tensor in input `x` is not of type float. Received: dtypes "
            f"{real.dtype} and {imag.dtype}"
        )
    if real.shape != imag.shape:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary - of one shape. "
            f"Received: x[0].shape={real.shape}, x[1].shape={imag.shape}"
        )
    return real, imag


@symbolic
def fft(x: Any) -> Any:
    """The Fourier transform along the last axis; `x` and the result are (real, imaginary)."""
    return _o.fourier(*_pair(x), -1)


@symbolic
def fft2(x: Any) -> Any:
    """The Fourier transform along the last two axes; `x` and the result are (real, imaginary)."""
    return _o.fourier(*_pair(x), (-2, -1))


@symbolic
def ifft2(x: Any) -> Any:
    """What `fft2` makes `x` of; both are (real, imaginary)."""
    return _o.fourier(*_pair(x), (-2, -1), inverse=True)


def _fitted(x: Any, size: int) -> Any:
    """The last axis cut, or filled with zeros, to a size."""
    have = x.shape[-1]
    if have >= size:
        return x[..., :size]
    return _o.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size - have)])


@symbolic
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """The Fourier transform of real numbers along the last axis: frequencies not below 0.

    Args:
        x: `(..., time)`.
        fft_length: How many numbers to take; zeros fill up.

    Returns:
        Real and imaginary part, `(..., fft_length // 2 + 1)`.
    """
    x = _o.multiply(x, 1.0)
    x = x if fft_length is None else _fitted(x, fft_length)
    bins = x.shape[-1] // 2 + 1
    real, imag = _o.fourier(x, _o.zeros_like(x), -1)
    return real[..., :bins], imag[..., :bins]


@symbolic
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The real numbers of which `rfft` makes `x`.

    Args:
        x: Real and imaginary part, `(..., bins)`.
        fft_length: How many numbers; `2 * (bins - 1)` by default.

    Returns:
        `(..., fft_length)`.
    """
    real, imag = _pair(x)
    size = 2 * (real.shape[-1] - 1) if fft_length is None else fft_length
    if size == 0:
        return real[..., :0]
    bins = size // 2 + 1
    real, imag = _fitted(real, bins), _fitted(imag, bins)
    # The frequencies below 0 are the conjugates of those above.
    mirrored = slice(1, size - bins + 1)
    real = _o.concatenate([real, _o.flip(real[..., mirrored], -1)], -1)
    imag = _o.concatenate([imag, -_o.flip(imag[..., mirrored], -1)], -1)
    return _o.fourier(real, imag, -1, inverse=True)[0]


def _window(window: Any, sequence_length: int, fft_length: int, dtype: Any) -> Any:
    """The window, with zeros around it, as long as the transform."""
    if window is None:
        return np.ones(fft_length, dtype)  # as Keras: the zeros around a window are no part of none
    elif isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                'If a string is passed to `window`, it must be one of `"hann"`, `"hamming"`. '
                f"Received: window={window}"
            )
        high = 0.5 if window == "hann" else 0.54
        turns = 2 * np.pi * np.arange(sequence_length) / sequence_length
        values = high - (1 - high) * np.cos(turns)
    else:
        known = not isinstance(window, core.Tensor | core.Variable)  # and no weight
        values = np.asarray(window) if known else core.convert(window)
        if values.shape != (sequence_length,):
            raise ValueError(
                "The shape of `window` must be equal to [sequence_length]. Received: "
                f"window shape={values.shape}"
            )
    left = (fft_length - sequence_length) // 2
    around = (left, fft_length - sequence_length - left)
    if isinstance(values, core.Tensor):
        return _o.cast(_o.pad(values, [around]), dtype)
    return np.pad(values, around).astype(dtype)


def _check_lengths(sequence_length: int, fft_length: int) -> None:
    if fft_length < sequence_length:
        raise ValueError(
            "`fft_length` must equal or larger than `sequence_length`. Received: "
            f"sequence_length={sequence_length}, fft_length={fft_length}"
        )


@symbolic
def stft(x: Any, sequence_length: int, sequence_stride: int, fft_length: int,
         window: Any = "hann", center: bool = True) -> Any:  # fmt: skip
    """Short-time Fourier transforms: `rfft` of overlapping windows.

    Args:
        x: `(..., time)`.
        sequence_length: Of a window.
        sequence_stride: From one to the next.
        fft_length: Of each transform; zeros fill up.
        window: "hann", "hamming", None, or `(sequence_length,)` factors.
        center: Whether the first window is centred at the first number, `x` being mirrored.

    Returns:
        Real and imaginary part, `(..., windows, fft_length // 2 + 1)`.
    """
    _check_lengths(sequence_length, fft_length)
    x = core.convert(x)
    if x.dtype.name not in ("float32", "float64"):
        raise TypeError(
            f"Invalid input type. Expected `float32` or `float64`. Received: {x.dtype.name}"
        )
    if center:
        half = fft_length // 2
        x = _o.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], "reflect")
    frames = extract_sequences(x, fft_length, sequence_stride)
    factors = _window(window, sequence_length, fft_length, x.dtype)
    return rfft(frames * (factors if isinstance(factors, core.Tensor) else core.constant(factors)))


@symbolic
def istft(x: Any, sequence_length: int, sequence_stride: int, fft_length: int,
          length: int | None = None, window: Any = "hann", center: bool = True) -> Any:  # fmt: skip
    """The numbers of which `stft` makes `x`: windows added up, divided by their squared factors.

    Args:
        x: Real and imaginary part, `(..., windows, bins)`.
        sequence_length, sequence_stride, fft_length, window, center: As they were for `stft`.
        length: How many numbers to return, if there are as many.

    Returns:
        `(..., time)`.
    """
    _check_lengths(sequence_length, fft_length)
    frames = irfft(x, fft_length)
    count = frames.shape[-2]
    factors = _window(window, sequence_length, fft_length, frames.dtype)
    total = fft_length + sequence_stride * (count - 1)
    places = np.arange(count)[:, None] * sequence_stride + np.arange(fft_length)
    if isinstance(factors, core.Tensor):
        squares = _o.tile(_o.square(factors), (count,))
        weights = _o.scatter_add(_o.zeros((total,), factors.dtype), places.reshape(-1, 1), squares)
        weights = _o.where(weights < 1e-10, 1, weights)
    else:
        sums = np.bincount(places.reshape(-1), np.tile(factors.astype("float64") ** 2, count))
        weights = core.constant(np.where(sums < 1e-10, 1, sums).astype(factors.dtype))
        factors = core.constant(factors)
    rows = _o.reshape(frames * factors, (-1, count * fft_length))
    summed = _o.scatter_add(
        _o.zeros((total, rows.shape[0]), rows.dtype), places.reshape(-1, 1), _o.transpose(rows)
    )
    y = _o.transpose(summed) / weights
    y = _o.reshape(y, (*frames.shape[:-2], total))
    if window is None:
        y = y * (fft_length / sequence_stride)  # as Keras, which adds bare windows up
    start = fft_length // 2 if center else 0
    end = total if length is None and not center else total - start
    if length is not None:
        return y[..., start : start + length]
    return y[..., start:end]


@symbolic
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind, of order 0.

    It is the mean of `exp(x cos(t))` over the circle, which the trapezoid rule gives to the last
    digits; factoring out the largest term keeps it in range.

    Source: DLMF 10.32.1.
    """
    x = _o.multiply(x, 1.0)
    peak = _o.stop_gradient(_o.absolute(x))
    count = 128
    cosines = np.cos(np.pi * np.arange(count + 1) / count)
    weights = np.full(count + 1, 1 / count)
    weights[[0, -1]] /= 2
    terms = _o.exp(_o.expand_dims(x, -1) * cosines.astype(x.dtype) - _o.expand_dims(peak, -1))
    return _o.sum(terms * weights.astype(x.dtype), -1) * _o.exp(peak)
