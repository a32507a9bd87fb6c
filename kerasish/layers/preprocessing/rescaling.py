"""Numbers scaled and shifted."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...config import image_data_format
from ...serialization import builtin, deserialize_keras_object, serialize_keras_object
from .data_layer import DataLayer

__all__ = ["Rescaling"]


@builtin("keras.layers")
class Rescaling(DataLayer):
    """`x * scale + offset`.

    Args:
        scale, offset: Numbers, or arrays that broadcast against the input. Where images are
            "channels_first", a vector of scales belongs to the channels.

    >>> from kerasish import layers
    >>> layers.Rescaling(0.5, 1.0)([[2.0, 4.0]]).numpy().tolist()
    [[2.0, 3.0]]

    Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        scale = ops.cast(ops.convert_to_tensor(self.scale), dtype)
        if scale.ndim and image_data_format() == "channels_first":
            scale = ops.reshape(scale, scale.shape + (1,) * (3 - scale.ndim))
        offset = ops.cast(ops.convert_to_tensor(self.offset), dtype)
        return ops.cast(ops.convert_to_tensor(inputs), dtype) * scale + offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer of a config."""
        given = {
            k: deserialize_keras_object(config[k], custom_objects) for k in ("scale", "offset")
        }
        return super().from_config({**config, **given})
