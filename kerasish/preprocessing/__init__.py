"""`keras.preprocessing`: older names of what `keras.utils` holds."""

from .. import older as _older
from ..utils.from_directory import image_dataset_from_directory, text_dataset_from_directory
from ..utils.timeseries import timeseries_dataset_from_array
from . import image, sequence

__all__ = [
    "image", "image_dataset_from_directory", "sequence", "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]  # fmt: skip

__getattr__ = _older.names(__name__)
