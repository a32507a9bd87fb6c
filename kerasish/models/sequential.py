"""A stack of layers."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..layers import Embedding, Input, InputLayer, Lambda, Layer
from ..layers.preprocessing.host import HostLayer
from ..layers.tracking import no_tracking
from ..naming import auto_name
from ..ops.symbolic import KerasTensor, Node, unknown_size
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..text_arrays import is_text
from .copying import Plan
from .direct import DirectCall
from .functional import Functional
from .model import Model

__all__ = ["Sequential"]


@builtin("keras")
class Sequential(DirectCall, Model):
    """Layers one after the other.

    Built at once if it starts with an `Input` (or a layer with `input_shape`), else at the first
    call.

    Args:
        layers: List of layers.
        trainable: Whether its weights are trained.
        name: Of the model.

    >>> from kerasish import Sequential, layers
    >>> model = Sequential([layers.Input((4,)), layers.Dense(2)])
    >>> model.count_params()
    10

    Source: https://keras.io/guides/sequential_model/
    """

    _layers_first = True
    _locks = False  # add() and pop() also work after building

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        Layer.__init__(self, trainable=trainable, name=name)
        self._start_trainer()
        with no_tracking():
            self._stack: list[Any] = []
            # The functional model behind it, and the output of each layer in it.
            self._network: Any = None
            self._outputs: list[Any] = []
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    # -- changing
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top.

        Args:
            layer: A layer, an `Input()` at the start, or a function (which becomes a `Lambda`).
            rebuild: Whether to build it now if the input's shape is known.

        Raises:
            ValueError: It is no layer, its name is taken, or it is a second input.
        """
        layer = _as_layer(layer)
        if any(layer.name == each.name for each in self._stack):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` "
                "argument to pass a unique name."
            )
        if isinstance(layer, InputLayer):
            if self._stack and isinstance(self._stack[0], InputLayer):
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input "
                    f"shape {self._stack[0].batch_shape}. You cannot add a different Input layer "
                    "to it."
                )
            self._stack.insert(0, layer)
            self._forget()
        else:
            shape = getattr(layer, "_batch_input_shape", None)
            if not self._stack and shape is not None:
                self._stack.append(
                    Input(batch_shape=shape, dtype=_dtype_for(layer))._keras_history[0]
                )
            self._stack.append(layer)
        self._track_stack()
        if rebuild:
            self._maybe_rebuild()
        else:
            self.built = False

    def pop(self, rebuild: bool = True) -> Any:
        """Take the top layer off and return it.

        Raises:
            IndexError: There is none.
        """
        if not self._stack:
            raise IndexError(f"Sequential model '{self.name}' has no layer to pop.")
        layer = self._stack.pop()
        self._tracker.untrack(layer)
        if isinstance(layer, InputLayer):
            self._forget()
        del self._outputs[len(self._stack) :]
        self.built = False
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _track_stack(self) -> None:
        """Sublayers in the order of the stack, then those in attributes."""
        held = {id(x) for x in self._stack}
        rest = [x for x in self._tracker.layers if id(x) not in held]
        self._tracker.layers[:] = []
        for layer in [*self._stack, *rest]:
            self._tracker.track(layer)

    def _forget(self) -> None:
        with no_tracking():
            self._network, self._outputs = None, []
        self.built = False

    def _maybe_rebuild(self) -> None:
        """Build if the input is known and there is a layer after it."""
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self.build(self._stack[0].batch_shape)
        else:
            self.built = False
            with no_tracking():
                self._network = None

    # -- building
    def build(self, input_shape: Any = None) -> None:
        """Build for inputs of this shape.

        Args:
            input_shape: With the batch axis.

        Raises:
            ValueError: There is no layer or no shape.
        """
        if not self._stack:
            raise ValueError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call "
                "`model.add(layer)`."
            )
        if not isinstance(self._stack[0], InputLayer):
            if input_shape is None:
                raise ValueError(
                    f"Sequential model '{self.name}' needs an input_shape to be built: "
                    "model.build((None, features)), or add an Input first."
                )
            self._start(tuple(input_shape), _dtype_for(self._stack[0]))
        outputs = list(self._outputs)
        if not outputs:
            outputs = [self._stack[0].output]
        for layer in self._stack[len(outputs) :]:
            outputs.append(layer(outputs[-1]))
        with no_tracking():
            self._outputs = outputs
            self._network = Functional(outputs[0], outputs[-1], name=self.name)
            self._network._sizes_free = True
        auto_name("functional")  # Keras numbers the model behind it too
        self._steps = {}

    def _start(self, shape: Any, dtype: Any) -> None:
        """Put an input in front."""
        first = Input(batch_shape=shape, dtype=dtype)
        self._stack.insert(0, first._keras_history[0])
        self._forget()
        self._track_stack()

    def _run_front(self, x: Any) -> Any:
        return self._network._run_front(x)

    def _front_of_all(self, x: Any, count: int) -> Any:
        return self._network._front_of_all(x, count)

    @property
    def _has_front(self) -> bool:
        return self._network is not None and self._network._has_front

    def _maybe_build(self, args: Any, kwargs: Any, symbolic: bool) -> None:
        x = args[0] if args else next(iter(kwargs.values()), None)
        if not self._stack or not hasattr(x, "shape"):
            self.built = True  # run layer by layer: inputs that are no single tensor
            return
        if is_text(x) and not isinstance(self._stack[0], InputLayer):
            self._start((None, *x.shape[1:]), "string")
        self.build(_known_sizes(x.shape) if len(x.shape) else ())

    # -- what it is made of
    @property
    def layers(self) -> list[Any]:
        """The layers without the input."""
        return [x for x in self._stack if not isinstance(x, InputLayer)]

    def _needs(self, what: str) -> Any:
        if self._network is None:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined {what} yet: add an Input first, "
                "call it on data or call build(input_shape)."
            )
        return self._network

    @property
    def inputs(self) -> Any:
        """The symbolic inputs, a list of one."""
        return self._needs("inputs").inputs

    @property
    def outputs(self) -> Any:
        """The symbolic outputs, a list."""
        return self._needs("outputs").outputs

    @property
    def input(self) -> Any:
        """The symbolic input."""
        return self._needs("input").input

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._needs("output").output

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None where any size will do."""
        return self._needs("input shape").input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output."""
        return self._needs("output shape").output_shape

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer, in a list."""
        return self._needs("outputs").output_names

    @property
    def input_dtype(self) -> Any:
        """The dtype of the input."""
        first = self._stack[0] if self._stack else None
        return first.dtype if isinstance(first, InputLayer) else self.compute_dtype

    # -- running
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the layers."""
        if self._network is not None:
            return self._network.call(inputs, training=training, mask=mask)
        x = inputs
        for layer in self.layers:
            x = layer(x, training=training) if layer._signature.training else layer(x)
        return x

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The symbolic result for a symbolic input."""
        if self._network is not None:
            return self._network.compute_output_spec(inputs, training)
        return super().compute_output_spec(inputs, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for a shape of the input."""
        if self._network is not None:
            return self._network.compute_output_shape(input_shape)
        shape = input_shape
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    # -- config and copies
    def get_config(self) -> dict[str, Any]:
        """Name, dtype, layers, and the input's shape if it is known."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(x) for x in self._stack],
        }
        if self._network is not None:
            config["build_input_shape"] = self._network.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model of a config."""
        model = cls.__new__(cls)
        Sequential.__init__(model, name=config.get("name"))
        for entry in config["layers"]:
            model.add(deserialize_keras_object(entry, custom_objects), rebuild=False)
        model._maybe_rebuild()
        shape = config.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(deserialize_keras_object(shape)))
        if config.get("trainable") is False:
            model.trainable = False
        return model

    def __getstate__(self) -> dict[str, Any]:
        values = super().__getstate__()
        network, outputs = values.pop("_network"), values.pop("_outputs")
        if network is not None:
            network = Plan(network._graph, outputs=outputs, end=network._outputs_struct)
        return {**values, "_plan": network}

    def __setstate__(self, values: dict[str, Any]) -> None:
        values = dict(values)
        plan = values.pop("_plan")
        super().__setstate__(values)
        with no_tracking():
            self._network, self._outputs = None, []
            if plan is not None:
                parts = plan.restore()
                self._outputs = parts["outputs"]
                self._network = Functional(self._outputs[0], parts["end"], name=self.name)
        for layer in self._stack:
            if isinstance(layer, InputLayer) and not layer._inbound_nodes:
                Node(layer, (), {}, KerasTensor(layer.batch_shape, layer.dtype, name=layer.name))


def _as_layer(layer: Any) -> Any:
    if isinstance(layer, KerasTensor):
        if layer._keras_history is None or not isinstance(layer._keras_history[0], InputLayer):
            raise ValueError(
                "Only an Input() tensor can be added to a Sequential model, not the result of a "
                f"layer. Received: {layer}"
            )
        return layer._keras_history[0]
    if isinstance(layer, Layer):
        return layer
    if callable(layer) and not isinstance(layer, type):
        return Lambda(layer)
    raise ValueError(
        "Only instances of `keras.Layer` can be added to a Sequential model. Received: "
        f"{layer} (of type {type(layer)})"
    )


def _dtype_for(layer: Any) -> Any:
    """The dtype of an input made for a layer: indices stay integers."""
    while isinstance(layer, Sequential) and layer.layers:
        layer = layer.layers[0]
    if isinstance(layer, HostLayer):
        return layer._input_kind
    return "int32" if isinstance(layer, Embedding) else core.dtypes.name_of(layer.compute_dtype)


def _known_sizes(shape: Any) -> tuple[Any, ...]:
    """A shape with None for the batch, and for what only stands for a size between it and the
    features while shapes are inferred."""
    stand_in = unknown_size()
    return (None, *(None if n == stand_in else n for n in shape[1:-1]), *shape[1:][-1:])
