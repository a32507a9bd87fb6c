"""`tf.image`: brightness, contrast, colors."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from .image import convert_image_dtype
from .values import dtype_of

__all__ = ["adjust_brightness", "adjust_contrast", "rgb_to_grayscale"]

_o = core.ops


def _in_floats(image: Any, change: Any) -> Any:
    """A change made in floats from 0 to 1, and the result in the dtype of the picture."""
    x = core.convert(image)
    if core.dtypes.is_float(x.dtype):
        return change(x)
    return convert_image_dtype(
        change(convert_image_dtype(x, "float32")), dtype_of(x), saturate=True
    )


def adjust_brightness(image: Any, delta: Any) -> Any:
    """`image + delta`, of values from 0 to 1."""
    return _in_floats(image, lambda x: x + delta)


def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """`(x - mean) * factor + mean`, with the mean of each channel."""

    def change(x: Any) -> Any:
        mean = _o.mean(x, (-3, -2), keepdims=True)
        return (x - mean) * contrast_factor + mean

    return _in_floats(images, change)


def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Any:
    """`gain * x ** gamma`, of values from 0 to 1."""
    return _in_floats(image, lambda x: gain * x**gamma)


def _hsv(image: Any, change: Any) -> Any:
    def changed(x: Any) -> Any:
        hue, saturation, value = (rgb_to_hsv(x)[..., i] for i in range(3))
        return hsv_to_rgb(_o.stack([*change(hue, saturation), value], -1))

    return _in_floats(image, changed)


def adjust_hue(image: Any, delta: Any) -> Any:
    """The hue turned: by a whole turn for 1."""
    return _hsv(image, lambda h, s: (_o.mod(h + delta, 1.0), s))


def adjust_saturation(image: Any, saturation_factor: Any) -> Any:
    """The saturation times a factor, at most 1."""
    return _hsv(image, lambda h, s: (h, _o.clip(s * saturation_factor, 0.0, 1.0)))


def rgb_to_hsv(images: Any) -> Any:
    """Hue, saturation and value, from 0 to 1."""
    return ops.image.rgb_to_hsv(images, data_format="channels_last")


def hsv_to_rgb(images: Any) -> Any:
    """Red, green and blue, from 0 to 1."""
    return ops.image.hsv_to_rgb(images, data_format="channels_last")


def rgb_to_grayscale(images: Any) -> Any:
    """`0.2989 red + 0.587 green + 0.114 blue`, one channel."""
    weights = core.constant(np.array([[0.2989], [0.587], [0.114]], "float32"))
    x = core.convert(images)
    gray = _o.matmul(convert_image_dtype(x, "float32"), weights)
    return convert_image_dtype(gray, dtype_of(x))


def grayscale_to_rgb(images: Any) -> Any:
    """The one channel three times."""
    return _o.repeat(core.convert(images), 3, -1)


_YUV = np.array(
    [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512],
     [0.114, 0.43601035, -0.10001026]]
)  # fmt: skip
_YIQ = np.array(
    [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617],
     [0.114, -0.32134392, 0.31119955]]
)  # fmt: skip


_FROM_YIQ = np.array(
    [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
)


def _linear(name: str, matrix: Any) -> Any:
    def convert(images: Any) -> Any:
        x = core.convert(images)
        return _o.matmul(x, core.constant(matrix.astype(x.dtype)))

    convert.__name__, convert.__doc__ = name, f"`{name}`: a linear map of the three channels."
    return convert


rgb_to_yuv, yuv_to_rgb = _linear("rgb_to_yuv", _YUV), _linear("yuv_to_rgb", np.linalg.inv(_YUV))
rgb_to_yiq, yiq_to_rgb = _linear("rgb_to_yiq", _YIQ), _linear("yiq_to_rgb", _FROM_YIQ)


def per_image_standardization(image: Any) -> Any:
    """`(x - mean) / max(std, 1 / sqrt(n))` of each picture of `n` values."""
    x = core.convert(image)
    x = x if core.dtypes.is_float(x.dtype) else _o.cast(x, "float32")
    axes = (-3, -2, -1)
    count = float(np.prod(x.shape[-3:]))
    spread = _o.maximum(_o.std(x, axes, keepdims=True), count**-0.5)
    return (x - _o.mean(x, axes, keepdims=True)) / spread
