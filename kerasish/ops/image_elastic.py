"""Images distorted by smooth random displacements."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ..random import draw_seed
from .image_maps import back, batched, order_of, sample
from .symbolic import symbolic

__all__ = ["elastic_transform"]

_o = core.ops
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


@symbolic
def elastic_transform(
    images: Any, alpha: Any = 20.0, sigma: Any = 5.0, interpolation: str = "bilinear",
    fill_mode: str = "reflect", fill_value: Any = 0.0, seed: Any = None, data_format: Any = None,
) -> Any:  # fmt: skip
    """Images whose pixels come from places displaced by smoothed noise.

    The pixel (x, y) is that of the input at `(x + alpha d, y + alpha d)`; d is normal noise with
    standard deviation `sigma`, smoothed by a Gaussian bell of width `sigma`. As in Keras one draw
    serves both directions.

    Args:
        images: One image or a batch.
        alpha: How far pixels move.
        sigma: How smooth the displacements are, in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode, fill_value: See `map_coordinates`.
        seed: An int, a `SeedGenerator`, or None.
        data_format: "channels_last" or "channels_first"; the configured one by default.

    Raises:
        ValueError: A wrong rank, interpolation or fill mode, or images of integers.

    Source: Simard et al. (2003), Best practices for convolutional neural networks.
    """
    order = order_of(interpolation)
    if fill_mode not in _FILL_MODES:
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Expected of one {set(_FILL_MODES)}. "
            f"Received: fill_mode={fill_mode}"
        )
    x, single, first = batched(images, data_format)
    if not core.dtypes.is_float(x.dtype):
        raise ValueError(
            f"`elastic_transform` takes images of floats. Received: {x.spec}. Cast them first."
        )
    batch, height, width, _ = x.shape
    noise = _o.random.normal(draw_seed(seed), (batch, height, width), 0.0, 1.0, x.dtype)
    moved = _smoothed(noise * _o.cast(sigma, x.dtype), float(sigma)) * _o.cast(alpha, x.dtype)
    rows = core.constant(np.arange(height, dtype="float32").reshape(1, height, 1)) + moved
    columns = core.constant(np.arange(width, dtype="float32").reshape(1, 1, width)) + moved
    return back(sample(x, rows, columns, order, fill_mode, fill_value), single, first)


def _smoothed(field: Any, sigma: float) -> Any:
    """`(batch, height, width)` blurred along one axis after the other, zeros being outside."""
    size = int(6 * sigma) | 1
    bell = np.exp(-0.5 * np.square((np.arange(size) - size // 2) / sigma))
    bell = core.constant((bell / bell.sum()).astype(field.dtype))
    y = _o.expand_dims(field, -1)
    for shape in ((size, 1, 1, 1), (1, size, 1, 1)):
        y = _o.conv(y, _o.reshape(bell, shape), 1, "same", "channels_last", 1)
    return y[..., 0]
