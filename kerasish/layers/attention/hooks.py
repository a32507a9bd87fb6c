"""The steps of `MultiHeadAttention` as methods, which subclasses call and override.

Keras documents them nowhere, but published layers rely on them: attention with relative positions,
with a cache of keys and values, with another softmax.
"""

from __future__ import annotations

import functools
import inspect
import math
import string
from typing import Any

import kerasish_core as core

from ...ops import einsum
from .attending import Attending, over_heads

__all__ = ["Hooks"]

_NAMES = ("_compute_attention", "_masked_softmax", "_compute_attention_mask")


class Hooks(Attending):
    """The steps between the projections of `MultiHeadAttention`.

    Attributes:
        _dot_product_equation: Of keys and queries, `(batch, positions, heads, size)` each, to
            scores, `(batch, heads, queries, keys)`.
        _combine_equation: Of scores and values to results.
    """

    _attention_axes: Any
    _key_dim: int

    def _build_attention(self, rank: int) -> None:
        """Make what stands between the projections; `rank` is that of their results."""
        axes = self._attention_axes or range(1, rank - 2)
        self._attention_axes = axes = tuple(axis % (rank - 1) for axis in axes)
        letters = iter(string.ascii_lowercase)
        query = [next(letters) for _ in range(rank)]
        key = [next(letters) if i in axes else x for i, x in enumerate(query)]
        others = [x for i, x in enumerate(query[:-2]) if i not in axes]
        pairs = [*others, query[-2], *(query[i] for i in axes), *(key[i] for i in axes)]
        q, k, both = ("".join(part) for part in (query, key, pairs))
        self._dot_product_equation, self._combine_equation = f"{k},{q}->{both}", f"{both},{k}->{q}"
        self._inverse_sqrt_key_dim = 1.0 / math.sqrt(self._key_dim)
        self._make_weighing(len(axes))

    @classmethod
    def _is_changed(cls) -> bool:
        """Whether a subclass has steps of its own."""
        return _changed(cls, _NAMES)

    def _attend_by_steps(
        self, q: Any, k: Any, v: Any, mask: Any, training: Any, wants: bool
    ) -> Any:
        """`_compute_attention`, also where a subclass has it as Keras 2 did."""
        return self._compute_attention(
            q, k, v, mask, training, *([wants] * _takes_wish(type(self)))
        )

    def _compute_attention(
        self, query: Any, key: Any, value: Any, attention_mask: Any = None, training: Any = None,
        return_attention_scores: bool = False, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """The heads' results from projections, and the weights (None if nobody wants them).

        A `_masked_softmax` of a subclass counts where weights are dropped or wanted, or there are
        several attended axes: otherwise Keras takes a kernel that has its own softmax.
        """
        steps = self._dropout or return_attention_scores or query.ndim != 4
        if not (steps and _changed(type(self), ("_masked_softmax",))):
            return self._attend(
                query, key, value, lambda causal: attention_mask, False, self._attention_axes,
                training, return_attention_scores,
            )  # fmt: skip
        scores = einsum(self._dot_product_equation, key, query * self._inverse_sqrt_key_dim)
        weights = self._masked_softmax(scores, attention_mask)
        dropped = self._dropout_layer(weights, training=training) if self._dropout else weights
        return einsum(self._combine_equation, dropped, value), weights

    def _masked_softmax(self, attention_scores: Any, attention_mask: Any = None) -> Any:
        """The softmax of scores over the keys that each query may look at."""
        mask = over_heads(attention_mask, attention_scores.ndim, self._attention_axes)
        return self._softmax(attention_scores, mask=mask)

    def _compute_attention_mask(
        self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None,
        key_mask: Any = None, attention_mask: Any = None, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Which query may look at which key, None if all may at all."""
        masks = (query_mask, value_mask, key_mask)
        return self._mask(query, value, masks, attention_mask, use_causal_mask)

    def _compute_causal_mask(self, query: Any, value: Any = None) -> Any:
        """Every query sees the keys up to its own place: `(1, queries, keys)`."""
        keys = query.shape[1] if value is None else value.shape[1]
        places = (core.ops.arange(n) for n in (query.shape[1], keys))
        rows, columns = (core.ops.expand_dims(p, a) for p, a in zip(places, (1, 0), strict=True))
        return core.ops.expand_dims(rows >= columns, 0)


@functools.cache
def _changed(cls: type, names: tuple[str, ...]) -> bool:
    return any(getattr(cls, name) is not getattr(Hooks, name) for name in names)


@functools.cache
def _takes_wish(cls: type) -> bool:
    """Whether `_compute_attention` can be told that the weights are wanted."""
    found = inspect.signature(cls._compute_attention).parameters  # type: ignore[attr-defined]
    several = any(p.kind is p.VAR_POSITIONAL for p in found.values())
    return several or len(found) > 6
