"""Densely connected layers."""

from __future__ import annotations

from typing import Any

from ... import activations, constraints, initializers, ops, regularizers
from ...serialization import builtin, serialize_keras_object
from ..base import Layer
from ..input_spec import InputSpec
from ..quantization.calibrated import CalibratedMatrix
from ..quantization.low_rank import main_weight

__all__ = ["Dense"]


@builtin("keras.layers")
class Dense(CalibratedMatrix, Layer):
    """`activation(x @ kernel + bias)` over the last axis.

    Args:
        units: Size of the output's last axis.
        activation: Name or function.
        use_bias: Whether there is a bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint: See their modules.
        lora_rank, lora_alpha: As for `enable_lora`, which is called once the layer is built.
        quantization_config: How the layer is quantized, if its dtype policy says that it is.
    """

    kernel = main_weight("kernel")

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, lora_rank: int | None = None,
        lora_alpha: float | None = None, quantization_config: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if (not isinstance(units, int) and not hasattr(units, "__index__")) or int(units) <= 0:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. "
                f"Received: units={units}"
            )
        self.units = int(units)
        self._set_lora(lora_rank, lora_alpha)
        self.quantization_config = quantization_config
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        if size is None:
            raise ValueError(
                "The last dimension of the inputs to a Dense layer should be defined. Found None. "
                f"Full input shape received: {input_shape}"
            )
        shape, mode = (size, self.units), self.quantization_mode
        if mode:
            self.quantized_build(shape, mode, self.quantization_config)
        if mode in (None, "float8"):
            self.kernel = self.add_weight(
                shape, self.kernel_initializer, regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint, name="kernel",
            )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.built = True
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def _product(self, inputs: Any, weight: Any) -> Any:
        return ops.matmul(inputs, weight)

    def _low_rank_product(self, inputs: Any) -> Any:
        a, b = self._factors()
        return ops.multiply(ops.matmul(ops.matmul(inputs, a), b), self._lora_scale())

    def call(self, inputs: Any, training: Any = None) -> Any:
        if self._is_quantized:
            return self.quantized_call(inputs, training)
        x = ops.matmul(inputs, self._main_value())
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": serialize_keras_object(self.quantization_config),
            **self._lora_config(),
        }


Dense._quantizable = Dense
