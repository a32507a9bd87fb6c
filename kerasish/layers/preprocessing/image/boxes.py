"""Bounding boxes: formats, overlaps, offsets from anchors, and how geometry moves them."""

from __future__ import annotations

import math
from typing import Any

from .... import ops
from ....settings import epsilon

__all__ = [
    "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format",
    "crop", "decode_deltas_to_boxes", "densify", "encode_box_to_deltas", "pad",
]  # fmt: skip

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip


def _columns(boxes: Any) -> tuple[Any, ...]:
    return tuple(boxes[..., i : i + 1] for i in range(4))


def _join(*columns: Any) -> Any:
    return ops.concatenate(columns, axis=-1)


def _corners(boxes: Any, layout: str) -> tuple[Any, ...]:
    """Left, top, right, bottom."""
    a, b, c, d = _columns(boxes)
    if layout == "xyxy":
        return a, b, c, d
    if layout == "yxyx":
        return b, a, d, c
    if layout == "xywh":
        return a, b, a + c, b + d
    x, y, width, height = (a, b, c, d) if layout == "center_xywh" else (b, a, d, c)
    return x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0


def _laid_out(corners: tuple[Any, ...], layout: str) -> Any:
    """The inverse of `_corners`."""
    left, top, right, bottom = corners
    if layout == "xyxy":
        return _join(left, top, right, bottom)
    if layout == "yxyx":
        return _join(top, left, bottom, right)
    width, height = right - left, bottom - top
    if layout == "xywh":
        return _join(left, top, width, height)
    x, y = left + width / 2.0, top + height / 2.0
    return _join(x, y, width, height) if layout == "center_xywh" else _join(y, x, height, width)


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None,
    dtype: Any = "float32",
) -> Any:  # fmt: skip
    """Boxes in another format.

    Formats: "xyxy" (left, top, right, bottom), "yxyx", "xywh" (left, top, width, height),
    "center_xywh", "center_yxhw"; with "rel_" in front (not "center_yxhw"), in parts of the image's
    width and height.

    Args:
        boxes: `(..., 4)`, or a dictionary with them at "boxes".
        source: The format that they have.
        target: The format wanted.
        height, width: Of the image, for formats that begin with "rel_".
        dtype: Of the result.

    Returns:
        As `boxes`; a dictionary is a new one.

    Raises:
        ValueError: An unknown format, a last axis that is not 4, or no size for a relative format.

    Source: https://keras.io/api/utils/bounding_boxes/
    """
    if isinstance(boxes, dict):
        moved = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": moved}
    shape = ops.shape(boxes)
    if shape[-1] != 4:
        raise ValueError(
            f"`boxes` must be a tensor with the last dimension of 4. Received: boxes.shape={shape}"
        )
    source, target = source.lower(), target.lower()
    if source not in FORMATS or target not in FORMATS:
        raise ValueError(
            f"Invalid source or target format: source={source!r}, target={target!r}. "
            f"Supported formats: {FORMATS}"
        )
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(
            "convert_format() must receive `height` and `width` transforming between relative and "
            f"absolute formats. Received source={source!r}, target={target!r}, but "
            f"height={height} and width={width}."
        )
    boxes = ops.cast(boxes, dtype)
    if source == target:
        return boxes
    corners = _corners(boxes, source.removeprefix("rel_"))
    if relative[0] != relative[1]:
        size = ops.cast(width, dtype), ops.cast(height, dtype)
        sizes = size * 2
        if relative[0]:
            corners = tuple(c * n for c, n in zip(corners, sizes, strict=True))
        else:
            corners = tuple(c / n for c, n in zip(corners, sizes, strict=True))
    return _laid_out(corners, target.removeprefix("rel_"))


