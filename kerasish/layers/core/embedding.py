"""Vectors looked up by integer."""

from __future__ import annotations

from typing import Any

from ... import constraints, initializers, ops, regularizers
from ...serialization import builtin, serialize_keras_object
from ..base import Layer
from ..quantization.low_rank import main_weight
from ..quantization.matrix import QuantizedMatrix

__all__ = ["Embedding"]


@builtin("keras.layers")
class Embedding(QuantizedMatrix, Layer):
    """Row `x` of a `(input_dim, output_dim)` matrix for each integer `x`.

    Args:
        input_dim: Number of rows: the largest integer plus 1.
        output_dim: Size of each vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: See their modules.
        mask_zero: Whether 0 is padding: the output's mask leaves it out.
        weights: The initial matrix.
        lora_rank, lora_alpha: As for `enable_lora`, which is called once the layer is built.
        quantization_config: How the layer is quantized, if its dtype policy says that it is.
    """

    embeddings = main_weight("embeddings")
    bias = None
    _main, _axis, _modes = "embeddings", 1, ("int8", "int4")

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None,
        mask_zero: bool = False, weights: Any = None, lora_rank: int | None = None,
        lora_alpha: float | None = None, quantization_config: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        length = kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        self.input_length = length
        self._set_lora(lora_rank, lora_alpha)
        self.quantization_config = quantization_config
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False
        self._given = weights

    def build(self, input_shape: Any = None) -> None:
        shape, mode = (self.input_dim, self.output_dim), self.quantization_mode
        if mode:
            self.quantized_build(shape, mode, self.quantization_config)
        if mode not in ("int8", "int4"):
            self.embeddings = self.add_weight(
                shape, self.embeddings_initializer, regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint, name="embeddings",
            )  # fmt: skip
        self.built = True
        if self._given is not None:
            given = self._given if isinstance(self._given, list) else [self._given]
            self.set_weights(given)
            self._given = None
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def call(self, inputs: Any) -> Any:
        if self._is_quantized:
            return self.quantized_call(inputs)
        rows = ops.take(self._main_value(), _whole(inputs), axis=0)
        return ops.cast(rows, self.compute_dtype)

    def quantized_call(self, inputs: Any, training: Any = None) -> Any:
        """The rows, dequantized once they are looked up."""
        inputs = _whole(inputs)
        stored, scale = (
            ops.take(v, inputs, axis=0) for v in (self._main_variable(), self.embeddings_scale)
        )
        zero = getattr(self, "embeddings_zero", None)
        if zero is None:
            rows = self._decode(stored, ops.expand_dims(scale, -1))
        else:
            rows = self._decode(stored, scale, ops.take(zero, inputs, axis=0))
        if self.lora_enabled:
            a, b = self._factors()
            update = ops.matmul(ops.take(a, inputs, axis=0), b)
            rows = ops.add(rows, ops.multiply(update, self._lora_scale()))
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": serialize_keras_object(self.quantization_config),
            **self._lora_config(),
        }


Embedding._quantizable = Embedding


def _whole(inputs: Any) -> Any:
    if ops.dtype(inputs) not in ("int32", "int64", "int16", "uint8", "int8"):
        return ops.cast(inputs, "int32")
    return inputs
