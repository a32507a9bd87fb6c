"""Layers around layers."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import ops
from ...serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..base import Layer

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


@builtin("keras.layers")
class Wrapper(Layer):
    """A layer that holds another."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Layer {layer} supplied to Wrapper isn't a Layer.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer._run_build({"input_shape": input_shape})
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        for key in ("layer", "backward_layer"):
            if isinstance(config.get(key), dict):
                config[key] = deserialize_keras_object(config[key], custom_objects)
        return super().from_config(config)


@builtin("keras.layers")
class TimeDistributed(Wrapper):
    """A layer applied to each time step of `(batch, time, ...)`."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 "
                f"dimensions, received: {input_shape}"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        flat = ops.reshape(inputs, (batch * steps, *inputs.shape[2:]))
        extra: dict[str, Any] = {}
        if self.layer._signature.training:
            extra["training"] = training
        if mask is not None and self.layer._signature.mask:
            extra["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
        y = self.layer(flat, **extra)
        return core.tree.map_structure(lambda t: ops.reshape(t, (batch, steps, *t.shape[1:])), y)


@builtin("keras.layers")
class Bidirectional(Wrapper):
    """A recurrent layer run forwards and, with other weights, backwards.

    Args:
        layer: The forward layer.
        merge_mode: "concat", "sum", "mul", "ave", or None for a list of both.
        weights: Initial weights.
        backward_layer: By default like the forward one.
    """

    def __init__(self, layer: Any, merge_mode: Any = "concat", weights: Any = None,
                 backward_layer: Any = None, **kwargs: Any) -> None:  # fmt: skip
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                "{'sum', 'mul', 'ave', 'concat', None}"
            )
        if not isinstance(layer, Layer):
            raise ValueError(f"Please initialize `Bidirectional` with a Layer. Received: {layer}")
        super().__init__(layer, **{"trainable": layer.trainable, **kwargs})
        config = serialize_keras_object(layer)
        config["config"]["name"] = "forward_" + layer.name.removeprefix("forward_")
        self.forward_layer = deserialize_keras_object(config)
        if backward_layer is None:
            config["config"]["name"] = "backward_" + layer.name.removeprefix("forward_")
            config["config"]["go_backwards"] = not layer.go_backwards
            config.pop("build_config", None)
            backward_layer = deserialize_keras_object(config)
            self._given_backward = False
        else:
            self._given_backward = True
        self.backward_layer = backward_layer
        del self.layer  # forgotten by the tracker too
        if self.forward_layer.go_backwards == backward_layer.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value."
            )
        self.merge_mode = merge_mode
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer._run_build({"sequences_shape": sequences_shape})
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None,
             training: Any = None) -> Any:  # fmt: skip
        half = None if initial_state is None else len(initial_state) // 2
        first = {} if half is None else {"initial_state": list(initial_state[:half])}
        second = {} if half is None else {"initial_state": list(initial_state[half:])}
        ahead = self.forward_layer(sequences, mask=mask, training=training, **first)
        back = self.backward_layer(sequences, mask=mask, training=training, **second)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*ahead[1:], *back[1:])
            ahead, back = ahead[0], back[0]
        if self.return_sequences:
            back = ops.flip(back, 1)
        merged = self._merge(ahead, back)
        if not states:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def _merge(self, a: Any, b: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([a, b], axis=-1)
        if self.merge_mode == "sum":
            return a + b
        if self.merge_mode == "ave":
            return (a + b) / 2
        return a * b if self.merge_mode == "mul" else (a, b)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        found = mask if self.return_sequences else None
        return [found, found] if self.merge_mode is None else found

    @property
    def states(self) -> Any:
        """The states of both layers if they are stateful and built, else None."""
        ahead, back = self.forward_layer.states, self.backward_layer.states
        return (*ahead, *back) if ahead and back else None

    def reset_states(self) -> None:
        """Set the states of stateful layers to zero."""
        self.reset_state()

    def reset_state(self) -> None:
        """Set the states of stateful layers to zero.

        Raises:
            AttributeError: They are not stateful.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def get_config(self) -> dict[str, Any]:
        config = {**Layer.get_config(self), "merge_mode": self.merge_mode}
        config["layer"] = serialize_keras_object(self.forward_layer)
        if self._given_backward:
            config["backward_layer"] = serialize_keras_object(self.backward_layer)
        return config
