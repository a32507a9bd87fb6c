"""Where variables live on GPUs: in a buffer that programs write in place, and in equal copies.

The buffer is the variable's value. A copy belongs to another GPU, on which a replica of a step
makes the same updates; it counts until somebody else writes to the variable.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from ...tensor import Resident
from .protocol import Backend

__all__ = ["change_alone", "copies_of", "home_of", "share_among"]

# By variable and GPU.
_BUFFERS: dict[tuple[int, int], tuple[Any, Any]] = {}
# The GPUs that made the last updates together.
_sharing: Sequence[int] = ()
# By GPU, the variables whose copies there are equal to their values.
_EQUAL: dict[int, set[int]] = {}


def _buffer(variable: Any, backend: Backend) -> Any:
    key = id(variable), backend.number
    found = _BUFFERS.get(key)
    if found is None:
        tensor = variable._tensor
        made = backend.xp.empty(tensor.shape, tensor.dtype)

        def forget(_: Any) -> None:
            _BUFFERS.pop(key, None)
            _EQUAL.get(key[1], set()).discard(key[0])

        found = _BUFFERS[key] = (weakref.ref(variable, forget), made)
    return found[1]


def home_of(variable: Any, backend: Backend) -> Any:
    """The buffer of a variable, which is its value afterwards."""
    tensor, home = variable._tensor, _buffer(variable, backend)
    if tensor._value is not home:
        backend.put(home, tensor._value)
        change_alone([variable])
        variable._tensor = Resident(home)
    return home


def copies_of(variables: Sequence[Any], backend: Backend) -> list[Any]:
    """Buffers on another GPU than the variables' own; they are equal to the values afterwards."""
    equal = _EQUAL.setdefault(backend.number, set())
    found = []
    for v in variables:
        found.append(_buffer(v, backend))
        if id(v) not in equal:
            backend.put(found[-1], v._tensor._value)
            equal.add(id(v))
    return found


def share_among(numbers: Sequence[int]) -> None:
    """These GPUs are about to make the same updates; copies on others are no longer equal."""
    global _sharing
    if numbers != _sharing:
        _sharing = numbers
        _EQUAL.clear()


def change_alone(variables: Iterable[Any]) -> None:
    """These change, and their copies do not."""
    if _EQUAL:
        changed = [id(v) for v in variables]
        for equal in _EQUAL.values():
            equal.difference_update(changed)
