"""`tf.image`: sizes, crops, turns, boxes. Pictures are `(height, width, channels)`, or batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from .dtypes import as_dtype
from .values import ints, tensor

__all__ = ["ResizeMethod", "convert_image_dtype", "crop_to_bounding_box", "resize"]

_o = core.ops


class ResizeMethod:
    """Names of ways to interpolate."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


_NUMBERS = dict(enumerate(["bilinear", "nearest", "bicubic", "area"]))


def batch_of(image: Any) -> tuple[Any, bool]:
    """The picture as a batch, and whether it was one picture."""
    x = core.convert(image)
    if x.ndim not in (3, 4):
        raise ValueError(f"'images' must have either 3 or 4 dimensions, got shape {x.shape}.")
    return (x[None], True) if x.ndim == 3 else (x, False)


def resize(
    images: Any, size: Any, method: Any = "bilinear", preserve_aspect_ratio: bool = False,
    antialias: bool = False,
) -> Any:  # fmt: skip
    """Pictures of another size `(height, width)`, in float32 unless the nearest pixel is taken."""
    x, single = batch_of(images)
    kind = _NUMBERS.get(method, method)
    height, width = ints(size)
    old_height, old_width = x.shape[1:3]
    if preserve_aspect_ratio:
        factor = min(np.float32(height / old_height), np.float32(width / old_width))
        height, width = (round(float(np.float32(factor * n))) for n in (old_height, old_width))
    if (height, width) == (old_height, old_width):
        x = x if kind == "nearest" else _o.cast(x, "float32")
    else:
        x = _resized(x, (height, width), kind, antialias)
    return x[0] if single else x


def _resized(x: Any, size: tuple[int, int], kind: str, antialias: bool) -> Any:
    if kind in ("gaussian", "mitchellcubic"):
        raise NotImplementedError(
            f"resize: method {kind!r} is not there; take 'bilinear', 'bicubic' or 'lanczos3'."
        )
    if kind != "nearest":
        x = _o.cast(x, "float32")
    if kind == "area" or (kind == "bicubic" and not antialias):
        weights = _areas if kind == "area" else _cubic
        rows, columns = (core.constant(weights(*n)) for n in zip(x.shape[1:3], size))
        return _o.einsum("oh,bhwc,pw->bopc", rows, x, columns)
    if kind == "nearest":
        rows, columns = (core.constant(_nearest(*n)) for n in zip(x.shape[1:3], size))
        return _o.take(_o.take(x, rows, 1), columns, 2)
    return ops.image.resize(
        x, size, kind, antialias or kind.startswith("lanczos"), data_format="channels_last"
    )


def _areas(old: int, new: int) -> Any:
    """Which part of each old pixel lies under each new one, rows summing to 1."""
    scale = old / new
    start = np.arange(new)[:, None] * scale
    pixel = np.arange(old)[None]
    shared = np.minimum(start + scale, pixel + 1) - np.maximum(start, pixel)
    return (np.clip(shared, 0, None) / scale).astype("float32")


def _cubic(old: int, new: int) -> Any:
    """Keys's weights (a = -1/2) of old pixels for each new one, at 1024 places between two pixels;
    pixels outside are left out."""
    places = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.floor(places).astype(int)
    part = np.rint((places - first) * 1024) / 1024
    found = np.zeros((new, old))
    for shift in (-1, 0, 1, 2):
        x = np.abs(part - shift)
        near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
        weight = np.where(x <= 1, near, far)
        inside = (first + shift >= 0) & (first + shift < old)
        found[np.arange(new)[inside], (first + shift)[inside]] += weight[inside]
    return (found / found.sum(1, keepdims=True)).astype("float32")


def _nearest(old: int, new: int) -> Any:
    scale = np.float32(old) / np.float32(new)
    places = np.floor((np.arange(new, dtype="float32") + np.float32(0.5)) * scale)
    return np.clip(places, 0, old - 1).astype("int32")


# -- turning


def flip_left_right(image: Any) -> Any:
    """Left and right exchanged."""
    return ops.flip(tensor(image), axis=-2)


def flip_up_down(image: Any) -> Any:
    """Top and bottom exchanged."""
    return ops.flip(tensor(image), axis=-3)


def transpose(image: Any) -> Any:
    """Rows and columns exchanged."""
    return ops.swapaxes(tensor(image), -3, -2)


def rot90(image: Any, k: Any = 1) -> Any:
    """Turned `k` times by 90 degrees, counter-clockwise."""
    turns = int(k) % 4
    if turns == 0:
        return tensor(image)
    if turns == 2:
        return flip_up_down(flip_left_right(image))
    turned = transpose(image)
    return flip_up_down(turned) if turns == 1 else flip_left_right(turned)


