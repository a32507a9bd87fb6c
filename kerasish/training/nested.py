"""Outputs within outputs: structures deeper than one list or dictionary, as flat lists."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import kerasish_core as core

__all__ = ["aligned", "flat_paths", "is_deep", "keys_in_order"]

tree = core.tree
_CONTAINERS = (dict, list, tuple)


def is_deep(outputs: Any) -> bool:
    """Whether a part of the outputs has parts itself."""
    return isinstance(outputs, _CONTAINERS) and any(
        isinstance(part, _CONTAINERS) for part in _parts(outputs)
    )


def flat_paths(outputs: Any, names: list[str] | None) -> tuple[list[Any], list[str | None]]:
    """The outputs one after another and the log name of each.

    A name is the keys that lead to the output, joined by "/"; where the last step is a place in a
    list, the output's own name stands for it.

    Args:
        outputs: Any structure of dictionaries, lists and tuples.
        names: The outputs' own names, in order, if they are known.
    """
    found = list(_walk(outputs, ()))
    own: list[Any] = list(names) if names and len(names) == len(found) else [None] * len(found)
    labels = []
    for (path, _), name in zip(found, own, strict=True):
        if path and isinstance(path[-1], int):
            path = (*path[:-1], path[-1] if name is None else name)
        labels.append("/".join(str(step) for step in path))
    return [leaf for _, leaf in found], labels


def aligned(given: Any, outputs: Any) -> list[Any]:
    """What belongs to each of the outputs, in their order.

    Args:
        given: A structure like that of the outputs down to some level; what stands there belongs
            to all outputs below. A flat list with one entry for each output will do too.
        outputs: The structure of outputs.

    Raises:
        ValueError: A list has another length than the outputs beside it; a dictionary has keys
            that the outputs lack.
    """
    if not isinstance(outputs, _CONTAINERS):
        return [given]
    parts = _parts(outputs)
    count = len(tree.flatten(outputs))
    if isinstance(given, dict) and isinstance(outputs, dict):
        unknown = [key for key in given if key not in outputs]
        if unknown:
            raise ValueError(
                f"The key {unknown[0]!r} belongs to no output: their keys are "
                f"{keys_in_order(outputs)}."
            )
        return [x for key in keys_in_order(outputs) for x in aligned(given.get(key), outputs[key])]
    if isinstance(given, list | tuple):
        if len(given) == len(parts):
            return [x for g, part in zip(given, parts, strict=True) for x in aligned(g, part)]
        if len(given) == count:
            return list(given)
        raise ValueError(
            f"A list of {len(given)} was given for {len(parts)} outputs ({count} with those "
            f"inside of them). Give one entry for each, in a structure like theirs: "
            f"{tree.map_structure(lambda _: '*', outputs)}."
        )
    return [given] * count


def keys_in_order(outputs: Any) -> Any:
    """Those of a dictionary (or places in a list) in the order in which structures are
    flattened."""
    if isinstance(outputs, OrderedDict):
        return list(outputs)
    return tree.sorted_keys(outputs) if isinstance(outputs, dict) else range(len(outputs))


def _parts(outputs: Any) -> list[Any]:
    return [outputs[key] for key in keys_in_order(outputs)]


def _walk(outputs: Any, path: tuple[Any, ...]) -> Any:
    if not isinstance(outputs, _CONTAINERS):
        yield path, outputs
        return
    for key in keys_in_order(outputs):
        yield from _walk(outputs[key], (*path, key))
