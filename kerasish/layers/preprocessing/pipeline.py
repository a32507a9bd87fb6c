"""Layers one after the other, as a layer."""

from __future__ import annotations

from typing import Any

from ...serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..base import Layer
from ..masking import masks_of

__all__ = ["Pipeline"]


@builtin("keras.layers")
class Pipeline(Layer):
    """Layers applied in order: a chain of preprocessing that is no model.

    Args:
        layers: List of layers.
        name: Of the layer.

    Source: https://keras.io/api/layers/preprocessing_layers/
    """

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._pipeline_layers = layers
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True

    @property
    def layers(self) -> Any:
        """The layers in order."""
        return self._pipeline_layers

    def call(self, inputs: Any, training: Any = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            kwargs = {"mask": mask} if layer._signature.mask else {}
            if layer._signature.training and training is not None:
                kwargs["training"] = training
            inputs = layer(inputs, **kwargs)
            mask = masks_of(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {"layers": serialize_keras_object(self._pipeline_layers), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A pipeline of a config.

        Raises:
            ValueError: It lists no layers.
        """
        layers = config.get("layers")
        if not isinstance(layers, list | tuple):
            raise ValueError(
                "`Pipeline` config must contain a `layers` key mapping to a list of serialized "
                f"layers. Received config with layers={layers}."
            )
        return cls(**{**config, "layers": [deserialize_keras_object(x) for x in layers]})
