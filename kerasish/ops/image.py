"""The functions of `keras.ops.image`: images are `(height, width, channels)` or batches of them,
or channels first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from ..config import standardize_data_format
from .image_elastic import elastic_transform
from .image_maps import affine_transform, map_coordinates, perspective_transform
from .symbolic import symbolic

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches",
    "extract_patches_3d", "gaussian_blur", "hsv_to_rgb", "map_coordinates", "pad_images",
    "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate",
    "sobel_edges", "ssim",
]  # fmt: skip

_o = core.ops


def _checked(images: Any, data_format: Any) -> tuple[Any, bool]:
    """The images as a tensor, and whether channels come first.

    Raises:
        ValueError: They have neither three nor four axes.
    """
    images = core.convert(images)
    if images.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). "
            f"Received input with shape: images.shape={images.shape}"
        )
    return images, standardize_data_format(data_format) == "channels_first"


def _space(images: Any, first: bool) -> tuple[int, int]:
    """The axes of height and width."""
    return (images.ndim - 2, images.ndim - 1) if first else (images.ndim - 3, images.ndim - 2)


# -- size


def _lanczos(x: Any, radius: float) -> Any:
    turned = math.pi * x
    safe = _o.where(_o.equal(x, 0), 1.0, turned)
    value = radius * _o.sin(safe) * _o.sin(safe / radius) / _o.square(safe)
    return _o.where(x > radius, 0.0, _o.where(_o.equal(x, 0), 1.0, value))


def _cubic(x: Any) -> Any:
    """Keys' kernel with a = -1/2."""
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return _o.where(x >= 2.0, 0.0, _o.where(x >= 1.0, far, near))


_KERNELS: dict[str, Any] = {
    "linear": lambda x: _o.maximum(1.0 - x, 0.0),
    "cubic": _cubic,
    "lanczos3": lambda x: _lanczos(x, 3.0),
    "lanczos5": lambda x: _lanczos(x, 5.0),
}
_METHODS = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "cubic": "cubic",
            "bicubic": "cubic", "tricubic": "cubic", "lanczos3": "lanczos3",
            "lanczos5": "lanczos5"}  # fmt: skip


def _weights(have: int, wanted: int, scale: Any, shift: Any, method: str, antialias: bool) -> Any:
    """`(wanted, have)`: how much each new sample takes of each old one.

    Samples stand at half-integer places; a new one at p is an old one at `(p - shift) / scale`.
    """
    step = 1.0 / scale
    at = (_o.arange(wanted, dtype="float32") + 0.5) * step - shift * step - 0.5
    width = _o.maximum(step, 1.0) if antialias else 1.0
    distance = _o.absolute(_o.expand_dims(at, 1) - _o.arange(have, dtype="float32")) / width
    weights = _KERNELS[_METHODS[method]](distance)
    total = _o.sum(weights, 1, True)
    full = _o.absolute(total) > 1000.0 * float(np.finfo("float32").eps)
    weights = _o.where(full, weights / _o.where(full, total, 1.0), 0.0)
    inside = _o.logical_and(at >= -0.5, at <= have - 0.5)
    return _o.where(_o.expand_dims(inside, 1), weights, 0.0)


def _along(weights: Any, x: Any, axis: int) -> Any:
    """The matrix applied along an axis."""
    return _o.moveaxis(_o.tensordot(_o.cast(weights, x.dtype), x, ((1,), (axis,))), 0, axis)


@symbolic
def scale_and_translate(
    images: Any, output_shape: Any, scale: Any, translation: Any, spatial_dims: Any, method: str,
    antialias: bool = True,
) -> Any:  # fmt: skip
    """Images scaled, then moved, sampled at the points of a new grid.

    Args:
        images: Any number of axes.
        output_shape: Of the result.
        scale, translation: One for each of `spatial_dims`.
        spatial_dims: The axes that change.
        method: "linear", "bilinear", "trilinear", "cubic", "bicubic", "tricubic", "lanczos3" or
            "lanczos5".
        antialias: Whether the kernel widens when an axis shrinks.
    """
    if method not in _METHODS:
        raise ValueError(
            f"Invalid value for argument `method`. Expected of one {set(_METHODS)}. "
            f"Received: method={method}"
        )
    x, scale, translation = (core.convert(v) for v in (images, scale, translation))
    x = _as_float(x)
    for i, axis in enumerate(spatial_dims):
        have, wanted = x.shape[axis], output_shape[axis]
        x = _along(_weights(have, wanted, scale[i], translation[i], method, antialias), x, axis)
    return x


_INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


@symbolic
def resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant", fill_value: float = 0.0, data_format: Any = None,
) -> Any:  # fmt: skip
    """Images in another size.

    Args:
        images: One image or a batch.
        size: Height and width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether the kernel widens when an axis shrinks.
        crop_to_aspect_ratio: Whether to cut what does not fit the new ratio, not to distort.
        pad_to_aspect_ratio: Whether to fill up to the new ratio, not to distort.
        fill_mode: "constant".
        fill_value: What to fill with.
        data_format: "channels_last" or "channels_first"; the configured one by default.

    Raises:
        ValueError: An argument is none of these.
    """
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers. Received: size={size}")
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"Invalid value for argument `interpolation`. Expected of one {_INTERPOLATIONS}. "
            f"Received: interpolation={interpolation}"
        )
    if fill_mode != "constant":
        raise ValueError(
            "Invalid value for argument `fill_mode`. Only `'constant'` is supported. Received: "
            f"fill_mode={fill_mode}"
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
        )
    x, first = _checked(images, data_format)
    axes, wanted = _space(x, first), tuple(int(n) for n in size)
    dtype = x.dtype
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        x = _to_ratio(x, axes, wanted, crop_to_aspect_ratio, fill_value)
    if interpolation == "nearest":
        for axis, n in zip(axes, wanted, strict=True):
            have = x.shape[axis]
            places = np.floor((np.arange(n) + 0.5) * (have / n)).astype("int32")
            x = _o.take(x, places, axis)
        return x
    if not core.dtypes.is_float(dtype):
        x = _o.cast(x, "float32")
    for axis, n in zip(axes, wanted, strict=True):
        have = x.shape[axis]
        if have != n:
            scale = n / have
            x = _along(_weights(have, n, scale, 0.0, interpolation, antialias), x, axis)
    return x if x.dtype == dtype else _rounded(x, dtype)


def _rounded(x: Any, dtype: Any) -> Any:
    limits = core.dtypes.limits(dtype)
    return _o.cast(_o.clip(_o.round(x), float(limits.min), float(limits.max)), dtype)


def _to_ratio(x: Any, axes: Any, wanted: Any, crop: bool, fill: float) -> Any:
    have = [x.shape[a] for a in axes]
    fitting = (int(float(have[1] * wanted[0]) / wanted[1]),
               int(float(have[0] * wanted[1]) / wanted[0]))  # fmt: skip
    if crop:
        key: list[Any] = [slice(None)] * x.ndim
        for axis, n, m in zip(axes, have, fitting, strict=True):
            m = min(n, m)
            start = int(float(n - m) / 2)
            key[axis] = slice(start, start + m)
        return x[tuple(key)]
    widths = [(0, 0)] * x.ndim
    for axis, n, m in zip(axes, have, fitting, strict=True):
        # The same on both sides: of an odd rest one row is not added, as in Keras.
        half = int(float(max(n, m) - n) / 2)
        widths[axis] = (half, half)
    return _o.pad(x, widths, constant_values=fill)


def _borders(before: Any, after: Any, total: Any, names: Any, given: Any) -> Any:
    if (before is None) + (after is None) + (total is None) != 1:
        shown = ", ".join(f"{n}={v}" for n, v in zip(names, given, strict=True))
        raise ValueError(f"Must specify exactly two of {', '.join(names)}. Received: {shown}")


