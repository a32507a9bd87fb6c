"""Integers as one-hot rows, sets and counts, as a layer."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ...ops.symbolic import KerasTensor
from ...serialization import builtin
from .data_layer import DataLayer, refuse_sparse
from .encoding import encode

__all__ = ["CategoryEncoding"]


@builtin("keras.layers")
class CategoryEncoding(DataLayer):
    """Integers from 0 to `num_tokens - 1` as rows of `num_tokens` numbers.

    Args:
        num_tokens: How many there are.
        output_mode: "one_hot": a row for each element; "multi_hot": a row for each sample, 1 for
            what occurs in it; "count": how often.
        sparse: Not supported.

    Raises:
        ValueError: `num_tokens` is missing or below 1, the mode is unknown, or `sparse` is set.

    >>> from kerasish import layers
    >>> layers.CategoryEncoding(4, "count")([[0, 1, 1]]).numpy().tolist()
    [[1.0, 2.0, 0.0, 0.0]]

    Source: https://keras.io/api/layers/preprocessing_layers/categorical/category_encoding/
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(f"Unknown arg for output_mode: {output_mode}")
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known "
                "beforehand, use the IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        refuse_sparse("CategoryEncoding", sparse)
        self.num_tokens, self.output_mode, self.sparse = num_tokens, output_mode, False
        self._convert_input_args = False

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    "`count_weights` is not used when `output_mode` is not `'count'`. Received "
                    f"`count_weights={count_weights}`."
                )
            count_weights = core.ops.cast(core.convert(count_weights), self.compute_dtype)
        x = core.convert(inputs)
        return encode(x, self.output_mode, self.num_tokens, self.dtype, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape)
        if not shape:
            return (self.num_tokens,)
        if self.output_mode == "one_hot" and (shape[-1] != 1 or len(shape) == 1):
            return (*shape, self.num_tokens)
        return (*shape[:-1], self.num_tokens)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode
        }  # fmt: skip
