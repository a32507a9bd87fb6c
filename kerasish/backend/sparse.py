"""Sparse matrices in coordinates: what `K.ctc_label_dense_to_sparse` gives."""

from __future__ import annotations

from typing import Any, NamedTuple

import kerasish_core as core

from ..ops.symbolic import KerasTensor

__all__ = ["SparseTensor", "is_sparse", "to_dense"]


class SparseTensor(NamedTuple):
    """Values at places, zero elsewhere.

    Attributes:
        indices: int64 `(count, rank)`, in the order of rows.
        values: `(count,)`.
        dense_shape: The sizes.
    """

    indices: Any
    values: Any
    dense_shape: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes, as of a dense tensor."""
        return self.dense_shape

    @property
    def dtype(self) -> Any:
        """The values' dtype."""
        return self.values.dtype


def _is_scipy(x: Any) -> bool:
    return hasattr(x, "tocoo") and hasattr(x, "toarray")


def is_sparse(tensor: Any) -> bool:
    """Whether `tensor` is sparse: ours, SciPy's, or a symbolic one that stands for such."""
    if isinstance(tensor, KerasTensor):
        return tensor.sparse
    return isinstance(tensor, SparseTensor) or _is_scipy(tensor)


def to_dense(tensor: Any) -> Any:
    """The same values densely; what is dense stays."""
    if _is_scipy(tensor):
        return core.convert(tensor.toarray())
    if not isinstance(tensor, SparseTensor):
        return tensor
    values = core.convert(tensor.values)
    empty = core.ops.zeros(tensor.dense_shape, values.dtype)
    return core.ops.scatter_update(empty, tensor.indices, values)
