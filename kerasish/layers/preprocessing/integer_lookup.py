"""Integers as indices into a vocabulary, and back."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from ...serialization import builtin
from ...text_arrays import is_text
from .hashing import written
from .host import values_of
from .lookup import IndexLookup

__all__ = ["IntegerLookup"]


@builtin("keras.layers")
class IntegerLookup(IndexLookup):
    """Integers as indices (or one-hot rows, sets, counts) by a vocabulary.

    Args:
        max_tokens, vocabulary, idf_weights, invert, output_mode, pad_to_max_tokens, sparse: As of
            `StringLookup`.
        num_oov_indices: How many indices unknown integers share; 0: they are errors.
        mask_token: An integer that means "nothing here".
        oov_token: What `invert` gives for unknown indices.
        vocabulary_dtype: "int64".
        oov_method: How unknown integers are placed: "floormod" by their remainder, "farmhash" by
            their hash.
        salt: For "farmhash": one or two integers, the key of SipHash.

    Raises:
        ValueError: Arguments that are wrong or do not go together.

    >>> from kerasish import layers
    >>> layer = layers.IntegerLookup(vocabulary=[12, 36])
    >>> layer([[36, 12, 7]]).numpy().tolist()
    [[2, 1, 0]]

    Source: https://keras.io/api/layers/preprocessing_layers/categorical/integer_lookup/
    """

    _input_kind = "int64"

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: Any = None,
        oov_token: Any = -1, vocabulary: Any = None, vocabulary_dtype: str = "int64",
        idf_weights: Any = None, invert: bool = False, output_mode: str = "int",
        sparse: bool = False, pad_to_max_tokens: bool = False, oov_method: str = "floormod",
        salt: Any = None, name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if vocabulary_dtype != "int64":
            raise ValueError(
                "Only `vocabulary_dtype='int64'` is supported at this time. Received: "
                f"vocabulary_dtype={vocabulary_dtype}"
            )
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary_dtype, vocabulary,
            idf_weights, invert, output_mode, sparse, pad_to_max_tokens, oov_method, name, salt,
            **kwargs,
        )  # fmt: skip

    def _tokens_of(self, data: Any) -> Any:
        array = values_of(data)
        if is_text(array):
            with contextlib.suppress(ValueError):
                array = array.astype("int64")
        if array.dtype.kind not in "iufb":
            raise ValueError(
                f"IntegerLookup takes integers, got values of dtype {array.dtype}: "
                f"{str(array)[:100]}. Use StringLookup for words."
            )
        return array.astype("int64")

    def _read_token(self, text: str) -> Any:
        return int(text)

    def _hashed(self, tokens: Any) -> list[bytes]:
        return written(tokens) if self.oov_method == "farmhash" else []

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("oov_token", "mask_token"):
            config[name] = None if config[name] is None else int(config[name])
        if config["vocabulary"] is not None:
            config["vocabulary"] = [int(np.asarray(v)) for v in config["vocabulary"]]
        return config
