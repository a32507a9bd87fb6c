"""Vectors looked up by integer."""

from __future__ import annotations

from typing import Any

from ... import constraints, initializers, ops, regularizers
from ...serialization import builtin
from ..base import Layer

__all__ = ["Embedding"]


@builtin("keras.layers")
class Embedding(Layer):
    """Row `x` of a `(input_dim, output_dim)` matrix for each integer `x`.

    Args:
        input_dim: Number of rows: the largest integer plus 1.
        output_dim: Size of each vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: See their modules.
        mask_zero: Whether 0 is padding: the output's mask leaves it out.
        weights: The initial matrix.
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None,
        mask_zero: bool = False, weights: Any = None, quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        length = kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        self.input_length = length
        self.quantization_config = quantization_config
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False
        self._given = weights

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
            name="embeddings",
        )  # fmt: skip
        self.built = True
        if self._given is not None:
            given = self._given if isinstance(self._given, list) else [self._given]
            self.set_weights(given)
            self._given = None

    def call(self, inputs: Any) -> Any:
        if ops.dtype(inputs) not in ("int32", "int64", "int16", "uint8", "int8"):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings, inputs, axis=0), self.compute_dtype)

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
            "quantization_config": self.quantization_config,
        }
