"""Images turned, moved, zoomed and slanted at random."""

from __future__ import annotations

import math
from typing import Any

from .... import ops, random
from ....serialization import builtin
from .base import RandomImageLayer
from .boxes import follow_pixels
from .factors import between, one_of, pair, signed

__all__ = ["RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom", "Warping"]


class Warping(RandomImageLayer):
    """Pixels come from other places of the input, by interpolation.

    A subclass writes `_warp`, and `_maps` if the places are those of an affine map.

    Args:
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        fill_mode: What is outside of the input: "reflect" (b a | a b c | c b), "wrap", "constant"
            or "nearest".
        fill_value: The constant.
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype`.
    """

    _FILL_MODES: tuple[str, ...] = ("reflect", "wrap", "constant", "nearest")

    def __init__(
        self, interpolation: str = "bilinear", fill_mode: str = "reflect", fill_value: Any = 0.0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.fill_mode = one_of(fill_mode, self._FILL_MODES, "fill_mode")
        self.interpolation = one_of(interpolation, ("nearest", "bilinear"), "interpolation")
        self.fill_value = fill_value

    def _maps(self, transformation: Any, height: Any, width: Any) -> Any:
        """`(batch, 8)`: where each pixel comes from, as in `ops.image.affine_transform`."""
        raise NotImplementedError

    def _warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        height, width = self._height_width(images.shape)
        return ops.image.affine_transform(
            images, self._maps(transformation, height, width), interpolation, self.fill_mode,
            self.fill_value, self.data_format,
        )  # fmt: skip

    def _change_images(self, images: Any, transformation: Any) -> Any:
        return self._warp(images, transformation, self.interpolation)

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        return follow_pixels(boxes, self._maps(transformation, height, width))

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, warped as the images, without mixing their values."""
        if not training or transformation is None:
            return segmentation_masks
        return self._warp(segmentation_masks, transformation, "nearest")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "fill_mode": self.fill_mode, "fill_value": self.fill_value,
            "interpolation": self.interpolation,
        }  # fmt: skip


def _affine(batch: int, *rows: Any) -> Any:
    """`(batch, 8)` of a0, a1, a2, b0, b1, b2: numbers and `(batch,)`."""
    zeros = ops.zeros((batch,))
    return ops.stack([zeros + row for row in rows] + [zeros, zeros], axis=1)


@builtin("keras.layers")
class RandomRotation(Warping):
    """Turns images around their center.

    Args:
        factor: Lower and upper bound of the angle in parts of a full turn (positive:
            counterclockwise), or one number for both signs; from -1 to 1.
        fill_mode: What is outside of the input: "reflect" (b a | a b c | c b), "wrap", "constant"
            or "nearest".
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        seed: An int, or None.
        fill_value: The constant.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear",
        seed: Any = None, fill_value: Any = 0.0, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.factor = between(factor or 0.0, (-1, 1))

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        low, high = (360.0 * f for f in self.factor)
        angle = random.uniform((batch,), low, high, seed=seed)
        height, width = self._height_width(shape)
        cosine, sine = ops.cos(angle * (math.pi / 180.0)), ops.sin(angle * (math.pi / 180.0))
        x, y = (width - 1) / 2.0, (height - 1) / 2.0
        matrix = _affine(
            batch, cosine, -sine, x - x * cosine + y * sine,
            sine, cosine, y - x * sine - y * cosine,
        )  # fmt: skip
        return {
            "angle": angle, "rotation_matrix": matrix, "image_height": height,
            "image_width": width, "batch_size": batch,
        }  # fmt: skip

    def _maps(self, transformation: Any, height: Any, width: Any) -> Any:
        return ops.reshape(transformation["rotation_matrix"], (-1, 8))

    def _image_size(self, transformation: Any) -> tuple[Any, Any]:
        return transformation["image_height"], transformation["image_width"]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


def _per_box(offset: Any, boxes: Any) -> Any:
    """An offset `(batch, 1)` of each image as one of its boxes `(batch, boxes, 4)`."""
    offset = ops.cast(offset, boxes.dtype)
    return ops.expand_dims(offset, -1) if len(boxes.shape) == 3 else offset


class _Moving(Warping):
    """What Keras offers of an affine map beside the layers."""

    def get_transformed_x_y(self, x: Any, y: Any, transform: Any) -> tuple[Any, Any]:
        """Where points come from.

        Args:
            x, y: Numbers or tensors.
            transform: `(..., 8)`, as of `ops.image.affine_transform`.

        Returns:
            Two tensors `(..., 1)`.
        """
        a0, a1, a2, b0, b1, b2, c0, c1 = ops.split(ops.convert_to_tensor(transform), 8, axis=-1)
        k = c0 * x + c1 * y + 1
        return (a0 * x + a1 * y + a2) / k, (b0 * x + b1 * y + b2) / k


class _Shifting(_Moving):
    def get_shifted_bbox(
        self, bounding_boxes: Any, w_shift_factor: Any, h_shift_factor: Any
    ) -> Any:
        """The boxes moved left and up; the dictionary given is changed.

        Args:
            bounding_boxes: With "boxes" `(batch, boxes, 4)` or `(boxes, 4)` in the format "xyxy".
            w_shift_factor, h_shift_factor: `(batch, 1)` or `(1,)`.
        """
        boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
        x, y = _per_box(w_shift_factor, boxes), _per_box(h_shift_factor, boxes)
        bounding_boxes["boxes"] = boxes - ops.concatenate([x, y, x, y], axis=-1)
        return bounding_boxes


@builtin("keras.layers")
class RandomTranslation(_Shifting):
    """Moves images.

    Args:
        height_factor: Lower and upper bound of the move down in parts of the height, or one number
            for both signs; from -1 to 1.
        width_factor: The same of the move to the right.
        fill_mode: What is outside of the input: "reflect" (b a | a b c | c b), "wrap", "constant"
            or "nearest".
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        seed: An int, or None.
        fill_value: The constant.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect",
        interpolation: str = "bilinear", seed: Any = None, fill_value: Any = 0.0,
        data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.height_factor, self.width_factor = height_factor, width_factor
        self._down = pair(height_factor, (-1, 1), "height_factor")
        self._right = pair(width_factor, (-1, 1), "width_factor")

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        height, width = self._height_width(shape)
        down = random.uniform((batch, 1), *self._down, seed=seed) * height
        right = random.uniform((batch, 1), *self._right, seed=seed) * width
        return {"translations": ops.concatenate([right, down], axis=1), "input_shape": shape}

    def _maps(self, transformation: Any, height: Any, width: Any) -> Any:
        right, down = ops.unstack(ops.convert_to_tensor(transformation["translations"]), 2, 1)
        return _affine(right.shape[0], 1.0, 0.0, -right, 0.0, 1.0, -down)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }  # fmt: skip


@builtin("keras.layers")
class RandomZoom(_Moving):
    """Shows a part of each image larger, or the image smaller.

    Args:
        height_factor: Lower and upper bound of the zoom along the height, or one number for both
            signs; above -1, at most 1. Positive numbers make things smaller.
        width_factor: The same along the width; None: that of the height, ratio kept.
        fill_mode: What is outside of the input: "reflect" (b a | a b c | c b), "wrap", "constant"
            or "nearest".
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        seed: An int, or None.
        fill_value: The constant.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, height_factor: Any, width_factor: Any = None, fill_mode: str = "reflect",
        interpolation: str = "bilinear", seed: Any = None, fill_value: Any = 0.0,
        data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.height_factor, self.width_factor = height_factor, width_factor
        self._rows = pair(height_factor, (-1, 1), "height_factor", open_below=True)
        self._columns = None
        if width_factor is not None:
            self._columns = pair(width_factor, (-1, 1), "width_factor", open_below=True)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        def draw(bounds: Any) -> Any:
            return random.uniform((batch, 1), 1.0 + bounds[0], 1.0 + bounds[1], seed=seed)

        rows = draw(self._rows)
        columns = rows if self._columns is None else draw(self._columns)
        return {"height_zoom": rows, "width_zoom": columns, "input_shape": shape}

    def get_clipped_bbox(
        self, bounding_boxes: Any, h_end: Any, h_start: Any, w_end: Any, w_start: Any
    ) -> Any:
        """The boxes cut off at a window, from its upper left corner on; the dictionary given is
        changed.

        Args:
            bounding_boxes: With "boxes" `(batch, boxes, 4)` or `(boxes, 4)` in the format "xyxy".
            h_end, h_start, w_end, w_start: The window: `(batch, 1)` or `(1,)`.
        """
        boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
        left, top, right, bottom = (_per_box(v, boxes) for v in (w_start, h_start, w_end, h_end))
        low = ops.concatenate([left, top, left, top], axis=-1)
        high = ops.concatenate([right, bottom, right, bottom], axis=-1)
        bounding_boxes["boxes"] = ops.minimum(ops.maximum(boxes, low), high) - low
        return bounding_boxes

    def _maps(self, transformation: Any, height: Any, width: Any) -> Any:
        rows = ops.reshape(transformation["height_zoom"], (-1,))
        columns = ops.reshape(transformation["width_zoom"], (-1,))
        x, y = (width - 1) / 2.0, (height - 1) / 2.0
        return _affine(
            rows.shape[0], columns, 0.0, x * (1.0 - columns), 0.0, rows, y * (1.0 - rows)
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }  # fmt: skip


@builtin("keras.layers")
class RandomShear(_Shifting):
    """Slants images: a pixel comes from `(x + a y, y + b x)`.

    Args:
        x_factor: Lower and upper bound of a, or one number for both signs; from 0 to 1. The signs
            of a and b are turned together at random.
        y_factor: The same of b.
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        fill_mode: What is outside of the input: "reflect" (b a | a b c | c b), "wrap", "constant"
            or "nearest".
        fill_value: The constant.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, x_factor: Any = 0.0, y_factor: Any = 0.0, interpolation: str = "bilinear",
        fill_mode: str = "reflect", fill_value: Any = 0.0, data_format: Any = None,
        seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        # Keras writes one number as a pair of both signs into configs: it is that number again.
        self.x_factor = pair(signed(x_factor), (0, 1), "x_factor")
        self.y_factor = pair(signed(y_factor), (0, 1), "y_factor")

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        sign = ops.where(random.uniform((batch, 1), seed=seed) > 0.5, -1.0, 1.0)
        y = random.uniform((batch, 1), *self.y_factor, seed=seed)
        x = random.uniform((batch, 1), *self.x_factor, seed=seed)
        return {"shear_factor": ops.concatenate([x, y], axis=1) * sign, "input_shape": shape}

    def _maps(self, transformation: Any, height: Any, width: Any) -> Any:
        x, y = ops.unstack(ops.convert_to_tensor(transformation["shear_factor"]), 2, 1)
        return _affine(x.shape[0], 1.0, x, 0.0, y, 1.0, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "x_factor": self.x_factor, "y_factor": self.y_factor}
