"""Small helpers around tensors, batches and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from ..config import floatx
from ..ops.symbolic import KerasTensor

__all__ = [
    "Config", "get_source_inputs", "is_keras_tensor", "split_dataset", "standardize_dtype",
]  # fmt: skip


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


def standardize_dtype(dtype: Any) -> str:
    """A dtype's name.

    >>> standardize_dtype(None), standardize_dtype(int), standardize_dtype("half")
    ('float32', 'int32', 'float16')
    """
    if dtype is None:
        return floatx()
    return core.dtypes.name_of(dtype)


def get_source_inputs(tensor: Any) -> list[Any]:
    """The `Input()` tensors that a symbolic tensor comes from."""
    found: list[Any] = []
    seen: set[int] = set()
    todo = [tensor]
    while todo:
        t = todo.pop()
        if t._keras_history is None:
            continue
        operation, index, _ = t._keras_history
        node = operation._inbound_nodes[index]
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            found.append(t)
        todo += reversed(node.inputs)
    return found


def split_dataset(
    dataset: Any, left_size: Any = None, right_size: Any = None, shuffle: bool = False,
    seed: int | None = None, preferred_backend: Any = None,
) -> Any:  # fmt: skip
    """Split arrays (or a tuple, list or dictionary of them) along the first axis.

    Args:
        dataset: Arrays of the same length.
        left_size, right_size: Numbers of samples or shares of all; one of them may be None.
        shuffle: Whether samples are shuffled first.
        seed: Of the shuffle.
        preferred_backend: Not used: arrays are returned.

    Returns:
        Two structures like `dataset`.

    Raises:
        ValueError: The sizes do not fit.
    """
    arrays = [np.asarray(a) for a in core.tree.flatten(dataset)]
    if not arrays or any(len(a) != len(arrays[0]) for a in arrays):
        raise ValueError(
            f"split_dataset needs arrays of one length; got lengths {[len(a) for a in arrays]}."
        )
    total = len(arrays[0])
    left, right = _sizes(left_size, right_size, total)
    order = np.arange(total)
    if shuffle:
        np.random.default_rng(seed).shuffle(order)
    parts = []
    for chosen in (order[:left], order[total - right :]):
        parts.append(core.tree.pack_sequence_as(dataset, [a[chosen] for a in arrays]))
    return tuple(parts)


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. Received: "
            "left_size=None and right_size=None"
        )
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        limit = 1 if isinstance(size, float) else total
        if not 0 < size < limit:
            raise ValueError(
                f"`{name}` should be either a positive integer smaller than {total} or a float "
                f"between 0 and 1. Received: {name}={size}"
            )
    n_left = None if left is None else int(left * total) if isinstance(left, float) else left
    n_right = None if right is None else int(right * total) if isinstance(right, float) else right
    n_left = total - n_right if n_left is None else n_left
    n_right = total - n_left if n_right is None else n_right
    if n_left + n_right > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` ({n_left} + {n_right}) is greater than the "
            f"number of samples ({total})."
        )
    return n_left, n_right


class Config:
    """A dictionary with attribute access that can be frozen.

    Args:
        **kwargs: Its entries.
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_entries", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    def freeze(self) -> None:
        """Refuse changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether changes are refused."""
        return self._frozen

    def _check(self) -> None:
        if self._frozen:
            raise ValueError("Cannot mutate attribute(s) because the config is frozen.")

    def as_dict(self) -> dict[str, Any]:
        """A copy as a dictionary."""
        return dict(self._entries)

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(self._entries)

    def keys(self) -> Any:
        return self._entries.keys()

    def values(self) -> Any:
        return self._entries.values()

    def items(self) -> Any:
        return self._entries.items()

    def pop(self, *args: Any) -> Any:
        self._check()
        return self._entries.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self._check()
        self._entries.update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        return self._entries.get(keyname, value)

    def __getattr__(self, name: str) -> Any:
        entries = self.__dict__.get("_entries", {})
        if name in entries:
            return entries[name]
        raise AttributeError(f"The config has no entry {name!r}. It has {list(entries)}.")

    def __setattr__(self, name: str, value: Any) -> None:
        self._check()
        self._entries[name] = value

    def __delattr__(self, name: str) -> None:
        self._check()
        if name not in self._entries:
            raise AttributeError(f"The config has no entry {name!r}.")
        del self._entries[name]

    def __getitem__(self, name: str) -> Any:
        return self._entries[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._check()
        self._entries[name] = value

    def __delitem__(self, name: str) -> None:
        self._check()
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: Any) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        return f"<Config {self._entries}>"
