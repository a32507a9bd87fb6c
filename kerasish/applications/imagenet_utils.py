"""Images as the published weights expect them, and names of ImageNet's classes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import older as _older
from .. import ops
from ..config import floatx, image_data_format
from ..utils.files import get_file

__all__ = ["decode_predictions", "preprocess_input"]

_CLASSES = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
_CLASSES_HASH = "c2c37ea517e94d9795004a39431a14cb"
# Of ImageNet: "torch" in red, green, blue of images in [0, 1]; "caffe" in blue, green, red.
_MEAN = {"torch": (0.485, 0.456, 0.406), "caffe": (103.939, 116.779, 123.68)}
_STD = {"torch": (0.229, 0.224, 0.225)}


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Scale images as the published weights expect them.

    "tf": `x / 127.5 - 1`. "torch": `(x / 255 - mean) / std` of ImageNet's channels. "caffe":
    channels reversed to blue, green, red, and their means subtracted.

    Args:
        x: Images (…, height, width, 3) with values 0 to 255: an array, a tensor or a KerasTensor.
            A floating NumPy array is overwritten, as Keras does.
        data_format: "channels_last", "channels_first", or None for the setting.
        mode: "caffe", "tf" or "torch".

    Returns:
        Images of the same shape. Whole numbers become `floatx()` (Keras leaves a tensor of whole
        numbers as it is in mode "caffe", so that differences wrap around).

    Raises:
        ValueError: Unknown `mode` or `data_format`.

    Source: https://keras.io/api/applications/
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(
            f"Expected mode to be one of `caffe`, `tf` or `torch`. Received: mode={mode}"
        )
    if data_format is None:
        data_format = image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            "Expected data_format to be one of `channels_first` or `channels_last`. "
            f"Received: data_format={data_format}"
        )
    axis = len(x.shape) - 1
    if data_format == "channels_first":
        axis = 0 if axis == 2 else 1
    return (_scale_array if isinstance(x, np.ndarray) else _scale_tensor)(x, axis, mode)


def _along(values: Any, axis: int, rank: int) -> Any:
    """Three numbers that broadcast along an axis."""
    return np.reshape(values, [3 if i == axis else 1 for i in range(rank)])


def _scale_array(x: Any, axis: int, mode: str) -> Any:
    if x.dtype.kind != "f":
        x = x.astype(floatx())
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return x
    if mode == "torch":
        x /= 255.0
    else:
        x = np.flip(x, axis)
    x -= _along(_MEAN[mode], axis, x.ndim).astype(x.dtype)
    if mode in _STD:
        x /= _along(_STD[mode], axis, x.ndim).astype(x.dtype)
    return x


def _scale_tensor(x: Any, axis: int, mode: str) -> Any:
    rank = len(x.shape)
    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        x = x / 255.0
    else:
        if "float" not in str(ops.dtype(x)):
            x = ops.cast(x, floatx())
        before = (slice(None),) * axis if axis < rank - 1 else (Ellipsis,)
        after = (Ellipsis,) if axis == 0 else (slice(None),) if axis < rank - 1 else ()
        x = ops.stack([x[(*before, i, *after)] for i in (2, 1, 0)], axis=axis)
    dtype = ops.dtype(x)
    x = x + ops.convert_to_tensor(_along(-np.array(_MEAN[mode]), axis, rank), dtype)
    if mode in _STD:
        x = x / ops.convert_to_tensor(_along(_STD[mode], axis, rank), dtype)
    return x


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The likeliest classes of ImageNet.

    Args:
        preds: Probabilities or logits (batch, 1000).
        top: How many of each row.

    Returns:
        Per row, `(WordNet number, name, score)` with the highest score first. The names come from
        `imagenet_class_index.json` in the cache, which is downloaded the first time.

    Raises:
        ValueError: `preds` has another shape.

    Source: https://keras.io/api/applications/
    """
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape "
            f"(samples, 1000)). Received array with shape: {preds.shape}"
        )
    names = _class_names()
    found = []
    for row in ops.convert_to_numpy(preds):
        best = row.argsort()[::-1][:top]
        found.append([(*names[str(i)], row[i]) for i in best])
    return found


@functools.cache
def _class_names() -> Any:
    path = get_file(
        "imagenet_class_index.json", _CLASSES, cache_subdir="models", file_hash=_CLASSES_HASH
    )
    with open(path) as file:
        return json.load(file)


def helpers(mode: str | None) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A family's `preprocess_input` and `decode_predictions`.

    Args:
        mode: Of `preprocess_input`; None if the model itself scales its images.
    """

    def family_preprocess_input(x: Any, data_format: str | None = None) -> Any:
        return x if mode is None else preprocess_input(x, data_format, mode)

    def family_decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
        return decode_predictions(preds, top)

    family_preprocess_input.__name__ = family_preprocess_input.__qualname__ = "preprocess_input"
    family_preprocess_input.__doc__ = (
        "The images as they are: the model scales them itself."
        if mode is None
        else f'Scale images for this family: `imagenet_utils.preprocess_input(x, mode="{mode}")`.'
    )
    family_decode_predictions.__name__ = "decode_predictions"
    family_decode_predictions.__qualname__ = "decode_predictions"
    family_decode_predictions.__doc__ = decode_predictions.__doc__
    return family_preprocess_input, family_decode_predictions


__getattr__ = _older.names(__name__)
