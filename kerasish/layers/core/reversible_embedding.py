"""An embedding that also maps vectors back to scores of the integers."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import ops
from ...serialization import builtin
from .embedding import Embedding

__all__ = ["ReversibleEmbedding"]


@builtin("keras.layers")
class ReversibleEmbedding(Embedding):
    """`Embedding`, and with `reverse=True` the product of vectors with its matrix transposed.

    Args:
        input_dim: Number of rows: the largest integer plus 1.
        output_dim: Size of each vector.
        tie_weights: Whether both directions share one matrix.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: See their modules.
        mask_zero: Whether 0 is padding: the output's mask leaves it out.
        reverse_dtype: In which the product is computed; the compute dtype by default.
        logit_soft_cap: The largest size that scores approach, `cap * tanh(score / cap)`.
    """

    def __init__(
        self, input_dim: int, output_dim: int, tie_weights: bool = True,
        embeddings_initializer: Any = "uniform", embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None, mask_zero: bool = False, reverse_dtype: Any = None,
        logit_soft_cap: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            input_dim, output_dim, embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint, mask_zero=mask_zero, **kwargs,
        )  # fmt: skip
        self.tie_weights, self.reverse_dtype = tie_weights, reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer,
                name="reverse_embeddings",
            )  # fmt: skip

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        kernel = (
            core.ops.transpose(self.embeddings.value)
            if self.tie_weights
            else self.reverse_embeddings.value
        )
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(inputs, dtype), ops.cast(kernel, dtype))
        if self.logit_soft_cap is not None:
            logits = ops.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap
        return logits

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """That of the integers; scores have none."""
        is_float = core.dtypes.is_float(core.dtypes.as_dtype(ops.dtype(inputs)))
        return None if is_float else super().compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
