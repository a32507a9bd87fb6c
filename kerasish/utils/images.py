"""Images as arrays, files and Pillow's images."""

from __future__ import annotations

import io
import pathlib
import warnings
from typing import Any

import numpy as np

from .. import ops
from ..config import floatx, standardize_data_format

__all__ = ["array_to_img", "img_to_array", "load_img", "pillow", "save_img", "smart_resize"]


def pillow(name: str) -> Any:
    """The module `PIL.Image`.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            f"Could not import PIL.Image. `{name}` requires Pillow: pip install 'kerasish[image]'"
        ) from None
    return Image


def array_to_img(x: Any, data_format: Any = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as one of Pillow's images.

    Args:
        x: `(height, width, channels)`, or with channels first; 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        scale: Whether to spread the values over 0 to 255.
        dtype: To compute in; `floatx()` by default.

    Returns:
        An image of mode "L" ("I" for values above 255), "RGB" or "RGBA".

    Raises:
        ValueError: Another rank or number of channels.
        ImportError: Pillow is not installed.
    """
    data_format = standardize_data_format(data_format)
    image = pillow("array_to_img")
    x = np.asarray(x, dtype=floatx() if dtype is None else dtype)
    if x.ndim != 3:
        raise ValueError(
            f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}"
        )
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - x.min()
        largest = x.max()
        x = (x / largest if largest != 0 else x) * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {channels}")
    if channels > 1:
        return image.fromarray(x.astype("uint8"))
    return image.fromarray(x[:, :, 0].astype("int32" if x.max() > 255 else "uint8"))


def img_to_array(img: Any, data_format: Any = None, dtype: Any = None) -> Any:
    """One of Pillow's images (or an array) as an array of rank 3.

    Args:
        img: The image.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        dtype: Of the result; `floatx()` by default.

    Raises:
        ValueError: Another rank than 2 or 3.
    """
    data_format = standardize_data_format(data_format)
    x = np.asarray(img, dtype=floatx() if dtype is None else dtype)
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}")
    x = x[:, :, None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


def save_img(
    path: Any, x: Any, data_format: Any = None, file_format: Any = None, scale: bool = True,
    **kwargs: Any,
) -> None:  # fmt: skip
    """Write an array as an image file.

    Args:
        path: A path, or a file opened for writing bytes.
        x: See `array_to_img`.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        file_format: As "png" or "jpeg"; by default by the ending of the path.
        scale: Whether to spread the values over 0 to 255.
        **kwargs: For Pillow's `Image.save`.
    """
    if file_format is None and isinstance(path, str | pathlib.Path):
        file_format = pathlib.Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warnings.warn(
            "The JPEG format does not support RGBA images, converting to RGB.", stacklevel=2
        )
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}


def open_img(path: Any, color_mode: str, name: str) -> Any:
    """A file as one of Pillow's images, in a color mode."""
    image = pillow(name)
    if isinstance(path, io.BytesIO):
        img = image.open(path)
    elif isinstance(path, pathlib.Path | bytes | str):
        with open(path, "rb") as file:
            img = image.open(io.BytesIO(file.read()))
    else:
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    if color_mode not in _MODES:
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    modes = _MODES[color_mode]
    return img if img.mode in modes else img.convert(modes[0])


def load_img(
    path: Any, color_mode: str = "rgb", target_size: Any = None, interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:  # fmt: skip
    """An image file as one of Pillow's images.

    Args:
        path: A path, or `io.BytesIO`.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: Height and width, or None: as it is.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether to cut what does not fit the new ratio, not to distort.

    Raises:
        ValueError: An unknown color mode or interpolation.
        ImportError: Pillow is not installed.
    """
    img = open_img(path, color_mode, "load_img")
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    methods = {m.name.lower(): m for m in pillow("load_img").Resampling}
    if interpolation not in methods:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are "
            f"{', '.join(methods)}"
        )
    size, box = (target_size[1], target_size[0]), None
    if keep_aspect_ratio:
        width, height = img.size
        kept = (min(width, height * size[0] // size[1]), min(height, width * size[1] // size[0]))
        left, top = (width - kept[0]) // 2, (height - kept[1]) // 2
        box = (left, top, left + kept[0], top + kept[1])
    return img.resize(size, methods[interpolation], box=box)


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: Any = "channels_last",
    **kwargs: Any,
) -> Any:  # fmt: skip
    """Images in another size, cut in their middle to the new ratio first.

    Args:
        x: One image or a batch.
        size: Height and width.
        interpolation: See `ops.image.resize`.
        data_format: "channels_last" or "channels_first".
        **kwargs: `backend_module`, accepted as in Keras.

    Returns:
        A NumPy array for one, else a tensor.

    Raises:
        ValueError: Another rank, or a size that is not two numbers.
    """
    kwargs.pop("backend_module", None)
    if kwargs:
        raise TypeError(f"smart_resize() got unexpected keyword arguments: {list(kwargs)}")
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    if len(ops.shape(x)) not in (3, 4):
        raise ValueError(
            "Expected an image array with shape `(height, width, channels)`, or `(batch_size, "
            "height, width, channels)`, but got input with incorrect rank, of shape "
            f"{ops.shape(x)}."
        )
    found = ops.image.resize(
        x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format
    )
    return np.array(found) if isinstance(x, np.ndarray) else found
