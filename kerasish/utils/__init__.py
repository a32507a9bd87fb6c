"""Helpers around models and data."""

import importlib
from typing import Any

from .. import older as _older
from ..config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)  # fmt: skip
from ..naming import clear_session
from ..serialization import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)  # fmt: skip
from ..training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from ..training.pydataset import PyDataset
from .arrays import normalize, pad_sequences, set_random_seed, to_categorical
from .feature_space import FeatureSpace
from .files import get_file, validate_file
from .structure import (
    Config,
    get_source_inputs,
    is_keras_tensor,
    standardize_dtype,
)  # fmt: skip

# Keras 2's name.
Sequence = PyDataset

# Name to the module that holds it, loaded when first used; None: the module of that name itself.
_LATER = {
    "bounding_boxes": None, "legacy": None, "Dataset": "dataset", "split_dataset": "split",
    "Progbar": "progbar",
    "array_to_img": "images", "img_to_array": "images", "load_img": "images", "save_img": "images",
    "audio_dataset_from_directory": "from_directory",
    "image_dataset_from_directory": "from_directory",
    "text_dataset_from_directory": "from_directory",
    "timeseries_dataset_from_array": "timeseries", "model_to_dot": "plots", "plot_model": "plots",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        return _older.names(__name__)(name)
    module = importlib.import_module(f".{_LATER[name] or name}", __name__)
    value = module if _LATER[name] is None else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
    "validate_file",
    *_LATER,
]
