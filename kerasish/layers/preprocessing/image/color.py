"""Random changes of brightness, contrast, hue and saturation."""

from __future__ import annotations

from typing import Any

from .... import ops, random
from ....serialization import builtin
from ....settings import epsilon
from .base import RandomImageLayer
from .factors import between, to_range, value_range_of

__all__ = [
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
    "RandomGrayscale", "RandomHue", "RandomSaturation",
]  # fmt: skip


class _Color(RandomImageLayer):
    """With a strength between bounds, and a range of pixel values."""

    _BOUNDS = (-1, 1)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: Any = None, seed: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = between(factor or 0.0, self._BOUNDS)
        self.value_range = value_range_of(value_range)

    def _uniform(self, shape: Any, seed: Any) -> Any:
        return random.uniform(shape, self.factor[0], self.factor[1], seed=seed)

    def _clip(self, images: Any) -> Any:
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def _channel(self, images: Any, index: int) -> Any:
        return images[..., index, :, :] if self._channels_first else images[..., index]

    def _stack(self, channels: Any) -> Any:
        return ops.stack(channels, axis=-3 if self._channels_first else -1)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
        return config


@builtin("keras.layers")
class RandomBrightness(_Color):
    """Adds one random number to all pixels of an image, then cuts at the range of values.

    Args:
        factor: Lower and upper bound in parts of the range, or one number for both signs; from -1
            to 1.
        value_range: Least and greatest pixel value.
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype`.
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        span = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": self._uniform((batch, 1, 1, 1), seed) * span}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        return self._clip(images + ops.cast(transformation["rgb_delta"], images.dtype))


@builtin("keras.layers")
class RandomContrast(_Color):
    """`(x - mean) * factor + mean` with the mean of each channel of each image, cut at the range.

    Args:
        factor: Two numbers (or one for both) from 0 to 1: the factor is drawn from
            `[1 - lower, 1 + upper)`.
        value_range: Least and greatest pixel value.
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype`.
    """

    _BOUNDS = (0, 1)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        low, high = 1.0 - self.factor[0], 1.0 + self.factor[1]
        return {"contrast_factor": random.uniform((batch, 1, 1, 1), low, high, seed=seed)}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(transformation["contrast_factor"], images.dtype)
        mean = ops.mean(images, axis=self._space, keepdims=True)
        return self._clip((images - mean) * factor + mean)


@builtin("keras.layers")
class RandomColorDegeneration(_Color):
    """Mixes an image with its gray version: `x + factor * (gray - x)`.

    Args:
        factor: Lower and upper bound of the factor, or one number for both signs; 0 leaves the
            image, 1 makes it gray.
        value_range: Least and greatest pixel value.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        return {"factor": self._uniform((batch, 1, 1, 1), seed)}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.cast(transformation["factor"], images.dtype)
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return self._clip(images + factor * (gray - images))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) not in (3, 4):
            raise ValueError(
                "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). "
                f"Received: input_shape={input_shape}"
            )
        channels = input_shape[-3 if self._channels_first else -1]
        if channels not in (None, 3):
            raise ValueError(
                f"Input images must have 3 channels, but received images with {channels} channels."
            )
        return input_shape


@builtin("keras.layers")
class RandomHue(_Color):
    """Turns the hue of an image by a random part of the circle, at most half the factor.

    Args:
        factor: Two numbers (or one, from 0 to it) from 0 to 1; the sign is random.
        value_range: Least and greatest pixel value.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    _BOUNDS = (0, 1)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        sign = ops.where(random.uniform((batch,), seed=seed) > 0.5, -1.0, 1.0)
        return {"factor": sign * self._uniform((batch,), seed) * 0.5}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        images = to_range(images, self.value_range, (0, 1), images.dtype)
        turn = ops.reshape(ops.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        images = ops.image.rgb_to_hsv(images, data_format=self.data_format)
        hue = self._channel(images, 0) + turn
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        images = self._stack([hue, self._channel(images, 1), self._channel(images, 2)])
        images = ops.clip(ops.image.hsv_to_rgb(images, data_format=self.data_format), 0, 1)
        return to_range(images, (0, 1), self.value_range, images.dtype)


@builtin("keras.layers")
class RandomSaturation(_Color):
    """Multiplies the saturation of an image by `factor / (1 - factor)`.

    Args:
        factor: Lower and upper bound of the factor: 0.5 leaves the image, 0 makes it gray; one
            number for both signs.
        value_range: Least and greatest pixel value.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        factor = self._uniform((batch,), seed)
        return {"factor": factor / (1 - factor + epsilon())}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        factor = ops.reshape(ops.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        images = ops.image.rgb_to_hsv(images, data_format=self.data_format)
        hue, saturation, value = (self._channel(images, i) for i in range(3))
        images = self._stack([hue, self._clip(saturation * factor), value])
        return ops.image.hsv_to_rgb(images, data_format=self.data_format)


@builtin("keras.layers")
class RandomGrayscale(RandomImageLayer):
    """Makes an image gray with probability `factor`; its three channels stay.

    Args:
        factor: From 0 to 1.
        data_format: "channels_last" or "channels_first".
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Raises:
        ValueError: `factor` is not from 0 to 1.
    """

    def __init__(
        self, factor: float = 0.5, data_format: Any = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.factor = factor

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        return random.uniform((batch, 1, 1, 1), seed=seed) < self.factor

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images, some of them gray; in their own dtype."""
        if not training:
            return images
        if transformation is None:
            transformation = self.get_random_transformation(images)
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(transformation, gray, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@builtin("keras.layers")
class RandomColorJitter(RandomImageLayer):
    """Random brightness, contrast, saturation and hue, in this order.

    Args:
        value_range: Least and greatest pixel value.
        brightness_factor: See `RandomBrightness`; None leaves it out, as with the others.
        contrast_factor: See `RandomContrast`.
        saturation_factor: See `RandomSaturation`.
        hue_factor: See `RandomHue`.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, value_range: Any = (0, 255), brightness_factor: Any = None,
        contrast_factor: Any = None, saturation_factor: Any = None, hue_factor: Any = None,
        seed: Any = None, data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        given = {"value_range": self.value_range, "seed": seed, "data_format": data_format}
        given["dtype"] = self.dtype_policy
        self.random_brightness = self.random_contrast = None
        self.random_saturation = self.random_hue = None
        if brightness_factor is not None:
            self.random_brightness = RandomBrightness(brightness_factor, **given)
        if contrast_factor is not None:
            self.random_contrast = RandomContrast(contrast_factor, **given)
        if saturation_factor is not None:
            self.random_saturation = RandomSaturation(saturation_factor, **given)
        if hue_factor is not None:
            self.random_hue = RandomHue(hue_factor, **given)

    def _parts(self) -> dict[str, Any]:
        found = {
            "brightness": self.random_brightness, "contrast": self.random_contrast,
            "saturation": self.random_saturation, "hue": self.random_hue,
        }  # fmt: skip
        return {name: layer for name, layer in found.items() if layer is not None}

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        return {name: layer._draw(batch, shape, seed) for name, layer in self._parts().items()}

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images, changed; what was not drawn before is drawn now."""
        if training and transformation is None:
            transformation = self.get_random_transformation(images)
        return super().transform_images(images, transformation, training)

    def _change_images(self, images: Any, transformation: Any) -> Any:
        for name, layer in self._parts().items():
            images = layer._change_images(images, transformation[name])
        return images

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "value_range": self.value_range,
            "brightness_factor": self.brightness_factor, "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor, "hue_factor": self.hue_factor,
        }  # fmt: skip
