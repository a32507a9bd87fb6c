"""`keras.preprocessing.image` of Keras 1 and 2: images augmented batch by batch in Python.

`transforms` holds the transforms, whose pixels come from `resampling`, `iterators` and `files` the
batches (from arrays, from folders and data frames), `generator` the class that joins them.
"""

from ...utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize
from .files import DataFrameIterator, DirectoryIterator, list_pictures
from .generator import ImageDataGenerator
from .iterators import Iterator, NumpyArrayIterator
from .transforms import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    apply_transform,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
    transform_matrix_offset_center,
)

__all__ = [
    "DataFrameIterator", "DirectoryIterator", "ImageDataGenerator", "Iterator",
    "NumpyArrayIterator", "apply_affine_transform", "apply_brightness_shift",
    "apply_channel_shift", "apply_transform", "array_to_img", "flip_axis", "img_to_array",
    "list_pictures", "load_img",
    "random_brightness", "random_channel_shift", "random_rotation", "random_shear", "random_shift",
    "random_zoom", "save_img", "smart_resize", "transform_matrix_offset_center",
]  # fmt: skip
