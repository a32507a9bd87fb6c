"""Functions over nested structures, as in `keras.tree`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kerasish_core as core

MAP_TO_NONE = core.tree.MAP_TO_NONE
flatten = core.tree.flatten
flatten_with_path = core.tree.flatten_with_path
is_nested = core.tree.is_nested
lists_to_tuples = core.tree.lists_to_tuples
map_structure = core.tree.map_structure
map_structure_up_to = core.tree.map_structure_up_to
pack_sequence_as = core.tree.pack_sequence_as
register_tree_node_class = core.tree.register_tree_node_class
traverse = core.tree.traverse

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "register_tree_node_class",
    "traverse",
]


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise unless two structures are nested alike.

    Args:
        a: A structure.
        b: Another.
        check_types: Whether the types of nodes must be equal too, which is the default.

    Raises:
        ValueError: They differ.
        TypeError: They differ in the types of nodes only.
    """
    core.tree.assert_same_structure(a, b, check_types=check_types is not False)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise unless the leaves of two structures have the same paths, whatever the types of nodes.

    Raises:
        ValueError: They differ.
    """
    paths_a = {path for path, _ in flatten_with_path(a)}
    paths_b = {path for path, _ in flatten_with_path(b)}
    if paths_a != paths_b:
        raise ValueError(
            "`a` and `b` don't have the same paths.\n"
            f"Paths in `a` missing in `b`:\n{paths_a - paths_b}\n"
            f"Paths in `b` missing in `a`:\n{paths_b - paths_a}"
        )


def map_shape_structure(func: Callable[[tuple[int | None, ...]], Any], structure: Any) -> Any:
    """Apply a function to the shapes in a structure: tuples and lists of sizes are leaves.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,), (4, 4)]})
    {'a': 2, 'b': [1, 2]}
    """

    def mapped(node: Any) -> Any:
        shape = isinstance(node, list | tuple) and all(
            size is None or isinstance(size, int) for size in node
        )
        return func(tuple(node)) if shape else None

    return traverse(mapped, structure)
