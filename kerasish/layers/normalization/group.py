"""Normalization over groups of channels."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import constraints, initializers, ops, regularizers
from ...serialization import builtin
from ..base import Layer
from ..input_spec import InputSpec

__all__ = ["GroupNormalization"]


@builtin("keras.layers")
class GroupNormalization(Layer):
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta`, moments over each sample's groups.

    Args:
        groups: How many groups of channels; -1 for one of each.
        axis: Of the channels.
        epsilon: Keeps the root from 0.
        center: Whether there is a beta.
        scale: Whether there is a gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
        beta_constraint, gamma_constraint: See their modules.

    Raises:
        ValueError: The channels are not known, or not divided by the groups.

    Source: Y. Wu and K. He, "Group normalization", ECCV 2018.
    """

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True,
        scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
        beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
        gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.supports_masking = True
        self.groups, self.axis, self.epsilon = groups, axis, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def build(self, input_shape: Any) -> None:
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer "
                f"received an input with shape {input_shape}."
            )
        if self.groups == -1:
            self.groups = channels
        if channels < self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) cannot be more than the number of channels "
                f"({channels})."
            )
        if channels % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must be a multiple of the number of channels "
                f"({channels})."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                (channels,), self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, name="gamma",
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                (channels,), self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, name="beta",
            )  # fmt: skip
        self.built = True

    def call(self, inputs: Any) -> Any:
        shape, place = inputs.shape, self.axis % inputs.ndim
        wide = ops.cast(inputs, "float32") if inputs.dtype.itemsize < 4 else inputs
        grouped = ops.reshape(
            wide,
            (*shape[:place], self.groups, shape[place] // self.groups, *shape[place + 1 :]),
        )
        axes = [i for i in range(1, grouped.ndim) if i != place]
        mean, variance = core.ops.moments(grouped, axes, True)
        y = (grouped - mean) * core.ops.rsqrt(variance + self.epsilon)
        y = ops.reshape(y, shape)
        view = [1] * inputs.ndim
        view[place] = shape[place]
        if self.gamma is not None:
            y = y * ops.reshape(ops.cast(self.gamma, y.dtype), view)
        if self.beta is not None:
            y = y + ops.reshape(ops.cast(self.beta, y.dtype), view)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }
