"""A fixed number of bounding boxes."""

from __future__ import annotations

from typing import Any

from .... import ops
from ....serialization import builtin
from .base import ImageLayer

__all__ = ["MaxNumBoundingBoxes"]


@builtin("keras.layers")
class MaxNumBoundingBoxes(ImageLayer):
    """Cuts or fills up the boxes of each image to the same number.

    Args:
        max_number: How many.
        fill_value: What boxes and labels are filled up with.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype`.
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number, self.fill_value = int(max_number), int(fill_value)

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The images as they are."""
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """The first boxes of each image of a batch, filled up."""
        boxes, labels = (ops.convert_to_tensor(bounding_boxes[k]) for k in ("boxes", "labels"))
        more = [(0, 0), (0, max(self.max_number - boxes.shape[1], 0))]
        return {
            **bounding_boxes,
            "boxes": ops.pad(
                boxes[:, : self.max_number], [*more, (0, 0)], constant_values=self.fill_value
            ),
            "labels": ops.pad(labels[:, : self.max_number], more, constant_values=self.fill_value),
        }

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        shapes = input_shape["bounding_boxes"]
        extra = shapes.keys() - {"boxes", "labels"}
        if extra:
            raise KeyError(
                f"There are unsupported keys in `bounding_boxes`: {list(extra)}. Only `boxes` and "
                "`labels` are supported."
            )
        found = {k: (v[0], self.max_number, *v[2:]) for k, v in shapes.items()}
        return {**input_shape, "bounding_boxes": found}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "max_number": self.max_number, "fill_value": self.fill_value,
        }  # fmt: skip
