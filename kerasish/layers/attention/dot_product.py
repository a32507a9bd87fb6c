"""Attention without projections: queries, values and keys are the inputs themselves."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import random
from ...serialization import builtin
from ..base import Layer
from .masks import band_mask

__all__ = ["AdditiveAttention", "Attention"]

_o = core.ops


@builtin("keras.layers")
class Attention(Layer):
    """`softmax(score(query, key)) value`, called on `[query, value]` or `[query, value, key]`.

    With `score_mode="dot"` the score is `scale * q . k`, with "concat" it is
    `weight * sum(tanh(scale * (q + k)))`.

    Args:
        use_scale: Whether there is a trained scale; else it is 1.
        score_mode: "dot" or "concat".
        dropout: Rate of dropout of the weights.
        seed: Of dropout.

    Raises:
        ValueError: Another score mode, or a call with other inputs.

    Source: M.-T. Luong et al., "Effective approaches to attention-based neural machine
    translation", 2015. https://keras.io/api/layers/attention_layers/attention/
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0,
        seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.use_scale, self.score_mode, self.dropout = use_scale, score_mode, dropout
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = random.SeedGenerator(seed=seed)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                "Invalid value for argument score_mode. Expected one of {'dot', 'concat'}. "
                f"Received: score_mode={score_mode}"
            )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")
        self.built = True

    def _check(self, inputs: Any, mask: Any = None) -> None:
        name = type(self).__name__
        if not isinstance(inputs, list):
            raise ValueError(
                f"{name} layer must be called on a list of inputs, namely [query, value] or "
                f"[query, value, key]. Received: inputs={inputs}."
            )
        if not 2 <= len(inputs) <= 3:
            raise ValueError(
                f"{name} layer accepts inputs list of length 2 or 3, namely [query, value] or "
                f"[query, value, key]. Received length: {len(inputs)}."
            )
        if mask is None:
            return
        if not isinstance(mask, list):
            raise ValueError(
                f"{name} layer mask must be a list, namely [query_mask, value_mask]. Received: "
                f"mask={mask}."
            )
        if not 2 <= len(mask) <= 3:
            raise ValueError(
                f"{name} layer accepts mask list of length 2 or 3. Received length: {len(mask)}."
            )

    def _scores(self, query: Any, key: Any) -> Any:
        """`(batch, queries, keys)`."""
        if self.score_mode == "dot":
            scores = _o.matmul(query, _o.swapaxes(key, -1, -2))
            return scores if self.scale is None else scores * self.scale.value
        pairs = _o.expand_dims(query, -2) + _o.expand_dims(key, -3)
        pairs = pairs if self.scale is None else pairs * self.scale.value
        return self.concat_score_weight.value * _o.sum(_o.tanh(pairs), -1)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = False,
        return_attention_scores: bool = False, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        self._check(inputs, mask)
        query, value = inputs[:2]
        of_query, of_value = (None, None) if mask is None else mask[:2]
        scores = self._scores(query, inputs[2] if len(inputs) > 2 else value)
        allowed = band_mask(scores.shape[-2], scores.shape[-1], use_causal_mask)
        if of_value is not None:
            of_value = _o.expand_dims(_o.cast(of_value, "bool"), -2)
            allowed = of_value if allowed is None else _o.logical_and(allowed, of_value)
        if allowed is not None:
            # Not replaced but lowered: where nothing is allowed, what differs less counts still.
            much = 65504.0 if scores.dtype.name == "float16" else 1e9
            scores = scores - much * _o.cast(_o.logical_not(allowed), scores.dtype)
        weights = _o.softmax(scores, -1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        result = _o.matmul(weights, value)
        if of_query is not None:
            result = result * _o.expand_dims(_o.cast(of_query, result.dtype), -1)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        self._check(inputs, mask)
        return None if mask is None or mask[0] is None else mask[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[0][:-1], input_shape[1][-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


@builtin("keras.layers")
class AdditiveAttention(Attention):
    """Attention with scores `sum(scale * tanh(query + key))`, a scale for each feature.

    Args:
        use_scale: Whether the scale is trained; else it is 1.
        dropout: Rate of dropout of the weights.

    Source: D. Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate", 2015. https://keras.io/api/layers/attention_layers/additive_attention/
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")
        self.built = True

    def _scores(self, query: Any, key: Any) -> Any:
        pairs = _o.tanh(_o.expand_dims(query, -2) + _o.expand_dims(key, -3))
        return _o.sum(pairs if self.scale is None else pairs * self.scale.value, -1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["score_mode"]
        return config
