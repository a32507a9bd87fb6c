"""Sound as the energies of its frequencies over time, by convolution."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ... import initializers, ops
from ...config import epsilon, standardize_data_format
from ...serialization import builtin
from ..base import Layer
from ..input_spec import InputSpec

__all__ = ["STFTSpectrogram"]

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


@builtin("keras.layers")
class STFTSpectrogram(Layer):
    """Short-time Fourier transforms of each channel; their kernels are weights and can be trained.

    Args:
        mode: "log" (of the magnitude), "magnitude", "psd" (power), "real", "imag", "angle", or
            "stft" (real, then imaginary parts).
        frame_length: Samples of the window.
        frame_step: Samples from one window to the next; half a window by default.
        fft_length: Samples of the transform; by default the next power of 2.
        window: "hann", "hamming", another window of SciPy, an array or None.
        periodic: Whether the window is periodic, not symmetric.
        scaling: "density", "spectrum" or None: see `initializers.STFT`.
        padding: "valid" or "same".
        expand_dims: Whether frequencies get an axis of their own, as of images.
        data_format: "channels_last": `(batch, time, channels)`; "channels_first".

    Raises:
        ValueError: An unknown name, or lengths that do not go together.

    Source: https://keras.io/api/layers/preprocessing_layers/audio_preprocessing/stft_spectrogram/
    """

    def __init__(
        self, mode: str = "log", frame_length: int = 256, frame_step: int | None = None,
        fft_length: int | None = None, window: Any = "hann", periodic: bool = False,
        scaling: str | None = "density", padding: str = "valid", expand_dims: bool = False,
        data_format: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(
                "`frame_step` should be a positive integer not greater than `frame_length`. "
                f"Received frame_step={frame_step}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                "`fft_length` should be not less than `frame_length`. Received "
                f"fft_length={fft_length}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length & -fft_length != fft_length:
            warnings.warn(
                f"`fft_length` is recommended to be a power of two. Received "
                f"fft_length={fft_length}",
                stacklevel=2,
            )
        if mode not in _MODES:
            raise ValueError(
                f"Output mode is invalid, it must be one of {', '.join(_MODES)}. Received: "
                f"mode={mode}"
            )
        if padding not in ("valid", "same"):
            raise ValueError(
                f"Padding is invalid, it should be 'valid', 'same'. Received: padding={padding}"
            )
        # The initializer knows which windows and scalings there are.
        initializers.STFT("real", window, scaling, periodic)
        super().__init__(**kwargs)
        self.mode, self.frame_length, self.frame_step = mode, frame_length, frame_step
        self._step = frame_step or frame_length // 2
        self.fft_length = fft_length
        self._bins = (fft_length or 2 ** math.ceil(math.log2(frame_length))) // 2 + 1
        self.window, self.periodic, self.scaling = window, periodic, scaling
        self.padding, self.expand_dims = padding, expand_dims
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any = None) -> None:
        shape = (self.frame_length, 1, self._bins)
        for side, unused in (("real", "imag"), ("imag", "real")):
            if self.mode != unused:
                kernel = initializers.STFT(side, self.window, self.scaling, self.periodic)
                setattr(
                    self, f"{side}_kernel", self.add_weight(shape, kernel, name=f"{side}_kernel")
                )

    def _transform(self, inputs: Any, kernel: Any) -> Any:
        """`(batch, channels, frequencies, windows)`."""
        last = self.data_format == "channels_last"
        channels = inputs.shape[-1 if last else 1]
        x = ops.transpose(inputs, (0, 2, 1)) if last else inputs
        x = ops.reshape(x, (-1, x.shape[-1], 1))
        y = ops.conv(
            x, ops.cast(kernel, x.dtype), self._step, self.padding, data_format="channels_last"
        )
        y = ops.transpose(y, (0, 2, 1))
        return ops.reshape(y, (-1, channels, *y.shape[1:]))

    def _arranged(self, y: Any) -> Any:
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return ops.transpose(y, (0, 3, 2, 1) if last else (0, 1, 3, 2))
        y = ops.reshape(y, (-1, y.shape[1] * y.shape[2], y.shape[3]))
        return ops.transpose(y, (0, 2, 1)) if last else y

    def call(self, inputs: Any) -> Any:
        dtype = ops.dtype(inputs)
        if dtype not in ("float16", "float32", "float64"):
            raise TypeError(
                "Invalid input type. Expected `float16`, `float32` or `float64`. Received: input "
                f"type={dtype}"
            )
        mode = self.mode
        real = None if mode == "imag" else self._transform(inputs, self.real_kernel)
        imaginary = None if mode == "real" else self._transform(inputs, self.imag_kernel)
        if mode == "real" or mode == "imag":
            return self._arranged(real if mode == "real" else imaginary)
        if mode == "angle":
            return self._arranged(ops.arctan2(imaginary, real))
        if mode == "stft":
            return self._arranged(ops.concatenate([real, imaginary], axis=2))
        power = ops.square(real) + ops.square(imaginary)
        if mode == "psd":
            # All frequencies but the first and the last stand for their negative twins too.
            twins = ops.pad(power[:, :, 1:-1, :], [[0, 0], [0, 0], [1, 1], [0, 0]])
            return self._arranged(power + twins)
        magnitude = self._arranged(ops.sqrt(ops.maximum(power, epsilon())))
        return magnitude if mode == "magnitude" else ops.log(ops.maximum(magnitude, epsilon()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        last = self.data_format == "channels_last"
        batch, time, channels = (input_shape[i] for i in ((0, 1, 2) if last else (0, 2, 1)))
        bins = self._bins * (2 if self.mode == "stft" else 1)
        if time is not None:
            covered = time if self.padding == "same" else time - self.frame_length + 1
            time = -(-covered // self._step)
        if self.expand_dims:
            return (batch, time, bins, channels) if last else (batch, channels, time, bins)
        return (batch, time, bins * channels) if last else (batch, bins * channels, time)

    def get_config(self) -> dict[str, Any]:
        names = (
            "mode", "frame_length", "frame_step", "fft_length", "window", "periodic", "scaling",
            "padding", "data_format", "expand_dims",
        )  # fmt: skip
        return {**super().get_config(), **{n: getattr(self, n) for n in names}}
