"""A stack of layers."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..layers import Embedding, Input, InputLayer, Lambda, Layer
from ..ops.symbolic import KerasTensor
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .functional import Functional, Hidden, copy_model, rebuild, trainer_state
from .model import Model

__all__ = ["Sequential"]


@builtin("keras")
class Sequential(Model):
    """Layers one after the other.

    Built at once if it starts with an `Input` (or a layer with `input_shape`), else at the first
    call.

    Args:
        layers: List of layers.
        trainable: Whether its weights are trained.
        name: Of the model.
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        Layer.__init__(self, trainable=trainable, name=name)
        self._start_trainer()
        self._stack: list[Any] = []
        self._network: Any = Hidden(None)
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        Raises:
            ValueError: It is no layer, or its name is taken.
        """
        if isinstance(layer, KerasTensor):
            if layer._keras_history is None or not isinstance(layer._keras_history[0], InputLayer):
                raise ValueError("Only an Input() tensor can be added to a Sequential model.")
            layer = layer._keras_history[0]
        if not isinstance(layer, Layer):
            if callable(layer):
                layer = Lambda(layer)
            else:
                raise ValueError(
                    "Only instances of `keras.Layer` can be added to a Sequential model. Received: "
                    f"{layer} (of type {type(layer)})"
                )
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape "
                f"{getattr(self._stack[0], 'batch_shape', None)}. You cannot add a different Input "
                "layer to it."
            )
        if not self._stack and getattr(layer, "_batch_input_shape", None) is not None:
            first = Input(batch_shape=layer._batch_input_shape, dtype=_input_dtype(layer))
            self._stack.append(first._keras_history[0])
        if any(layer.name == each.name for each in self._stack):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` "
                "argument to pass a unique name."
            )
        self._stack.append(layer)
        if rebuild:
            self._maybe_rebuild()
        elif self.built:
            self.built = False

    def pop(self, rebuild: bool = True) -> Any:
        """Take the top layer off."""
        layer = self._stack.pop()
        self.built = False
        self._network = Hidden(None)
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self) -> None:
        self.built = False
        self._network = Hidden(None)
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self._connect(self._stack[0].output)

    def _connect(self, start: Any) -> None:
        """The functional model behind it."""
        x = start
        for layer in self._stack:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        self._network = Hidden(Functional(start, x, name=self.name))
        self.built = True
        self._steps = {}

    def build(self, input_shape: Any = None) -> None:
        """Build for inputs of this shape (with the batch axis)."""
        if self._network.value is not None:
            self.built = True
            return
        if input_shape is None:
            raise ValueError("You must provide an `input_shape` argument.")
        if not self._stack:
            raise ValueError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call "
                "`model.add(layer)`."
            )
        dtype = _input_dtype(self._stack[0])
        first = Input(batch_shape=tuple(input_shape), dtype=dtype)
        self._connect(first)

    def _run_build(self, shapes: Any) -> None:
        shape = next(iter(shapes.values()))
        self._build_shapes = {"input_shape": shape}
        with core.eager_scope():
            self.build((None, *tuple(shape)[1:]))

    @property
    def layers(self) -> list[Any]:
        return [x for x in self._stack if not isinstance(x, InputLayer)]

    @property
    def _layers(self) -> list[Layer]:
        own = list(self._stack)
        known = {id(x) for x in own}
        return own + [x for x in self._tracked(Layer) if id(x) not in known]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        network = self._network.value
        if network is not None:
            return network.call(inputs, training=training, mask=mask)
        x = inputs
        for layer in self.layers:
            x = layer(x, training=training) if layer._signature.training else layer(x)
        return x

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self._network.value is not None:
            return self._network.value.compute_output_spec(inputs, training)
        return super().compute_output_spec(inputs, training=training)

    def _needs(self) -> Any:
        network = self._network.value
        if network is None:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined input or output yet: add an Input "
                "or call it on data first."
            )
        return network

    @property
    def inputs(self) -> Any:
        return self._needs().inputs

    @property
    def outputs(self) -> Any:
        return self._needs().outputs

    @property
    def input(self) -> Any:
        return self._needs().input

    @property
    def output(self) -> Any:
        return self._needs().output

    @property
    def input_shape(self) -> Any:
        return self._needs().input_shape

    @property
    def output_shape(self) -> Any:
        return self._needs().output_shape

    @property
    def input_dtype(self) -> Any:
        return self._needs().inputs[0].dtype

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(x) for x in self._stack],
        }
        network = self._network.value
        if network is not None and not isinstance(self._stack[0], InputLayer):
            config["build_input_shape"] = network.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        model = cls(name=config.get("name"))
        for entry in config["layers"]:
            model.add(deserialize_keras_object(entry, custom_objects), rebuild=False)
        model._maybe_rebuild()
        shape = config.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(deserialize_keras_object(shape)))
        return model

    def __deepcopy__(self, memo: Any) -> Any:
        twin = copy_model(self)
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        return rebuild, (type(self), serialize_keras_object(self.get_config()), self.get_weights(),
                         trainer_state(self))  # fmt: skip


def _input_dtype(layer: Any) -> Any:
    return "int32" if isinstance(layer, Embedding) else None