@symbolic
def pad_images(
    images: Any, top_padding: Any = None, left_padding: Any = None, bottom_padding: Any = None,
    right_padding: Any = None, target_height: Any = None, target_width: Any = None,
    data_format: Any = None,
) -> Any:  # fmt: skip
    """Zeros around images: exactly two of top, bottom and height, and two of left, right, width."""
    x, first = _checked(images, data_format)
    widths = [(0, 0)] * x.ndim
    for axis, (a, b, n), names in zip(
        _space(x, first),
        ((top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width)),
        (("top_padding", "bottom_padding", "target_height"),
         ("left_padding", "right_padding", "target_width")),
        strict=True,
    ):  # fmt: skip
        _borders(a, b, n, names, (a, b, n))
        have = x.shape[axis]
        if a is None:
            a = n - have - b
        if b is None:
            b = n - have - a
        if a < 0 or b < 0:
            raise core.ShapeError(f"{names[0]} and {names[1]} must be >= 0. Received: {a} and {b}")
        widths[axis] = (a, b)
    return _o.pad(x, widths)


@symbolic
def crop_images(
    images: Any, top_cropping: Any = None, left_cropping: Any = None, bottom_cropping: Any = None,
    right_cropping: Any = None, target_height: Any = None, target_width: Any = None,
    data_format: Any = None,
) -> Any:  # fmt: skip
    """A part of images: exactly two of top, bottom and height, and two of left, right, width."""
    x, first = _checked(images, data_format)
    key: list[Any] = [slice(None)] * x.ndim
    for axis, (a, b, n), names in zip(
        _space(x, first),
        ((top_cropping, bottom_cropping, target_height),
         (left_cropping, right_cropping, target_width)),
        (("top_cropping", "bottom_cropping", "target_height"),
         ("left_cropping", "right_cropping", "target_width")),
        strict=True,
    ):  # fmt: skip
        _borders(a, b, n, names, (a, b, n))
        have = x.shape[axis]
        if a is None:
            a = have - n - b
        if n is None:
            n = have - a - b
        if a < 0 or n <= 0 or a + n > have:
            raise core.ShapeError(
                f"{names[0]} must be >= 0 and leave {names[2]} > 0 within the image. Received: "
                f"{names[0]}={a}, {names[2]}={n}, image size {have}"
            )
        key[axis] = slice(a, a + n)
    return x[tuple(key)]


# -- colour


def _channels(images: Any, data_format: Any, needs_float: bool) -> tuple[Any, int]:
    x, first = _checked(images, data_format)
    axis = x.ndim - 3 if first else x.ndim - 1
    if x.shape[axis] != 3:
        raise ValueError(
            f"Invalid channel size: expected 3 (RGB). Received input with shape: "
            f"images.shape={x.shape}"
        )
    if needs_float and not core.dtypes.is_float(x.dtype):
        raise ValueError(
            f"Invalid images dtype: expected float dtype. Received: images.dtype={x.dtype.name}"
        )
    return x, axis


@symbolic
def rgb_to_grayscale(images: Any, data_format: Any = None) -> Any:
    """`0.2989 r + 0.587 g + 0.114 b` (ITU-R BT.601), one channel; images of one stay."""
    x, first = _checked(images, data_format)
    if x.shape[x.ndim - 3 if first else x.ndim - 1] == 1:
        return x
    x, axis = _channels(images, data_format, False)
    shape = [1] * x.ndim
    shape[axis] = 3
    weights = np.array([0.2989, 0.5870, 0.1140], "float32").reshape(shape)
    wide = x if core.dtypes.is_float(x.dtype) else _o.cast(x, "float32")
    return _o.cast(_o.sum(wide * weights.astype(wide.dtype), axis, True), x.dtype)


