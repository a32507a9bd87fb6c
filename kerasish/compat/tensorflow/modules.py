"""`tf.Module`, what holds variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kerasish_core as core

from ...naming import to_snake_case
from .control import NameScope
from .train import load_own_variables, save_own_variables

__all__ = ["Module"]


class Module:
    """An object that finds the variables in its attributes, and in those of modules and layers
    among them, also in lists, tuples and dictionaries.

    Args:
        name: By default that of the class, in small letters.
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name or to_snake_case(type(self).__name__)

    save_own_variables, load_own_variables = save_own_variables, load_own_variables

    @property
    def name(self) -> str:
        return self._name

    @property
    def name_scope(self) -> NameScope:
        """A block with the name, which changes nothing."""
        return NameScope(self._name)

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """The method itself."""
        return method

    @property
    def variables(self) -> tuple[Any, ...]:
        """All variables, each once, by sorted names of attributes."""
        return tuple(_once(_leaves(self, set())))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those that are to be trained."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """Those that are not."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """Modules and layers inside."""
        return tuple(_inner(self, {id(self)}))


def _once(variables: Any) -> Iterator[Any]:
    seen = set()
    for v in variables:
        if id(v) not in seen:
            seen.add(id(v))
            yield v


def _parts(x: Any) -> Any:
    if isinstance(x, Module):
        return [v for _, v in sorted(vars(x).items())]
    return x.values() if isinstance(x, dict) else x


def _leaves(x: Any, seen: set[int]) -> Iterator[Any]:
    if isinstance(x, core.Variable):
        yield x
    elif isinstance(x, Module | list | tuple | dict):
        if id(x) not in seen:
            seen.add(id(x))
            for part in _parts(x):
                yield from _leaves(part, seen)
    elif hasattr(x, "trainable_weights") and hasattr(x, "weights"):  # a layer
        yield from x.weights


def _inner(x: Any, seen: set[int]) -> Iterator[Any]:
    for part in _parts(x):
        if isinstance(part, list | tuple | dict):
            yield from _inner(part, seen)
        elif (isinstance(part, Module) or hasattr(part, "trainable_weights")) and (
            id(part) not in seen
        ):
            seen.add(id(part))
            yield part
            if isinstance(part, Module):
                yield from _inner(part, seen)
