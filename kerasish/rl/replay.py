"""A memory of what happened, from which batches are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ReplayBuffer"]


class ReplayBuffer:
    """The last `capacity` steps, each field in one contiguous array.

    >>> memory = ReplayBuffer(1000, seed=0)
    >>> memory.add(state=np.zeros(4), action=1, reward=0.5)
    >>> memory.sample(2)["state"].shape
    (2, 4)

    Args:
        capacity: How many steps are kept; then the oldest are overwritten.
        seed: Of the draws.
    """

    def __init__(self, capacity: int, seed: Any = None) -> None:
        if capacity < 1:
            raise ValueError(f"ReplayBuffer: capacity={capacity}; at least 1 is needed.")
        self.capacity = int(capacity)
        self._fields: dict[str, np.ndarray] = {}
        self._random = np.random.default_rng(seed)
        self._next = self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, **fields: Any) -> None:
        """Append one step. The first one tells names, shapes and dtypes (floats are float32)."""
        self.add_batch(**{name: np.asarray(value)[None] for name, value in fields.items()})

    def add_batch(self, **fields: Any) -> None:
        """Append several steps: the first axis of every field counts them.

        Raises:
            ValueError: Names or shapes are not those of the first step.
        """
        arrays = {name: np.asarray(value) for name, value in fields.items()}
        if not self._fields:
            self._fields = {name: self._storage(a) for name, a in arrays.items()}
        counts = {len(a) for a in arrays.values()}
        if set(arrays) != set(self._fields) or len(counts) != 1:
            raise ValueError(
                f"ReplayBuffer: got fields {sorted(arrays)} of lengths {sorted(counts)}; expected "
                f"{sorted(self._fields)} of one length."
            )
        for name, a in arrays.items():
            kept = self._fields[name]
            if a.shape[1:] != kept.shape[1:]:
                raise ValueError(
                    f"ReplayBuffer: field {name!r} has shape {a.shape[1:]}; the steps before had "
                    f"{kept.shape[1:]}."
                )
        count = counts.pop()
        places = (self._next + np.arange(count)) % self.capacity
        latest = slice(max(0, count - self.capacity), None)
        for name, a in arrays.items():
            self._fields[name][places[latest]] = a[latest]
        self._next = int((self._next + count) % self.capacity)
        self._size = min(self._size + count, self.capacity)

    def _storage(self, a: np.ndarray) -> np.ndarray:
        dtype = np.dtype("float32") if a.dtype.kind == "f" else a.dtype
        return np.empty((self.capacity, *a.shape[1:]), dtype)

    def sample(self, count: int) -> dict[str, np.ndarray]:
        """`count` steps drawn with replacement, a new array for each field.

        Raises:
            ValueError: The memory is empty.
        """
        if not self._size:
            raise ValueError("ReplayBuffer: nothing to sample from; add steps first.")
        rows = self._random.integers(0, self._size, count)
        return {name: a[rows] for name, a in self._fields.items()}
