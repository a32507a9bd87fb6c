"""Flattening of nested structures, with `keras.tree` semantics: the only flattening code.

Lists, tuples, named tuples, dicts (in key order), ordered dicts (in their own order) and classes
registered by `register_tree_node_class` are nodes. `None` is a leaf, as in Keras.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = [
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "register_tree_node_class",
    "sorted_keys",
    "traverse",
]

_registered: dict[type, Any] = {}


def register_tree_node_class(cls: type) -> type:
    """Register a class with `tree_flatten(self)` and `tree_unflatten(metadata, children)`."""
    _registered[cls] = cls
    return cls


def sorted_keys(tree: dict[Any, Any]) -> list[Any]:
    """The keys of a plain dict in the order in which its leaves are flattened."""
    try:
        return sorted(tree)
    except TypeError:
        return sorted(tree, key=lambda k: (type(k).__name__, repr(k)))


def _children(tree: Any) -> tuple[list[Any], list[Any]] | None:
    """Keys and children of a node in order; None for a leaf."""
    kind = type(tree)
    if kind in (list, tuple):
        return list(range(len(tree))), list(tree)
    if isinstance(tree, collections.OrderedDict):
        return list(tree), list(tree.values())
    if isinstance(tree, dict):
        keys = sorted_keys(tree)
        return keys, [tree[k] for k in keys]
    if kind in _registered:
        children, _ = tree.tree_flatten()
        return list(range(len(children))), list(children)
    if isinstance(tree, list | tuple):
        return list(getattr(tree, "_fields", range(len(tree)))), list(tree)
    return None


def _rebuild(tree: Any, children: Sequence[Any]) -> Any:
    """A node like `tree` with other children, in the order of `_children`."""
    kind = type(tree)
    if isinstance(tree, dict):
        keys, _ = _children(tree) or ([], [])
        by_key = dict(zip(keys, children, strict=True))
        items = [(k, by_key[k]) for k in tree]
        if isinstance(tree, collections.defaultdict):
            return kind(tree.default_factory, items)
        return kind(items)
    if kind in _registered:
        _, metadata = tree.tree_flatten()
        return kind.tree_unflatten(metadata, children)
    if hasattr(tree, "_fields"):
        return kind(*children)
    return kind(children)


def is_nested(structure: Any) -> bool:
    """Whether the value is a node (also an empty one) and not a leaf."""
    return _children(structure) is not None


def flatten(structure: Any) -> list[Any]:
    """The leaves of a structure, in order."""
    leaves: list[Any] = []
    _collect(structure, leaves)
    return leaves


def _collect(node: Any, leaves: list[Any]) -> None:
    kind = type(node)
    if kind is list or kind is tuple:
        for child in node:
            _collect(child, leaves)
        return
    below = _children(node)
    if below is None:
        leaves.append(node)
    else:
        for child in below[1]:
            _collect(child, leaves)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves with the tuple of keys that leads to each."""
    result: list[tuple[tuple[Any, ...], Any]] = []
    stack: list[tuple[tuple[Any, ...], Any]] = [((), structure)]
    while stack:
        path, node = stack.pop()
        below = _children(node)
        if below is None:
            result.append((path, node))
        else:
            pairs = list(zip(*below, strict=True))
            stack.extend(((*path, key), child) for key, child in reversed(pairs))
    return result


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """A structure like the first argument with the given leaves.

    Raises:
        ValueError: The number of leaves does not fit.
    """
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(
            f"pack_sequence_as: the structure has {expected} leaves, but {len(leaves)} were given: "
            f"structure={structure!r}."
        )
    supply = iter(leaves)

    def build(node: Any) -> Any:
        below = _children(node)
        return next(supply) if below is None else _rebuild(node, [build(c) for c in below[1]])

    return build(structure)


def assert_same_structure(a: Any, b: Any, check_types: bool = True) -> None:
    """Raise unless two structures are nested alike.

    Raises:
        ValueError: They differ in keys or lengths.
        TypeError: They differ in the types of nodes, and `check_types` is set.
    """
    below_a, below_b = _children(a), _children(b)
    if (below_a is None) != (below_b is None):
        raise ValueError(f"Structures differ: one is a leaf and one is not: {a!r} and {b!r}.")
    if below_a is None or below_b is None:
        return
    if check_types and type(a) is not type(b):
        raise TypeError(f"Structures differ in type: {type(a).__name__} and {type(b).__name__}.")
    if below_a[0] != below_b[0]:
        raise ValueError(f"Structures differ: keys {below_a[0]} and {below_b[0]}.")
    for child_a, child_b in zip(below_a[1], below_b[1], strict=True):
        assert_same_structure(child_a, child_b, check_types)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply a function to corresponding leaves and keep the structure of the first one."""
    if not structures:
        raise ValueError("map_structure: at least one structure is needed.")
    first = structures[0]
    if len(structures) == 1 and none_is_leaf:
        return _map_one(func, first)
    for other in structures[1:]:
        assert_same_structure(first, other, check_types=False)

    def apply(*leaves: Any) -> Any:
        if not none_is_leaf and all(leaf is None for leaf in leaves):
            return None
        return func(*leaves)

    columns = [flatten(s) for s in structures]
    return pack_sequence_as(first, [apply(*row) for row in zip(*columns, strict=True)])


def _map_one(func: Callable[..., Any], node: Any) -> Any:
    kind = type(node)
    if kind is tuple:
        return tuple([_map_one(func, child) for child in node])
    if kind is list:
        return [_map_one(func, child) for child in node]
    below = _children(node)
    if below is None:
        return func(node)
    return _rebuild(node, [_map_one(func, child) for child in below[1]])


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Like `map_structure`, but what lies below the leaves of the first one is passed whole."""

    def visit(shallow: Any, *nodes: Any) -> Any:
        below = _children(shallow)
        if below is None:
            return func(*nodes)
        columns = []
        for node in nodes:
            other = _children(node)
            if other is None or other[0] != below[0]:
                raise ValueError(
                    f"map_structure_up_to: expected a structure like {shallow!r}, got {node!r}."
                )
            columns.append(other[1])
        return _rebuild(shallow, [visit(*row) for row in zip(below[1], *columns, strict=True)])

    return visit(shallow_structure, *structures)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Visit every node and leaf; what `func` returns replaces it, unless it is None.

    Return the class `MAP_TO_NONE` from `func` to replace by None.
    """

    def mapped(node: Any) -> tuple[bool, Any]:
        value = func(node)
        if value is None:
            return False, node
        return True, None if value is MAP_TO_NONE else value

    def visit(node: Any) -> Any:
        if top_down:
            replaced, value = mapped(node)
            if replaced:
                return value
        below = _children(node)
        if below is not None:
            node = _rebuild(node, [visit(c) for c in below[1]])
        return node if top_down else mapped(node)[1]

    return visit(structure)


class MAP_TO_NONE:
    """What `traverse`'s function returns to replace a value by None."""


def lists_to_tuples(structure: Any) -> Any:
    """The structure with every list made a tuple."""

    def convert(node: Any) -> Any:
        return tuple(node) if isinstance(node, list) else None

    return traverse(convert, structure, top_down=False)
