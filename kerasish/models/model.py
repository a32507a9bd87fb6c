"""Model: a layer that can be trained, saved and summarised."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import kerasish_core as core

from ..layers import Layer
from ..layers.base import symbolic_of
from ..saving.weights import load_weights, save_weights
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..training import Trainer
from .summary import print_summary

__all__ = ["Model", "model_from_json"]


@builtin("keras")
class Model(Trainer, Layer):
    """A network with its training.

    Made in three ways: `Model(inputs, outputs)` of symbolic tensors, `Sequential`, or a subclass
    with its own `call`.
    """

    # The class of `Model(inputs, outputs)`, set by the module that defines it.
    _functional: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            return Layer.__new__(Model._functional, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional(args, kwargs):
            raise ValueError(
                f"{type(self).__name__}: subclasses of Model call super().__init__() without "
                "inputs and outputs; or use Model(inputs, outputs) directly."
            )
        Layer.__init__(self, *args, **kwargs)
        self._start_trainer()

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    @property
    def layers(self) -> list[Any]:
        """The layers held directly."""
        return self._flatten_layers(include_self=False, recursive=False)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """A layer by its name or index.

        Raises:
            ValueError: There is none.
        """
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}."
        )

    def summary(
        self, line_length: Any = None, positions: Any = None, print_fn: Any = None,
        expand_nested: bool = False, show_trainable: bool = False, layer_range: Any = None,
    ) -> None:  # fmt: skip
        """Print a table of the layers."""
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape by running the model abstractly."""
        if self.built:
            return
        if type(self).call is Model.call:
            self.built = True
            return
        if input_shape is not None:
            x = symbolic_of(_listed(input_shape), self.compute_dtype)
            with contextlib.suppress(core.TraceError):
                self.compute_output_spec(x)
        self.built = True

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Write all weights to a `.weights.h5` file, replacing an old one in one step."""
        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read weights from a `.weights.h5` file of ours or Keras's.

        Raises:
            ValueError: The file is damaged, or its shapes differ from the model's.
        """
        load_weights(self, filepath, skip_mismatch)

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Not there yet: whole models can't be saved, weights can."""
        raise NotImplementedError(
            "Saving whole models is not there yet. Save the weights: "
            "model.save_weights('name.weights.h5'), and the architecture: model.to_json()."
        )

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model of a config."""
        if {"layers", "input_layers", "output_layers"} <= set(config):
            return cls._functional.from_config(config, custom_objects)
        return super().from_config(config)


def _listed(shape: Any) -> Any:
    return (
        tuple(shape)
        if isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape)
        else shape
    )


def _is_functional(args: Any, kwargs: Any) -> bool:
    return (
        len(args) >= 2
        or (len(args) == 1 and "outputs" in kwargs)
        or {"inputs", "outputs"} <= set(kwargs)
    )


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model of `to_json`, with fresh weights."""
    return deserialize_keras_object(json.loads(json_string), custom_objects)
