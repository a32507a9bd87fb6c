"""Functions over nested structures, under Keras's names."""

import kerasish_core as core

MAP_TO_NONE = core.tree.MAP_TO_NONE
assert_same_structure = core.tree.assert_same_structure
flatten = core.tree.flatten
flatten_with_path = core.tree.flatten_with_path
is_nested = core.tree.is_nested
lists_to_tuples = core.tree.lists_to_tuples
map_structure = core.tree.map_structure
map_structure_up_to = core.tree.map_structure_up_to
pack_sequence_as = core.tree.pack_sequence_as
traverse = core.tree.traverse

__all__ = [
    "MAP_TO_NONE",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]
