"""Multi-head attention."""

from __future__ import annotations

import functools
import string
from typing import Any

import kerasish_core as core

from ...serialization import builtin
from .attending import check_shapes
from .hooks import Hooks

__all__ = ["MultiHeadAttention"]


def take_masks(query: Any, *others: Any) -> Any:
    """The mask that rides on the query; none rides on any of them after it.

    So it is in Keras, and its trained models depend on it: in `x + attention(x, x)` the sum has no
    mask, since `x` has none any more. A query mask given by hand does not count there either.
    """
    found = query.mask
    for x in (query, *others):
        x.mask = None
    return found


@builtin("keras.layers")
class MultiHeadAttention(Hooks):
    """Several attentions side by side, `softmax(q k^T / sqrt(key_dim)) v` each, then a projection.

    Args:
        num_heads: How many.
        key_dim: Size of each head's queries and keys.
        value_dim: Size of each head's values; `key_dim` by default.
        dropout: Rate of dropout of the weights.
        use_bias: Whether the projections have one.
        output_shape: Sizes of the output's last axes; that of the query by default.
        attention_axes: Which axes are attended over; all but the first and last by default.
        sliding_window: Look only at keys less than so many places away.
        flash_attention: Whether to take the one kernel that GPUs have for attention, in compiled
            steps; None: in half types.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint: Of all projections.
        use_gate: Whether a sigmoid of one more projection of the query scales what the heads give.
        seed: Of dropout.

    Source: A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.
    https://keras.io/api/layers/attention_layers/multi_head_attention/
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: Any = None, dropout: float = 0.0,
        use_bias: bool = True, output_shape: Any = None, attention_axes: Any = None,
        sliding_window: Any = None, flash_attention: Any = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, use_gate: bool = False, seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention,
            (kernel_initializer, bias_initializer),
            (kernel_regularizer, bias_regularizer, activity_regularizer),
            (kernel_constraint, bias_constraint), use_gate, seed, **kwargs,
        )  # fmt: skip
        self._num_heads, self._key_dim = num_heads, key_dim
        self._value_dim = value_dim or key_dim
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self._output_shape = None if output_shape is None else tuple(output_shape)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        self._attention_axes = None if attention_axes is None else tuple(attention_axes)

    # -- what it is
    @property
    def num_heads(self) -> int:
        """How many heads."""
        return self._num_heads

    @property
    def key_dim(self) -> int:
        """Size of each head's queries and keys."""
        return self._key_dim

    @property
    def value_dim(self) -> int:
        """Size of each head's values."""
        return self._value_dim

    @property
    def dropout(self) -> float:
        """Rate of dropout of the weights."""
        return self._dropout

    @property
    def use_bias(self) -> bool:
        """Whether the projections have a bias."""
        return self._use_bias

    @property
    def attention_axes(self) -> Any:
        """Which axes are attended over."""
        return self._attention_axes

    @property
    def query_dense(self) -> Any:
        """The projection of queries."""
        return self._query_dense

    @property
    def key_dense(self) -> Any:
        """The projection of keys."""
        return self._key_dense

    @property
    def value_dense(self) -> Any:
        """The projection of values."""
        return self._value_dense

    @property
    def output_dense(self) -> Any:
        """The projection of the result."""
        return self._output_dense

    # -- weights
    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        check_shapes(value_shape, key_shape)
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        self._query_dense = self._heads(query_shape, self._key_dim, "query")
        self._key_dense = self._heads(key_shape, self._key_dim, "key")
        if self._use_gate:
            self._gate_dense = self._heads(query_shape, self._value_dim, "gate")
        self._value_dense = self._heads(value_shape, self._value_dim, "value")
        self._build_attention(rank + 1)
        sizes = self._output_shape or (query_shape[-1],)
        left = string.ascii_lowercase[: rank - 1]
        inner = string.ascii_lowercase[rank - 1 : rank + 1]
        right = string.ascii_lowercase[rank + 1 : rank + 1 + len(sizes)]
        self._output_dense = self._projection(
            f"{left}{inner},{inner}{right}->{left}{right}", (*(None,) * (rank - 2), *sizes),
            right, "attention_output",
        )  # fmt: skip
        self._output_dense.build((*query_shape[:-1], self._num_heads, self._value_dim))
        self.built = True

    def _heads(self, shape: Any, size: int, name: str) -> Any:
        """A built projection to heads of this size."""
        rank = len(shape)
        free, last = string.ascii_lowercase[: rank - 1], string.ascii_lowercase[rank - 1]
        heads = string.ascii_lowercase[rank : rank + 2]
        dense = self._projection(
            f"{free}{last},{last}{heads}->{free}{heads}",
            (*(None,) * (rank - 2), self._num_heads, size), heads, name,
        )  # fmt: skip
        dense.build(shape)
        return dense

    # -- calling
    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None,
        value_mask: Any = None, key_mask: Any = None, attention_mask: Any = None,
        return_attention_scores: bool = False, training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        key = value if key is None else key
        masks = (take_masks(query, value, key), value_mask, key_mask)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        if self._is_changed():
            mask = self._compute_attention_mask(
                query, value, query_mask=masks[0], value_mask=value_mask, key_mask=key_mask,
                attention_mask=attention_mask, use_causal_mask=use_causal_mask,
            )  # fmt: skip
            y, weights = self._attend_by_steps(q, k, v, mask, training, return_attention_scores)
        else:
            mask_of = functools.partial(self._mask, query, value, masks, attention_mask)
            y, weights = self._attend(
                q, k, v, mask_of, use_causal_mask, self._attention_axes, training,
                return_attention_scores,
            )  # fmt: skip
        if self._use_gate:
            y = y * core.ops.sigmoid(self._gate_dense(query))
        y = self._output_dense(y)
        y.mask = masks[0]
        return (y, weights) if return_attention_scores else y

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> Any:
        check_shapes(value_shape, key_shape)
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self._num_heads,
            "key_dim": self._key_dim,
            "value_dim": self._value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
        }