@symbolic
def rgb_to_hsv(images: Any, data_format: Any = None) -> Any:
    """Hue, saturation and value of red, green and blue, all between 0 and 1."""
    x, axis = _channels(images, data_format, True)
    r, g, b = _o.unstack(x, 3, axis)
    value = _o.max(x, axis)
    spread = value - _o.min(x, axis)
    some = spread > 0
    safe = _o.where(some, spread, 1.0)
    saturation = _o.where(value > 0, spread / _o.where(value > 0, value, 1.0), 0.0)
    hue = _o.where(
        _o.equal(r, value),
        (g - b) / safe,
        _o.where(_o.equal(g, value), (b - r) / safe + 2.0, (r - g) / safe + 4.0),
    )
    hue = _o.where(some, hue / 6.0, 0.0)
    hue = _o.where(hue < 0, hue + 1.0, hue)
    return _o.cast(_o.stack([hue, saturation, value], axis), x.dtype)


@symbolic
def hsv_to_rgb(images: Any, data_format: Any = None) -> Any:
    """Red, green and blue of hue, saturation and value, all between 0 and 1."""
    x, axis = _channels(images, data_format, True)
    hue, saturation, value = _o.unstack(x, 3, axis)
    sixths = hue * 6.0
    parts = (
        _o.clip(_o.absolute(sixths - 3.0) - 1.0, 0.0, 1.0),
        _o.clip(2.0 - _o.absolute(sixths - 2.0), 0.0, 1.0),
        _o.clip(2.0 - _o.absolute(sixths - 4.0), 0.0, 1.0),
    )
    found = [((part - 1.0) * saturation + 1.0) * value for part in parts]
    return _o.cast(_o.stack(found, axis), x.dtype)


# -- windows


