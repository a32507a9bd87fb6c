"""`keras.preprocessing.text` of Keras 1 and 2: words as numbers."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

__all__ = [
    "Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json",
]  # fmt: skip

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(
    input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """The words of a text.

    Args:
        input_text: The text.
        filters: Characters that separate words.
        lower: Whether to turn the text to lower case.
        split: The separator.

    >>> text_to_word_sequence("Don't panic, Arthur!")
    ["don't", 'panic', 'arthur']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str, n: int, filters: str = _FILTERS, lower: bool = True, split: str = " ",
    analyzer: Any = None,
) -> list[int]:  # fmt: skip
    """Words as hashes from 1 to n - 1, by Python's `hash`; see `hashing_trick`."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str, n: int, hash_function: Any = None, filters: str = _FILTERS, lower: bool = True,
    split: str = " ", analyzer: Any = None,
) -> list[int]:  # fmt: skip
    """Words as hashes: `hash(word) % (n - 1) + 1`; several words may share one.

    Args:
        text: The text.
        n: Size of the vocabulary; 0 stays free.
        hash_function: "md5", which is the same in every run, a function, or None: Python's `hash`.
        filters, lower, split: See `text_to_word_sequence`.
        analyzer: A function from a text to its words, instead of that.
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":

        def hash_function(word: str) -> int:
            return int(hashlib.md5(word.encode()).hexdigest(), 16)

    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else (
        analyzer(text)
    )  # fmt: skip
    return [hash_function(word) % (n - 1) + 1 for word in words]


class Tokenizer:
    """Texts as sequences of the ranks of their words, or as a row for each text.

    Rank 1 is the most frequent word's (or `oov_token`'s, if there is one); 0 stays free.

    Args:
        num_words: Only ranks below this are used; None for all.
        filters, lower, split: See `text_to_word_sequence`.
        char_level: Whether characters are the words.
        oov_token: What stands for words that are not known or too rare; None to leave them out.
        analyzer: A function from a text to its words.
        **kwargs: `document_count`, and `nb_words`, the older name of `num_words`.

    Attributes:
        word_index, index_word: From words to ranks and back.
        word_counts, word_docs: How often a word occurs, and in how many texts.
        index_docs: The latter by rank.
        document_count: The number of texts.

    Raises:
        TypeError: Other keyword arguments.

    Source: Keras 2.15, `keras.preprocessing.text.Tokenizer`.

    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["the cat sat", "the dog"])
    >>> tokenizer.texts_to_sequences(["the bird sat"])
    [[2, 1, 4]]
    """

    def __init__(
        self, num_words: int | None = None, filters: str = _FILTERS, lower: bool = True,
        split: str = " ", char_level: bool = False, oov_token: Any = None, analyzer: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        if "nb_words" in kwargs:
            warnings.warn(
                "The `nb_words` argument in `Tokenizer` has been renamed `num_words`.",
                stacklevel=2,
            )
            num_words = kwargs.pop("nb_words")
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts: Any = OrderedDict()
        self.word_docs: Any = defaultdict(int)
        self.index_docs: Any = defaultdict(int)
        self.word_index: dict[Any, int] = {}
        self.index_word: dict[int, Any] = {}

    def _words(self, text: Any) -> Any:
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts, and rank all that were counted so far.

        Args:
            texts: Strings, or lists of words. Words of the same count keep their order.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in dict.fromkeys(words):
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        ranked = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            ranked.insert(0, self.oov_token)
        self.word_index = {word: rank for rank, word in enumerate(ranked, 1)}
        self.index_word = {rank: word for word, rank in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count in how many sequences each rank occurs: what "tfidf" needs without texts."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for rank in set(sequence):
                self.index_docs[rank] = self.index_docs.get(rank, 0) + 1

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """The ranks of each text's words."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """The same, one text after another."""
        for text in texts:
            found = [self.word_index.get(word) for word in self._words(text)]
            yield self._known(found, lambda rank: rank)

    def sequences_to_texts(self, sequences: Iterable[Any]) -> list[str]:
        """Each sequence's words, joined by spaces."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Any]) -> Iterator[str]:
        """The same, one sequence after another."""
        for sequence in sequences:
            found = [rank if rank in self.index_word else None for rank in sequence]
            yield " ".join(self._known(found, self.index_word.__getitem__))

    def _known(self, ranks: list[Any], turn: Any) -> list[Any]:
        """What ranks (None: unknown) become: too rare and unknown ones `oov_token`, or nothing."""
        limit, unknown = self.num_words, self.word_index.get(self.oov_token)
        kept = (unknown if r is None or (limit and r >= limit) else r for r in ranks)
        return [turn(rank) for rank in kept if rank is not None]

    def texts_to_matrix(self, texts: Any, mode: str = "binary") -> Any:
        """A row for each text; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> Any:
        """A row for each sequence, a column for each rank.

        Args:
            sequences: Lists of ranks.
            mode: "binary" (1 if it occurs), "count" (c), "freq" (c / length) or "tfidf":
                `(1 + log c) * log(1 + documents / (1 + documents with the word))`.

        Raises:
            ValueError: An unknown mode, or nothing was fitted that it needs.
        """
        size = self.num_words or (len(self.word_index) + 1 if self.word_index else None)
        if size is None:
            raise ValueError(
                "Specify a dimension (`num_words` argument), or fit on some text data first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ValueError(
                f"Unknown vectorization mode: {mode}; expected binary, count, freq or tfidf."
            )
        matrix = np.zeros((len(sequences), size))
        for row, sequence in zip(matrix, sequences):
            counts = Counter(rank for rank in sequence if rank < size)
            for rank, count in counts.items():
                row[rank] = self._weight(mode, rank, count, len(sequence))
        return matrix

    def _weight(self, mode: str, rank: int, count: int, length: int) -> Any:
        if mode == "tfidf":
            documents = self.document_count / (1 + self.index_docs.get(rank, 0))
            return (1 + np.log(count)) * np.log(1 + documents)
        return {"binary": 1, "count": count, "freq": count / length}[mode]

    def get_config(self) -> dict[str, Any]:
        """The arguments and all counts; dictionaries as JSON, as Keras wrote them."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
        counts = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        config = {name: getattr(self, name) for name in (*names, "document_count")}
        return config | {name: json.dumps(getattr(self, name)) for name in counts}

    def to_json(self, **kwargs: Any) -> str:
        """The tokenizer as text; see `tokenizer_from_json`.

        Args:
            **kwargs: For `json.dumps`.
        """
        return json.dumps(
            {"class_name": type(self).__name__, "config": self.get_config()}, **kwargs
        )


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote down."""
    config = json.loads(json_string)["config"]
    counts = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    for name in ("index_docs", "index_word"):  # JSON knows strings as keys only
        counts[name] = {int(key): value for key, value in counts[name].items()}
    tokenizer = Tokenizer(**config)
    vars(tokenizer).update(counts)
    return tokenizer
