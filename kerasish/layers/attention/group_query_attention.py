"""Attention whose queries share keys and values in groups."""

from __future__ import annotations

import functools
from typing import Any

import kerasish_core as core

from ...serialization import builtin
from .attending import Attending, check_shapes

__all__ = ["GroupQueryAttention"]

_AXES = (1,)


@builtin("keras.layers", "GroupQueryAttention")
class GroupedQueryAttention(Attending):
    """Multi-head attention with fewer heads of keys and values than of queries.

    Args:
        head_dim: Size of each head.
        num_query_heads: Heads of queries.
        num_key_value_heads: Heads of keys and values: a divisor of `num_query_heads`.
        dropout: Rate of dropout of the weights.
        use_bias: Whether the projections have one.
        sliding_window: Look only at keys less than so many places away.
        flash_attention: Whether to take the one kernel that GPUs have for attention, in compiled
            steps; None: in half types.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint: Of all projections.
        use_gate: Whether a sigmoid of one more projection of the query scales what the heads give.
        seed: Of dropout.

    Raises:
        ValueError: The numbers of heads do not divide.

    Source: J. Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models", 2023.
    https://keras.io/api/layers/attention_layers/group_query_attention/
    """

    def __init__(
        self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0,
        use_bias: bool = True, sliding_window: Any = None, flash_attention: Any = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, use_gate: bool = False, seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention,
            (kernel_initializer, bias_initializer),
            (kernel_regularizer, bias_regularizer, activity_regularizer),
            (kernel_constraint, bias_constraint), use_gate, seed,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        if num_query_heads % num_key_value_heads:
            raise ValueError("`num_query_heads` must be divisible by `num_key_value_heads`.")
        self.head_dim = head_dim
        self.num_query_heads, self.num_key_value_heads = num_query_heads, num_key_value_heads
        self.num_repeats = num_query_heads // num_key_value_heads

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self.feature_dim = query_shape[-1]
        queries, shared = "bqm,muh->bquh", "bkm,mvh->bkvh"
        self._query_dense = self._heads(queries, query_shape, self.num_query_heads, "query")
        self._key_dense = self._heads(shared, key_shape, self.num_key_value_heads, "key")
        if self._use_gate:
            self._gate_dense = self._heads(queries, query_shape, self.num_query_heads, "gate")
        self._value_dense = self._heads(shared, value_shape, self.num_key_value_heads, "value")
        self._make_weighing(1)
        self._output_dense = self._projection(
            "bquh,uhm->bqm", (None, self.feature_dim), "m", "attention_output"
        )
        self._output_dense.build((*query_shape[:-1], self.num_query_heads, self.head_dim))
        self.built = True

    def _heads(self, equation: str, shape: Any, heads: int, name: str) -> Any:
        dense = self._projection(equation, (None, heads, self.head_dim), equation[-2:], name)
        dense.supports_masking = True  # masks are dealt with here: none gets lost
        dense.build(shape)
        return dense

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None,
        value_mask: Any = None, key_mask: Any = None, attention_mask: Any = None,
        return_attention_scores: bool = False, training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        key = value if key is None else key
        masks = (query_mask, value_mask, key_mask)
        mask_of = functools.partial(self._mask, query, value, masks, attention_mask)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        y, weights = self._attend(
            q, k, v, mask_of, use_causal_mask, _AXES, training, return_attention_scores
        )
        if self._use_gate:
            y = y * core.ops.sigmoid(self._gate_dense(query))
        y = self._output_dense(y)
        return (y, weights) if return_attention_scores else y

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> Any:
        check_shapes(value_shape, key_shape)
        if query_shape[-1] != value_shape[-1]:
            raise ValueError(
                "The last dimension of `query_shape` and `value_shape` must be equal, but are "
                f"{query_shape[-1]}, {value_shape[-1]}. Received: query_shape={query_shape}, "
                f"value_shape={value_shape}"
            )
        return query_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }


GroupQueryAttention = GroupedQueryAttention
