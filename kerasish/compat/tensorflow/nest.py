"""`tf.nest`: structures of lists, tuples and dictionaries."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

tree = core.tree

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def map_structure(func: Any, *structure: Any, **_: Any) -> Any:
    """`func` of each leaf (of several structures alike)."""
    return tree.map_structure(func, *structure, none_is_leaf=True)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves in order; dictionaries by sorted keys."""
    if structure is None:
        return [None]
    found: list[Any] = []
    tree.map_structure(found.append, structure, none_is_leaf=True)
    return found


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """The leaves put into a structure."""
    leaves = iter(flat_sequence)
    return tree.map_structure(lambda _: next(leaves), structure, none_is_leaf=True)


def is_nested(seq: Any) -> bool:
    """Whether it is a list, tuple or dictionary."""
    return isinstance(seq, list | tuple | dict)


def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Check that two structures differ in their leaves only.

    Raises:
        ValueError: They have other lengths or keys.
        TypeError: They have other types.
    """
    if is_nested(nest1) != is_nested(nest2):
        raise ValueError(f"The two structures don't have the same nesting: {nest1}, {nest2}.")
    if not is_nested(nest1):
        return
    if check_types and type(nest1) is not type(nest2):
        raise TypeError(f"The structures are of {type(nest1)} and {type(nest2)}.")
    same = sorted(nest1) == sorted(nest2) if isinstance(nest1, dict) else len(nest1) == len(nest2)
    if not same:
        raise ValueError(f"The two structures don't have the same nesting: {nest1}, {nest2}.")
    pairs = [(nest1[k], nest2[k]) for k in nest1] if isinstance(nest1, dict) else zip(nest1, nest2)
    for a, b in pairs:
        assert_same_structure(a, b, check_types)
