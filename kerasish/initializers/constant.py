"""Initializers without randomness."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..settings import floatx
from .base import Initializer

__all__ = ["STFT", "Constant", "Identity", "Ones", "Zeros"]


def _shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, int) else tuple(int(n) for n in shape)


@builtin("keras.initializers")
class Constant(Initializer):
    """One value everywhere.

    Args:
        value: A number, or an array that broadcasts to the shape.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        value = core.ops.cast(self.value, floatx() if dtype is None else dtype)
        return core.ops.broadcast_to(value, _shape(shape))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constant:
        """The initializer of a config."""
        return cls(deserialize_keras_object(config["value"]))


@builtin("keras.initializers")
class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return core.ops.zeros(_shape(shape), floatx() if dtype is None else dtype)


@builtin("keras.initializers")
class Ones(Initializer):
    """Ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return core.ops.ones(_shape(shape), floatx() if dtype is None else dtype)


@builtin("keras.initializers")
class Identity(Initializer):
    """The identity matrix times `gain`; for matrices only.

    Args:
        gain: Factor.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = _shape(shape)
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        dtype = floatx() if dtype is None else dtype
        return core.ops.cast(self.gain * core.ops.eye(*shape, dtype=dtype), dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        # Keras leaves out the gain (and loses it): the default one must not make a difference.
        return {} if self.gain == 1.0 else {"gain": self.gain}


# Coefficients a of the windows a - (1 - a) cos(2 pi i / n).
_COSINE_WINDOWS = {"hann": 0.5, "hanning": 0.5, "hamming": 0.54}


@builtin("keras.initializers")
class STFT(Initializer):
    """The kernel of a convolution that computes a short-time Fourier transform.

    `w[i] cos(2 pi i k / n)` for the real side, `-w[i] sin(2 pi i k / n)` for the imaginary one, of
    shape `(frame_length, 1, n // 2 + 1)`, where `w` is the window.

    Args:
        side: `"real"` or `"imag"`.
        window: `"hann"`, `"hamming"`, another window of SciPy (which is then needed), an array, or
            None for no window.
        scaling: `"density"` divides by the window's norm, `"spectrum"` by its sum, None by nothing.
        periodic: Whether the window is periodic, not symmetric.

    Raises:
        ValueError: An unknown side, window or scaling.
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                "Scaling is invalid, it must be `None`, 'density' or 'spectrum'. "
                f"Received scaling={scaling}"
            )
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic
        if isinstance(window, str):
            _window(window, periodic, 4)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        frame_length, _, bins = _shape(shape)
        count = 2 * (bins - 1)
        angle = np.outer(np.arange(frame_length), np.arange(bins)) * (2 * math.pi / count)
        kernel = np.cos(angle) if self.side == "real" else -np.sin(angle)
        if self.window is not None:
            window = _window(self.window, self.periodic, frame_length)
            if self.scaling == "density":
                window = window / math.sqrt(float(np.sum(window**2)))
            elif self.scaling == "spectrum":
                window = window / float(np.sum(window))
            kernel = kernel * window[:, None]
        return core.convert(kernel[:, None, :], floatx() if dtype is None else dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "side": self.side,
            "window": serialize_keras_object(self.window),
            "periodic": self.periodic,
            "scaling": self.scaling,
        }


def _window(window: Any, periodic: bool, length: int) -> Any:
    if not isinstance(window, str):
        return np.asarray(window, "float64")
    a = _COSINE_WINDOWS.get(window)
    if a is not None:
        steps = length if periodic else length - 1
        return a - (1 - a) * np.cos(2 * math.pi * np.arange(length) / max(steps, 1))
    try:
        from scipy.signal import get_window
    except ImportError:
        raise ValueError(
            f"The window {window!r} needs SciPy, which is not installed. "
            f"Without it there are {sorted(_COSINE_WINDOWS)}."
        ) from None
    return get_window(window, length, fftbins=periodic)