def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes cut at the borders of the image; those of which nothing is left get the label -1.

    Args:
        bounding_boxes: A dictionary with "boxes" `(..., num_boxes, 4)` and perhaps "labels".
        height, width: Of the image; not needed for "rel_xyxy".
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        A new dictionary.

    Raises:
        NotImplementedError: Another format.
        ValueError: "xyxy" without a size.
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise NotImplementedError(
            f"bounding_box_format={bounding_box_format!r}: convert_format() to 'xyxy' or "
            "'rel_xyxy' first."
        )
    if bounding_box_format == "xyxy" and (height is None or width is None):
        raise ValueError("`height` and `width` must be set if `format='xyxy'`.")
    boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
    limits: Any = (1.0, 1.0)
    if bounding_box_format == "xyxy":
        limits = ops.cast(width, boxes.dtype), ops.cast(height, boxes.dtype)
    left, top, right, bottom = (
        ops.clip(column, 0, limit)
        for column, limit in zip(_columns(boxes), (*limits, *limits), strict=True)
    )
    result = {**bounding_boxes, "boxes": _join(left, top, right, bottom)}
    if bounding_boxes.get("labels") is not None:
        area = ((right - left) * (bottom - top))[..., 0]
        result["labels"] = ops.where(area > 0, bounding_boxes["labels"], -1)
    return result


