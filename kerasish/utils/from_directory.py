"""Data sets of images, texts and sounds in folders."""

from __future__ import annotations

import math
import wave
from typing import Any

import numpy as np

from .. import ops
from ..config import standardize_data_format
from .directory import Files, datasets_of
from .images import open_img, pillow

__all__ = [
    "audio_dataset_from_directory", "image_dataset_from_directory", "text_dataset_from_directory",
]  # fmt: skip

_COLORS = ("rgb", "rgba", "grayscale")
_METHODS = (
    "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic",
)  # fmt: skip


def _check_format(format: str) -> None:
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')


def image_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None,
    color_mode: str = "rgb", batch_size: Any = 32, image_size: Any = (256, 256),
    shuffle: bool = True, seed: Any = None, validation_split: Any = None, subset: Any = None,
    interpolation: str = "bilinear", follow_links: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False,
    data_format: Any = None, format: str = "tf", verbose: bool = True,
) -> Any:  # fmt: skip
    """The images of a folder as batches of float32, with labels.

    Args:
        directory: A folder; with `labels="inferred"`, one of folders, each of which is a class.
        labels: "inferred", None, or a list of ints in the order of the sorted paths.
        label_mode: "int" (int32), "categorical" (one-hot float32), "binary" (float32
            `(batch, 1)`), or None: no labels.
        class_names: The folders that are classes, in the order of their numbers.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: None gives single images.
        image_size: Height and width that they are brought to.
        shuffle: Whether files are mixed, anew in each epoch; else they are sorted.
        seed: Of the mixing. `file_paths` and the split equal Keras's for the same seed.
        validation_split: The part, from 0 to 1, that is kept for validation: the last files.
        subset: "training", "validation" or "both" (a list of two data sets).
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"; without
            `crop_to_aspect_ratio` also "area", "gaussian" or "mitchellcubic".
        follow_links: Whether links to folders are followed.
        crop_to_aspect_ratio: Whether to cut what does not fit the new ratio, not to distort.
        pad_to_aspect_ratio: Whether to fill up with zeros, not to distort.
        data_format: "channels_last" or "channels_first".
        format: "tf" or "grain", accepted as in Keras: the data set is a
            `kerasish.utils.dataset.Dataset` for both.
        verbose: Whether to print how many files there are.

    Returns:
        A data set with `class_names` and `file_paths`.

    Raises:
        ValueError: Arguments that do not go together, or no files.
        ImportError: Pillow is not installed.

    Source: https://keras.io/api/data_loading/image/
    """
    if color_mode not in _COLORS:
        raise ValueError(
            f"`color_mode` must be one of {_COLORS}. Received: color_mode={color_mode}"
        )
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(size, list | tuple) or len(size) != 2:
        raise ValueError(
            "Invalid `image_size` value. Expected a tuple of 2 integers. "
            f"Received: image_size={image_size}"
        )
    interpolation = interpolation.lower()
    if interpolation not in _METHODS:
        raise ValueError(
            f"Argument `interpolation` should be one of {_METHODS}. "
            f"Received: interpolation={interpolation}"
        )
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`."
        )
    _check_format(format)
    pillow("image_dataset_from_directory")
    files = Files(
        directory, labels, label_mode, class_names, (".bmp", ".gif", ".jpeg", ".jpg", ".png"),
        "image", shuffle, seed, validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    first = standardize_data_format(data_format) == "channels_first"

    def read(path: str) -> Any:
        pixels = np.asarray(open_img(path, color_mode, "image_dataset_from_directory"))
        return pixels[:, :, None] if pixels.ndim == 2 else pixels

    def finish(pixels: Any) -> Any:
        if interpolation != "nearest":  # which computes nothing: pixels stay bytes, as in Keras
            pixels = pixels.astype("float32")
        if pad_to_aspect_ratio:
            image = _padded_to(pixels, size, interpolation)
        else:
            image = _resized(pixels, size, interpolation, crop_to_aspect_ratio)
        return image.transpose(2, 0, 1) if first else image

    return datasets_of(
        files, read, finish, lambda d: d if batch_size is None else d.batch(batch_size)
    )


def _padded_to(pixels: Any, size: Any, interpolation: str) -> Any:
    """Scaled by one number so that it fits, with zeros around."""
    have = np.array(pixels.shape[:2], "float32")
    wanted = np.array(size, "float32")
    exact = have / (have / wanted).max()
    inner = [max(int(n), 1) for n in exact]
    # What is above is half of the exact rest, as in TensorFlow.
    top, left = (int(n) for n in np.maximum((wanted - exact) // 2, 0))
    image = np.zeros((*size, pixels.shape[2]), pixels.dtype)
    image[top : top + inner[0], left : left + inner[1]] = _resized(pixels, inner, interpolation)
    return image


def _resized(pixels: Any, size: Any, interpolation: str, crop: bool = False) -> Any:
    if crop or interpolation not in ("area", "gaussian", "mitchellcubic"):
        return np.asarray(
            ops.image.resize(
                pixels, size, interpolation, crop_to_aspect_ratio=crop, data_format="channels_last"
            )
        )
    for axis, wanted in enumerate(size):
        weights = _weights(pixels.shape[axis], wanted, interpolation)
        pixels = np.moveaxis(np.tensordot(weights, pixels, (1, axis)), 0, axis)
    return pixels.astype("float32")


def _weights(have: int, wanted: int, interpolation: str) -> Any:
    """`(wanted, have)`: how much each new sample takes of each old one."""
    step, old = have / wanted, np.arange(have)
    new = np.arange(wanted)[:, None] * step
    if interpolation == "area":  # the shares of the new sample's stretch
        overlap = np.minimum(new + step, old + 1) - np.maximum(new, old)
        return np.maximum(overlap, 0) / step
    x = np.abs(new + step / 2 - 0.5 - old)
    if interpolation == "gaussian":  # of deviation 1/2
        weights = np.where(x < 1.5, np.exp(-2 * x * x), 0)
    else:  # Mitchell and Netravali (1988) with B = C = 1/3
        near = (7 / 6 * x - 2) * x * x + 8 / 9
        far = ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
        weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    return weights / weights.sum(axis=1, keepdims=True)


def text_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None,
    batch_size: Any = 32, max_length: Any = None, shuffle: bool = True, seed: Any = None,
    validation_split: Any = None, subset: Any = None, follow_links: bool = False,
    format: str = "tf", verbose: bool = True,
) -> Any:  # fmt: skip
    """The `.txt` files of a folder as batches of text, with labels.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
            subset, follow_links, format, verbose: See `image_dataset_from_directory`.
        max_length: How many characters of each file are kept; all by default.

    Returns:
        A data set of NumPy arrays of str, with `class_names` and `file_paths`.

    Raises:
        ValueError: Arguments that do not go together, or no files.
    """
    _check_format(format)
    files = Files(
        directory, labels, label_mode, class_names, (".txt",), "text", shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip

    def read(path: str) -> Any:
        with open(path, encoding="utf-8") as file:
            return file.read(-1 if max_length is None else max_length)

    return datasets_of(
        files, read, lambda text: np.array(text, dtype=object),
        lambda d: d if batch_size is None else d.batch(batch_size),
    )  # fmt: skip


def audio_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: Any = "int", class_names: Any = None,
    batch_size: Any = 32, sampling_rate: Any = None, output_sequence_length: Any = None,
    ragged: bool = False, shuffle: bool = True, seed: Any = None, validation_split: Any = None,
    subset: Any = None, follow_links: bool = False, verbose: bool = True,
) -> Any:  # fmt: skip
    """The `.wav` files of a folder as batches `(batch, samples, channels)` from -1 to 1.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
            subset, follow_links, verbose: See `image_dataset_from_directory`.
        sampling_rate: Samples per second that all are brought to; as they are by default.
        output_sequence_length: How many samples each has: cut, or filled up with zeros. None: as
            many as the longest of the batch.
        ragged: Not supported: there are no ragged tensors.

    Returns:
        A data set with `class_names` and `file_paths`.

    Raises:
        ValueError: Arguments that do not go together, or no files.
    """
    if ragged:
        raise ValueError(
            "ragged=True: kerasish has no ragged tensors. Leave it out (batches are filled up with "
            "zeros), or set batch_size=None for single sounds of their own lengths."
        )
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate <= 0):
        raise ValueError(
            "`sampling_rate` should have an integer value higher than 0. "
            f"Received: sampling_rate={sampling_rate}"
        )
    files = Files(
        directory, labels, label_mode, class_names, (".wav",), "audio", shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip

    def finish(sound: Any) -> Any:
        samples, rate = sound
        if sampling_rate is not None and sampling_rate != rate:
            samples = resample(samples, rate, sampling_rate)
        if output_sequence_length is not None:
            samples = samples[:output_sequence_length]
            more = output_sequence_length - len(samples)
            samples = np.pad(samples, ((0, more), (0, 0)))
        return samples

    def batch(dataset: Any) -> Any:
        if batch_size is None:
            return dataset
        if output_sequence_length is None:
            return dataset.padded_batch(batch_size)
        return dataset.batch(batch_size)

    return datasets_of(files, read_wav, finish, batch)


def read_wav(path: Any) -> tuple[Any, int]:
    """The samples of a file, `(samples, channels)` float32 from -1 to 1, and their rate.

    Args:
        path: Its name, or the open file.

    Raises:
        ValueError: A width of samples that is not 8, 16, 24 or 32 bits.
    """
    with wave.open(path, "rb") as file:
        width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
        data = file.readframes(file.getnframes())
    if width == 1:  # the only one without a sign
        samples = np.frombuffer(data, "u1").astype("float32") / 128.0 - 1.0
    elif width in (2, 4):
        samples = np.frombuffer(data, f"<i{width}").astype("float32") / 2.0 ** (8 * width - 1)
    elif width == 3:
        parts = np.frombuffer(data, "u1").reshape(-1, 3)
        whole = np.zeros((len(parts), 4), "u1")
        whole[:, 1:] = parts
        samples = whole.view("<i4")[:, 0].astype("float32") / 2.0**31
    else:
        raise ValueError(f"{path}: samples of {8 * width} bits; 8, 16, 24 or 32 can be read.")
    return samples.reshape(-1, channels).astype("float32"), rate


_REACH = 16  # how many zeros of the kernel on each side


def resample(samples: Any, rate: int, wanted: int) -> Any:
    """Samples at another rate: interpolated by a windowed sinc, without what is above the lower
    of both Nyquist frequencies.

    Args:
        samples: `(samples, channels)`.
        rate, wanted: Samples per second before and after.

    Source: J. O. Smith, "Digital Audio Resampling", https://ccrma.stanford.edu/~jos/resample/
    """
    count = math.ceil(len(samples) * wanted / rate)
    low = min(1.0, wanted / rate)
    reach = math.ceil(_REACH / low)
    place = np.arange(count) * (rate / wanted)
    near = np.floor(place).astype(int)[:, None] + np.arange(1 - reach, reach + 1)
    away = near - place[:, None]
    window = np.cos(np.clip(away / reach, -1, 1) * (np.pi / 2)) ** 2
    weights = low * np.sinc(low * away) * window
    inside = (near >= 0) & (near < len(samples))
    rows = samples[np.where(inside, near, 0)]
    found = np.einsum("nk,nkc->nc", weights * inside, rows)
    return found.astype("float32")
