"""The base class of merging layers, for those of a program."""

from __future__ import annotations

from typing import Any

from ...layers.merging import _Merge as _Base

__all__ = ["_Merge"]


class _Merge(_Base):
    """A layer over several inputs: subclasses define `_merge_function(inputs)`."""

    def _merge_function(self, inputs: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define _merge_function(self, inputs)."
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of all inputs together: sizes of 1 take those of the others."""
        rank = max(len(shape) for shape in input_shape)
        aligned = [(*s[:1], *(1,) * (rank - len(s)), *s[1:]) for s in input_shape]
        return tuple(_common(sizes) for sizes in zip(*aligned, strict=True))

    def _merge(self, inputs: Any) -> Any:
        return self._merge_function(inputs)


def _common(sizes: Any) -> int | None:
    largest: int = max(n or 1 for n in sizes)
    return None if None in sizes and largest == 1 else largest
