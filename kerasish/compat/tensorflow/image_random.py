"""`tf.image.random_*` and `tf.image.stateless_random_*`."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import random as draws
from . import image_color as color
from .image import flip_left_right, flip_up_down
from .random import _Given, _stream

__all__ = ["random_brightness", "random_crop", "random_flip_left_right"]

_o = core.ops


def _between(low: Any, high: Any, seed: Any) -> Any:
    return draws.uniform((), float(low), float(high), "float32", seed)


def _checked(name: str, lower: Any, upper: Any) -> None:
    if not 0 <= lower < upper:
        raise ValueError(f"{name}: lower={lower} and upper={upper} must be 0 <= lower < upper.")


def _brightness(image: Any, max_delta: Any, seed: Any) -> Any:
    if max_delta < 0:
        raise ValueError(f"random_brightness: max_delta is {max_delta}; it must not be negative.")
    return color.adjust_brightness(image, _between(-max_delta, max_delta, seed))


def _contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Any:
    _checked("random_contrast", lower, upper)
    return color.adjust_contrast(image, _between(lower, upper, seed))


def _saturation(image: Any, lower: Any, upper: Any, seed: Any) -> Any:
    _checked("random_saturation", lower, upper)
    return color.adjust_saturation(image, _between(lower, upper, seed))


def _hue(image: Any, max_delta: Any, seed: Any) -> Any:
    if not 0 <= max_delta <= 0.5:
        raise ValueError(f"random_hue: max_delta is {max_delta}; it must be from 0 to 0.5.")
    return color.adjust_hue(image, _between(-max_delta, max_delta, seed))


def _flipped(image: Any, flip: Any, seed: Any) -> Any:
    x = core.convert(image)
    shape = (x.shape[0], 1, 1, 1) if x.ndim == 4 else ()
    turned = _o.less(draws.uniform(shape, 0.0, 1.0, "float32", seed), 0.5)
    return _o.where(turned, flip(x), x)


def _crop(value: Any, size: Any, seed: Any) -> Any:
    x = core.convert(value)
    sizes = tuple(int(n) for n in np.asarray(size))
    if len(sizes) != x.ndim or any(n > have for n, have in zip(sizes, x.shape)):
        raise ValueError(f"random_crop: a block of {sizes} is not in a value of {x.shape}.")
    most = np.array([have - n + 1 for n, have in zip(sizes, x.shape)], "float32")
    share = draws.uniform((x.ndim,), 0.0, 1.0, "float32", seed)
    start = _o.minimum(_o.cast(share * most, "int32"), (most - 1).astype("int32"))
    return _o.slice_at(x, start, sizes)


def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Any:
    """Brighter or darker by up to `max_delta`."""
    return _brightness(image, max_delta, _stream(seed))


def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Any:
    """Contrast times a factor between two numbers."""
    return _contrast(image, lower, upper, _stream(seed))


def random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Any:
    """Saturation times a factor between two numbers."""
    return _saturation(image, lower, upper, _stream(seed))


def random_hue(image: Any, max_delta: Any, seed: Any = None) -> Any:
    """Hue turned by up to `max_delta`."""
    return _hue(image, max_delta, _stream(seed))


def random_flip_left_right(image: Any, seed: Any = None) -> Any:
    """Left and right exchanged in half of the pictures."""
    return _flipped(image, flip_left_right, _stream(seed))


def random_flip_up_down(image: Any, seed: Any = None) -> Any:
    """Top and bottom exchanged in half of the pictures."""
    return _flipped(image, flip_up_down, _stream(seed))


def random_crop(value: Any, size: Any, seed: Any = None) -> Any:
    """A block of this size from anywhere."""
    return _crop(value, size, _stream(seed))


def stateless_random_brightness(image: Any, max_delta: Any, seed: Any) -> Any:
    """`random_brightness`, the same for the same seed."""
    return _brightness(image, max_delta, _Given(seed))


def stateless_random_contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Any:
    """`random_contrast`, the same for the same seed."""
    return _contrast(image, lower, upper, _Given(seed))


def stateless_random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Any:
    """`random_saturation`, the same for the same seed."""
    return _saturation(image, lower, upper, _Given(seed))


def stateless_random_hue(image: Any, max_delta: Any, seed: Any) -> Any:
    """`random_hue`, the same for the same seed."""
    return _hue(image, max_delta, _Given(seed))


def stateless_random_flip_left_right(image: Any, seed: Any) -> Any:
    """`random_flip_left_right`, the same for the same seed."""
    return _flipped(image, flip_left_right, _Given(seed))


def stateless_random_flip_up_down(image: Any, seed: Any) -> Any:
    """`random_flip_up_down`, the same for the same seed."""
    return _flipped(image, flip_up_down, _Given(seed))


def stateless_random_crop(value: Any, size: Any, seed: Any) -> Any:
    """`random_crop`, the same for the same seed."""
    return _crop(value, size, _Given(seed))
