"""Texts as sequences of token indices, or as counts of them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from typing import Any

import numpy as np

import kerasish_core as core

from ...config import floatx
from ...ops.symbolic import KerasTensor
from ...serialization import builtin, deserialize_keras_object
from .data_layer import batches, is_array
from .host import HostLayer, as_text
from .lookup import DROPPED, listed
from .string_lookup import StringLookup

__all__ = ["TextVectorization"]

_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Only ASCII: that is what TensorFlow's `strings.lower` and `strings.split` do by default.
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_WORD = re.compile(r"[^ \t\n\v\f\r]+")


@builtin("keras.layers")
class TextVectorization(HostLayer):
    """Texts standardized, split into tokens, joined to n-grams, and looked up in a vocabulary.

    Args:
        max_tokens: Largest size of the vocabulary, with padding and unknown tokens.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (all of ASCII
            only), None, or a function of an array of strings.
        split: "whitespace", "character", None, or a function from an array of strings to a list of
            tokens for each.
        ngrams: Longest n-gram, or a tuple of their lengths.
        output_mode: "int", or "one_hot", "multi_hot", "count", "tf_idf": see `StringLookup`.
        output_sequence_length: For "int": sequences are cut or padded with 0 to this length; the
            longest of the batch by default.
        pad_to_max_tokens, vocabulary, idf_weights, encoding: See `StringLookup`.
        sparse: Not supported.
        ragged: For "int": return a list of arrays, one for each text, without padding.

    Call takes texts of shape `(batch,)` or `(batch, 1)`, or a single one. Tokens that were never
    seen have index 1, padding 0.

    Raises:
        ValueError: Arguments that are wrong or do not go together.

    >>> from kerasish import layers
    >>> layer = layers.TextVectorization(vocabulary=["foo", "bar"])
    >>> layer(["Foo bar!", "baz"]).numpy().tolist()
    [[2, 3], [1, 0]]

    Source: https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/
    """

    def __init__(
        self, max_tokens: int | None = None, standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace", ngrams: Any = None, output_mode: str = "int",
        output_sequence_length: int | None = None, pad_to_max_tokens: bool = False,
        vocabulary: Any = None, idf_weights: Any = None, sparse: bool = False,
        ragged: bool = False, encoding: str = "utf-8", name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        _check(standardize, split, ngrams, output_mode, output_sequence_length, ragged)
        given = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        self._standardize, self._split, self._ngrams_arg = standardize, split, ngrams
        self._ngrams = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        self._ragged, self._output_mode = ragged, output_mode
        self._output_sequence_length, self._encoding = output_sequence_length, encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens, mask_token="", output_mode=output_mode,
            sparse=sparse, has_input_vocabulary=given, encoding=encoding, vocabulary_size=size,
        )  # fmt: skip

    @property
    def _has_input_vocabulary(self) -> bool:
        return self._lookup_layer._has_input_vocabulary

    @property
    def compute_dtype(self) -> Any:
        return "string"

    @property
    def variable_dtype(self) -> Any:
        return "string"

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do."""

    # -- the vocabulary
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary: tokens by how often they occur, then in descending order.

        Args:
            data: An array or list of texts, or an iterable of batches of them.
            batch_size: Not needed.
            steps: How many batches to take.

        Raises:
            ValueError: The vocabulary was given.
        """
        self.reset_state()
        if is_array(data) or isinstance(data, list | tuple | str | bytes):
            texts = as_text(data, self._encoding)
            self.update_state(texts[:, None] if texts.ndim == 1 else texts)
        else:
            for batch in batches(data, steps):
                self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch; each text is a document."""
        documents, shape = self._documents(data)
        if shape is not None and len(shape) < 2:  # a vector of tokens is one document
            documents = [[token for document in documents for token in document]]
        self._lookup_layer.count(documents)

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens by index.

        Args:
            include_special_tokens: Whether to list padding and unknown tokens too.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    def vocabulary_size(self) -> int:
        """The number of tokens, with padding and unknown ones."""
        return self._lookup_layer.vocabulary_size()

    # -- running
    def _documents(self, inputs: Any) -> tuple[list[list[str]], tuple[int, ...] | None]:
        """The tokens of each text.

        Returns:
            Lists of tokens, and the shape of an array of tokens that they fill; None where texts
            were split, so that each list has its own length.
        """
        texts = _standardized(as_text(inputs, self._encoding), self._standardize)
        split = self._split
        if split is None:
            shape = texts.shape
            documents = texts.reshape(-1, shape[-1] if shape else 1).tolist()
        else:
            if texts.ndim > 1:
                if texts.shape[-1] != 1:
                    raise ValueError(
                        "When using `TextVectorization` to tokenize strings, the input rank must "
                        "be 1 or the last shape dimension must be 1. Received: "
                        f"inputs.shape={texts.shape} with rank={texts.ndim}"
                    )
                texts = texts[..., 0]
            shape, documents = None, _split(texts.reshape(-1), split)
        if self._ngrams is not None:
            documents = [_ngrams(tokens, self._ngrams) for tokens in documents]
            if shape is not None:
                shape = (*shape[:-1], len(documents[0]) if documents else 0)
        return documents, shape

    def call(self, inputs: Any) -> Any:
        documents, shape = self._documents(inputs)
        lookup, length = self._lookup_layer, self._output_sequence_length
        flat = np.empty(sum(map(len, documents)), object)
        flat[:] = [token for tokens in documents for token in tokens]
        indices = lookup.indices(flat)
        if shape is not None:
            rows = indices.reshape(shape)
            if self._output_mode == "int" and length is not None:
                rows = _fitted(rows, length)
            return core.constant(lookup.encode(rows))
        outer = np.shape(inputs)[:-1] if np.ndim(inputs) > 1 else np.shape(inputs)
        parts = np.split(indices, np.cumsum([len(tokens) for tokens in documents])[:-1])
        if self._output_mode == "int":
            if self._ragged:
                return [part[:length] for part in parts]
            rows = _padded(parts, 0, length)
            return core.constant(rows.reshape(*outer, rows.shape[1]))
        if self._output_mode == "one_hot" and outer:
            return [lookup.encode(part) for part in parts]
        rows = lookup.encode(_padded(parts, DROPPED, None))
        return core.constant(rows.reshape(*outer, *rows.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape)
        if self._output_mode == "int":
            return (shape[0], self._output_sequence_length)
        if self._split is None:
            return self._lookup_layer.compute_output_shape(shape if len(shape) > 1 else (*shape, 1))
        # Splitting takes the place of the last axis of size 1; Keras's shape keeps it by mistake.
        outer = shape[:-1] if len(shape) > 1 else shape
        return self._lookup_layer.compute_output_shape((*outer, None))

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "int64" if self._output_mode == "int" else floatx()
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    # -- files
    def get_config(self) -> dict[str, Any]:
        lookup = self._lookup_layer
        return {
            **super().get_config(), "max_tokens": lookup.max_tokens,
            "standardize": self._standardize, "split": self._split, "ngrams": self._ngrams_arg,
            "output_mode": self._output_mode,
            "output_sequence_length": self._output_sequence_length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens, "sparse": lookup.sparse,
            "ragged": self._ragged, "vocabulary": listed(lookup.input_vocabulary),
            "idf_weights": listed(lookup.input_idf_weights), "encoding": self._encoding,
            "vocabulary_size": self.vocabulary_size(),
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a config."""
        config = dict(config)
        for name in ("standardize", "split"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(config[name])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return super().from_config(config)

    def save_own_variables(self, store: Any) -> None:
        """The weights of "tf_idf"."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Read them back."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Read it back."""
        self._lookup_layer.load_assets(dir_path)


def _check(standardize: Any, split: Any, ngrams: Any, mode: str, length: Any, ragged: bool) -> None:
    for argument, value, known in (
        ("standardize", standardize, ("lower_and_strip_punctuation", "lower", "strip_punctuation")),
        ("split", split, ("whitespace", "character")),
    ):
        if not (value is None or callable(value) or value in known):
            raise ValueError(
                f"Unknown value for `{argument}` argument of TextVectorization. Allowed values "
                f"are: {known}, None and functions. Received: {argument}={value}"
            )
    modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")
    if mode not in modes:
        raise ValueError(
            f"Unknown value for `output_mode` argument of TextVectorization. Allowed values are: "
            f"{modes}. Received: output_mode={mode}"
        )
    several = isinstance(ngrams, tuple) and all(isinstance(n, int) for n in ngrams)
    if not (ngrams is None or isinstance(ngrams, int) or several):
        raise ValueError(
            f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}"
        )
    if mode == "int" and not (length is None or isinstance(length, int)):
        raise ValueError(
            "`output_sequence_length` must be either None or an integer when `output_mode` is "
            f"'int'. Received: output_sequence_length={length}"
        )
    if mode != "int" and length is not None:
        raise ValueError(
            "`output_sequence_length` must not be set if `output_mode` is not 'int'. Received "
            f"output_sequence_length={length}."
        )
    if mode != "int" and ragged:
        raise ValueError(
            "`ragged` must not be true if `output_mode` is not `'int'`. Received: "
            f"ragged={ragged} and output_mode={mode}"
        )


def _standardized(texts: Any, how: Any) -> Any:
    if how is None:
        return texts
    if callable(how):
        # Fixed-width text is what the functions of `np.char` take.
        return as_text(how(texts.astype(str)))
    found = np.empty(texts.shape, object)
    lower, strip = how.startswith("lower"), how.endswith("strip_punctuation")
    for i, text in enumerate(texts.flat):
        if lower:
            text = text.lower() if text.isascii() else text.translate(_LOWER)
        found.flat[i] = text.translate(_PUNCTUATION) if strip else text
    return found


def _split(texts: Any, how: str | Callable[[Any], Any]) -> list[list[str]]:
    if callable(how):
        return [as_text(tokens).reshape(-1).tolist() for tokens in how(texts.astype(str))]
    return [_WORD.findall(text) if how == "whitespace" else list(text) for text in texts]


def _ngrams(tokens: list[str], lengths: tuple[int, ...]) -> list[str]:
    return [
        " ".join(tokens[i : i + n]) for n in lengths for i in range(len(tokens) - n + 1)
    ]  # fmt: skip


def _padded(rows: list[Any], value: int, length: int | None) -> Any:
    """Vectors as the rows of one array."""
    width = max(map(len, rows), default=0) if length is None else length
    found = np.full((len(rows), width), value, "int64")
    for target, row in zip(found, rows, strict=True):
        target[: len(row)] = row[:width]
    return found


def _fitted(rows: Any, length: int) -> Any:
    """The last axis cut or padded with 0."""
    rows = rows[..., :length]
    return np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, length - rows.shape[-1])])
