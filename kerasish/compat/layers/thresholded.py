"""ThresholdedReLU."""

from __future__ import annotations

from typing import Any

from ... import layers, ops
from ...serialization import builtin

__all__ = ["ThresholdedReLU"]


@builtin("keras.layers")
class ThresholdedReLU(layers.Layer):
    """`x` where it is above `theta`, else 0."""

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if theta is None or theta < 0:
            raise ValueError(
                f"The theta of a ThresholdedReLU layer cannot be None or negative: {theta}"
            )
        self.supports_masking = True
        self.theta = float(theta)

    def call(self, inputs: Any) -> Any:
        return ops.where(inputs > self.theta, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": self.theta}
