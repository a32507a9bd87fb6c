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
        if isinstance(config.get("layer"), dict):
            config["layer"] = deserialize_keras_object(config["layer"], custom_objects)
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
        if mask is not None and tuple(mask.shape[:2]) != (batch, steps):
            raise ValueError(
                "TimeDistributed: the first two sizes of `mask` must be those of the inputs. "
                f"Received: mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}."
            )
        if training and self._follows_batches():
            rows = [None] * steps if mask is None else [mask[:, i] for i in range(steps)]
            found = [self._step(inputs[:, i], training, rows[i]) for i in range(steps)]
            return core.tree.map_structure(lambda *parts: ops.stack(parts, axis=1), *found)
        # All steps as one batch.
        flat = ops.reshape(inputs, (batch * steps, *inputs.shape[2:]))
        rows = None if mask is None else ops.reshape(mask, (-1, *mask.shape[2:]))
        y = self._step(flat, training, rows)
        return core.tree.map_structure(lambda t: ops.reshape(t, (batch, steps, *t.shape[1:])), y)

    def _follows_batches(self) -> bool:
        """Whether the layer trains statistics of batches, so that each step is one."""
        layer = self.layer
        return layer.trainable and any(
            "seed_generator" not in v.path for v in layer.non_trainable_variables
        )

    def _step(self, inputs: Any, training: Any, mask: Any) -> Any:
        extra: dict[str, Any] = {}
        if self.layer._signature.training:
            extra["training"] = training
        if mask is not None and self.layer._signature.mask:
            extra["mask"] = mask
        return self.layer(inputs, **extra)


@builtin("keras.layers")
class Bidirectional(Layer):
    """A recurrent layer run forwards and, with other weights, backwards.

    Masked steps give zeros if sequences are returned.

    Args:
        layer: The forward layer.
        merge_mode: "concat", "sum", "mul", "ave", or None for a tuple of both.
        weights: Taken for the sake of Keras's signature; set them by `set_weights`.
        backward_layer: By default like the forward one.
    """

    def __init__(self, layer: Any, merge_mode: Any = "concat", weights: Any = None,
                 backward_layer: Any = None, **kwargs: Any) -> None:  # fmt: skip
        for what, found in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(found, Layer) and (what == "layer" or found is not None):
                raise ValueError(f"Bidirectional: `{what}` must be a layer. Received: {found}")
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                "{'sum', 'mul', 'ave', 'concat', None}"
            )
        super().__init__(**kwargs)
        self.forward_layer = _again(layer, "forward_")
        self.backward_layer = backward_layer or _again(layer, "backward_", go_backwards=True)
        self._check_directions()
        for direction in (self.forward_layer, self.backward_layer):
            if hasattr(direction, "zero_output_for_mask"):
                direction.zero_output_for_mask = direction.return_sequences
        self.merge_mode = merge_mode
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_directions(self) -> None:
        ahead, back = self.forward_layer, self.backward_layer
        if ahead.go_backwards == back.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value. "
                f"Received: {ahead.go_backwards} for both."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            one, other = getattr(ahead, name), getattr(back, name)
            if one != other:
                raise ValueError(
                    "Forward layer and backward layer must have the same value for "
                    f"`{name}`. Received: {one} and {other}."
                )

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
        ahead, back = (ops.cast(y, self.compute_dtype) for y in (ahead, back))
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
        return (found, found) if self.merge_mode is None else found

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
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        for key in ("layer", "backward_layer"):
            if isinstance(config.get(key), dict):
                config[key] = deserialize_keras_object(config[key], custom_objects)
        return super().from_config(config)


def _again(layer: Any, prefix: str, **changed: Any) -> Any:
    """A new layer of the same config, renamed, with none of the layer's weights."""
    config = serialize_keras_object(layer)
    config["config"] |= {"name": prefix + layer.name.removeprefix(prefix), **changed}
    return deserialize_keras_object(config)
