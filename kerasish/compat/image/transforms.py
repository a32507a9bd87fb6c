"""Transforms of one image: affine maps, channel shifts, brightness, flips.

An image is an array of rank 3, channels first by default, as these functions had it. Random
amounts come from NumPy's global generator, in Keras's order, so that `np.random.seed` gives the
same pictures.
"""

# ruff: noqa: NPY002  (scripts seed NumPy's global generator)

from __future__ import annotations

from typing import Any

import numpy as np

from ...utils.images import array_to_img, img_to_array, pillow
from .resampling import MODES, resample

__all__ = [
    "apply_affine_transform", "apply_brightness_shift", "apply_channel_shift", "apply_transform",
    "flip_axis",
    "random_brightness", "random_channel_shift", "random_rotation", "random_shear", "random_shift",
    "random_zoom", "transform_matrix_offset_center",
]  # fmt: skip


def _ndimage() -> Any:
    try:
        from scipy import ndimage
    except ImportError:
        raise ImportError(
            "Transforms of images by splines (interpolation_order above 1) require SciPy: "
            "pip install 'kerasish[augment]'"
        ) from None
    return ndimage


def transform_matrix_offset_center(matrix: Any, x: Any, y: Any) -> Any:
    """An affine map around the middle of an image instead of its corner.

    Args:
        matrix: `(3, 3)`, on homogeneous (row, column) coordinates.
        x, y: Height and width.
    """
    to_middle, back = np.eye(3), np.eye(3)
    to_middle[:2, 2] = np.array([x, y], "float64") / 2 - 0.5
    back[:2, 2] = -to_middle[:2, 2]
    return to_middle @ matrix @ back


