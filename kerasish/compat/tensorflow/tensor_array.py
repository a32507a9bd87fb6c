"""`tf.TensorArray`, a list of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["TensorArray"]


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
