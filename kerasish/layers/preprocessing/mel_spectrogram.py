"""Sound as energies on the mel scale over time."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from ...serialization import builtin
from .data_layer import DataLayer

__all__ = ["MelSpectrogram"]


@builtin("keras.layers")
class MelSpectrogram(DataLayer):
    """Short-time Fourier transforms, summed in triangular bands of equal width in mel, in decibels.

    Args:
        fft_length: Samples of each transform.
        sequence_stride: Samples from one transform to the next.
        sequence_length: Samples of the window; `fft_length` by default.
        window: "hann", "hamming", None or an array of `sequence_length` factors.
        sampling_rate: Samples per second.
        num_mel_bins: Number of bands.
        min_freq, max_freq: Edges of the bands in Hz; half of `sampling_rate` by default.
        power_to_db: Whether the result is in decibels.
        top_db: How far below the loudest one values are cut off.
        mag_exp: Exponent of the magnitude: 2 for power.
        min_power: Smallest power that is told from 0.
        ref_power: The power of 0 dB.

    Call takes `(time,)` or `(batch, time)` and gives `(..., num_mel_bins, windows)`.

    Raises:
        ValueError: The window is longer than the transform.

    Source: https://keras.io/api/layers/preprocessing_layers/audio_preprocessing/mel_spectrogram/
    """

    def __init__(
        self, fft_length: int = 2048, sequence_stride: int = 512,
        sequence_length: int | None = None, window: Any = "hann", sampling_rate: int = 16000,
        num_mel_bins: int = 128, min_freq: float = 20.0, max_freq: float | None = None,
        power_to_db: bool = True, top_db: float = 80.0, mag_exp: float = 2.0,
        min_power: float = 1e-10, ref_power: float = 1.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.fft_length, self.sequence_stride = fft_length, sequence_stride
        self.sequence_length = sequence_length or fft_length
        if fft_length < self.sequence_length:
            raise ValueError(
                "`fft_length` must be greater than or equal to  `sequence_length`. Received: "
                f"`sequence_length`={self.sequence_length}, `fft_length`={fft_length}."
            )
        self.window, self.sampling_rate, self.num_mel_bins = window, sampling_rate, num_mel_bins
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def call(self, inputs: Any) -> Any:
        compute = self.compute_dtype
        x = ops.cast(
            ops.convert_to_tensor(inputs),
            compute if compute in ("float32", "float64") else "float32",
        )
        real, imaginary = ops.stft(
            x, self.sequence_length, self.sequence_stride, self.fft_length, self.window, True
        )
        power = ops.power(ops.sqrt(ops.square(real) + ops.square(imaginary)), self.mag_exp)
        matrix = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, power.shape[-1], self.sampling_rate, self.min_freq, self.max_freq
        )
        found = ops.matmul(power, ops.cast(matrix, power.dtype))
        if self.power_to_db:
            found = self._decibels(found)
        return ops.cast(ops.swapaxes(found, -1, -2), compute)

    def _decibels(self, power: Any) -> Any:
        reference = 10.0 * np.log10(max(abs(self.ref_power), self.min_power))
        level = 10.0 * ops.log10(ops.maximum(power, self.min_power)) - float(reference)
        return ops.maximum(level, ops.max(level) - self.top_db)

    def linear_to_mel_weight_matrix(
        self, num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0,
        dtype: Any = "float32",
    ) -> Any:  # fmt: skip
        """The weight of each frequency in each band.

        Bands are triangles of height 1 on the mel scale, `1127 ln(1 + f / 700)`, each from the
        centre of the one before to that of the next. The constant part, f = 0, is in none.

        Args:
            num_mel_bins: Number of bands.
            num_spectrogram_bins: Number of frequencies, from 0 to half of `sampling_rate`.
            sampling_rate: Samples per second.
            lower_edge_hertz, upper_edge_hertz: Where the first band begins and the last one ends.
            dtype: Of the result.

        Returns:
            `(num_spectrogram_bins, num_mel_bins)`.

        Source: Young et al., "The HTK Book" (3.4), section 5.4.
        """
        kind = core.dtypes.as_dtype(dtype)
        frequencies = np.linspace(0.0, sampling_rate / 2.0, num_spectrogram_bins)[1:, None]
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        low, middle, high = edges[:-2], edges[1:-1], edges[2:]
        rising = (_mel(frequencies) - low) / (middle - low)
        falling = (high - _mel(frequencies)) / (high - middle)
        weights = np.maximum(0.0, np.minimum(rising, falling))
        return core.constant(np.pad(weights, ((1, 0), (0, 0))).astype(kind))

    def compute_output_shape(self, input_shape: Any) -> Any:
        time, stride = input_shape[-1], self.sequence_stride
        windows = None if time is None else (time + stride + 1) // stride
        return (*tuple(input_shape)[:-1], self.num_mel_bins, windows)

    def get_config(self) -> dict[str, Any]:
        names = (
            "fft_length", "sequence_stride", "sequence_length", "window", "sampling_rate",
            "num_mel_bins", "min_freq", "max_freq", "power_to_db", "top_db", "mag_exp",
            "min_power", "ref_power",
        )  # fmt: skip
        return {**super().get_config(), **{n: getattr(self, n) for n in names}}


def _mel(frequency: Any) -> Any:
    """Hertz in mel."""
    return 1127.0 * np.log(1.0 + frequency / 700.0)
