"""Images distorted at random: seen aslant, or as if of rubber."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import ops, random
from ....ops.image_maps import homography, sample
from ....serialization import builtin
from .affine import Warping
from .boxes import follow_pixels
from .factors import between

__all__ = ["RandomElasticTransform", "RandomPerspective"]


@builtin("keras.layers")
class RandomPerspective(Warping):
    """Moves the four corners of images, with a probability that is drawn between bounds.

    Args:
        factor: Bounds of the probability, or its upper bound; from 0 to 1.
        scale: How far corners move, in parts of their distance from the upper left one: at most
            half of it. From 0 to 1.
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        fill_value: What is outside of the input.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Raises:
        ValueError: A number that is not from 0 to 1.
    """

    def __init__(
        self, factor: Any = 1.0, scale: float = 1.0, interpolation: str = "bilinear",
        fill_value: Any = 0.0, seed: Any = None, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            interpolation, "constant", fill_value, seed=seed, data_format=data_format, **kwargs
        )
        if not 0.0 <= scale <= 1.0:
            raise ValueError(
                "The `scale` argument should be a number in the range [0,1]. "
                f"Received: scale={scale}"
            )
        self.factor, self.scale = between(factor, (0, 1)), scale

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        height, width = self._height_width(shape)
        chance = random.uniform((batch,), self.factor[0], self.factor[1], seed=seed)
        moved = random.uniform((batch,), seed=seed) < chance
        reach = 0.5 * self.scale
        shift = random.uniform((batch, 4, 2), -reach, reach, seed=seed)
        corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
        starts = ops.broadcast_to(corners.astype("float32"), (batch, 4, 2))
        return {
            "apply_perspective": moved, "start_points": starts,
            "end_points": starts + starts * shift, "input_shape": shape,
        }  # fmt: skip

    def _warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        warped = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation,
            self.fill_value, self.data_format,
        )  # fmt: skip
        return ops.where(_each(transformation["apply_perspective"], 4), warped, images)

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        starts, ends = (
            ops.cast(transformation[name], "float32") for name in ("start_points", "end_points")
        )
        moved = follow_pixels(boxes, homography(starts, ends))
        return ops.where(_each(transformation["apply_perspective"], 3), moved, boxes)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "factor": self.factor, "scale": self.scale}
        del config["fill_mode"]
        return config


def _each(flags: Any, rank: int) -> Any:
    """One flag for each image, to choose among arrays of this rank."""
    return ops.reshape(ops.cast(flags, "bool"), (-1,) + (1,) * (rank - 1))


@builtin("keras.layers")
class RandomElasticTransform(Warping):
    """Moves each pixel by `alpha * smooth noise`, with a probability drawn between bounds.

    With a random `s` between the bounds of `scale`, `sigma = 0.05 s min(height, width)` is the
    width of the Gaussian bell that smooths the noise and also its standard deviation, and
    `alpha = 0.1 s max(height, width)`.

    Args:
        factor: Bounds of the probability, or its upper bound; from 0 to 1.
        scale: Bounds of the strength, or its upper bound; from 0 to 1.
        interpolation: "nearest" or "bilinear"; of masks it is always "nearest".
        fill_mode: What is outside of the input: "reflect", "mirror", "wrap", "constant" or
            "nearest".
        fill_value: The constant.
        value_range: Least and greatest pixel value.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: P. Simard et al., "Best Practices for Convolutional Neural Networks Applied to Visual
    Document Analysis", ICDAR 2003.
    """

    _FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")

    def __init__(
        self, factor: Any = 1.0, scale: Any = 1.0, interpolation: str = "bilinear",
        fill_mode: str = "reflect", fill_value: Any = 0.0, value_range: Any = (0, 255),
        seed: Any = None, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            interpolation, fill_mode, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.factor = between(factor, (0, 1))
        self.scale = between(scale, (0, 1), "scale")
        self.value_range = value_range

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        height, width = self._height_width(shape)
        chance = random.uniform((batch,), self.factor[0], self.factor[1], seed=seed)
        moved = random.uniform((batch,), seed=seed) < chance
        strength = random.uniform((), self.scale[0], self.scale[1], seed=seed)
        # The noise itself, not a seed: images and masks must be bent alike.
        return {
            "apply_transform": moved, "distortion_factor": strength,
            "noise": random.normal((2, batch, height, width), seed=seed),
        }  # fmt: skip

    def get_elastic_transform_params(self, height: Any, width: Any, factor: Any) -> Any:
        """How far pixels move and how smooth the noise is: `alpha` and `sigma`.

        Args:
            height, width: Of the images.
            factor: The strength, from 0 to 1.
        """
        return 0.1 * factor * max(height, width), 0.05 * factor * min(height, width)

    def displacement(self, noise: Any, strength: Any) -> Any:
        """How far pixels move, `(2, batch, height, width)`, right and down.

        Args:
            noise: Of that shape.
            strength: A number.
        """
        height, width = noise.shape[-2:]
        alpha, sigma = self.get_elastic_transform_params(height, width, strength)
        # A bell of width 0 would divide by 0; at this width it is 1 in the middle, else 0.
        sigma = ops.maximum(sigma, 1e-3)
        # As wide as the strongest needs: a kernel's size can't be random in a compiled step.
        size = int(6 * 0.05 * min(height, width) * self.scale[1]) | 1
        planes = ops.reshape(noise * sigma, (-1, height, width, 1))
        smooth = ops.image.gaussian_blur(planes, (size, size), (sigma, sigma), "channels_last")
        return ops.reshape(smooth, noise.shape) * alpha

    def _warp(self, images: Any, transformation: Any, interpolation: str) -> Any:
        right, down = ops.unstack(
            self.displacement(transformation["noise"], transformation["distortion_factor"]), 2, 0
        )
        x = ops.transpose(images, (0, 2, 3, 1)) if self._channels_first else images
        rows, columns = np.indices(x.shape[1:3]).astype("float32")
        order = 0 if interpolation == "nearest" else 1
        bent = sample(x, rows + down, columns + right, order, self.fill_mode, self.fill_value)
        bent = ops.transpose(bent, (0, 3, 1, 2)) if self._channels_first else bent
        return ops.where(_each(transformation["apply_transform"], 4), bent, images)

    def _change_images(self, images: Any, transformation: Any) -> Any:
        images = super()._change_images(images, transformation)
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def _move_boxes(self, boxes: Any, transformation: Any, height: Any, width: Any) -> Any:
        raise NotImplementedError(
            "RandomElasticTransform moves no bounding boxes: a bent box is none any more. Leave "
            "'bounding_boxes' out, or use RandomPerspective."
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "factor": self.factor, "scale": self.scale,
            "value_range": self.value_range,
        }  # fmt: skip
