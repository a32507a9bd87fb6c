"""Pixel values mapped to others: contrast, histograms, inversion, fewer bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import ops, random
from ....serialization import builtin
from .base import ImageLayer, RandomImageLayer
from .factors import between, pair, to_range, value_range_of

__all__ = [
    "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization", "RandomInvert",
    "RandomPosterization", "Solarization",
]  # fmt: skip

_BYTES = (0, 255)


def _counted(places: Any, bins: int) -> Any:
    """How often each number below `bins` occurs; unlike `bincount` of a known length."""
    places = ops.reshape(places, (-1,))
    return ops.segment_sum(ops.ones_like(places), places, num_segments=bins)


@builtin("keras.layers")
class AutoContrast(ImageLayer):
    """Stretches each channel of each image over the whole range of values.

    Args:
        value_range: Least and greatest pixel value.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype`.
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range_of(value_range)

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images stretched, in training and outside of it."""
        given = ops.cast(images, self.compute_dtype)
        images = to_range(given, self.value_range, _BYTES, given.dtype)
        low = ops.min(images, axis=self._space, keepdims=True)
        high = ops.max(images, axis=self._space, keepdims=True)
        # A channel of one value has nothing to stretch.
        flat = ops.equal(high, low)
        scale = 255.0 / ops.where(flat, ops.ones_like(high), high - low)
        stretched = ops.clip(images * scale - low * scale, 0.0, 255.0)
        stretched = to_range(stretched, _BYTES, self.value_range, given.dtype)
        return ops.where(flat, given, stretched)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range}


@builtin("keras.layers")
class Equalization(ImageLayer):
    """Spreads the values of each channel so that all are about as frequent.

    The histogram is that of the whole batch, as in Keras.

    Args:
        value_range: Least and greatest pixel value.
        bins: Of the histogram.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = bins
        self.value_range = value_range_of(value_range)

    def _equalize(self, channel: Any) -> Any:
        last = self.bins - 1
        channel = to_range(channel, self.value_range, _BYTES, channel.dtype)
        # The histogram rounds down value * last / 255, the look-up value / 255 * last.
        place = ops.clip(ops.cast(channel * last / 255.0, "int32"), 0, last)
        counts = _counted(place, self.bins)
        total = ops.cumsum(counts)
        first = total[ops.argmax(ops.cast(total > 0, "int32"))]
        rest = ops.maximum(total[-1] - first, 1)
        table = ops.clip(ops.round((total - first) * 255 / rest), 0, 255)
        place = ops.cast(ops.clip(channel / 255.0 * last, 0, last), "int32")
        equal = ops.cast(ops.take(table, place), channel.dtype)
        equal = ops.where(ops.count_nonzero(counts) <= 1, channel, equal)
        return to_range(equal, _BYTES, self.value_range, channel.dtype)

    def _change_images(self, images: Any, transformation: Any) -> Any:
        axis = -3 if self._channels_first else -1
        channels = ops.unstack(images, images.shape[axis], axis)
        return ops.stack([self._equalize(channel) for channel in channels], axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bins": self.bins, "value_range": self.value_range}


@builtin("keras.layers")
class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalization in tiles, with limited slopes, and interpolated between the tiles.

    Args:
        value_range: Least and greatest pixel value.
        clip_limit: How many times the mean count a bin may have; what is above is spread over all
            bins. 0 or less: no limit.
        tile_grid_size: How many tiles along height and width.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.

    Source: K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV.
    """

    def __init__(
        self, value_range: Any = (0, 255), clip_limit: float = 4.0, tile_grid_size: Any = (8, 8),
        data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range_of(value_range)
        self.clip_limit, self.tile_grid_size = clip_limit, tuple(tile_grid_size)

    def transform_images(
        self, images: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        """A batch of images, equalized in training and outside of it; in their own dtype."""
        dtype = images.dtype
        x = ops.transpose(images, (0, 2, 3, 1)) if self._channels_first else images
        x = to_range(x, self.value_range, _BYTES, "float32")
        x = to_range(self._equalize(x), _BYTES, self.value_range, "float32")
        x = ops.cast(x, dtype)
        return ops.transpose(x, (0, 3, 1, 2)) if self._channels_first else x

    def _equalize(self, images: Any) -> Any:
        batch, height, width, channels = images.shape
        grid = self.tile_grid_size
        tile = (-(-height // grid[0]), -(-width // grid[1]))
        extra = (tile[0] * grid[0] - height, tile[1] * grid[1] - width)
        if any(extra):
            borders = [(0, 0), (0, extra[0]), (0, extra[1]), (0, 0)]
            images = ops.pad(images, borders, mode="symmetric")
        pixels = ops.cast(ops.clip(images, 0, 255), "int32")
        # One table of 256 values for each image, row of tiles, column of tiles and channel.
        tables = self._tables(pixels, grid, tile)
        around = [(0, 0), (1, 1), (1, 1), (0, 0), (0, 0)]
        tables = ops.reshape(ops.pad(tables, around, mode="edge"), (-1,))
        rows, columns = (_neighbours(n * t, t) for n, t in zip(grid, tile, strict=True))
        image = np.arange(batch, dtype="int32").reshape(-1, 1, 1, 1) * (grid[0] + 2)
        channel = np.arange(channels, dtype="int32")

        def looked_up(row: Any, column: Any) -> Any:
            tile_of = (image + row[:, None, None]) * (grid[1] + 2) + column[:, None]
            return ops.take(tables, pixels + (tile_of * channels + channel) * 256)

        def across(row: Any) -> Any:
            share = columns[2][:, None]
            return looked_up(row, columns[0]) * (1 - share) + looked_up(row, columns[1]) * share

        share = rows[2][:, None, None]
        found = across(rows[0]) * (1 - share) + across(rows[1]) * share
        return found[:, :height, :width, :]

    def _tables(self, pixels: Any, grid: Any, tile: Any) -> Any:
        batch, _, _, channels = pixels.shape
        count = tile[0] * tile[1]
        tiles = ops.reshape(pixels, (batch, grid[0], tile[0], grid[1], tile[1], channels))
        tiles = ops.transpose(tiles, (0, 1, 3, 5, 2, 4))
        # Counted all at once: each tile has 256 bins of its own.
        many = batch * grid[0] * grid[1] * channels
        own = ops.reshape(tiles, (many, count)) + np.arange(many, dtype="int32")[:, None] * 256
        counts = _counted(own, many * 256)
        counts = ops.cast(ops.reshape(counts, (batch, *grid, channels, 256)), "float32")
        if self.clip_limit > 0:
            cut = ops.clip(counts, 0, self.clip_limit * count / 256.0)
            counts = cut + ops.sum(counts - cut, axis=-1, keepdims=True) / 256.0
        total = ops.cumsum(counts, axis=-1)
        least = total[..., :1]
        rest = float(count) - least
        rest = ops.where(ops.equal(rest, 0), ops.ones_like(rest), rest)
        return ops.clip((total - least) * 255.0 / rest, 0, 255)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "value_range": self.value_range, "clip_limit": self.clip_limit,
            "tile_grid_size": self.tile_grid_size,
        }  # fmt: skip


def _neighbours(length: int, tile: int) -> tuple[Any, Any, Any]:
    """For each row: the tiles before and after it (counted from one tile outside), and the share
    of the latter."""
    place = (np.arange(length, dtype="float32") - tile / 2.0) / tile + 1.0
    before = np.floor(place)
    last = length // tile + 1
    return (
        np.clip(before, 0, last).astype("int32"), np.clip(before + 1, 0, last).astype("int32"),
        (place - before).astype("float32"),
    )  # fmt: skip


@builtin("keras.layers")
class RandomInvert(RandomImageLayer):
    """Replaces an image by `upper - x`, with a probability that is drawn between bounds.

    Args:
        factor: Bounds of the probability, or its upper bound; from 0 to 1.
        value_range: Least and greatest pixel value; `upper` is the latter.
        seed: An int, or None.
        data_format: "channels_last" or "channels_first".
        **kwargs: `bounding_box_format`, `name`, `dtype`.
    """

    def __init__(
        self, factor: Any = 1.0, value_range: Any = (0, 255), seed: Any = None,
        data_format: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = between(factor, (0, 1))
        self.value_range = value_range_of(value_range)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        chance = random.uniform((batch,), self.factor[0], self.factor[1], seed=seed)
        return {"apply_inversion": random.uniform((batch,), seed=seed) < chance}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        inverted = ops.reshape(transformation["apply_inversion"], (-1, 1, 1, 1))
        return ops.where(inverted, self.value_range[1] - images, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@builtin("keras.layers")
class RandomPosterization(RandomImageLayer):
    """Keeps the highest bits of each pixel only.

    Args:
        factor: How many bits: an int from 1 to 8 (drawn from 1 to below it), or bounds of which
            the upper one is not drawn (unless they are equal).
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
        self.factor = between(factor, (1, 8))
        self.value_range = value_range_of(value_range)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        low, high = self.factor
        if low == high:
            kept = ops.full((batch,), low, "uint8")
        else:
            kept = ops.cast(random.randint((batch,), low, high, seed=seed), "uint8")
        return {"shift_factor": np.uint8(8) - kept}

    def _change_images(self, images: Any, transformation: Any) -> Any:
        shift = ops.cast(ops.reshape(transformation["shift_factor"], (-1, 1, 1, 1)), "uint8")
        dtype = images.dtype
        bits = ops.cast(to_range(images, self.value_range, _BYTES, dtype), "uint8")
        bits = ops.bitwise_left_shift(ops.bitwise_right_shift(bits, shift), shift)
        return to_range(bits, _BYTES, self.value_range, dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@builtin("keras.layers")
class Solarization(RandomImageLayer):
    """Adds a random number to all pixels, then inverts those that are not below a random threshold.

    Args:
        addition_factor: Bounds of the number in parts of 255, or its upper bound; from 0 to 1.
        threshold_factor: The same of the threshold.
        value_range: Least and greatest pixel value.
        seed: An int, or None.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype`.
    """

    def __init__(
        self, addition_factor: Any = 0.0, threshold_factor: Any = 0.0, value_range: Any = (0, 255),
        seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = pair(addition_factor, (0, 1), "addition_factor", lowest=0)
        self.threshold_factor = pair(threshold_factor, (0, 1), "threshold_factor", lowest=0)
        self.value_range = value_range_of(value_range)

    def _draw(self, batch: int, shape: Any, seed: Any) -> Any:
        def draw(factor: Any) -> Any:
            high = factor[1] * 255
            return random.uniform((batch, 1, 1, 1), factor[0], high, seed=seed)

        return {
            "additions": draw(self.addition_factor), "thresholds": draw(self.threshold_factor),
        }  # fmt: skip

    def _change_images(self, images: Any, transformation: Any) -> Any:
        dtype = images.dtype
        images = to_range(images, self.value_range, _BYTES, dtype)
        images = ops.clip(images + ops.cast(transformation["additions"], dtype), 0, 255)
        below = images < ops.cast(transformation["thresholds"], dtype)
        return to_range(ops.where(below, images, 255 - images), _BYTES, self.value_range, dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "value_range": self.value_range,
            "addition_factor": self.addition_factor, "threshold_factor": self.threshold_factor,
        }  # fmt: skip
