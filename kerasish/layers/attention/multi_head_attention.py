"""Multi-head attention."""

from __future__ import annotations

import math
import string
from typing import Any

import kerasish_core as core

from ... import constraints, initializers, regularizers
from ...serialization import builtin
from ..activations import Softmax
from ..base import Layer
from ..core.einsum_dense import EinsumDense
from ..regularization import Dropout
from .products import band_mask, join_masks, masked, scores_of, weighted_sum

__all__ = ["MultiHeadAttention"]


def check_options(dropout: float, window: Any, flash: Any) -> None:
    """Refuse what Keras refuses.

    Raises:
        ValueError: A window below 1, or dropout together with flash attention.
    """
    if window is not None and (not isinstance(window, int) or window <= 0):
        raise ValueError(
            f"`sliding_window` must be `None` or a positive integer. Received: "
            f"sliding_window={window}"
        )
    if flash and dropout > 0.0:
        raise ValueError(
            "Dropout is not supported when flash attention is enabled. Please set dropout to 0.0 "
            f"to use flash attention. Received: dropout={dropout}"
        )


def check_shapes(value_shape: Any, key_shape: Any) -> None:
    """Keys and values must be equally many.

    Raises:
        ValueError: They are not.
    """
    if key_shape is not None and tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
        raise ValueError(
            "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
            f"value_shape={value_shape} and key_shape={key_shape}"
        )


def take_masks(query: Any, *others: Any) -> Any:
    """The mask that rides on the query; none rides on any of them after it.

    So it is in Keras, and its trained models depend on it: in `x + attention(x, x)` the sum has no
    mask, since `x` has none any more. A query mask given by hand does not count there either.
    """
    found = query.mask
    for x in (query, *others):
        x.mask = None
    return found


class Attending(Layer):
    """What layers with projections of query, key and value share.

    The arguments are those that every projection gets.
    """

    _kernel_initializer: Any

    def __init__(
        self, kernel_initializer: Any, bias_initializer: Any, kernel_regularizer: Any,
        bias_regularizer: Any, activity_regularizer: Any, kernel_constraint: Any,
        bias_constraint: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._kernel_constraint = constraints.get(kernel_constraint)
        self._bias_constraint = constraints.get(bias_constraint)
        self.supports_masking = True

    def _projection(self, equation: str, output_shape: Any, bias_axes: str, name: str) -> Any:
        """A projection with initializers of its own, so that no two start alike."""

        def fresh(initializer: Any) -> Any:
            return type(initializer).from_config(initializer.get_config())

        return EinsumDense(
            equation, output_shape, bias_axes=bias_axes if self._use_bias else None, name=name,
            dtype=self.dtype_policy, kernel_initializer=fresh(self._kernel_initializer),
            bias_initializer=fresh(self._bias_initializer),
            kernel_regularizer=self._kernel_regularizer, bias_regularizer=self._bias_regularizer,
            activity_regularizer=self._activity_regularizer,
            kernel_constraint=self._kernel_constraint, bias_constraint=self._bias_constraint,
        )  # fmt: skip

    def _mask(self, query: Any, value: Any, masks: Any, attention_mask: Any, causal: Any) -> Any:
        """Which query may look at which key: `(batch, queries, keys)` or broadcast to it."""
        of_query, of_value, of_key = masks
        return join_masks(
            None if of_query is None else core.ops.expand_dims(of_query, -1),
            None if of_value is None else core.ops.expand_dims(of_value, -2),
            None if of_key is None else core.ops.expand_dims(of_key, -2),
            band_mask(query.shape[1], value.shape[1], causal, self._sliding_window),
            attention_mask,
        )  # fmt: skip

    def get_build_config(self) -> dict[str, Any] | None:
        shapes = self._build_shapes
        if shapes is None:
            return None
        return {"shapes_dict": {k: v for k, v in shapes.items() if v is not None}}

    def _shared_config(self) -> dict[str, Any]:
        return {
            "sliding_window": self._sliding_window,
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._activity_regularizer),
            "kernel_constraint": constraints.serialize(self._kernel_constraint),
            "bias_constraint": constraints.serialize(self._bias_constraint),
            "seed": self.seed,
        }


@builtin("keras.layers")
class MultiHeadAttention(Attending):
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
        flash_attention: Accepted as in Keras: there is one implementation.
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
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        check_options(dropout, sliding_window, flash_attention)
        self._num_heads, self._key_dim = num_heads, key_dim
        self._value_dim = value_dim or key_dim
        self._dropout, self._use_bias, self._use_gate = dropout, use_bias, use_gate
        self._sliding_window, self._flash_attention = sliding_window, flash_attention
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self._output_shape = None if output_shape is None else tuple(output_shape)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        self._attention_axes = None if attention_axes is None else tuple(attention_axes)
        self.seed = seed

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
        return self._value_dim  # type: ignore[no-any-return]

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
        axes = self._attention_axes or range(1, rank - 1)
        self._attention_axes = tuple(axis % rank for axis in axes)
        count = len(self._attention_axes)
        self._softmax = Softmax(tuple(range(-count, 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self._dropout, seed=self.seed, dtype=self.dtype_policy)
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
        mask = self._mask(query, value, masks, attention_mask, use_causal_mask)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        plain = not self._dropout and not return_attention_scores and q.ndim == 4
        y, weights = self._attend(q, k, v, mask, training, plain)
        if self._use_gate:
            y = y * core.ops.sigmoid(self._gate_dense(query))
        y = self._output_dense(y)
        y.mask = masks[0]
        return (y, weights) if return_attention_scores else y

    def _attend(self, q: Any, k: Any, v: Any, mask: Any, training: Any, plain: bool) -> Any:
        """The heads' results and the weights.

        A query that may look nowhere sees the mean of all values if `plain`, else 0: so it is in
        Keras, where a fused kernel serves the first case.
        """
        axes: Any = self._attention_axes
        scores = scores_of(q * (1.0 / math.sqrt(self._key_dim)), k, axes)
        if mask is not None:
            place = -2 * len(axes) - 1
            while mask.ndim < scores.ndim:
                mask = core.ops.expand_dims(mask, max(place, -mask.ndim - 1))
        if mask is None or plain:
            scores = scores if mask is None else masked(scores, mask)
            weights = core.ops.softmax(scores, self._softmax.axis)
        else:
            weights = self._softmax(scores, mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self._dropout else weights
        return weighted_sum(dropped, v, axes), weights

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
            "dropout": self._dropout,
            "use_bias": self._use_bias,
            "use_gate": self._use_gate,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
            **self._shared_config(),
        }
