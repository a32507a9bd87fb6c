"""A kernel divided by its largest singular value."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import initializers, ops
from ...serialization import builtin
from ..input_spec import InputSpec
from ..rnn import Wrapper

__all__ = ["SpectralNormalization"]


@builtin("keras.layers")
class SpectralNormalization(Wrapper):
    """Before each call in training, divides the layer's kernel by its spectral norm.

    The norm comes from steps of power iteration on the kernel as a matrix of columns by output.

    Args:
        layer: One with a `kernel` or `embeddings`.
        power_iterations: How many steps at each call.

    Raises:
        ValueError: Less than one step, or the layer has neither.

    Source: T. Miyato et al., "Spectral normalization for generative adversarial networks", 2018.
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: `power_iterations="
                f"{power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        name = next((n for n in ("kernel", "embeddings") if hasattr(self.layer, n)), None)
        if name is None:
            raise ValueError(
                f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'"
            )
        self.kernel = getattr(self.layer, name)
        self.kernel_shape = self.kernel.shape
        self.vector_u = self.add_weight(
            (1, self.kernel_shape[-1]), initializers.TruncatedNormal(stddev=0.02),
            trainable=False, name="vector_u",
        )  # fmt: skip
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training:
            vector, kernel = self.normalized_weights()
            self.vector_u.assign(ops.cast(vector, self.vector_u.dtype))
            self.kernel.assign(ops.cast(kernel, self.kernel.dtype))
        y = self.layer(inputs)
        return ops.cast(y, inputs.dtype) if core.dtypes.is_float(inputs.dtype) else y

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next estimate of the singular vector, and the kernel divided by its norm."""
        matrix = ops.reshape(self.kernel, (-1, self.kernel_shape[-1]))
        right = self.vector_u.value
        left = None
        for _ in range(self.power_iterations):
            left = ops.normalize(ops.matmul(right, ops.transpose(matrix)), axis=None)
            right = ops.normalize(ops.matmul(left, matrix), axis=None)
        left, right = ops.stop_gradient(left), ops.stop_gradient(right)
        norm = ops.matmul(ops.matmul(left, matrix), ops.transpose(right))
        nothing = ops.all(ops.equal(self.kernel, 0))  # has no norm, and stays
        right = ops.where(nothing, self.vector_u.value, right)
        kernel = ops.reshape(ops.divide(matrix, ops.where(nothing, 1, norm)), self.kernel_shape)
        return ops.cast(right, self.vector_u.dtype), ops.cast(kernel, self.kernel.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}