# -- cutting and filling up


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """A part of the picture.

    Raises:
        ValueError: It reaches outside.
    """
    x = core.convert(image)
    top, left, height, width = map(
        int, (offset_height, offset_width, target_height, target_width)
    )  # fmt: skip
    have = x.shape[-3:-1]
    if min(top, left) < 0 or top + height > have[0] or left + width > have[1]:
        raise ValueError(
            f"crop_to_bounding_box: rows {top} to {top + height} and columns {left} to "
            f"{left + width} must be inside of a picture of {have}."
        )
    return x[..., top : top + height, left : left + width, :]


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """The picture with zeros around it.

    Raises:
        ValueError: It is too large.
    """
    x = core.convert(image)
    top, left, height, width = map(
        int, (offset_height, offset_width, target_height, target_width)
    )  # fmt: skip
    below, right = height - top - x.shape[-3], width - left - x.shape[-2]
    if min(top, left, below, right) < 0:
        raise ValueError(
            f"pad_to_bounding_box: a picture of {x.shape[-3:-1]} at ({top}, {left}) does not fit "
            f"into {(height, width)}."
        )
    return _o.pad(x, [(0, 0)] * (x.ndim - 3) + [(top, below), (left, right), (0, 0)])


def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Any:
    """The middle of the picture, or the picture in the middle of zeros."""
    x = core.convert(image)
    height, width = int(target_height), int(target_width)
    more = [n - have for n, have in zip((height, width), x.shape[-3:-1])]
    cut = [max(-n // 2, 0) for n in more]
    around = [max(n // 2, 0) for n in more]
    part = [min(n, have) for n, have in zip((height, width), x.shape[-3:-1])]
    return pad_to_bounding_box(crop_to_bounding_box(x, *cut, *part), *around, height, width)


def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: Any = "bilinear",
    antialias: bool = False,
) -> Any:  # fmt: skip
    """The picture made to fit without changing its form, with zeros around it."""
    x = core.convert(image)
    size = int(target_height), int(target_width)
    ratio = max(have / n for n, have in zip(size, x.shape[-3:-1]))
    inner = [math.floor(have / ratio) for have in x.shape[-3:-1]]
    offsets = [max(0, math.floor((n - have / ratio) / 2)) for n, have in zip(size, x.shape[-3:-1])]
    return pad_to_bounding_box(resize(x, inner, method, antialias=antialias), *offsets, *size)


def central_crop(image: Any, central_fraction: Any) -> Any:
    """The middle of the picture: this part of its height and of its width."""
    x, fraction = core.convert(image), float(central_fraction)
    if not 0 < fraction <= 1:
        raise ValueError(f"central_crop: central_fraction is {fraction}; it must be in (0, 1].")
    start = [int((n - n * fraction) / 2) for n in x.shape[-3:-1]]
    return crop_to_bounding_box(x, *start, *[n - 2 * s for n, s in zip(x.shape[-3:-1], start)])


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str) -> Any:
    """Windows of the pictures, each flattened: `(batch, rows, columns, size)`."""
    size, step, rate = (ints(v)[1:3] for v in (sizes, strides, rates))
    return ops.image.extract_patches(
        images, size, step, rate, padding.lower(), data_format="channels_last"
    )


def crop_and_resize(
    image: Any, boxes: Any, box_indices: Any, crop_size: Any, method: str = "bilinear",
    extrapolation_value: Any = 0.0,
) -> Any:  # fmt: skip
    """Boxes `(y1, x1, y2, x2)`, in parts of height and width, cut out and made one size."""
    x, boxes = _o.cast(core.convert(image), "float32"), _o.cast(core.convert(boxes), "float32")
    count, height, width, depth = x.shape
    box_indices = _o.cast(core.convert(box_indices), "int32")

    def places(low: Any, high: Any, old: int, new: int) -> Any:
        if new == 1:
            return _o.expand_dims(0.5 * (low + high) * (old - 1), 1)
        steps = core.constant(np.arange(new, dtype="float32")[None])
        scale = (high - low) * ((old - 1) / (new - 1))
        return _o.expand_dims(low * (old - 1), 1) + steps * _o.expand_dims(scale, 1)

    rows = places(boxes[:, 0], boxes[:, 2], height, ints(crop_size)[0])
    columns = places(boxes[:, 1], boxes[:, 3], width, ints(crop_size)[1])
    flat = _o.reshape(x, (count * height * width, depth))
    start = _o.reshape(box_indices * (height * width), (-1, 1, 1))

    def at(i: Any, j: Any) -> Any:
        i = _o.cast(_o.clip(i, 0, height - 1), "int32")
        j = _o.cast(_o.clip(j, 0, width - 1), "int32")
        return _o.take(flat, start + i[:, :, None] * width + j[:, None, :], 0)

    if method == "nearest":
        found = at(_o.floor(rows + 0.5), _o.floor(columns + 0.5))
    else:
        top, left = _o.floor(rows), _o.floor(columns)
        down, across = (rows - top)[:, :, None, None], (columns - left)[:, None, :, None]
        upper = at(top, left) * (1 - across) + at(top, _o.ceil(columns)) * across
        lower = (
            at(_o.ceil(rows), left) * (1 - across) + at(_o.ceil(rows), _o.ceil(columns)) * across
        )
        found = upper * (1 - down) + lower * down
    inside_rows = _o.logical_and(rows >= 0, rows <= height - 1)[:, :, None, None]
    inside_columns = _o.logical_and(columns >= 0, columns <= width - 1)[:, None, :, None]
    inside = _o.logical_and(inside_rows, inside_columns)
    return _o.where(inside, found, float(extrapolation_value))


# -- dtypes


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False) -> Any:
    """The picture in another dtype, its values scaled: whole numbers reach to the greatest of
    theirs, floats from 0 to 1."""
    x, wanted = core.convert(image), as_dtype(dtype)
    have = as_dtype(x.dtype)
    cast = ops.saturate_cast if saturate else _o.cast
    if have == wanted or (have.is_floating and wanted.is_floating):
        return _o.cast(x, str(wanted))
    if have.is_integer and wanted.is_integer:
        if have.max > wanted.max:
            return cast(x // ((have.max + 1) // (wanted.max + 1)), str(wanted))
        return _o.cast(x, str(wanted)) * ((wanted.max + 1) // (have.max + 1))
    if wanted.is_floating:
        return _o.cast(x, str(wanted)) * core.convert(1.0 / have.max, str(wanted))
    return cast(x * (wanted.max + 0.5), str(wanted))


# -- edges


def image_gradients(image: Any) -> tuple[Any, Any]:
    """Differences to the next row and to the next column of a batch; 0 in the last ones."""
    x = core.convert(image)
    down, across = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
    return (
        _o.pad(down, [(0, 0), (0, 1), (0, 0), (0, 0)]),
        _o.pad(across, [(0, 0), (0, 0), (0, 1), (0, 0)]),
    )


def sobel_edges(image: Any) -> Any:
    """How much the picture changes downwards and to the right: `(..., channels, 2)`."""
    x = _o.pad(core.convert(image), [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")

    def smooth(x: Any, axis: int) -> Any:
        x = _o.moveaxis(x, axis, 0)
        return _o.moveaxis(x[:-2] + 2 * x[1:-1] + x[2:], 0, axis)

    def change(x: Any, axis: int) -> Any:
        x = _o.moveaxis(x, axis, 0)
        return _o.moveaxis(x[2:] - x[:-2], 0, axis)

    return _o.stack([change(smooth(x, 2), 1), change(smooth(x, 1), 2)], -1)


# -- boxes


def non_max_suppression(
    boxes: Any, scores: Any, max_output_size: Any, iou_threshold: float = 0.5,
    score_threshold: float = float("-inf"),
) -> Any:  # fmt: skip
    """The numbers of the best boxes that share less than `iou_threshold` of their area with
    better ones. The values must be known."""
    boxes, scores = np.asarray(boxes), np.asarray(scores)
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    areas = np.prod(high - low, -1)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if len(kept) >= int(max_output_size) or not scores[i] > score_threshold:
            break
        shared = np.clip(np.minimum(high[i], high[kept]) - np.maximum(low[i], low[kept]), 0, None)
        shared = np.prod(shared, -1)
        union = areas[i] + areas[kept] - shared
        ratio = np.where(union > 0, shared / np.where(union > 0, union, 1), 0)
        if not (ratio > iou_threshold).any():
            kept.append(int(i))
    return core.constant(np.array(kept, "int32"))


_COLORS = [
    (1, 1, 0, 1), (0, 0, 1, 1), (1, 0, 0, 1), (0, 1, 0, 1), (0.5, 0, 0.5, 1),
    (0.5, 0.5, 0, 1), (0.5, 0, 0, 1), (0, 0, 0.5, 1), (0, 1, 1, 1), (1, 0, 1, 1),
]  # fmt: skip


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any = None) -> Any:
    """Boxes `(y1, x1, y2, x2)`, in parts of height and width, drawn into a batch of pictures.
    The values must be known."""
    drawn, boxes = np.array(images), np.asarray(boxes)
    height, width, depth = drawn.shape[1:]
    table = np.asarray(_COLORS if colors is None or not np.size(colors) else colors, "float32")
    table = np.ones_like(table) if depth == 1 else table
    for picture, several in zip(drawn, boxes):
        for number, box in enumerate(several):
            color = table[number % len(table)][:depth]
            top, left, bottom, right = (
                int(v * (n - 1)) for v, n in zip(box, (height, width, height, width))
            )
            if top > bottom or left > right:
                continue
            rows = slice(max(top, 0), min(bottom, height - 1) + 1)
            columns = slice(max(left, 0), min(right, width - 1) + 1)
            for row in (top, bottom):
                if 0 <= row < height:
                    picture[row, columns] = color
            for column in (left, right):
                if 0 <= column < width:
                    picture[rows, column] = color
    return core.constant(drawn)
