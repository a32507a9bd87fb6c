"""`tf.lookup`: tables from keys to values."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ...text_arrays import Text, means_text
from .dtypes import name_of
from .strings import to_hash_bucket_fast

__all__ = ["KeyValueTensorInitializer", "StaticHashTable", "StaticVocabularyTable"]


def _listed(x: Any) -> Any:
    array = (
        np.asarray(Text(np.asarray(x, object))) if means_text(x) else np.asarray(core.convert(x))
    )
    return array.reshape(-1).tolist()


class KeyValueTensorInitializer:
    """Keys and their values.

    Raises:
        ValueError: Their numbers differ.
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None,
        name: Any = None,
    ) -> None:  # fmt: skip
        self.keys, self.values = _listed(keys), _listed(values)
        if len(self.keys) != len(self.values):
            raise ValueError(
                f"KeyValueTensorInitializer: {len(self.keys)} keys, {len(self.values)} values."
            )
        text = means_text(values)
        found = "string" if text else core.convert(values).dtype.name
        self.value_dtype = found if value_dtype is None else name_of(value_dtype)


class StaticHashTable:
    """Values by keys; a default one for keys that are not there. Its keys must be known values.

    Args:
        initializer: The keys and values.
        default_value: For all other keys.
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: Any = None,
        experimental_is_anonymous: bool = False,
    ) -> None:  # fmt: skip
        self._table = dict(zip(initializer.keys, initializer.values, strict=True))
        if len(self._table) != len(initializer.keys):
            raise ValueError("StaticHashTable: a key is there twice.")
        self._dtype = initializer.value_dtype
        self.default_value = default_value

    def size(self) -> Any:
        """How many keys there are."""
        return core.convert(np.asarray(len(self._table), "int64"))

    def _other(self, key: Any) -> Any:
        return _listed(self.default_value)[0]

    def lookup(self, keys: Any, name: Any = None) -> Any:
        """The values of keys, in their shape."""
        shape = np.shape(keys)
        found = [self._table[k] if k in self._table else self._other(k) for k in _listed(keys)]
        if self._dtype == "string":
            array = np.empty(len(found), object)
            array[:] = found
            return Text(array.reshape(shape))
        return core.convert(np.asarray(found, self._dtype).reshape(shape))

    __getitem__ = lookup


class StaticVocabularyTable(StaticHashTable):
    """Numbers of words; other words get one of `num_oov_buckets` further numbers, by a hash.

    Args:
        initializer: Words and their numbers; None for hashes alone.
        num_oov_buckets: How many numbers others have.
    """

    def __init__(
        self, initializer: Any, num_oov_buckets: int, lookup_key_dtype: Any = None,
        name: Any = None, experimental_is_anonymous: bool = False,
    ) -> None:  # fmt: skip
        if initializer is None:
            initializer = KeyValueTensorInitializer(np.array([], object), np.array([], "int64"))
        super().__init__(initializer, 0)
        self._dtype, self._buckets = "int64", int(num_oov_buckets)

    def size(self) -> Any:
        """How many numbers there are."""
        return super().size() + self._buckets

    def _other(self, key: Any) -> Any:
        bucket = to_hash_bucket_fast(Text(np.asarray([str(key)], object)), self._buckets)
        return len(self._table) + int(np.asarray(bucket)[0])