def _patches(x: Any, size: Any, strides: Any, dilation: Any, padding: str, first: bool) -> Any:
    if padding not in ("valid", "same"):
        raise ValueError(f"`padding` must be either 'valid' or 'same'. Received {padding}.")
    rank = len(size)
    start = x.ndim - rank if first else x.ndim - rank - 1
    axes = range(start, start + rank)
    counts, widths = [], [(0, 0)] * x.ndim
    for axis, k, s, d in zip(axes, size, strides, dilation, strict=True):
        n, reach = x.shape[axis], (k - 1) * d + 1
        if padding == "same":
            counts.append(-(-n // s))
            extra = max((counts[-1] - 1) * s + reach - n, 0)
            widths[axis] = (extra // 2, extra - extra // 2)
        else:
            counts.append((n - reach) // s + 1)
    x = _o.pad(x, widths) if any(w != (0, 0) for w in widths) else x
    found = []
    for place in np.ndindex(*size):
        key: list[Any] = [slice(None)] * x.ndim
        for axis, i, s, d, n in zip(axes, place, strides, dilation, counts, strict=True):
            key[axis] = slice(i * d, i * d + (n - 1) * s + 1, s)
        found.append(x[tuple(key)])
    return _o.concatenate(found, start - 1 if first else -1)


def _numbers(value: Any, rank: int, name: str) -> tuple[int, ...]:
    found = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(found) != rank:
        raise ValueError(f"Invalid `{name}` argument: expected {rank} integers. Received: {value}")
    return found


@symbolic
def extract_patches(
    images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: Any = None,
) -> Any:  # fmt: skip
    """The pixels of each window as channels, row by row.

    Args:
        images: One image or a batch.
        size: Of a window.
        strides: From one window to the next; its size by default.
        dilation_rate: From one pixel of a window to the next.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; the configured one by default.
    """
    x, first = _checked(images, data_format)
    size = _numbers(size, 2, "size")
    strides = size if strides is None else _numbers(strides, 2, "strides")
    dilation = _numbers(dilation_rate, 2, "dilation_rate")
    return _patches(x, size, strides, dilation, padding.lower(), first)


@symbolic
def extract_patches_3d(
    volumes: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: Any = None,
) -> Any:  # fmt: skip
    """As `extract_patches`, of volumes."""
    if not isinstance(size, int) and len(size) != 3:
        raise TypeError(f"Invalid `size` argument. Expected 1 or 3 integers. Received: size={size}")
    x = core.convert(volumes)
    if x.ndim not in (4, 5):
        raise ValueError(
            "Invalid volumes rank: expected rank 4 or 5. Received input with shape: "
            f"volumes.shape={x.shape}"
        )
    first = standardize_data_format(data_format) == "channels_first"
    size = _numbers(size, 3, "size")
    strides = size if strides is None else _numbers(strides, 3, "strides")
    dilation = _numbers(dilation_rate, 3, "dilation_rate")
    return _patches(x, size, strides, dilation, padding.lower(), first)


def _as_float(x: Any) -> Any:
    return x if core.dtypes.is_float(x.dtype) else _o.cast(x, core.dtypes.default_float())


def _filtered(x: Any, kernel: Any, first: bool, padding: str) -> Any:
    """Each channel of `(batch, ...)` images convolved with the same kernel `(rows, columns, k)`."""
    x = _as_float(x)
    channels = x.shape[1 if first else -1]
    rows, columns, count = kernel.shape
    spread = _o.broadcast_to(_o.reshape(kernel, (rows, columns, 1, count)),
                             (rows, columns, channels, count))  # fmt: skip
    layout = "channels_first" if first else "channels_last"
    return _o.depthwise_conv(x, _o.cast(spread, x.dtype), 1, padding, layout, 1)


def _bell(size: int, sigma: Any) -> Any:
    places = core.constant((np.arange(size) - (size - 1) / 2).astype("float32"))
    found = _o.exp(_o.square(places / sigma) * -0.5)
    return found / _o.sum(found)


@symbolic
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: Any = None
) -> Any:
    """Images smoothed by a Gaussian bell; outside of them are zeros."""
    x, first = _checked(images, data_format)
    single = x.ndim == 3
    batch = _o.expand_dims(x, 0) if single else x
    rows, columns = (_bell(n, s) for n, s in zip(kernel_size, sigma, strict=True))
    kernel = _o.expand_dims(_o.expand_dims(rows, 1) * columns, -1)
    y = _filtered(batch, kernel, first, "same")
    return y[0] if single else y


@symbolic
def sobel_edges(images: Any, data_format: Any = None) -> Any:
    """Slopes down and to the right of each pixel, as a new last axis."""
    x, first = _checked(images, data_format)
    single = x.ndim == 3
    batch = _o.expand_dims(x, 0) if single else x
    axes = _space(batch, first)
    widths = [(1, 1) if i in axes else (0, 0) for i in range(4)]
    batch = _o.pad(batch, widths, "symmetric")
    down = np.outer([-1, 0, 1], [1, 2, 1])
    kernel = core.constant(np.stack([down, down.T], -1).astype("float32"))
    y = _filtered(batch, kernel, first, "valid")
    channels = batch.shape[1 if first else -1]
    if first:
        y = _o.moveaxis(_o.reshape(y, (y.shape[0], channels, 2, *y.shape[2:])), 2, -1)
    else:
        y = _o.reshape(y, (*y.shape[:-1], channels, 2))
    return y[0] if single else y


@symbolic
def ssim(
    image1: Any, image2: Any, max_val: float = 1.0, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03, data_format: Any = None,
) -> Any:  # fmt: skip
    """Structural similarity, 1 for equal images: the mean over windows and channels.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural
    similarity", 2004.
    """
    (x, first), (y, _) = (_checked(v, data_format) for v in (image1, image2))
    single = x.ndim == 3
    x, y = (_o.expand_dims(v, 0) if single else v for v in (x, y))
    bell = _bell(filter_size, filter_sigma)
    kernel = _o.expand_dims(_o.expand_dims(bell, 1) * bell, -1)

    def smooth(v: Any) -> Any:
        return _filtered(v, kernel, first, "valid")

    mean_x, mean_y = smooth(x), smooth(y)
    both = _o.square(mean_x) + _o.square(mean_y)
    covariance = smooth(x * y) - mean_x * mean_y
    variances = smooth(_o.square(x) + _o.square(y)) - both
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    found = (2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2)
    found = found / ((both + c1) * (variances + c2))
    result = _o.mean(found, (1, 2, 3))
    return result[0] if single else result
