"""Images in another size: scaled, cut, flipped."""

from __future__ import annotations

import math
from typing import Any

from .... import ops, random
from ....random.seed_generator import make_default_seed
from ....serialization import builtin
from .base import ImageLayer, RandomImageLayer
from .boxes import crop

__all__ = ["CenterCrop", "RandomCrop", "RandomFlip", "Resizing"]


class _Sized(ImageLayer):
    """Makes images of a given height and width."""

    height: int
    width: int

    def _new_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        return self.height, self.width

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, dict):
            return {**input_shape, "images": self.compute_output_shape(input_shape["images"])}
        shape = list(input_shape)
        if len(shape) not in (3, 4) or isinstance(shape[0], list | tuple):
            raise ValueError(
                "`input_shape` must be a non-nested tuple or list of size 3 (unbatched) or 4 "
                f"(batched). Received: {input_shape}"
            )
        rows, columns = self._space
        shape[rows], shape[columns] = self.height, self.width
        return tuple(shape)

    def _window(self, images: Any, top: Any, left: Any, height: int, width: int) -> Any:
        rows, columns = self._space
        starts: list[Any] = [0] * len(images.shape)
        sizes = list(images.shape)
        starts[rows], starts[columns] = top, left
        sizes[rows], sizes[columns] = height, width
        return ops.slice(images, starts, sizes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


@builtin("keras.layers")
class Resizing(_Sized):
    """Scales images, in training and outside of it; integers stay integers.

    Args:
        height, width: Of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5"; of masks it is
            always "nearest".
        crop_to_aspect_ratio: Whether to cut what does not fit the new ratio, not to distort.
        pad_to_aspect_ratio: Whether to fill up to the new ratio, not to distort.
        fill_mode: "constant".
        fill_value: What to fill with.
        antialias: Whether the kernel widens when an axis shrinks.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, height: int, width: int, interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant", fill_value: float = 0.0, antialias: bool = False,
        data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width, self.interpolation = height, width, interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, bool(antialias)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """Height and width of the images: nothing is random."""
        return self._height_width(ops.shape(data["images"] if isinstance(data, dict) else data))

    def _resize(self, images: Any, interpolation: str) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), interpolation, self.antialias,
            self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value,
            self.data_format,
        )  # fmt: skip

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images scaled, in their own dtype."""
        return self._resize(images, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, scaled without mixing their values."""
        return self._resize(segmentation_masks, "nearest")

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The boxes of a batch, scaled; those that fill up (all -1 or all 0) become 0."""
        boxes = ops.convert_to_tensor(bounding_boxes["boxes"])
        unused = ops.logical_or(
            ops.all(ops.equal(boxes, -1), axis=-1, keepdims=True),
            ops.all(ops.equal(boxes, 0), axis=-1, keepdims=True),
        )
        used = ops.cast(ops.logical_not(unused), "float32")
        found = super().transform_bounding_boxes(bounding_boxes, transformation, True)
        return {**found, "boxes": found["boxes"] * used}

    def _image_size(self, transformation: Any) -> tuple[Any, Any]:
        return tuple(transformation)

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        scale = [self.width / width, self.height / height]
        shift = [0.0, 0.0]
        if self.crop_to_aspect_ratio or self.pad_to_aspect_ratio:
            scale = [(min if self.pad_to_aspect_ratio else max)(scale)] * 2
            # Half of what is added or cut, in whole pixels (rounded first: 2.9999 is 3).
            more = [
                round(self.width - width * scale[0], 6),
                round(self.height - height * scale[1], 6),
            ]
            shift = [math.copysign(abs(n) // 2, n) for n in more]
        return boxes * ops.convert_to_tensor(scale * 2, "float32") + (
            ops.convert_to_tensor(shift * 2, "float32")
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio, "fill_mode": self.fill_mode,
            "fill_value": self.fill_value, "antialias": self.antialias,
        }  # fmt: skip


def _largest_window(height: int, width: int, target: tuple[int, int]) -> tuple[int, ...]:
    """Top, left, height and width of the largest window in the middle that has target's ratio."""
    tall = max(min(height, int(float(width * target[0]) / target[1])), 1)
    wide = max(min(width, int(float(height * target[1]) / target[0])), 1)
    return int(float(height - tall) / 2), int(float(width - wide) / 2), tall, wide


@builtin("keras.layers")
class CenterCrop(_Sized):
    """Cuts the middle out of images, in training and outside of it.

    An image that is too small is cut to the ratio of the result, and scaled.

    Args:
        height, width: Of the result.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(self, height: int, width: int, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = height, width

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """The shape of the images: nothing is random."""
        images = data["images"] if isinstance(data, dict) else data
        return {"input_shape": tuple(ops.shape(images))}

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images, cut; in the dtype of the computation."""
        images = ops.cast(images, self.compute_dtype)
        height, width = self._height_width(images.shape)
        if height >= self.height and width >= self.width:
            top, left = (height - self.height) // 2, (width - self.width) // 2
            return self._window(images, top, left, self.height, self.width)
        size = (self.height, self.width)
        return ops.image.resize(
            images, size, crop_to_aspect_ratio=True, data_format=self.data_format
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, cut as images are."""
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The boxes of a batch, cut as the images."""
        return super().transform_bounding_boxes(bounding_boxes, transformation, True)

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        if height >= self.height and width >= self.width:
            top, left = (height - self.height) // 2, (width - self.width) // 2
            return crop(boxes, top, left, self.height, self.width)
        top, left, tall, wide = _largest_window(height, width, (self.height, self.width))
        scale = [self.width / wide, self.height / tall] * 2
        return crop(boxes, top, left, tall, wide) * ops.convert_to_tensor(scale, "float32")


@builtin("keras.layers")
class RandomCrop(_Sized, RandomImageLayer):
    """Cuts the same window at a random place out of all images of a batch, in training.

    An image that is not larger than the window along both axes is cut in its middle to the ratio
    of the window, and scaled. Outside of training images stay as they are, as in Keras.

    Args:
        height, width: Of the window.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        name: Of the layer.
        **kwargs: `bounding_box_format`, `dtype`.
    """

    def __init__(
        self, height: int, width: int, seed: Any = None, data_format: Any = None, name: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        seed = make_default_seed() if seed is None else seed
        super().__init__(seed=seed, data_format=data_format, name=name, **kwargs)
        self.height, self.width = height, width

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        height, width = self._height_width(shape)
        if height <= self.height or width <= self.width:
            window = _largest_window(height, width, (self.height, self.width))
            return *window[:2], height, width
        top, left = (
            ops.cast(random.uniform((), 0, float(more + 1), seed=seed), "int32")
            for more in (height - self.height, width - self.width)
        )
        return top, left, height, width

    def _cut(self, images: Any, window: Any, interpolation: str) -> Any:
        top, left = window[:2]
        height, width = self._height_width(images.shape)
        tall, wide = self._window_size(height, width)
        images = self._window(images, top, left, tall, wide)
        if (tall, wide) == (self.height, self.width):
            return images
        return ops.image.resize(
            images, (self.height, self.width), interpolation, data_format=self.data_format
        )

    def _window_size(self, height: int, width: int) -> tuple[int, int]:
        if height <= self.height or width <= self.width:
            top, left, _, _ = _largest_window(height, width, (self.height, self.width))
            return min(height - top, self.height), min(width - left, self.width)
        return self.height, self.width

    def _change_images(self, images: Any, transformation: Any) -> Any:
        return self._cut(images, transformation, "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, cut as images are."""
        if not training or transformation is None:
            return segmentation_masks
        return self._cut(segmentation_masks, transformation, "nearest")

    def _image_size(self, transformation: Any) -> tuple[Any, Any]:
        return transformation[2:]

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        tall, wide = self._window_size(height, width)
        top, left = (ops.cast(v, boxes.dtype) for v in transformation[:2])
        scale = [self.width / wide, self.height / tall] * 2
        return crop(boxes, top, left, tall, wide) * ops.convert_to_tensor(scale, "float32")


_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@builtin("keras.layers")
class RandomFlip(RandomImageLayer):
    """Mirrors each image with probability 1/2.

    Args:
        mode: "horizontal" (left and right change places), "vertical", or
            "horizontal_and_vertical" (both at once).
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: Any = None, data_format: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if mode not in _MODES:
            raise ValueError(f"`mode` must be one of {_MODES}. Received: mode={mode!r}")
        self.mode = mode

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        flips = random.uniform((batch, 1, 1, 1), seed=seed) <= 0.5
        return {"flips": flips, "input_shape": shape}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        rows, columns = self._space
        axes = [columns] * (self.mode != "vertical") + [rows] * (self.mode != "horizontal")
        return ops.where(transformation["flips"], ops.flip(images, axis=axes), images)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch, mirrored as images are."""
        return self.transform_images(segmentation_masks, transformation, training)

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        left, top, right, bottom = ops.unstack(boxes, 4, -1)
        if self.mode != "vertical":
            left, right = width - right, width - left
        if self.mode != "horizontal":
            top, bottom = height - bottom, height - top
        flipped = ops.stack([left, top, right, bottom], axis=-1)
        return ops.where(ops.reshape(transformation["flips"], (-1, 1, 1)), flipped, boxes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}