def _affine_matrix(theta: Any, tx: Any, ty: Any, shear: Any, zx: Any, zy: Any) -> Any:
    """Rotation, shift, shear and zoom as one map from the result's pixels to the image's.

    None where none of them does anything: the image then stays untouched.
    """
    parts = []
    if theta != 0:
        a = np.deg2rad(theta)
        parts.append([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        parts.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        a = np.deg2rad(shear)
        parts.append([[1, -np.sin(a), 0], [0, np.cos(a), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        parts.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    if not parts:
        return None
    matrix = np.eye(3)
    for part in parts:
        matrix = matrix @ np.array(part, "float64")
    return matrix


def _check_axes(x: Any, row_axis: int, col_axis: int, channel_axis: int) -> None:
    axes = (row_axis, col_axis, channel_axis)
    if len(set(axes)) != 3:
        raise ValueError(
            f"'row_axis', 'col_axis', and 'channel_axis' must be distinct. Received: {axes}"
        )
    if set(axes) != {0, 1, 2}:
        raise ValueError(f"Invalid axis' indices: {set(axes) - {0, 1, 2}}; expected 0, 1 and 2.")
    if np.ndim(x) != 3:
        raise ValueError(
            f"Input arrays must be multi-channel 2D images, of rank 3. Got shape {np.shape(x)}."
        )
    if channel_axis == 1:
        raise ValueError("Channels must be the first axis (0) or the last (2), not axis 1.")


def apply_affine_transform(
    x: Any, theta: Any = 0, tx: Any = 0, ty: Any = 0, shear: Any = 0, zx: Any = 1, zy: Any = 1,
    row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0, fill_mode: str = "nearest",
    cval: float = 0.0, order: int = 1,
) -> Any:  # fmt: skip
    """An image rotated, shifted, sheared and zoomed around its middle.

    Args:
        x: An image of rank 3.
        theta: Angle in degrees.
        tx, ty: Pixels along the rows' axis and along the columns' axis.
        shear: Angle in degrees.
        zx, zy: Zooms; above 1 the picture gets smaller.
        row_axis, col_axis, channel_axis: Where these lie in `x`.
        fill_mode: What lies outside: "constant", "nearest", "reflect" or "wrap".
        cval: The value outside for "constant".
        order: Of the interpolating spline: 0 for the nearest pixel, 1 for linear.

    Raises:
        ValueError: Another rank, or axes that do not name each axis once.
        ImportError: SciPy, which splines of order 2 and more need, is not installed.

    Source: Keras 2.15, `keras.preprocessing.image.apply_affine_transform`.
    """
    _check_axes(x, row_axis, col_axis, channel_axis)
    matrix = _affine_matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    x = np.asarray(x)
    matrix = transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
    if col_axis > row_axis:
        # Keras turns the map over for images whose rows come first, which are nearly all:
        # `theta` and `shear` then go the other way, and `tx` moves along the columns.
        matrix[:, [0, 1]] = matrix[:, [1, 0]]
        matrix[[0, 1]] = matrix[[1, 0]]
    image = np.moveaxis(x, channel_axis, -1)
    moved = _moved(image, matrix[:2, :2], matrix[:2, 2], order, fill_mode, cval)
    return np.moveaxis(moved, -1, channel_axis)


def _moved(image: Any, matrix: Any, offset: Any, order: int, mode: str, cval: float) -> Any:
    """An image with channels last under a map from the result's pixels to its own."""
    if order in (0, 1) and mode in MODES and image.dtype.kind == "f":
        return resample(image, matrix, offset, order, mode, cval)
    transform = _ndimage().affine_transform
    channels = [
        transform(image[..., i], matrix, offset, order=order, mode=mode, cval=cval)
        for i in range(image.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def apply_transform(
    x: Any, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest",
    cval: float = 0.0,
) -> Any:  # fmt: skip
    """An image under a `(3, 3)` map of its (row, column) coordinates, nearest pixels: Keras 1's.

    Args:
        x: An image of rank 3.
        transform_matrix: From the result's pixels to the image's.
        channel_axis, fill_mode, cval: See `apply_affine_transform`.
    """
    image = np.moveaxis(np.asarray(x), channel_axis, -1)
    matrix = np.asarray(transform_matrix)
    moved = _moved(image, matrix[:2, :2], matrix[:2, 2], 0, fill_mode, cval)
    return np.moveaxis(moved, -1, channel_axis)


def apply_channel_shift(x: Any, intensity: Any, channel_axis: int = 0) -> Any:
    """An image with a number added, cut to the range that it had.

    Args:
        x: An image of rank 3.
        intensity: What is added.
        channel_axis: Accepted as in Keras: all channels are shifted alike.
    """
    x = np.asarray(x)
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> Any:
    """An image made brighter or darker, as Pillow does it.

    Args:
        x: An image of rank 3.
        brightness: 0 gives black, 1 the image itself.
        scale: Whether to spread the values over 0 to 255. Images with values outside of that range
            are spread in any case, and put back if this is False.

    Raises:
        ImportError: Pillow is not installed.
    """
    pillow("apply_brightness_shift")
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    outside = bool(low < 0 or high > 255)
    image = array_to_img(x, scale=scale or outside)
    result = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    if outside and not scale:
        result = result / 255 * (high - low) + low
    return result


def flip_axis(x: Any, axis: int) -> Any:
    """An image with one axis the other way round."""
    return np.flip(np.asarray(x), axis)


def _pair(value: Any, name: str) -> tuple[Any, Any]:
    if len(value) != 2:
        raise ValueError(f"`{name}` should be a tuple or list of two floats. Received: {value!r}")
    return value[0], value[1]


def random_rotation(
    x: Any, rg: Any, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> Any:  # fmt: skip
    """An image turned by up to `rg` degrees. See `apply_affine_transform`."""
    return apply_affine_transform(
        x, theta=np.random.uniform(-rg, rg), row_axis=row_axis, col_axis=col_axis,
        channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shift(
    x: Any, wrg: Any, hrg: Any, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> Any:  # fmt: skip
    """An image moved by up to fractions `wrg` of its width and `hrg` of its height."""
    tx = np.random.uniform(-hrg, hrg) * np.shape(x)[row_axis]
    ty = np.random.uniform(-wrg, wrg) * np.shape(x)[col_axis]
    return apply_affine_transform(
        x, tx=tx, ty=ty, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shear(
    x: Any, intensity: Any, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> Any:  # fmt: skip
    """An image sheared by up to `intensity` degrees. See `apply_affine_transform`."""
    return apply_affine_transform(
        x, shear=np.random.uniform(-intensity, intensity), row_axis=row_axis, col_axis=col_axis,
        channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_zoom(
    x: Any, zoom_range: Any, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, interpolation_order: int = 1,
) -> Any:  # fmt: skip
    """An image zoomed in each direction by a number of a range.

    Raises:
        ValueError: The range is not two numbers.
    """
    low, high = _pair(zoom_range, "zoom_range")
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    return apply_affine_transform(
        x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_channel_shift(x: Any, intensity_range: Any, channel_axis: int = 0) -> Any:
    """An image with a number up to `intensity_range` added or taken away."""
    intensity = np.random.uniform(-intensity_range, intensity_range)
    return apply_channel_shift(x, intensity, channel_axis)


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> Any:
    """An image with its brightness multiplied by a number of a range.

    Raises:
        ValueError: The range is not two numbers.
        ImportError: Pillow is not installed.
    """
    low, high = _pair(brightness_range, "brightness_range")
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)
