"""Boxes and masks drawn into images."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ..config import standardize_data_format
from ..utils.bounding_boxes import convert_format
from ..utils.images import pillow

__all__ = ["as_batch", "draw_bounding_boxes", "draw_segmentation_masks"]


def as_batch(images: Any, data_format: Any) -> Any:
    """Images as NumPy, `(batch, height, width, channels)`.

    Raises:
        ValueError: Another rank.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            f"`images` must be batched 4D tensor. Received: images.shape={images.shape}"
        )
    first = standardize_data_format(data_format) == "channels_first"
    return images.transpose(0, 2, 3, 1) if first else images


def _bytes(images: Any) -> Any:
    if images.dtype.kind == "f" and images.size:
        images = images * 255 if images.max() <= 1 else images
        images = np.clip(images, 0, 255)
    return images.astype("uint8").copy()


def draw_bounding_boxes(
    images: Any, bounding_boxes: Any, bounding_box_format: str, class_mapping: Any = None,
    color: Any = (128, 128, 128), line_thickness: int = 2, text_thickness: Any = 1,
    font_scale: float = 1.0, data_format: Any = None,
) -> Any:  # fmt: skip
    """Images with frames of boxes, and the names of their classes.

    Args:
        images: A batch; floats are from 0 to 1 or from 0 to 255.
        bounding_boxes: A dictionary of "boxes" `(batch, num_boxes, 4)`, "labels" (-1: none) and
            perhaps "confidences", both `(batch, num_boxes)`.
        bounding_box_format: See `utils.bounding_boxes.convert_format`.
        class_mapping: Label to name; boxes of other labels get no text.
        color: Red, green and blue.
        line_thickness: Of frames, in pixels.
        text_thickness: Of letters, in pixels.
        font_scale: 1 is letters of about 22 pixels.
        data_format: "channels_last" or "channels_first".

    Returns:
        uint8 `(batch, height, width, channels)`.

    Raises:
        ValueError: Another rank, or a dictionary without boxes or labels.
        TypeError: No dictionary.
        ImportError: There is text to write, and Pillow is not installed.
    """
    images = as_batch(images, data_format)
    if not isinstance(bounding_boxes, dict):
        raise TypeError(
            f"`bounding_boxes` should be a dict. Received: bounding_boxes={bounding_boxes} of type "
            f"{type(bounding_boxes)}"
        )
    if not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ValueError(
            "`bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. Received: "
            f"bounding_boxes={bounding_boxes}"
        )
    height, width = images.shape[1:3]
    given = np.asarray(bounding_boxes["boxes"])
    boxes = np.asarray(convert_format(given, bounding_box_format, "xyxy", height, width))
    labels = np.asarray(bounding_boxes["labels"]).astype(int)
    confidences = bounding_boxes.get("confidences")
    drawn = _bytes(images)
    for i, image in enumerate(drawn):
        for j, (left, top, right, bottom) in enumerate(boxes[i].astype(int)):
            label = labels[i, j]
            if label == -1:
                continue
            _frame(image, left, top, right, bottom, color, line_thickness)
            if class_mapping and label in class_mapping:
                text = str(class_mapping[label])
                if confidences is not None:
                    text += f" | {float(np.asarray(confidences)[i, j]):.2f}"
                thickness = text_thickness or line_thickness
                place = _text_place(left, top, font_scale, thickness)
                _write(image, text, place, color, font_scale, thickness)
    return drawn


def _frame(image: Any, left: int, top: int, right: int, bottom: int, color: Any, n: int) -> None:
    """Lines n pixels thick, their middles at the given rows and columns."""
    before, after = n // 2, n - n // 2

    def fill(top: int, bottom: int, left: int, right: int) -> None:
        image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = color

    for row in (top, bottom):
        fill(row - before, row + after, left - before, right + after)
    for column in (left, right):
        fill(top - before, bottom + after, column - before, column + after)


def _text_place(x: int, y: int, font_scale: float, thickness: int) -> tuple[int, int]:
    """Left end of the base line: above the box, or in it where there is no room above."""
    height = int(font_scale * 12)
    if y - 8 - 2 * height > 0:
        return x, y - 8
    return x + 3, y + 2 * height + thickness + 3


def _write(
    image: Any, text: str, place: tuple[int, int], color: Any, scale: float, thickness: int
) -> None:
    pil = pillow("draw_bounding_boxes")
    from PIL import ImageDraw, ImageFont

    canvas = pil.new("L", (image.shape[1], image.shape[0]))
    font = ImageFont.load_default(size=22 * scale)
    ImageDraw.Draw(canvas).text(
        place, text, 255, font, anchor="ls", stroke_width=max(thickness - 1, 0)
    )
    ink = np.asarray(canvas)[..., None] / 255.0
    image[:] = np.round(image * (1 - ink) + np.asarray(color) * ink).astype("uint8")


def _palette(num_classes: int) -> list[Any]:
    """Colors that differ from class to class; the first is black. Keras's."""
    return [(i * np.array([2**25 - 1, 2**15 - 1, 2**21 - 1]) % 255) for i in range(num_classes)]


def draw_segmentation_masks(
    images: Any, segmentation_masks: Any, num_classes: Any = None, color_mapping: Any = None,
    alpha: float = 0.8, blend: bool = True, ignore_index: int = -1, data_format: Any = None,
) -> Any:  # fmt: skip
    """Images with each pixel in the color of its class.

    Args:
        images: A batch, from 0 to 255.
        segmentation_masks: Ints `(batch, height, width, 1)`.
        num_classes: One more than the largest number of a class; that of the masks by default.
        color_mapping: Class to red, green and blue; an own palette by default.
        alpha: The share of the color.
        blend: Whether to mix colors with the images.
        ignore_index: A class that is not drawn.
        data_format: "channels_last" or "channels_first".

    Returns:
        `(batch, height, width, channels)`: uint8, floats without `blend`.

    Raises:
        ValueError: Another rank.
        TypeError: Masks that are no ints.
    """
    images = as_batch(images, data_format).astype("float32")
    masks = as_batch(segmentation_masks, data_format)[..., 0]
    if masks.dtype.kind not in "iu":
        raise TypeError(
            "`segmentation_masks` must be in integer dtype. Received: "
            f"segmentation_masks.dtype={core.dtypes.name_of(masks.dtype)}"
        )
    count = int(masks.max()) + 1 if num_classes is None else num_classes
    colors = _palette(count) if color_mapping is None else [color_mapping[i] for i in range(count)]
    drawn = images.copy()
    for number, color in enumerate(colors):
        drawn[masks == number] = color
    if not blend:
        return drawn
    mixed = images * (1 - alpha) + drawn * alpha
    return np.where((masks == ignore_index)[..., None], images, mixed).astype("uint8")
