"""A vocabulary: tokens as indices and back, learned from data or given.

What `StringLookup` and `IntegerLookup` share.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import kerasish_core as core

from ...config import floatx
from ...ops.symbolic import KerasTensor
from ...serialization import in_safe_mode
from .data_layer import batches, is_array, refuse_sparse
from .encoding import encode_now
from .hashing import bins_of, standard_salt
from .host import HostLayer, tensor_or_text, values_of

__all__ = ["DROPPED", "IndexLookup", "listed"]

_FILE = "vocabulary.txt"
# The index of what one-hot rows and counts leave out.
DROPPED = np.iinfo("int64").max


class IndexLookup(HostLayer):
    """Tokens to indices: first the mask (for "int" only), then unknown tokens, then known ones.

    Subclasses say what a token is by `_tokens_of`, `_read_token` and `_hashed`.
    """

    def __init__(
        self, max_tokens: int | None, num_oov_indices: int, mask_token: Any, oov_token: Any,
        vocabulary_dtype: str, vocabulary: Any = None, idf_weights: Any = None,
        invert: bool = False, output_mode: str = "int", sparse: bool = False,
        pad_to_max_tokens: bool = False, oov_method: str = "floormod", name: str | None = None,
        salt: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        given = vocabulary is not None
        self._has_input_vocabulary = kwargs.pop("has_input_vocabulary", given)
        # Known from a config, before the vocabulary itself is read.
        self._size: int | None = kwargs.pop("vocabulary_size", None)
        kwargs.pop("trainable", None)
        kwargs.pop("dtype", None)
        if kwargs:
            raise ValueError(f"Unrecognized keyword argument(s): {kwargs}")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        super().__init__(name=name)
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.vocabulary_dtype, self.output_mode, self.invert = vocabulary_dtype, output_mode, invert
        self.pad_to_max_tokens, self.oov_method = pad_to_max_tokens, oov_method
        self._check(sparse, idf_weights, salt)
        self.sparse, self.salt = False, standard_salt(salt, "IndexLookup")
        # A file's name is not kept: its tokens are saved with the model.
        self.input_vocabulary = None if isinstance(vocabulary, str) else vocabulary
        self.input_idf_weights = idf_weights
        if output_mode == "tf_idf" and self._has_input_vocabulary and given and idf_weights is None:
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the "
                "`idf_weights` argument must also be provided."
            )
        self._tokens: list[Any] = []
        self._places: dict[Any, int] = {}
        self.idf_weights: Any = None
        if given:
            self.set_vocabulary(vocabulary, idf_weights)
        self.reset_state()

    def _check(self, sparse: bool, idf_weights: Any, salt: Any) -> None:
        mode, name = self.output_mode, type(self).__name__
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise ValueError(
                "If set, `max_tokens` must be greater than 1. "
                f"Received: max_tokens={self.max_tokens}"
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(
                "If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens=None"
            )
        if self.num_oov_indices < 0:
            raise ValueError(
                "`num_oov_indices` must be greater than or equal to 0. Received: "
                f"num_oov_indices={self.num_oov_indices}"
            )
        for argument, value, known in (
            ("oov_method", self.oov_method, ("floormod", "farmhash")),
            ("output_mode", mode, ("int", "one_hot", "multi_hot", "count", "tf_idf")),
        ):
            if value not in known:
                raise ValueError(
                    f"Unknown value for `{argument}` argument of {name}. Allowed values are: "
                    f"{known}. Received: {argument}={value}"
                )
        if salt is not None and self.vocabulary_dtype != "string" and self.oov_method != "farmhash":
            raise ValueError(
                "`salt` can only be used when `oov_method='farmhash'`. Received: "
                f"oov_method={self.oov_method}"
            )
        if self.invert and mode != "int":
            raise ValueError(
                f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={mode}"
            )
        if sparse and mode == "int":
            raise ValueError(
                "`sparse` may only be true if `output_mode` is `'one_hot'`, `'multi_hot'`, "
                f"`'count'` or `'tf_idf'`. Received: sparse={sparse} and output_mode={mode}"
            )
        refuse_sparse(name, sparse)
        if idf_weights is not None and mode != "tf_idf":
            raise ValueError(
                "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: "
                f"idf_weights={idf_weights} and output_mode={mode}"
            )

    # -- what a token is
    def _tokens_of(self, data: Any) -> Any:
        """Values as an array of tokens."""
        raise NotImplementedError

    def _read_token(self, text: str) -> Any:
        """The token that a line of a file stands for."""
        raise NotImplementedError

    def _hashed(self, tokens: Any) -> list[bytes]:
        """What is hashed of unknown tokens; empty where their remainder is taken instead."""
        raise NotImplementedError

    @property
    def compute_dtype(self) -> Any:
        return self.vocabulary_dtype

    @property
    def variable_dtype(self) -> Any:
        return self.vocabulary_dtype

    # -- places
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """The number of tokens, with mask and unknown ones."""
        return len(self._tokens) + self._token_start()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens by index.

        Args:
            include_special_tokens: Whether to list mask and unknown tokens too.
        """
        if not include_special_tokens:
            return list(self._tokens)
        special = [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices
        return special + self._tokens

    # -- setting the vocabulary
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens.

        Args:
            vocabulary: Tokens in the order of their indices, with mask and unknown tokens in
                front or without; or the name of a file with one on each line.
            idf_weights: For "tf_idf": the weight of each token.

        Raises:
            ValueError: It is empty, too long, has repeated or reserved tokens, or weights are
                missing or do not belong to it.
        """
        mode = self.output_mode
        if mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        if mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                "`idf_weights` should only be set if output_mode is `'tf_idf'`. Received: "
                f"output_mode={mode} and idf_weights={idf_weights}"
            )
        if isinstance(vocabulary, str):
            self._set_tokens(_unique(self._of_file(vocabulary)))
            return
        given = self._tokens_of(vocabulary).tolist()
        if not given:
            raise ValueError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        start = self._token_start()
        special = [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices
        complete = given[:start] == special
        tokens = _unique(given[start:] if complete else given)
        self._check_reserved(tokens, special)
        if self.max_tokens is not None and start + len(tokens) > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Received "
                f"vocabulary size is {start + len(tokens)}; `max_tokens` is {self.max_tokens}."
            )
        self._set_tokens(tokens)
        if idf_weights is not None:
            self._set_weights(idf_weights, len(given), 0 if complete else start)

    def _of_file(self, name: str) -> list[Any]:
        if in_safe_mode():
            raise ValueError(
                "Requested the loading of a vocabulary file outside of the model archive. It is "
                "disallowed by default, since a config from elsewhere could read any file. If you "
                "trust the source of the artifact, pass `safe_mode=False` to the loading function, "
                "or call `keras.config.enable_unsafe_deserialization()`. Vocabulary file: "
                f"'{name}'"
            )
        path = Path(name)
        if not path.is_file():
            raise ValueError(f"Vocabulary file {name} does not exist.")
        if self.output_mode == "tf_idf":
            raise ValueError(
                "output_mode `'tf_idf'` does not support loading a vocabulary from file."
            )
        return [self._read_token(line) for line in _lines(path)]

    def _check_reserved(self, tokens: list[Any], special: list[Any]) -> None:
        reserved = [("mask", self.mask_token)]
        if self.invert:
            reserved.append(("OOV", self.oov_token))
        known = set(tokens)
        for kind, token in reserved:
            if token is not None and token in known:
                raise ValueError(
                    f"Found reserved {kind} token at unexpected location in `vocabulary`. Note "
                    "that passed `vocabulary` does not need to include the OOV and mask tokens. "
                    "Either remove all mask and OOV tokens, or include them only at the start of "
                    f"the vocabulary in precisely this order: {special}. Received: "
                    f"{kind.lower()}_token={token} at vocabulary index {tokens.index(token)}"
                )

    def _set_tokens(self, tokens: list[Any]) -> None:
        start = self._token_start()
        size = start + len(tokens)
        fixed = not (self.output_mode == "int" or self.pad_to_max_tokens)
        if fixed and self._size is not None and size != self._size:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the "
                "vocabulary size cannot be changed after the layer is called. Old vocab size is "
                f"{self._size}, new vocab size is {size}"
            )
        self._tokens = tokens
        self._places = {token: start + i for i, token in enumerate(tokens)}
        self._size = size

    def _set_weights(self, weights: Any, count: int, front: int) -> None:
        """Weights of tokens with the mean of them for unknown ones in front."""
        weights = np.asarray(weights)
        if weights.ndim != 1:
            raise ValueError(
                f"TF-IDF data must be a 1-index array. Received: idf_weights={weights}"
            )
        if len(weights) != count:
            raise ValueError(
                "`idf_weights` must be the same length as vocabulary. len(idf_weights) is "
                f"{len(weights)}; len(vocabulary) is {count}"
            )
        back = 0
        if self.pad_to_max_tokens and self.max_tokens is not None:
            back = self.max_tokens - front - len(weights)
        mean = np.average(weights) if front else 0
        padded = np.pad(weights, (front, back), constant_values=(mean, 0))
        self.idf_weights = padded.astype(floatx())

    # -- learning
    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary: tokens by how often they occur, then in descending order.

        Args:
            data: An array or list of samples (each a token or a row of them), or a generator,
                `PyDataset` or other iterable of batches.
            steps: How many batches to take.

        Raises:
            ValueError: The vocabulary was given.
        """
        self.reset_state()
        if is_array(data) or isinstance(data, list | tuple | str | bytes):
            tokens = self._tokens_of(data)
            self.update_state(tokens[:, None] if tokens.ndim == 1 else tokens)
        else:
            for batch in batches(data, steps):
                self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch; each row is a document, a vector is one."""
        tokens = self._tokens_of(data)
        self.count(tokens.reshape(1, -1) if tokens.ndim < 2 else tokens)

    def count(self, documents: Any) -> None:
        """Count the tokens of documents, each an array or list of them.

        Raises:
            ValueError: The vocabulary was given.
        """
        if self._has_input_vocabulary:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via "
                "`vocabulary` argument or `set_vocabulary()` method."
            )
        for document in documents:
            tokens = document.reshape(-1).tolist() if isinstance(document, np.ndarray) else document
            self._counts.update(tokens)
            self._document_counts.update(set(tokens))
            self._documents += 1

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        if self._has_input_vocabulary or not self._counts:
            self._size = self.vocabulary_size()
            return
        for token in (self.mask_token, self.oov_token):
            self._counts.pop(token, None)
        order = sorted(self._counts.items(), key=lambda item: (item[1], item[0]), reverse=True)
        tokens = [token for token, _ in order]
        start = self._token_start()
        if self.max_tokens:
            tokens = tokens[: self.max_tokens - start]
        self._set_tokens(tokens)
        if self.output_mode == "tf_idf":
            occurring = np.array([self._document_counts[t] for t in tokens], "float64")
            weights = np.log(1 + self._documents / (1 + occurring)).astype(floatx())
            self._set_weights(weights, len(tokens), start)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._counts: Counter[Any] = Counter()
        self._document_counts: Counter[Any] = Counter()
        self._documents = 0

    # -- running
    def call(self, inputs: Any) -> Any:
        if self.invert:
            return tensor_or_text(self._tokens_at(values_of(inputs)))
        return core.constant(self.encode(self.indices(self._tokens_of(inputs))))

    def _tokens_at(self, indices: Any) -> Any:
        self._check_ready()
        table = self.get_vocabulary()
        text = self.vocabulary_dtype == "string"
        table.append(self.oov_token)
        flat = indices.astype("int64").reshape(-1)
        flat = np.where((flat < 0) | (flat >= len(table)), len(table) - 1, flat)
        found = np.array(table, object if text else self.vocabulary_dtype)[flat]
        return found.reshape(indices.shape)

    def indices(self, tokens: Any) -> Any:
        """The index of each token of an array.

        Raises:
            ValueError: One is unknown and there is no index for it.
        """
        self._check_ready()
        places = self._places
        unknown = self._oov_start() if self.num_oov_indices == 1 else -1
        flat = tokens.reshape(-1)
        listed = flat.tolist()
        get = places.get
        found = np.fromiter((get(t, unknown) for t in listed), "int64", len(listed))
        if self.mask_token is not None:
            mask = 0 if self.output_mode == "int" else DROPPED
            found = np.where(flat == self.mask_token, mask, found)
        if self.num_oov_indices != 1:
            self._place_unknown(found, flat)
        return found.reshape(tokens.shape)

    def _place_unknown(self, found: Any, tokens: Any) -> None:
        """Put the indices of unknown tokens, -1 until now, in place."""
        missing = np.flatnonzero(found == -1)
        if not len(missing):
            return
        if self.num_oov_indices == 0:
            raise ValueError(
                "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"{tokens[missing][:10].tolist()}, consider setting `num_oov_indices=1`."
            )
        hashed = self._hashed(tokens[missing])
        if hashed:
            bins = bins_of(hashed, self.num_oov_indices, self.salt)
        else:
            bins = tokens[missing] % self.num_oov_indices
        found[missing] = bins + self._oov_start()

    def _check_ready(self) -> None:
        if not self._places:
            kind = RuntimeError if self.output_mode != "int" else ValueError
            raise kind(
                f"Layer '{self.name}' has no vocabulary: set the layer's vocabulary before "
                "calling it. Either pass a `vocabulary` argument to the layer, or call `adapt` "
                "with some sample data."
            )

    def encode(self, indices: Any) -> Any:
        """Indices in the output mode."""
        mode = self.output_mode
        if mode == "int":
            return indices
        depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        found = encode_now(indices, "count" if mode == "tf_idf" else mode, depth, "int64")
        return (
            found.astype(self.idf_weights.dtype) * self.idf_weights if mode == "tf_idf" else found
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape)
        if self.output_mode == "int":
            return shape
        depth = self.max_tokens if self.pad_to_max_tokens else self._size
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
        return (*shape[:-1], depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        if self.output_mode != "int":
            return KerasTensor(shape, floatx())
        return KerasTensor(shape, self.vocabulary_dtype if self.invert else "int64")

    # -- files
    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "invert": self.invert, "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices, "oov_token": self.oov_token,
            "mask_token": self.mask_token, "output_mode": self.output_mode, "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "vocabulary_dtype": self.vocabulary_dtype,
            "idf_weights": listed(self.input_idf_weights),
            "vocabulary": listed(self.input_vocabulary), "vocabulary_size": self._size,
            "oov_method": self.oov_method, "salt": self.salt,
        }  # fmt: skip

    def save_own_variables(self, store: Any) -> None:
        """The weights of "tf_idf"; tokens are assets."""
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        """Read them back."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self.idf_weights = np.asarray(store["idf_weights"])

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary, one token on each line; one given as a list is in the config."""
        if self.input_vocabulary is None:
            text = "\n".join(str(token) for token in self.get_vocabulary())
            Path(dir_path, _FILE).write_text(text, encoding="utf-8")

    def load_assets(self, dir_path: str) -> None:
        """Read it back."""
        if self.input_vocabulary is not None:
            return
        lines = _lines(Path(dir_path, _FILE))
        while lines and lines[-1] == "":
            lines.pop()
        tokens = [self._read_token(line) for line in lines]
        if not tokens[self._token_start() :]:
            return
        weights = self.idf_weights
        # Those that fill up to `max_tokens` are made again.
        self.set_vocabulary(tokens, None if weights is None else weights[: len(tokens)])


def listed(values: Any) -> Any:
    """Arrays and tensors as lists, for configs."""
    if isinstance(values, core.Tensor):
        values = values.numpy()
    return values.tolist() if isinstance(values, np.ndarray) else values


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return text.removesuffix("\n").split("\n") if text else []


def _unique(tokens: list[Any]) -> list[Any]:
    """The tokens as they are.

    Raises:
        ValueError: One occurs more than once.
    """
    if len(set(tokens)) != len(tokens):
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        raise ValueError(
            "The passed vocabulary has at least one repeated term. Please uniquify your dataset. "
            f"The repeated terms are: {repeated}"
        )
    return tokens
