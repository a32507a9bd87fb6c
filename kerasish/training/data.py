"""Every kind of data as an iterator of batches `(x, y, sample_weight)`."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

import kerasish_core as core

from ..config import floatx
from ..shard import common_order
from ..text_arrays import is_text
from .pydataset import PyDataset, batches_of

__all__ = [
    "ArrayData", "IteratorData", "make_data", "pack_x_y_sample_weight", "train_validation_split",
    "unpack_x_y_sample_weight",
]  # fmt: skip

tree = core.tree

# Sparse matrices of more bytes than these, if they were dense, become so batch by batch.
_DENSE = 1 << 28


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)` as three."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if 1 <= len(data) <= 3:
        return (*data, None, None)[:3]
    raise ValueError(
        "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
        f"found a tuple of {len(data)}."
    )


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The inverse of `unpack_x_y_sample_weight`."""
    if y is None:
        return x if not isinstance(x, tuple | list) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def to_array(x: Any) -> Any:
    """One array of a data set as NumPy, in this machine's byte order; float64 becomes `floatx`.

    Large sparse matrices of SciPy stay sparse, by rows.
    """
    if isinstance(x, core.Tensor | core.Variable):
        x = np.asarray(x)
    elif "pandas" in sys.modules and type(x).__module__.startswith("pandas"):
        x = x.to_numpy()
    elif hasattr(x, "detach") and hasattr(x, "numpy"):
        x = x.detach().cpu().numpy()
    elif hasattr(x, "toarray"):
        large = math.prod(x.shape) * x.dtype.itemsize > _DENSE
        x = x.tocsr() if large else x.toarray()
    elif not isinstance(x, np.ndarray):
        x = np.asarray(x)
    if x.dtype == object and not is_text(x):
        try:
            x = np.stack([np.asarray(row) for row in x]).astype(floatx())
        except (ValueError, TypeError):
            raise ValueError(
                "The data holds objects that are no numbers (rows of different lengths, or "
                "text). Pad the rows, or turn text into numbers with a preprocessing layer."
            ) from None
    if x.dtype == np.float64 and floatx() != "float64":
        return x.astype(floatx())
    return x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))


def _is_pandas(x: Any) -> bool:
    return "pandas" in sys.modules and type(x).__module__.startswith("pandas")


def _leaf_of_data(x: Any) -> bool:
    if isinstance(x, core.Tensor | core.Variable | np.ndarray) or _is_pandas(x):
        return True
    arrays = hasattr(x, "__array__") or hasattr(x, "toarray")  # the latter: SciPy's sparse ones
    return arrays and not isinstance(x, PyDataset)


def is_arrays(x: Any) -> bool:
    """Whether a data set is arrays (or nested lists and dictionaries of them)."""
    if _leaf_of_data(x):
        return True
    if isinstance(x, list | tuple):
        return bool(x) and all(
            is_arrays(v) or v is None or isinstance(v, int | float | bool) for v in x
        )
    if isinstance(x, dict):
        return bool(x) and all(is_arrays(v) or v is None for v in x.values())
    return False


