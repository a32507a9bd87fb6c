"""What attention layers with projections share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import kerasish_core as core

from ... import constraints, initializers, regularizers
from ...ops.attention import in_one_kernel, join_heads, masked, scores_of, weighted_sum
from ..activations import Softmax
from ..base import Layer
from ..core.einsum_dense import EinsumDense
from ..regularization import Dropout
from .masks import band_mask, join_masks

__all__ = ["Attending", "check_shapes", "over_heads"]


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


def _check_options(dropout: float, window: Any, flash: Any) -> None:
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


def over_heads(mask: Any, rank: int, axes: Any) -> Any:
    """The mask with an axis for the heads."""
    while mask is not None and mask.ndim < rank:
        mask = core.ops.expand_dims(mask, max(-2 * len(axes) - 1, -mask.ndim - 1))
    return mask


class Attending(Layer):
    """Projections of query, key and value, attention, and a projection of its result.

    Args:
        dropout: Rate of dropout of the weights.
        use_bias: Whether the projections have one.
        sliding_window: Look only at keys less than so many places away.
        flash_attention: Whether to take the one kernel that GPUs have for attention, in compiled
            steps; None: in half types.
        starts: Initializers of kernel and bias.
        penalties: Regularizers of kernel, bias and output of every projection.
        limits: Constraints of kernel and bias.
        use_gate: Whether a sigmoid of one more projection of the query scales what the heads give.
        seed: Of dropout.
        **kwargs: Of `Layer`.

    Raises:
        ValueError: A window below 1, or dropout together with flash attention.
    """

    def __init__(
        self, dropout: float, use_bias: bool, sliding_window: Any, flash_attention: Any,
        starts: Any, penalties: Any, limits: Any, use_gate: bool, seed: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        _check_options(dropout, sliding_window, flash_attention)
        self._dropout, self._use_bias, self._use_gate = dropout, use_bias, use_gate
        self._sliding_window, self._flash_attention = sliding_window, flash_attention
        self._kernel_initializer, self._bias_initializer = map(initializers.get, starts)
        self._kernel_regularizer, self._bias_regularizer, self._activity_regularizer = map(
            regularizers.get, penalties
        )
        self._kernel_constraint, self._bias_constraint = map(constraints.get, limits)
        self.seed = seed
        self.supports_masking = True

    def _projection(self, equation: str, output_shape: Any, bias_axes: str, name: str) -> Any:
        return EinsumDense(
            equation, output_shape, bias_axes=bias_axes if self._use_bias else None, name=name,
            **self._get_common_kwargs_for_sublayer(),
        )  # fmt: skip

    def _get_common_kwargs_for_sublayer(self) -> dict[str, Any]:
        """What all projections share; the initializers are new ones, so that no two start alike."""
        starts = (self._kernel_initializer, self._bias_initializer)
        kernel, bias = (type(x).from_config(x.get_config()) for x in starts)
        return {
            "kernel_initializer": kernel,
            "bias_initializer": bias,
            "kernel_regularizer": self._kernel_regularizer,
            "bias_regularizer": self._bias_regularizer,
            "activity_regularizer": self._activity_regularizer,
            "kernel_constraint": self._kernel_constraint,
            "bias_constraint": self._bias_constraint,
            "dtype": self.dtype_policy,
        }

    def _make_weighing(self, axes: int) -> None:
        """The softmax over the last axes, and the dropout of its result."""
        self._softmax = Softmax(tuple(range(-axes, 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self._dropout, seed=self.seed, dtype=self.dtype_policy)

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

    def _attend(
        self, q: Any, k: Any, v: Any, mask_of: Callable[[bool], Any], causal: bool, axes: Any,
        training: Any, wants_scores: bool,
    ) -> Any:  # fmt: skip
        """The heads' results, laid out as the query, and the weights (None if nobody wants them).

        `mask_of(causal)` gives the mask, with what is later than the query left out or not.

        A query that may look nowhere gets 0 where the weights are dropped or wanted, else the mean
        of all values: so it is in Keras, where a fused kernel serves the second case.
        """
        plain = not self._dropout and not wants_scores and q.ndim == 4
        scale = 1.0 / math.sqrt(q.shape[-1])
        if plain and axes == (1,) and in_one_kernel(self._flash_attention, q.dtype):
            apart = causal and self._sliding_window is None
            mask = over_heads(mask_of(causal and not apart), 4, axes)
            return core.ops.attention(q, k, v, mask, scale, apart), None
        scores = scores_of(q * scale, k, axes)
        mask = over_heads(mask_of(causal), scores.ndim, axes)
        if mask is None or plain:
            scores = scores if mask is None else masked(scores, mask)
            weights = core.ops.softmax(scores, self._softmax.axis)
        else:
            weights = self._softmax(scores, mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self._dropout else weights
        return join_heads(weighted_sum(dropped, v, axes), q, axes), weights

    def get_build_config(self) -> dict[str, Any] | None:
        shapes = self._build_shapes
        if shapes is None:
            return None
        return {"shapes_dict": {k: v for k, v in shapes.items() if v is not None}}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dropout": self._dropout,
            "use_bias": self._use_bias,
            "use_gate": self._use_gate,
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
