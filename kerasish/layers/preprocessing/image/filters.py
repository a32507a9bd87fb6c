"""Images sharpened, blurred, or with a rectangle missing, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import ops, random
from ....serialization import builtin
from .base import RandomImageLayer
from .factors import between, value_range_of

__all__ = ["RandomErasing", "RandomGaussianBlur", "RandomSharpness", "inside_rectangles"]


def _flags(values: Any) -> Any:
    """One flag for each image of a batch."""
    return ops.reshape(values, (-1, 1, 1, 1))


@builtin("keras.layers")
class RandomSharpness(RandomImageLayer):
    """`x + (1 - 2 factor) * (smooth - x)`: smoother below a factor of 0.5, sharper above.

    Args:
        factor: Bounds of the factor, or its upper bound; from 0 to 1.
        value_range: Least and greatest pixel value.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: Any = None, seed: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = between(factor, (0, 1))
        self.value_range = value_range_of(value_range)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        return {"factor": random.uniform((batch,), self.factor[0], self.factor[1], seed=seed)}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        factor = _flags(ops.cast(transformation["factor"], images.dtype)) * 2
        channels = images.shape[-3 if self._channels_first else -1]
        kernel = np.full((3, 3, channels, 1), 1 / 13, "float32")
        kernel[1, 1] = 5 / 13
        kernel = ops.cast(kernel, images.dtype)
        smooth = ops.depthwise_conv(images, kernel, 1, "same", self.data_format)
        images = images + (1.0 - factor) * (smooth - images)
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@builtin("keras.layers")
class RandomGaussianBlur(RandomImageLayer):
    """Smooths an image by a Gaussian bell, with a probability drawn between bounds.

    Args:
        factor: Bounds of the probability, or its upper bound; from 0 to 1.
        kernel_size: An odd int, or two: rows and columns of the bell.
        sigma: Bounds of the bell's width, or the upper bound; from 0 to 1.
        value_range: Least and greatest pixel value.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Raises:
        ValueError: An even size, or a number out of bounds.
    """

    def __init__(
        self, factor: Any = 1.0, kernel_size: Any = 3, sigma: Any = 1.0,
        value_range: Any = (0, 255), data_format: Any = None, seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = between(factor, (0, 1))
        sizes = kernel_size if isinstance(kernel_size, list | tuple) else (kernel_size,) * 2
        if len(sizes) != 2 or not all(isinstance(n, int | float) and n % 2 for n in sizes):
            raise ValueError(
                "`kernel_size` must be an odd number (or a list of two odd numbers). "
                f"Received: kernel_size={kernel_size}"
            )
        self.kernel_size = tuple(sizes)
        self.sigma = between(sigma, (0, 1), "sigma")
        self.value_range = value_range_of(value_range)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        chance = random.uniform((batch,), self.factor[0], self.factor[1], seed=seed)
        blurred = random.uniform((batch,), seed=seed) < chance
        width = random.uniform((2,), self.sigma[0], self.sigma[1], seed=seed) + 1e-6
        return {"should_apply_blur": blurred, "blur_factor": width}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        width = ops.cast(transformation["blur_factor"], images.dtype)
        smooth = ops.image.gaussian_blur(
            images, self.kernel_size, (width[0], width[1]), self.data_format
        )
        images = ops.where(_flags(transformation["should_apply_blur"]), smooth, images)
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "factor": self.factor, "kernel_size": self.kernel_size,
            "sigma": self.sigma, "value_range": self.value_range,
        }  # fmt: skip


def inside_rectangles(size: tuple[int, int], shares: tuple[Any, Any], seed: Any) -> tuple[Any, Any]:
    """One rectangle at a random place of each image.

    Args:
        size: Height and width of the images.
        shares: Height and width of the rectangles in parts of those, `(batch,)` each.
        seed: To draw the places.

    Returns:
        Flags `(batch, height, width)`, true inside, and the part of each image's area.
    """
    inside, lengths = [], []
    # Columns first, as Keras draws them.
    for axis in (1, 0):
        length = shares[axis] * size[axis]
        start = random.uniform((length.shape[0],), dtype=length.dtype, seed=seed)
        start = ops.expand_dims(start * (size[axis] - length), -1)
        place = np.arange(size[axis], dtype="float32")
        end = start + ops.expand_dims(length, -1)
        inside.append(ops.logical_and(place >= start, place < end))
        lengths.append(length)
    columns, rows = inside
    flags = ops.logical_and(ops.expand_dims(rows, 2), ops.expand_dims(columns, 1))
    return flags, lengths[0] * lengths[1] / (size[0] * size[1])


@builtin("keras.layers")
class RandomErasing(RandomImageLayer):
    """Fills a random rectangle of an image, with a probability drawn between bounds.

    Args:
        factor: Bounds of the probability, or its upper bound; from 0 to 1.
        scale: Bounds of the squares of the rectangle's height and width in parts of the image.
        fill_value: A number, three (for three channels), or None: normal noise times the greatest
            pixel value.
        value_range: Least and greatest pixel value.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: Zhong et al., "Random Erasing Data Augmentation", arXiv:1708.04896.
    """

    def __init__(
        self, factor: Any = 1.0, scale: Any = (0.02, 0.33), fill_value: Any = None,
        value_range: Any = (0, 255), seed: Any = None, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = between(factor, (0, 1))
        self.scale = between(scale, (0, 1), "scale")
        self.fill_value = fill_value
        self.value_range = value_range_of(value_range)

    def _fill_with(self, shape: Any, seed: Any) -> Any:
        value = self.fill_value
        if value is None:
            noise = random.normal(shape, dtype=self.compute_dtype, seed=seed)
            value = noise * self.value_range[1]
        elif isinstance(value, list | tuple) and len(value) == 3:
            value = ops.convert_to_tensor(value, self.compute_dtype)
            value = ops.reshape(value, (3, 1, 1)) if self._channels_first else value
        elif isinstance(value, int | float):
            value = ops.convert_to_tensor(value, self.compute_dtype)
        else:
            raise ValueError(
                "The `fill_value` argument should be a number (or a list of three numbers). "
                f"Received: fill_value={value}"
            )
        return ops.clip(value, self.value_range[0], self.value_range[1])

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        share = random.uniform(
            (batch, 2), self.scale[0], self.scale[1], self.compute_dtype, seed=seed
        )
        across, down = ops.unstack(ops.sqrt(share), 2, 1)
        flags, _ = inside_rectangles(self._height_width(shape), (down, across), seed)
        chance = random.uniform((batch,), self.factor[0], self.factor[1], seed=seed)
        return {
            "apply_erasing": random.uniform((batch,), seed=seed) < chance,
            "batch_masks": ops.expand_dims(flags, 1 if self._channels_first else -1),
            "fill_value": self._fill_with(shape, seed),
        }  # fmt: skip

    def _change_images(self, images: Any, transformation: Any) -> Any:
        fill = ops.cast(transformation["fill_value"], images.dtype)
        erased = ops.where(transformation["batch_masks"], fill, images)
        return ops.where(_flags(transformation["apply_erasing"]), erased, images)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "factor": self.factor, "scale": self.scale,
            "fill_value": self.fill_value, "value_range": self.value_range,
        }  # fmt: skip