def to_arrays(structure: Any) -> Any:
    """A structure with every leaf a NumPy array; a list of numbers is one leaf."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {k: to_arrays(v) for k, v in structure.items()}
    if hasattr(structure, "_fields"):
        return type(structure)(*map(to_arrays, structure))
    if isinstance(structure, list | tuple):
        if structure and all(_leaf_of_data(v) or isinstance(v, dict) for v in structure):
            return type(structure)(to_arrays(v) for v in structure)
        if not structure or not any(_leaf_of_data(v) for v in structure):
            return to_array(np.asarray(structure))
        return type(structure)(to_arrays(v) for v in structure)
    return to_array(structure)


def _present(structure: Any) -> list[Any]:
    """The leaves that are not None: targets of an output without a loss may be missing."""
    return [leaf for leaf in tree.flatten(structure) if leaf is not None]


def _count(*structures: Any) -> int:
    sizes = [
        [np.shape(leaf)[0] if np.ndim(leaf) else None for leaf in _present(s)]
        for s in structures if s is not None
    ]  # fmt: skip
    found = {n for part in sizes for n in part}
    if len(found) != 1 or None in found:
        names = ("x", "y", "sample_weight")
        shown = "\n".join(
            f"'{name}' sizes: {', '.join(map(str, part))}" for name, part in zip(names, sizes)
        )
        raise ValueError(
            f"Data cardinality is ambiguous. Make sure all arrays contain the same number of "
            f"samples.\n{shown}"
        )
    return int(found.pop())


def check_finite_targets(y: Any) -> None:
    """Labels with NaN give a loss of NaN and destroy the weights.

    Raises:
        ValueError: A floating label is NaN.
    """
    for leaf in tree.flatten(y) if y is not None else ():
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" and leaf.size:  # noqa: SIM102
            # A sum is NaN if an element is: one pass without a mask.
            if np.isnan(np.sum(leaf, dtype="float64")) and np.isnan(leaf).any():
                rows = np.flatnonzero(np.isnan(leaf).reshape(len(leaf), -1).any(1))
                raise ValueError(
                    f"y holds NaN in {len(rows)} of {len(leaf)} samples (first at {rows[0]}): the "
                    "loss and then all weights would become NaN. Drop these samples, fill the "
                    "values, or give them sample_weight 0 and a finite label."
                )


class ArrayData:
    """Arrays in memory, by rows.

    Args:
        x, y, sample_weight: Structures of arrays of equal first axes.
        batch_size: 32 by default.
        shuffle: False, True (a new order each epoch) or "batch" (whole batches change places).
        class_weight: Class to weight, multiplied into `sample_weight`.

    Attributes:
        unchanging: Whether no hook of the user's runs between epochs, so that a device may keep
            the arrays.
        dense: Whether all arrays are NumPy's.
    """

    def __init__(
        self, x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None,
        shuffle: Any = False, class_weight: Any = None, steps: int | None = None,
    ) -> None:  # fmt: skip
        x, y = to_arrays(x), to_arrays(y)
        sample_weight = to_arrays(sample_weight)
        if class_weight is not None:
            sample_weight = _class_weights(y, sample_weight, class_weight)
        self.data = (x, y, sample_weight)
        self.dense = not any(hasattr(leaf, "toarray") for leaf in tree.flatten(self.data))
        self.count = _count(*self.data)
        if self.count == 0:
            raise ValueError(
                "The data is empty: x has 0 samples. Check how it was loaded or split."
            )
        if batch_size is None:
            batch_size = max(1, -(-self.count // steps)) if steps else 32
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1, got {batch_size}.")
        self.batch_size = min(int(batch_size), self.count)
        self.shuffle = shuffle
        self.unchanging = False
        self._kept: Any = None

    @property
    def num_batches(self) -> int:
        return -(-self.count // self.batch_size)

    def _order(self) -> Any:
        if self.shuffle == "batch":
            full = self.count // self.batch_size
            starts = common_order(np.random.permutation(full)) * self.batch_size  # noqa: NPY002
            rows = (starts[:, None] + np.arange(self.batch_size)).reshape(-1)
            return np.concatenate([rows, np.arange(full * self.batch_size, self.count)])
        if not self.shuffle:
            return None
        return common_order(np.random.permutation(self.count))  # noqa: NPY002

    def __iter__(self) -> Iterator[Any]:
        return self.batches(self._order())

    def batches(self, order: Any, first: int = 0) -> Iterator[Any]:
        """The batches in the order of rows given (None: as they lie), from the row `first` on."""
        for start in range(first, self.count, self.batch_size):
            stop = min(start + self.batch_size, self.count)
            yield self.batch(slice(start, stop) if order is None else order[start:stop])

    def batch(self, rows: Any) -> Any:
        """The batch of some rows."""
        return pack_x_y_sample_weight(
            *(None if part is None else self._take(part, rows) for part in self.data)
        )

    def rows(self) -> tuple[list[Any], Any]:
        """The arrays, in the order of a batch's leaves, and the row numbers of the next epoch."""
        order = self._order()
        rows = np.arange(self.count) if order is None else order
        if not self.unchanging:
            return _present(list(self.data)), rows
        if self._kept is None:
            self._kept = core.Unchanging(_present(list(self.data)))
        return self._kept, rows

    @staticmethod
    def _take(part: Any, rows: Any) -> Any:
        if isinstance(part, np.ndarray):
            return _tensor(part[rows])
        return tree.map_structure(lambda a: None if a is None else _tensor(a[rows]), part)

    def on_epoch_begin(self) -> None:
        pass

    def on_epoch_end(self) -> None:
        pass


