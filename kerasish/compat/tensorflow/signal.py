"""`tf.signal`: transforms between time and frequency, complex numbers as TensorFlow has them."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from .values import complex_, ints

__all__ = ["fft", "frame", "rfft", "stft"]

_o = core.ops


def _pair(x: Any) -> tuple[Any, Any]:
    x = core.convert(x)
    if x.dtype.kind == "c":
        return ops.real(x), ops.imag(x)
    return x, _o.zeros_like(x)


def fft(input: Any) -> Any:
    """The Fourier transform along the last axis."""
    return complex_(*ops.fft(_pair(input)))


def fft2d(input: Any) -> Any:
    """The Fourier transform along the last two axes."""
    return complex_(*ops.fft2(_pair(input)))


def ifft(input: Any) -> Any:
    """What `fft` makes `input` of: its conjugate's transform, conjugate, over the size."""
    real, imag = _pair(input)
    back = ops.fft((real, -imag))
    size = float(real.shape[-1])
    return complex_(back[0] / size, -back[1] / size)


def ifft2d(input: Any) -> Any:
    """What `fft2d` makes `input` of."""
    return complex_(*ops.ifft2(_pair(input)))


def rfft(input_tensor: Any, fft_length: Any = None) -> Any:
    """The Fourier transform of real numbers along the last axis: frequencies not below 0."""
    return complex_(*ops.rfft(core.convert(input_tensor), _one(fft_length)))


def irfft(input_tensor: Any, fft_length: Any = None) -> Any:
    """What `rfft` makes `input_tensor` of."""
    return ops.irfft(_pair(input_tensor), _one(fft_length))


def _one(length: Any) -> Any:
    found = ints(length)
    return found[0] if isinstance(found, tuple) else found


def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0,
    axis: int = -1,
) -> Any:  # fmt: skip
    """Windows `(..., frames, frame_length)` of a signal, each `frame_step` after the one before."""
    x, size, step = core.convert(signal), int(frame_length), int(frame_step)
    x = _o.moveaxis(x, axis, -1)
    length = x.shape[-1]
    count = -(-length // step) if pad_end else max((length - size) // step + 1, 0)
    missing = max((count - 1) * step + size - length, 0) if pad_end else 0
    if missing:
        x = _o.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)], "constant", pad_value)
    places = np.arange(count)[:, None] * step + np.arange(size)[None]
    found = _o.take(x, core.constant(places.astype("int32")), -1)
    return found if axis in (-1, x.ndim - 1) else _o.moveaxis(found, (-2, -1), (axis, axis + 1))


def _window(name: str, a: float) -> Any:
    def window(window_length: Any, periodic: bool = True, dtype: Any = "float32") -> Any:
        size = int(window_length)
        if size == 1:
            return core.constant(np.ones(1, str(dtype)))
        turn = size if periodic and size % 2 == 0 else size - 1
        values = a - (1 - a) * np.cos(2 * np.pi * np.arange(size) / turn)
        return core.constant(values.astype(str(dtype)))

    window.__name__, window.__doc__ = name, f"`{a} - {1 - a:.2f} cos(2 pi n / length)`."
    return window


hann_window, hamming_window = _window("hann_window", 0.5), _window("hamming_window", 0.54)


def stft(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Any = hann_window, pad_end: bool = False,
) -> Any:  # fmt: skip
    """The Fourier transform of windows of a signal: `(..., frames, fft_length // 2 + 1)`."""
    size = int(frame_length)
    whole = 1 << (size - 1).bit_length() if fft_length is None else int(fft_length)
    frames = frame(signals, size, frame_step, pad_end)
    if window_fn is not None:
        frames = frames * window_fn(size, dtype=frames.dtype.name)
    return rfft(frames, whole)
