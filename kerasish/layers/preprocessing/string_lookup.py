"""Strings as indices into a vocabulary, and back."""

from __future__ import annotations

from typing import Any

from ...serialization import builtin
from .host import as_text
from .lookup import IndexLookup

__all__ = ["StringLookup"]


@builtin("keras.layers")
class StringLookup(IndexLookup):
    """Strings as indices (or one-hot rows, sets, counts) by a vocabulary.

    Args:
        max_tokens: Largest size of the vocabulary, with unknown and mask tokens.
        num_oov_indices: How many indices unknown strings share, by their hash; 0: they are errors.
        mask_token: A string that means "nothing here": index 0, left out of other modes.
        oov_token: What `invert` gives for unknown indices.
        vocabulary: Strings, or a file with one on each line; else `adapt` learns it.
        idf_weights: For "tf_idf" with a vocabulary: the weight of each string.
        invert: Indices to strings instead.
        output_mode: "int", "one_hot", "multi_hot", "count", or "tf_idf": counts times
            `log(1 + documents / (1 + documents with it))`.
        pad_to_max_tokens: Whether the last axis has `max_tokens` places, however few are known.
        sparse: Not supported.
        encoding: Of inputs that are bytes.
        salt: One or two integers: unknown strings are placed by SipHash with that key.

    Raises:
        ValueError: Arguments that are wrong or do not go together.

    >>> from kerasish import layers
    >>> layer = layers.StringLookup(vocabulary=["a", "b"])
    >>> layer([["a", "z", "b"]]).numpy().tolist()
    [[1, 0, 2]]

    Source: https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/
    """

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: Any = None,
        oov_token: Any = "[UNK]", vocabulary: Any = None, idf_weights: Any = None,
        invert: bool = False, output_mode: str = "int", pad_to_max_tokens: bool = False,
        sparse: bool = False, encoding: str = "utf-8", name: str | None = None, salt: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, "string", vocabulary, idf_weights,
            invert, output_mode, sparse, pad_to_max_tokens, name=name, salt=salt, **kwargs,
        )  # fmt: skip
        if invert:
            self._input_kind = "int64"

    def _tokens_of(self, data: Any) -> Any:
        return as_text(data, self.encoding)

    def _read_token(self, text: str) -> Any:
        return text

    def _hashed(self, tokens: Any) -> list[bytes]:
        return [t.encode() for t in tokens]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["vocabulary_dtype"]
        return {**config, "encoding": self.encoding}