def _tensor(array: Any) -> Any:
    """A batch as a tensor; a slice of the user's array is copied, since tensors never change."""
    if hasattr(array, "toarray"):
        array = array.toarray()
    if array.dtype.kind not in "biufcV":
        return array
    return core.constant(array.copy() if array.base is not None else array)


def _class_weights(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    if not isinstance(y, np.ndarray):
        raise ValueError(
            "`class_weight` is only supported for a model with a single output and arrays of "
            "labels."
        )
    if sample_weight is not None:
        raise ValueError("You cannot `class_weight` and `sample_weight` at the same time.")
    labels = y
    if y.ndim >= 2:
        labels = y.argmax(-1) if y.shape[-1] > 1 else y.reshape(y.shape[:-1])
    return weights_of(labels, class_weight)


def weights_of(labels: Any, class_weight: Any) -> Any:
    """The weight of each label; 1 for classes that are not named."""
    labels = np.round(np.asarray(labels)).astype("int64")
    largest = max(map(int, (labels.max(initial=0), *class_weight)))
    table = np.ones(largest + 1, floatx())
    for key, weight in class_weight.items():
        table[int(key)] = weight
    return table[labels]


class IteratorData:
    """Batches from a function that gives an iterator.

    Args:
        make: Gives an iterator of batches for each epoch.
        num_batches: If known.
        class_weight: Class to weight.
        hooks: Whose `on_epoch_begin` and `on_epoch_end` are called.
    """

    def __init__(
        self, make: Callable[[], Iterator[Any]], num_batches: int | None = None,
        class_weight: Any = None, hooks: Any = None,
    ) -> None:  # fmt: skip
        self._make, self._num, self._weights = make, num_batches, class_weight
        self._hooks = hooks
        self.batch_size = None

    @property
    def num_batches(self) -> int | None:
        return self._num

    def __iter__(self) -> Iterator[Any]:
        for batch in self._make():
            yield self._batch(batch)

    def _batch(self, batch: Any) -> Any:
        x, y, weight = unpack_x_y_sample_weight(batch)
        if self._weights and y is not None:
            labels = y if isinstance(y, dict | tuple) else to_array(y)
            weight = _class_weights(labels, weight, self._weights)
        return pack_x_y_sample_weight(
            *(None if v is None else tree.map_structure(_leaf, v) for v in (x, y, weight))
        )

    def on_epoch_begin(self) -> None:
        if self._hooks is not None and hasattr(self._hooks, "on_epoch_begin"):
            self._hooks.on_epoch_begin()

    def on_epoch_end(self) -> None:
        if self._hooks is not None and hasattr(self._hooks, "on_epoch_end"):
            self._hooks.on_epoch_end()


class Replayed:
    """An iterator's batches, kept so that they can be gone through again.

    Args:
        source: The iterator.
        steps: How many are ever asked for; None for all.
        keep: How many are kept, the first ones; None for all. Where the source is used up, these
            come again, with a warning.
    """

    def __init__(
        self, source: Iterator[Any], steps: int | None = None, keep: int | None = None
    ) -> None:
        self._source, self._keep, self._kept = islice(source, steps), keep, list[Any]()

    def __iter__(self) -> Iterator[Any]:
        if self._kept and self._keep is not None:
            warnings.warn(
                "The generator is used up: training goes on with its first batches, as in Keras. "
                "Pass steps_per_epoch and a generator that does not end, or a PyDataset.",
                stacklevel=2,
            )
        yield from self._kept
        for batch in self._source:
            if self._keep is None or len(self._kept) < self._keep:
                self._kept.append(batch)
            yield batch


def _leaf(x: Any) -> Any:
    if x is None or isinstance(x, str | bytes | core.Tensor):
        return x
    array = to_array(x)
    return _tensor(array) if array.dtype.kind in "biufcV" else array


def make_data(
    x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None,
    shuffle: Any = False, class_weight: Any = None, steps: int | None = None,
) -> Any:  # fmt: skip
    """The adapter for what was passed to fit, evaluate or predict.

    Raises:
        ValueError: Nothing that batches can be made of, or arguments that do not go together.
    """
    if isinstance(x, PyDataset):
        _no_targets(y, sample_weight, "PyDataset")
        return IteratorData(lambda: batches_of(x, shuffle), x.num_batches, class_weight, x)
    if x is None:
        raise ValueError(
            "x is None: pass arrays, a generator, a PyDataset or an iterable of batches."
        )
    if is_arrays(x) or (isinstance(x, list | tuple) and not hasattr(x, "__next__")):
        return ArrayData(x, y, sample_weight, batch_size, shuffle, class_weight, steps)
    _no_targets(y, sample_weight, type(x).__name__)
    if hasattr(x, "__next__"):
        # Keras has looked at two batches of a generator before it begins.
        return IteratorData(Replayed(x, keep=2).__iter__, None, class_weight)
    if hasattr(x, "as_numpy_iterator"):
        count = int(x.cardinality()) if hasattr(x, "cardinality") else -1
        return IteratorData(x.as_numpy_iterator, count if count >= 0 else None, class_weight)
    if callable(x) and not hasattr(x, "__iter__"):
        raise ValueError(f"{x!r} is a function: call it and pass the generator that it returns.")
    if hasattr(x, "__iter__"):
        try:
            count = len(x)
        except TypeError:
            count = None
        return IteratorData(lambda: iter(x), count, class_weight)
    raise ValueError(
        f"Unrecognized data type: x={x!r} (of type {type(x)}). Pass arrays, a generator, a "
        "PyDataset or an iterable of batches."
    )


def _no_targets(y: Any, sample_weight: Any, kind: str) -> None:
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"When providing `x` as a {kind}, `{name}` should not be passed. Instead, "
                f"`{name}` should be part of each batch."
            )