def _only_xyxy(bounding_box_format: str, name: str) -> None:
    if bounding_box_format != "xyxy":
        raise NotImplementedError(
            f"{name}: bounding_box_format={bounding_box_format!r}; only 'xyxy' is supported. Use "
            "convert_format()."
        )


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes of a window of the image, cut at its borders.

    Args:
        boxes: `(..., 4)`.
        top, left: Where the window begins.
        height, width: Of the window.
        bounding_box_format: "xyxy".
    """
    _only_xyxy(bounding_box_format, "crop")
    x1, y1, x2, y2 = _columns(ops.convert_to_tensor(boxes))
    return _join(
        ops.clip(x1 - left, 0, width), ops.clip(y1 - top, 0, height),
        ops.clip(x2 - left, 0, width), ops.clip(y2 - top, 0, height),
    )  # fmt: skip


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:  # fmt: skip
    """Boxes of an image to which rows were added above and columns on the left.

    Args:
        boxes: `(..., 4)`.
        top, left: How many.
        height, width: Accepted as in Keras, and not needed.
        bounding_box_format: "xyxy".
    """
    _only_xyxy(bounding_box_format, "pad")
    x1, y1, x2, y2 = _columns(ops.convert_to_tensor(boxes))
    return _join(x1 + left, y1 + top, x2 + left, y2 + top)


def affine_transform(
    boxes: Any, angle: Any, translate_x: Any, translate_y: Any, scale: Any, shear_x: Any,
    shear_y: Any, height: Any, width: Any, center_x: Any = None, center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:  # fmt: skip
    """The boxes around boxes that were rotated, moved, scaled and sheared.

    Args:
        boxes: `(batch, num_boxes, 4)`.
        angle, shear_x, shear_y: `(batch,)`, in degrees.
        translate_x, translate_y: `(batch,)`, in parts of the image.
        scale: `(batch,)`.
        height, width: Of the image.
        center_x, center_y: What stays in place, in parts of the image; 0.5 by default.
        bounding_box_format: "xyxy".

    Returns:
        `(batch, num_boxes, 4)`, in the dtype of `angle`.
    """
    _only_xyxy(bounding_box_format, "affine_transform")
    angle = ops.convert_to_tensor(angle)
    dtype = angle.dtype
    turn, slant_x, slant_y = (
        ops.multiply(ops.convert_to_tensor(v), -math.pi / 180.0) for v in (angle, shear_x, shear_y)
    )
    last_x, last_y = ops.cast(width - 1, dtype), ops.cast(height - 1, dtype)
    x = last_x * (0.5 if center_x is None else center_x)
    y = last_y * (0.5 if center_y is None else center_y)
    from_x = x - ops.multiply(translate_x, last_x)
    from_y = y - ops.multiply(translate_y, last_y)
    a = ops.cos(turn - slant_y) / ops.cos(slant_y)
    c = -ops.sin(turn - slant_y) / ops.cos(slant_y)
    slope = ops.tan(slant_x)
    a0 = (ops.cos(turn) - c * slope) * scale
    a1 = -(a * slope + ops.sin(turn)) * scale
    b0, b1 = -c * scale, a * scale
    a2 = x - a0 * from_x - a1 * from_y
    b2 = y - b0 * from_x - b1 * from_y
    rows = ops.stack([a0, a1, a2, b0, b1, b2], axis=-1)
    rows = ops.reshape(rows, (-1, 1, 1, 6))
    corner_x, corner_y = _corner_points(ops.cast(boxes, dtype))
    new_x = rows[..., 0] * corner_x + rows[..., 1] * corner_y + rows[..., 2]
    new_y = rows[..., 3] * corner_x + rows[..., 4] * corner_y + rows[..., 5]
    return _around(new_x, new_y)


def _corner_points(boxes: Any) -> tuple[Any, Any]:
    """The x and the y, `(..., 4)` each, of the four corners."""
    left, top, right, bottom = _columns(boxes)
    return _join(left, right, right, left), _join(top, top, bottom, bottom)


def _around(x: Any, y: Any) -> Any:
    """The boxes around points `(..., num_points)`."""
    return ops.stack([ops.min(x, -1), ops.min(y, -1), ops.max(x, -1), ops.max(y, -1)], axis=-1)


def follow_pixels(boxes: Any, maps: Any) -> Any:
    """The boxes around boxes "xyxy" of images that were warped.

    Args:
        boxes: `(batch, num_boxes, 4)`.
        maps: `(batch, 8)` as in `ops.image.affine_transform`: they take a pixel of the result to
            one of the input. What lies in the input is therefore taken by the inverse, whose
            matrix is the adjugate (a common factor cancels).
    """
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        ops.reshape(m, (-1, 1, 1)) for m in ops.unstack(ops.cast(maps, boxes.dtype), 8, 1)
    )
    x, y = _corner_points(boxes)
    k = (b0 * c1 - b1 * c0) * x + (a1 * c0 - a0 * c1) * y + (a0 * b1 - a1 * b0)
    new_x = (b1 - b2 * c1) * x + (a2 * c1 - a1) * y + (a1 * b2 - a2 * b1)
    new_y = (b2 * c0 - b0) * x + (a0 - a2 * c0) * y + (a2 * b0 - a0 * b2)
    return _around(new_x / k, new_y / k)


def densify(bounding_boxes: Any) -> Any:
    """A dictionary of boxes as tensors; lists of different lengths are filled up with boxes of
    zeros that have the label -1.

    Raises:
        ValueError: No dictionary of "boxes" and "labels", or ranks and lengths that do not agree.
    """
    if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= bounding_boxes.keys():
        raise ValueError(
            "Expected `bounding_boxes` argument to be a dict with keys 'boxes' and 'labels'. "
            f"Received: bounding_boxes={bounding_boxes}"
        )
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if isinstance(boxes, list | tuple):
        boxes, labels = _filled_up(list(boxes), labels)
    boxes, labels = ops.convert_to_tensor(boxes, "float32"), ops.convert_to_tensor(labels)
    rank = len(boxes.shape)
    if rank not in (2, 3):
        raise ValueError(
            "Expected `bounding_boxes['boxes']` to have rank 2 or 3, with shape (num_boxes, 4) or "
            f"(batch_size, num_boxes, 4). Received: bounding_boxes['boxes'].shape={boxes.shape}"
        )
    if len(labels.shape) not in (rank - 1, rank):
        raise ValueError(
            f"Found bounding_boxes['boxes'].shape={boxes.shape} and expected "
            f"bounding_boxes['labels'] to have rank {rank - 1} or {rank}, but received: "
            f"bounding_boxes['labels'].shape={labels.shape}"
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}


def _filled_up(boxes: list[Any], labels: Any) -> tuple[Any, Any]:
    if not isinstance(labels, list | tuple):
        raise ValueError(
            "If `bounding_boxes['boxes']` is a list, then `bounding_boxes['labels']` must also be "
            f"a list. Received: bounding_boxes['labels']={labels}"
        )
    if len(boxes) != len(labels):
        raise ValueError(
            "If `bounding_boxes['boxes']` and `bounding_boxes['labels']` are both lists, they must "
            f"have the same length. Received: len(bounding_boxes['boxes'])={len(boxes)} and "
            f"len(bounding_boxes['labels'])={len(labels)}"
        )
    lists = all(isinstance(b, list | tuple) for b in boxes)
    nested = lists and any(isinstance(v, list | tuple) for b in boxes for v in b)
    if not nested:
        return boxes, list(labels)
    most = max(len(b) for b in boxes)
    return (
        [[*b, *[[0.0] * 4] * (most - len(b))] for b in boxes],
        [[*v, *[-1] * (most - len(v))] for v in labels],
    )


# -- overlaps


def _height_width(image_shape: Any, bounding_box_format: str) -> tuple[Any, Any]:
    if image_shape is not None:
        return image_shape[0], image_shape[1]
    if "rel" in bounding_box_format:
        raise ValueError(
            "When using relative bounding box formats (e.g. `rel_yxyx`) the `image_shape` argument "
            f"must be provided. Received `image_shape`: {image_shape}"
        )
    return None, None


def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False,
    mask_val: Any = -1, image_shape: Any = None,
) -> Any:  # fmt: skip
    """The intersection over the union of each box of one set with each of another.

    Args:
        boxes1: `(m, 4)` or `(batch, m, 4)`.
        boxes2: `(n, 4)` or `(batch, n, 4)`.
        bounding_box_format: Of both; see `convert_format`.
        use_masking: Whether pairs with a box of negative numbers only (a filled up one) get
            `mask_val`.
        mask_val: That value.
        image_shape: Height, width and channels, for relative formats.

    Returns:
        `(m, n)` or `(batch, m, n)`.

    Raises:
        ValueError: Another rank, or a relative format without `image_shape`.
    """
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if len(ops.shape(boxes)) not in (2, 3):
            raise ValueError(
                f"compute_iou() expects {name} to be batched, or to be unbatched: rank 2 or 3. "
                f"Received: {name}.shape={ops.shape(boxes)}"
            )
    height, width = _height_width(image_shape, bounding_box_format)
    boxes1, boxes2 = (
        convert_format(b, bounding_box_format, "yxyx", height, width) for b in (boxes1, boxes2)
    )
    top1, left1, bottom1, right1 = _columns(boxes1)
    top2, left2, bottom2, right2 = (ops.swapaxes(c, -1, -2) for c in _columns(boxes2))
    inner_height = ops.minimum(bottom1, bottom2) - ops.maximum(top1, top2)
    inner_width = ops.minimum(right1, right2) - ops.maximum(left1, left2)
    inner = ops.maximum(inner_height, 0.0) * ops.maximum(inner_width, 0.0)
    areas = (bottom1 - top1) * (right1 - left1), (bottom2 - top2) * (right2 - left2)
    iou = inner / (areas[0] + areas[1] - inner + epsilon())
    if not use_masking:
        return iou
    unused1 = ops.max(boxes1, axis=-1, keepdims=True) < 0.0
    unused2 = ops.swapaxes(ops.max(boxes2, axis=-1, keepdims=True) < 0.0, -1, -2)
    return ops.where(ops.logical_or(unused1, unused2), ops.cast(mask_val, iou.dtype), iou)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Any:
    """The complete IoU of pairs of boxes: `iou - d^2 / c^2 - alpha v`.

    `d` is the distance of the centers, `c` the diagonal of the box around both,
    `v = 4/pi^2 (atan(w2/h2) - atan(w1/h1))^2` and `alpha = v / (v - iou + 1)`.

    Args:
        boxes1, boxes2: `(..., 4)`, of equal shapes.
        bounding_box_format: Of both; see `convert_format`.
        image_shape: Height, width and channels, for relative formats.

    Returns:
        `(...)`.

    Source: Zheng et al., "Enhancing Geometric Factors in Model Learning", arXiv:2005.03572.
    """
    height, width = _height_width(image_shape, bounding_box_format)
    left1, top1, right1, bottom1 = ops.unstack(
        convert_format(boxes1, bounding_box_format, "xyxy", height, width), 4, -1
    )
    left2, top2, right2, bottom2 = ops.unstack(
        convert_format(boxes2, bounding_box_format, "xyxy", height, width), 4, -1
    )
    small = epsilon()
    width1, height1 = right1 - left1, bottom1 - top1 + small
    width2, height2 = right2 - left2, bottom2 - top2 + small
    inner = ops.maximum(ops.minimum(right1, right2) - ops.maximum(left1, left2), 0.0) * (
        ops.maximum(ops.minimum(bottom1, bottom2) - ops.maximum(top1, top2), 0.0)
    )
    union = width1 * height1 + width2 * height2 - inner + small
    iou = inner / (union + small)
    outer_width = ops.maximum(right1, right2) - ops.minimum(left1, left2)
    outer_height = ops.maximum(bottom1, bottom2) - ops.minimum(top1, top2)
    diagonal = ops.square(outer_width) + ops.square(outer_height) + small
    distance = (
        ops.square((left1 + right1) - (left2 + right2))
        + ops.square((top1 + bottom1) - (top2 + bottom2))
    ) / 4.0
    v = 4.0 / math.pi**2 * ops.square(
        ops.arctan(width2 / height2) - ops.arctan(width1 / height1)
    )  # fmt: skip
    alpha = v / (v - iou + (1.0 + small))
    return iou - (distance / diagonal + v * alpha)


# -- offsets from anchors


def _checked_encoding(variance: Any, encoding: str, name: str) -> Any:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(
            f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got {encoding}"
        )
    if variance is None:
        return None
    variance = ops.convert_to_tensor(variance, "float32")
    if variance.shape[-1] != 4:
        raise ValueError(f"`variance` must be length 4, got {variance}")
    return variance


def encode_box_to_deltas(
    anchors: Any, boxes: Any, anchor_format: str, box_format: str,
    encoding_format: str = "center_yxhw", variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """Boxes relative to anchors: `((box - anchor) / size, log(box size / anchor size))`.

    Args:
        anchors, boxes: `(..., 4)`.
        anchor_format, box_format: See `convert_format`.
        encoding_format: "center_yxhw" or "center_xywh": the order in the result.
        variance: Four numbers to divide by, or None.
        image_shape: Height, width and channels, for relative formats.

    Returns:
        `(..., 4)`.

    Raises:
        ValueError: Another encoding, or not four variances.
    """
    variance = _checked_encoding(variance, encoding_format, "encoding_format")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoding_format, height, width)
    boxes = convert_format(boxes, box_format, encoding_format, height, width)
    sizes = ops.maximum(anchors[..., 2:], epsilon())
    deltas = _join(
        (boxes[..., :2] - anchors[..., :2]) / sizes,
        ops.log(ops.maximum(boxes[..., 2:], epsilon()) / sizes),
    )
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any, boxes_delta: Any, anchor_format: str, box_format: str,
    encoded_format: str = "center_yxhw", variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """The inverse of `encode_box_to_deltas`.

    Args:
        anchors, boxes_delta: `(..., 4)`, or dictionaries of them, by level.
        anchor_format, box_format: See `convert_format`; the boxes of the result have the second.
        encoded_format: "center_yxhw" or "center_xywh": the order in `boxes_delta`.
        variance: Four numbers to multiply by, or None.
        image_shape: Height, width and channels, for relative formats.

    Returns:
        As `boxes_delta`.

    Raises:
        ValueError: Another encoding, or not four variances.
    """
    scale = _checked_encoding(variance, encoded_format, "encoded_format")
    height, width = (None, None) if image_shape is None else image_shape[:2]

    def decode(anchor: Any, delta: Any) -> Any:
        anchor = convert_format(anchor, anchor_format, encoded_format, height, width)
        delta = ops.convert_to_tensor(delta)
        delta = delta if scale is None else delta * scale
        size = anchor[..., 2:]
        found = _join(delta[..., :2] * size + anchor[..., :2], ops.exp(delta[..., 2:]) * size)
        return convert_format(found, encoded_format, box_format, height, width)

    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {level: decode(anchor, boxes_delta[level]) for level, anchor in anchors.items()}
    return decode(anchors, boxes_delta)
