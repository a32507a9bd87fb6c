"""Small helpers around tensors, batches and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import kerasish_core as core

from ..config import floatx
from ..ops.symbolic import KerasTensor

__all__ = [
    "Config", "get_source_inputs", "is_keras_tensor", "standardize_dtype",
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
