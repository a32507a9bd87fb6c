"""What image layers share: which part of the data is what, and what happens to each part."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .... import ops
from ....config import standardize_data_format
from ....ops.symbolic import KerasTensor
from ....random import SeedGenerator
from ...call_context import state
from ..data_layer import DataLayer
from .boxes import clip_to_image_size, convert_format, densify

__all__ = ["ImageLayer", "RandomImageLayer"]


class ImageLayer(DataLayer):
    """Preprocessing of images, and of what belongs to them.

    A call takes images, `(height, width, channels)` or with a batch axis in front, or a dictionary:
    "images", "labels", "bounding_boxes" (a dictionary of "boxes" and "labels") and
    "segmentation_masks"; what is absent is left out, other keys stay as they are. First
    `get_random_transformation` draws what will happen, then one method for each part does it.

    A subclass writes `_draw` (what is random), `_change_images`, and for geometry `_move_boxes`
    and `_change_masks`; what it does not write stays as it is.

    Args:
        bounding_box_format: Needed for "bounding_boxes"; see `utils.bounding_boxes`.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        **kwargs: `name`, `dtype`, `trainable`.
    """

    def __init__(
        self, bounding_box_format: Any = None, data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Change images, and what belongs to them."""
        if state.in_data_set and args:
            args = (core.tree.map_structure(self._as_floats, args[0]), *args[1:])
        return super().__call__(*args, **kwargs)

    def _as_floats(self, x: Any) -> Any:
        return x if isinstance(x, KerasTensor) else core.ops.cast(x, self.compute_dtype)

    # -- places
    @property
    def _channels_first(self) -> bool:
        return self.data_format == "channels_first"

    @property
    def _space(self) -> tuple[int, int]:
        """The axes of rows and columns, from the end."""
        return (-2, -1) if self._channels_first else (-3, -2)

    def _height_width(self, shape: Any) -> tuple[Any, Any]:
        rows, columns = self._space
        return shape[rows], shape[columns]

    def _is_batched(self, images: Any) -> bool:
        shape = ops.shape(images)
        if len(shape) not in (3, 4):
            raise ValueError(
                "Expected image tensor to have rank 3 (single image) or 4 (batch of images). "
                f"Received: data.shape={shape}"
            )
        return len(shape) == 4

    # -- what is random
    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """What will happen to this data; None if nothing is random."""
        return None

    # -- hooks
    def _change_images(self, images: Any, transformation: Any) -> Any:
        return images

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        """Boxes "xyxy" of a batch, in pixels, before and after."""
        return None

    def _image_size(self, transformation: Any) -> tuple[Any, Any]:
        """Height and width before."""
        return self._height_width(transformation["input_shape"])

    def _new_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """Height and width after."""
        return height, width

    # -- each part
    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images, changed; in the dtype of the computation."""
        images = ops.cast(images, self.compute_dtype)
        return self._change_images(images, transformation) if training else images

    def transform_labels(
        self, labels: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The labels of a batch."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The boxes of a batch, moved as the pixels are and cut at the borders."""
        if type(self)._move_boxes is ImageLayer._move_boxes or not training:
            return bounding_boxes
        if transformation is None:
            return bounding_boxes
        height, width = self._image_size(transformation)
        form = self.bounding_box_format
        inside = convert_format(bounding_boxes, form, "xyxy", height, width)
        inside["boxes"] = self._move_boxes(inside["boxes"], transformation, height, width)
        height, width = self._new_size(height, width)
        return convert_format(
            clip_to_image_size(inside, height, width), "xyxy", form, height, width
        )

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The masks of a batch."""
        return segmentation_masks

    # -- one of each
    def transform_single_image(self, image: Any, transformation: Any, training: Any = True) -> Any:
        """One image."""
        return self.transform_images(ops.expand_dims(image, 0), transformation, training)[0]

    def transform_single_label(self, label: Any, transformation: Any, training: Any = True) -> Any:
        """The label of one image."""
        return self.transform_labels(ops.expand_dims(label, 0), transformation, training)[0]

    def transform_single_bounding_box(
        self, bounding_box: Any, transformation: Any, training: Any = True
    ) -> Any:
        """The boxes of one image."""
        parts = ("boxes", "labels")
        batch = {k: ops.expand_dims(v, 0) if k in parts else v for k, v in bounding_box.items()}
        found = self.transform_bounding_boxes(batch, transformation, training)
        return {k: v[0] if k in parts else v for k, v in found.items()}

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: Any = True
    ) -> Any:
        """The mask of one image."""
        masks = ops.expand_dims(segmentation_mask, 0)
        return self.transform_segmentation_masks(masks, transformation, training)[0]

    # -- all
    def call(self, data: Any, training: Any = True) -> Any:
        images = data["images"] if isinstance(data, dict) else data
        batched = self._is_batched(images)
        transformation = self.get_random_transformation(data, training=training)

        def run(many: Any, one: Any, part: Any) -> Any:
            return (many if batched else one)(part, transformation, training=training)

        def image_part(part: Any) -> Any:
            part = ops.convert_to_tensor(part)
            return run(self.transform_images, self.transform_single_image, part)

        if not isinstance(data, dict):
            return image_part(data)
        data = {**data, "images": image_part(images)}
        if "bounding_boxes" in data:
            boxes = self._dense_boxes(data["bounding_boxes"])
            data["bounding_boxes"] = run(
                self.transform_bounding_boxes, self.transform_single_bounding_box, boxes
            )
        if "labels" in data:
            labels = ops.convert_to_tensor(data["labels"])
            data["labels"] = run(self.transform_labels, self.transform_single_label, labels)
        if "segmentation_masks" in data:
            data["segmentation_masks"] = run(
                self.transform_segmentation_masks, self.transform_single_segmentation_mask,
                ops.convert_to_tensor(data["segmentation_masks"]),
            )  # fmt: skip
        return data

    def _dense_boxes(self, bounding_boxes: Any) -> Any:
        if not self.bounding_box_format:
            raise ValueError(
                "You passed an input with a 'bounding_boxes' key, but you didn't specify a "
                "bounding box format. Pass a `bounding_box_format` argument to your "
                f"{type(self).__name__} layer, e.g. `bounding_box_format='xyxy'`."
            )
        return densify(bounding_boxes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "data_format": self.data_format}
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config


class RandomImageLayer(ImageLayer):
    """An image layer that draws, with a generator of its own, and in training only."""

    def __init__(self, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """What will happen to this data; None outside of training.

        Args:
            data: Images or a dictionary with them.
            training: Whether to draw.
            seed: An int or a generator instead of the layer's own.
        """
        images = data["images"] if isinstance(data, dict) else data
        batched = self._is_batched(images)
        if not training:
            return None
        shape = tuple(ops.shape(images))
        return self._draw(
            shape[0] if batched else 1, shape, self.generator if seed is None else seed
        )

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        """The transformation of a batch (of one, for a single image) of images of this shape."""
        raise NotImplementedError

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images, changed; in the dtype of the computation."""
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        return self._change_images(images, transformation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
