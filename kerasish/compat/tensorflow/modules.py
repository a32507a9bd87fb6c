"""`tf.Module`, what holds variables, and `tf.TensorArray`, a list of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from ...naming import to_snake_case
from .control import NameScope
from .train import load_own_variables, save_own_variables

__all__ = ["Module", "TensorArray"]


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


class TensorArray:
    """A list of tensors, which is changed by functions that return it changed.

    Args:
        dtype: Of the tensors.
        size: How many there are at first.
        dynamic_size: Whether writing may make it longer.
    """

    def __init__(
        self, dtype: Any, size: Any = None, dynamic_size: Any = None, clear_after_read: Any = None,
        tensor_array_name: Any = None, handle: Any = None, flow: Any = None,
        infer_shape: bool = True, element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
    ) -> None:  # fmt: skip
        self.dtype, self.element_shape, self.dynamic_size = dtype, element_shape, bool(dynamic_size)
        self._items: list[Any] = [None] * int(size or 0)

    def _changed(self, items: list[Any]) -> TensorArray:
        made = TensorArray(self.dtype, 0, self.dynamic_size, element_shape=self.element_shape)
        made._items = items
        return made

    def write(self, index: Any, value: Any) -> TensorArray:
        """The array with a tensor at a place.

        Raises:
            IndexError: There is no such place.
        """
        i, items = int(index), list(self._items)
        if i >= len(items):
            if not self.dynamic_size:
                raise IndexError(
                    f"TensorArray: place {i} is not among {len(items)}, and dynamic_size is False."
                )
            items += [None] * (i + 1 - len(items))
        items[i] = core.convert(value, str(self.dtype))
        return self._changed(items)

    def read(self, index: Any) -> Any:
        """The tensor at a place."""
        found = self._items[int(index)]
        if found is None:
            raise ValueError(f"TensorArray: nothing was written at place {int(index)}.")
        return found

    def size(self) -> Any:
        """How many there are."""
        return core.convert(len(self._items))

    def _whole(self) -> list[Any]:
        known = next((x for x in self._items if x is not None), None)
        if known is None:
            return []
        return [core.ops.zeros_like(known) if x is None else x for x in self._items]

    def stack(self) -> Any:
        """The tensors along a new first axis."""
        items = self._whole()
        if not items:
            shape = tuple(self.element_shape or ())
            return core.constant(np.zeros((0, *shape), core.dtypes.as_dtype(str(self.dtype))))
        return core.ops.stack(items, 0)

    def concat(self) -> Any:
        """The tensors one after the other along their first axis."""
        return core.ops.concatenate(self._whole(), 0)

    def gather(self, indices: Any) -> Any:
        """The tensors at places, along a new first axis."""
        return core.ops.stack([self.read(i) for i in np.asarray(indices)], 0)

    def unstack(self, value: Any) -> TensorArray:
        """The array of the rows of a tensor."""
        return self._changed(list(core.ops.unstack(core.convert(value), axis=0)))

    def identity(self) -> TensorArray:
        """The array itself."""
        return self
