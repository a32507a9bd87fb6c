"""Objects that occur several times in one config are one object again when it is read."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["ObjectSharingScope", "get_shared_object", "note_read", "note_written"]


class _State(threading.local):
    by_id: dict[int, Any] | None = None
    written: dict[int, tuple[Any, dict[str, Any]]] | None = None


_state = _State()


class ObjectSharingScope:
    """Inside the block, an object serialized twice gets a `shared_object_id` in both places."""

    def __enter__(self) -> ObjectSharingScope:
        self._before = _state.by_id, _state.written
        _state.by_id, _state.written = {}, {}
        return self

    def __exit__(self, *error: object) -> None:
        _state.by_id, _state.written = self._before


def note_written(obj: Any, config: dict[str, Any]) -> None:
    """Mark the config, if the object has been serialized before in this scope."""
    written = _state.written
    if written is None:
        return
    first = written.setdefault(id(obj), (obj, config))[1]
    if first is not config:
        first["shared_object_id"] = config["shared_object_id"] = id(obj)


def note_read(obj: Any, shared_id: int) -> None:
    """Remember an object made from a config that has this id."""
    if _state.by_id is not None:
        _state.by_id[shared_id] = obj


def get_shared_object(shared_id: int) -> Any:
    """The object of this id made earlier in the scope, or None."""
    return None if _state.by_id is None else _state.by_id.get(shared_id)
