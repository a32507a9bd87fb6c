"""Which part of a model a group of a weights file belongs to.

Keras's layout: the path of attributes from the model down. Public attributes come before private
ones, each kind in alphabetical order; `layers` comes first where a model is made of a list of
them. An object found a second time is not written again. Members of a list, tuple, set or
dictionary are named after their class in snake case, numbered from the second on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from ..layers import Layer
from ..metrics import Metric
from ..naming import to_snake_case
from ..optimizers import Optimizer

__all__ = ["saveable_parts"]


@functools.cache
def _base_attributes(kind: type) -> frozenset[str]:
    """What every layer or optimizer has: never part of the layout."""
    if kind is Optimizer:
        example = Optimizer(learning_rate=0.0, name="example")
        return frozenset(dir(example)) | {"inner_variables"}
    return frozenset(dir(Layer(name="example")))


def _attributes(part: Any) -> list[str]:
    """The names of attributes that may hold parts, in the order of the layout."""
    base: frozenset[str] = frozenset()
    for kind in (Layer, Optimizer):
        if isinstance(part, kind):
            base = _base_attributes(kind)
    hidden = frozenset(getattr(type(part), "_not_in_files", ()))
    names = [n for n in dir(part) if not n.startswith("__") and n not in base and n not in hidden]
    names.sort(key=lambda name: (name.startswith("_"), name))
    if getattr(type(part), "_layers_first", False):
        names = ["layers", *(n for n in names if n != "layers")]
    if getattr(type(part), "_optimizers_first", False):  # those of models lie within them else
        names.sort(key=lambda name: not isinstance(getattr(part, name), Optimizer))
    return names


def _is_part(x: Any) -> bool:
    # Metrics are state of a run, not of a model: Keras leaves them out.
    return isinstance(x, Layer | Optimizer) or (
        hasattr(x, "save_own_variables") and not isinstance(x, type | Metric)
    )


def saveable_parts(root: Any, skip: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """Each part that has (or could have) variables of its own, once, with its path.

    Args:
        root: A model, layer or optimizer; its own path is "".
        skip: Parts to leave out, with what is in them.
    """
    # By id, with the object: one that a property made must not make room for another of its id.
    seen: dict[int, Any] = {id(part): part for part in skip}

    def visit(path: str, part: Any) -> Iterator[tuple[str, Any]]:
        if id(part) in seen:
            return
        seen[id(part)] = part
        yield path, part
        for name in _attributes(part):
            try:
                child = getattr(part, name)
            except Exception:  # a user's property that does not work yet
                continue
            inner = f"{path}/{name}" if path else name
            if _is_part(child):
                yield from visit(inner, child)
            elif isinstance(child, list | tuple | set | dict):
                yield from members(inner, child)

    def members(path: str, container: Any) -> Iterator[tuple[str, Any]]:
        if id(container) in seen:
            return
        seen[id(container)] = container
        used: dict[str, int] = {}
        for child in container.values() if isinstance(container, dict) else container:
            nested = isinstance(child, list | tuple | set | dict)
            if not (_is_part(child) or nested):
                continue
            name = "container" if nested else to_snake_case(type(child).__name__)
            used[name] = used.get(name, -1) + 1
            if used[name]:
                name = f"{name}_{used[name]}"
            yield from (members if nested else visit)(f"{path}/{name}", child)

    yield from visit("", root)
