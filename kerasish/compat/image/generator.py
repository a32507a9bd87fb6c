"""`ImageDataGenerator`: which transforms and normalizations images go through."""

# ruff: noqa: NPY002  (scripts seed NumPy's global generator)

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...config import floatx, standardize_data_format
from .files import DataFrameIterator, DirectoryIterator
from .iterators import NumpyArrayIterator, check_images
from .transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
)

__all__ = ["ImageDataGenerator"]

# What each normalization needs or rules out: (if this is set, then that is so).
_IMPLIED = (
    ("zca_whitening", "featurewise_center", True),
    ("zca_whitening", "featurewise_std_normalization", False),
    ("featurewise_std_normalization", "featurewise_center", True),
    ("samplewise_std_normalization", "samplewise_center", True),
)


class ImageDataGenerator:
    """Images in endless batches, each picture transformed at random and normalized.

    Args:
        featurewise_center: Whether to take the mean of the data (see `fit`) away.
        samplewise_center: Whether to take each picture's mean away.
        featurewise_std_normalization: Whether to divide by the data's standard deviation.
        samplewise_std_normalization: Whether to divide by each picture's standard deviation.
        zca_whitening: Whether to decorrelate the pixels: `x @ U diag(sqrt(n) / (s + eps)) U^T`,
            from the singular values `s` and vectors `U` of the centred data.
        zca_epsilon: The `eps` there.
        rotation_range: Degrees.
        width_shift_range, height_shift_range: A fraction (below 1), pixels, or an array of values
            to choose from.
        brightness_range: Two numbers.
        shear_range: Degrees.
        zoom_range: Two numbers, or one that means `(1 - z, 1 + z)`.
        channel_shift_range: How much is added or taken away at most.
        fill_mode: What lies outside: "constant", "nearest", "reflect" or "wrap".
        cval: The value outside for "constant".
        horizontal_flip, vertical_flip: Whether to flip half of the pictures.
        rescale: What pictures are multiplied with, after the transforms.
        preprocessing_function: From a picture to one of the same shape; before `rescale`.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        validation_split: The fraction of the data that `subset="validation"` means.
        interpolation_order: Of the transforms' spline, from 0 to 5.
        dtype: Of the batches; `floatx()` by default.

    Raises:
        ValueError: Values out of range.

    Source: Keras 2.15, `keras.preprocessing.image.ImageDataGenerator`; Krizhevsky, Learning
        multiple layers of features from tiny images (2009), appendix A, for ZCA.
    """

    def __init__(
        self, featurewise_center: bool = False, samplewise_center: bool = False,
        featurewise_std_normalization: bool = False, samplewise_std_normalization: bool = False,
        zca_whitening: bool = False, zca_epsilon: float = 1e-6, rotation_range: Any = 0,
        width_shift_range: Any = 0.0, height_shift_range: Any = 0.0, brightness_range: Any = None,
        shear_range: Any = 0.0, zoom_range: Any = 0.0, channel_shift_range: Any = 0.0,
        fill_mode: str = "nearest", cval: float = 0.0, horizontal_flip: bool = False,
        vertical_flip: bool = False, rescale: Any = None, preprocessing_function: Any = None,
        data_format: str | None = None, validation_split: float = 0.0,
        interpolation_order: int = 1, dtype: Any = None,
    ) -> None:  # fmt: skip
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.interpolation_order = interpolation_order
        self.dtype = floatx() if dtype is None else dtype
        self.data_format = standardize_data_format(data_format)
        last = self.data_format == "channels_last"
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if last else (2, 3, 1)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                "`validation_split` must be strictly between 0 and 1.  Received: "
                f"{validation_split}"
            )
        self._validation_split = validation_split
        self.mean = self.std = self.zca_whitening_matrix = None
        self.zoom_range = _zooms(zoom_range)
        if brightness_range is not None and (
            not isinstance(brightness_range, tuple | list) or len(brightness_range) != 2
        ):
            raise ValueError(
                "`brightness_range` should be tuple or list of two floats. Received: "
                f"{brightness_range}"
            )
        self.brightness_range = brightness_range
        for given, other, value in _IMPLIED:
            if getattr(self, given) and bool(getattr(self, other)) is not value:
                setattr(self, other, value)
                warnings.warn(
                    f"This ImageDataGenerator specifies `{given}`, which overrides setting of "
                    f"`{other}`.",
                    stacklevel=2,
                )

    # -- batches
    def flow(
        self, x: Any, y: Any = None, batch_size: int = 32, shuffle: bool = True,
        sample_weight: Any = None, seed: int | None = None, save_to_dir: Any = None,
        save_prefix: str = "", save_format: str = "png", ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:  # fmt: skip
        """Batches of images in memory; see `NumpyArrayIterator`."""
        return NumpyArrayIterator(
            x, y, self, batch_size=batch_size, shuffle=shuffle, sample_weight=sample_weight,
            seed=seed, data_format=self.data_format, save_to_dir=save_to_dir,
            save_prefix=save_prefix, save_format=save_format, subset=subset,
            ignore_class_split=ignore_class_split, dtype=self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self, directory: Any, target_size: Any = (256, 256), color_mode: str = "rgb",
        classes: Any = None, class_mode: str | None = "categorical", batch_size: int = 32,
        shuffle: bool = True, seed: int | None = None, save_to_dir: Any = None,
        save_prefix: str = "", save_format: str = "png", follow_links: bool = False,
        subset: str | None = None, interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:  # fmt: skip
        """Batches of the images below a folder; see `DirectoryIterator`."""
        return DirectoryIterator(
            directory, self, target_size=target_size, color_mode=color_mode, classes=classes,
            class_mode=class_mode, batch_size=batch_size, shuffle=shuffle, seed=seed,
            data_format=self.data_format, save_to_dir=save_to_dir, save_prefix=save_prefix,
            save_format=save_format, follow_links=follow_links, subset=subset,
            interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio, dtype=self.dtype,
        )  # fmt: skip

    def flow_from_dataframe(
        self, dataframe: Any, directory: Any = None, x_col: str = "filename",
        y_col: Any = "class", weight_col: str | None = None, target_size: Any = (256, 256),
        color_mode: str = "rgb", classes: Any = None, class_mode: str | None = "categorical",
        batch_size: int = 32, shuffle: bool = True, seed: int | None = None,
        save_to_dir: Any = None, save_prefix: str = "", save_format: str = "png",
        subset: str | None = None, interpolation: str = "nearest",
        validate_filenames: bool = True, **kwargs: Any,
    ) -> DataFrameIterator:  # fmt: skip
        """Batches of the images that a data frame names; see `DataFrameIterator`."""
        for name in kwargs:
            if name not in ("has_ext", "sort", "drop_duplicates"):
                raise TypeError(
                    f"flow_from_dataframe() got an unexpected keyword argument {name!r}"
                )
            warnings.warn(
                f"{name} is deprecated and does nothing: file names are whole, their order is the "
                "frame's, and frames can drop duplicates.",
                DeprecationWarning,
                stacklevel=2,
            )
        return DataFrameIterator(
            dataframe, directory, self, x_col=x_col, y_col=y_col, weight_col=weight_col,
            target_size=target_size, color_mode=color_mode, classes=classes,
            class_mode="raw" if class_mode == "other" else class_mode, batch_size=batch_size,
            shuffle=shuffle, seed=seed, data_format=self.data_format, save_to_dir=save_to_dir,
            save_prefix=save_prefix, save_format=save_format, subset=subset,
            interpolation=interpolation, validate_filenames=validate_filenames, dtype=self.dtype,
        )  # fmt: skip

    # -- one picture
    def standardize(self, x: Any) -> Any:
        """Pictures normalized, in place if nothing forces a copy.

        Args:
            x: A picture or a batch.
        """
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted(self.mean, "featurewise_center"):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted(
            self.std, "featurewise_std_normalization"
        ):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted(self.zca_whitening_matrix, "zca_whitening"):
            flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
            x = (flat @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    @staticmethod
    def _fitted(statistic: Any, name: str) -> bool:
        if statistic is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{name}`, but it hasn't been fit on any "
                "training data. Fit it first by calling `.fit(numpy_data)`.",
                stacklevel=4,
            )
        return statistic is not None

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Amounts for one picture, drawn from NumPy's global generator.

        Args:
            img_shape: The picture's shape.
            seed: For the generator, or None: as it stands.

        Returns:
            `theta`, `tx`, `ty`, `shear`, `zx`, `zy`, `flip_horizontal`, `flip_vertical`,
            `channel_shift_intensity` and `brightness` (None: none).
        """
        if seed is not None:
            np.random.seed(seed)
        uniform = np.random.uniform
        rotation, shear = self.rotation_range, self.shear_range
        found: dict[str, Any] = {"theta": uniform(-rotation, rotation) if rotation else 0}
        found["tx"] = _shift(self.height_shift_range, img_shape[self.row_axis - 1])
        found["ty"] = _shift(self.width_shift_range, img_shape[self.col_axis - 1])
        found["shear"] = uniform(-shear, shear) if shear else 0
        low, high = self.zoom_range
        found["zx"], found["zy"] = (1, 1) if low == high == 1 else uniform(low, high, 2)
        # Both are drawn, flips or not: the numbers that follow do not depend on it.
        found["flip_horizontal"] = bool(np.random.random() < 0.5 and self.horizontal_flip)
        found["flip_vertical"] = bool(np.random.random() < 0.5 and self.vertical_flip)
        shift, light = self.channel_shift_range, self.brightness_range
        found["channel_shift_intensity"] = uniform(-shift, shift) if shift != 0 else None
        found["brightness"] = None if light is None else uniform(light[0], light[1])
        return found

    def apply_transform(self, x: Any, transform_parameters: Any) -> Any:
        """A picture transformed.

        Args:
            x: The picture.
            transform_parameters: As `get_random_transform` gives them; what is missing does
                nothing.
        """
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        get = transform_parameters.get
        x = apply_affine_transform(
            x, get("theta", 0), get("tx", 0), get("ty", 0), get("shear", 0), get("zx", 1),
            get("zy", 1), row_axis=row, col_axis=col, channel_axis=channel,
            fill_mode=self.fill_mode, cval=self.cval, order=self.interpolation_order,
        )  # fmt: skip
        if get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, get("channel_shift_intensity"), channel)
        if get("flip_horizontal"):
            x = flip_axis(x, col)
        if get("flip_vertical"):
            x = flip_axis(x, row)
        if get("brightness") is not None:
            x = apply_brightness_shift(x, get("brightness"), False)
        return x

    def random_transform(self, x: Any, seed: int | None = None) -> Any:
        """A picture transformed at random."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Compute what the featurewise normalizations need.

        Args:
            x: Images, of rank 4.
            augment: Whether to compute it over transformed pictures.
            rounds: How often to go through the data then.
            seed: For NumPy's generator.

        Raises:
            ValueError: Another rank.
        """
        x = np.array(x, dtype=self.dtype)
        check_images(x, self.data_format, "Input to `.fit()`")
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(v) for _ in range(rounds) for v in x])
            x = x.astype(self.dtype)
        axes, shape = (0, self.row_axis, self.col_axis), [1, 1, 1]
        shape[self.channel_axis - 1] = -1
        if self.featurewise_center:
            self.mean = np.mean(x, axis=axes).reshape(shape)
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(x, axis=axes).reshape(shape)
            x /= self.std + 1e-6
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            scale = np.sqrt(len(x)) / (s + self.zca_epsilon)
            self.zca_whitening_matrix = ((u * scale) @ u.T).astype(x.dtype)


def _zooms(zoom_range: Any) -> list[Any]:
    if np.ndim(zoom_range) == 0:
        return [1 - zoom_range, 1 + zoom_range]
    if len(zoom_range) == 2 and all(np.ndim(v) == 0 for v in zoom_range):
        return [zoom_range[0], zoom_range[1]]
    raise ValueError(
        f"`zoom_range` should be a float or a tuple or list of two floats. Received: {zoom_range}"
    )


def _shift(amount: Any, size: int) -> Any:
    """Pixels along an axis: one of the values given (or of that many), or a fraction."""
    if np.ndim(amount) == 0 and not amount:
        return 0
    try:
        # An array, or an int n, which NumPy takes for 0 to n - 1; a float is neither.
        shift = np.random.choice(amount)
        shift = shift * np.random.choice([-1, 1])
    except ValueError:
        shift = np.random.uniform(-amount, amount)
    return shift * size if np.max(amount) < 1 else shift
