"""`kerasish.tree`."""

import collections

import pytest

from kerasish import tree

NESTED = {"b": [1, (2, None)], "a": {"c": 3}}


def test_flatten_sorts_keys():
    assert tree.flatten(NESTED) == [3, 1, 2, None]
    assert [path for path, _ in tree.flatten_with_path(NESTED)] == [
        ("a", "c"),
        ("b", 0),
        ("b", 1, 0),
        ("b", 1, 1),
    ]
    assert tree.flatten(5) == [5]


def test_pack_is_the_inverse_of_flatten():
    assert tree.pack_sequence_as(NESTED, tree.flatten(NESTED)) == NESTED
    with pytest.raises(ValueError, match="leaves"):
        tree.pack_sequence_as(NESTED, [1])


def test_map_structure_keeps_types():
    point = collections.namedtuple("point", "x y")
    mapped = tree.map_structure(lambda a, b: a + b, point(1, [2]), point(10, [20]))
    assert mapped == point(11, [22]) and type(mapped) is point


def test_map_shape_structure():
    shapes = {"a": (None, 3), "b": [(2,), [4, 4]], "c": ()}
    assert tree.map_shape_structure(lambda s: s, shapes) == {
        "a": (None, 3),
        "b": [(2,), (4, 4)],
        "c": (),
    }


def test_assertions():
    tree.assert_same_structure([1, {"a": 2}], [3, {"a": 4}])
    tree.assert_same_structure([1], (2,), check_types=False)
    tree.assert_same_paths([1, (2,)], (3, [4]))
    with pytest.raises((TypeError, ValueError)):
        tree.assert_same_structure([1], (2,))
    with pytest.raises(ValueError):
        tree.assert_same_structure([1], [[2]])
    with pytest.raises(ValueError, match="don't have the same paths"):
        tree.assert_same_paths([1], {"a": 1})


def test_traverse_and_none():
    replaced = tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, [1, [2]])
    assert replaced == [1, [None]]
    assert tree.lists_to_tuples([1, [2, {"a": [3]}]]) == (1, (2, {"a": (3,)}))