def train_validation_split(arrays: Any, validation_split: float) -> tuple[Any, Any]:
    """The first part of the arrays to train on, the last to validate.

    Raises:
        ValueError: A part would be empty, or the data is no arrays.
    """
    if not 0.0 <= validation_split < 1.0:
        raise ValueError(
            f"`validation_split` is a share of the samples, from 0 up to but not 1; received "
            f"{validation_split}."
        )
    for part in arrays:
        if part is not None and not is_arrays(part):
            raise ValueError(
                "Argument `validation_split` is only supported for tensors or NumPy arrays. Found "
                f"{type(part).__name__}. Use validation_data."
            )
    x, y, weight = (to_arrays(v) for v in arrays)
    count = _count(x, y, weight)
    cut = math.floor(count * (1.0 - validation_split))
    if cut in (0, count):
        raise ValueError(
            f"Training data contains {count} samples, which is not sufficient to split it into a "
            f"validation and training set as specified by `validation_split={validation_split}`. "
            "Either provide more data, or a different value."
        )

    def part(structure: Any, rows: slice) -> Any:
        return tree.map_structure(lambda a: None if a is None else a[rows], structure)

    first = tuple(part(v, slice(None, cut)) for v in (x, y, weight))
    return first, tuple(part(v, slice(cut, None)) for v in (x, y, weight))
