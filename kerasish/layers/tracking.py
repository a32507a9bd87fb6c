"""Which variables, layers, metrics and seed generators a layer holds, in order of arrival.

Attributes that are lists, dicts or sets become containers that tell their layer's tracker what
comes and goes. What is stored is told apart by kind, never found by searching attributes later:
the order of weights is that in which they, or the layers that own them, arrived.
"""

from __future__ import annotations

import contextlib
import threading
import types
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from ..metrics import Metric
from ..random import SeedGenerator
from ..settings import bump_structure_version, structure_version
from ..variable import Variable

__all__ = [
    "PLAIN", "Trackable", "TrackedDict", "TrackedList", "TrackedSet", "Tracker",
    "bump_structure_version", "no_tracking", "structure_version",
]  # fmt: skip

# Types of attributes that never hold anything to track.
PLAIN = frozenset(
    [str, bytes, int, float, bool, complex, type(None), core.Tensor, np.ndarray,
     types.FunctionType, types.MethodType, types.BuiltinFunctionType, type]
)  # fmt: skip

LOCKED = (
    "You cannot add new elements of state (variables or sub-layers) to a layer that is already "
    "built. All state must be created in the `__init__()` method or in the `build()` method."
)


class Trackable:
    """What is tracked as a layer."""

    __slots__ = ()


class _State(threading.local):
    off = False


_state = _State()


@contextlib.contextmanager
def no_tracking() -> Iterator[None]:
    """Attributes set in the block stay as they are and are not tracked."""
    before, _state.off = _state.off, True
    try:
        yield
    finally:
        _state.off = before


class Tracker:
    """The parts of one layer.

    Attributes:
        trainable, non_trainable: Variables, by what they were when they came.
        layers, metrics, seeds: Sublayers, metrics and seed generators.
        locked: Whether new variables and layers are refused.
    """

    def __init__(self) -> None:
        self.trainable: list[Any] = []
        self.non_trainable: list[Any] = []
        self.layers: list[Any] = []
        self.metrics: list[Any] = []
        self.seeds: list[Any] = []
        self.locked = False

    def track(self, value: Any) -> Any:
        """Note what is in the value, and return it with watched containers.

        Raises:
            ValueError: A new variable or layer, but the layer is built.
        """
        kind = type(value)
        if kind in PLAIN or _state.off:
            return value
        store = self._store_of(value)
        if store is not None:
            self._add(store, value)
        elif kind is list or kind is TrackedList:
            return value if _belongs(value, self) else TrackedList(value, self)
        elif kind is dict or kind is TrackedDict:
            return value if _belongs(value, self) else TrackedDict(value, self)
        elif kind is set or kind is TrackedSet:
            return value if _belongs(value, self) else TrackedSet(value, self)
        elif isinstance(value, tuple):
            parts = [self.track(v) for v in value]
            if any(a is not b for a, b in zip(parts, value, strict=True)):
                return kind(*parts) if hasattr(value, "_fields") else kind(parts)
        elif isinstance(value, dict):  # an OrderedDict, a defaultdict: kept, its values noted
            for part in value.values():
                self.track(part)
        return value

    def untrack(self, value: Any) -> None:
        """Forget a value and what is in it."""
        if type(value) in PLAIN:
            return
        store = self._store_of(value)
        if store is not None:
            kept = [x for x in store if x is not value]
            if len(kept) != len(store):
                store[:] = kept
                bump_structure_version()
        elif isinstance(value, dict):
            for part in value.values():
                self.untrack(part)
        elif isinstance(value, list | tuple | set):
            for part in value:
                self.untrack(part)

    def _store_of(self, value: Any) -> list[Any] | None:
        if isinstance(value, Variable):
            held = any(x is value for x in self.non_trainable)
            known = held or any(x is value for x in self.trainable)
            trained = not held if known else value.trainable
            return self.trainable if trained else self.non_trainable
        if isinstance(value, Trackable):
            return self.layers
        if isinstance(value, Metric):
            return self.metrics
        return self.seeds if isinstance(value, SeedGenerator) else None

    def _add(self, store: list[Any], value: Any) -> None:
        if any(x is value for x in store):
            return
        if self.locked and store is not self.metrics:
            raise ValueError(LOCKED)
        store.append(value)
        bump_structure_version()


def _belongs(container: Any, tracker: Tracker) -> bool:
    return getattr(container, "tracker", None) is tracker


class TrackedList(list):
    """A list in an attribute of a layer."""

    tracker: Tracker | None = None

    def __init__(self, values: Iterable[Any] = (), tracker: Tracker | None = None) -> None:
        self.tracker = tracker
        super().__init__(self._seen(v) for v in values)

    def _seen(self, value: Any) -> Any:
        return value if self.tracker is None else self.tracker.track(value)

    def _gone(self, value: Any) -> None:
        if self.tracker is not None and not any(x is value for x in self):
            self.tracker.untrack(value)

    def append(self, value: Any) -> None:
        super().append(self._seen(value))

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, self._seen(value))

    def extend(self, values: Iterable[Any]) -> None:
        super().extend([self._seen(v) for v in values])

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:
        self.extend(values)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        old = self[key] if isinstance(key, slice) else [self[key]]
        new = [self._seen(v) for v in value] if isinstance(key, slice) else self._seen(value)
        super().__setitem__(key, new)
        for each in old:
            self._gone(each)

    def __delitem__(self, key: Any) -> None:
        old = self[key] if isinstance(key, slice) else [self[key]]
        super().__delitem__(key)
        for each in old:
            self._gone(each)

    def remove(self, value: Any) -> None:
        del self[self.index(value)]

    def pop(self, index: Any = -1) -> Any:
        value = super().pop(index)
        self._gone(value)
        return value

    def clear(self) -> None:
        del self[:]


class TrackedDict(dict):
    """A dict in an attribute of a layer."""

    tracker: Tracker | None = None

    def __init__(self, values: Any = (), tracker: Tracker | None = None) -> None:
        self.tracker = tracker
        super().__init__()
        self.update(values)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value if self.tracker is None else self.tracker.track(value))

    def update(self, *others: Any, **items: Any) -> None:
        for key, value in dict(*others, **items).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def _gone(self, value: Any) -> None:
        if self.tracker is not None and not any(x is value for x in self.values()):
            self.tracker.untrack(value)

    def __delitem__(self, key: Any) -> None:
        self.pop(key)

    def pop(self, key: Any, *default: Any) -> Any:
        value = super().pop(key, *default)
        self._gone(value)
        return value

    def popitem(self) -> Any:
        key, value = super().popitem()
        self._gone(value)
        return key, value

    def clear(self) -> None:
        for key in list(self):
            del self[key]


class TrackedSet(set):
    """A set in an attribute of a layer."""

    tracker: Tracker | None = None

    def __init__(self, values: Iterable[Any] = (), tracker: Tracker | None = None) -> None:
        self.tracker = tracker
        super().__init__()
        self.update(values)

    def add(self, value: Any) -> None:
        super().add(value if self.tracker is None else self.tracker.track(value))

    def update(self, *others: Iterable[Any]) -> None:
        for values in others:
            for value in values:
                self.add(value)

    def discard(self, value: Any) -> None:
        super().discard(value)
        if self.tracker is not None:
            self.tracker.untrack(value)

    def remove(self, value: Any) -> None:
        if value not in self:
            raise KeyError(value)
        self.discard(value)

    def pop(self) -> Any:
        value = super().pop()
        if self.tracker is not None:
            self.tracker.untrack(value)
        return value

    def clear(self) -> None:
        for value in list(self):
            self.discard(value)
