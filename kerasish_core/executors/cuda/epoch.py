"""Arrays that lie on the device while an epoch takes its batches from them.

Gathering a batch on the host and copying it takes longer than many a small model's step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...codegen.cuda.fused import grid_of
from ...codegen.cuda.source import Kernel, Source
from ...op import Spec
from .builder import ITEMS
from .protocol import Backend

__all__ = ["Epoch", "Taking"]

# Larger data sets stream through pinned memory.
_MOST_BYTES = 512 << 20


class Taking(NamedTuple):
    """How a program takes the rows of one input.

    Attributes:
        kernel: The kernel.
        width: Items of a row.
    """

    kernel: Kernel
    width: int

    @staticmethod
    def of(spec: Spec, source: Source) -> Taking | None:
        """For an input of this shape and dtype; None if it has no rows."""
        if not spec.shape or 0 in spec.shape:
            return None
        size = math.prod(spec.shape[1:]) * spec.dtype.itemsize
        item = max(n for n in ITEMS if size % n == 0)
        kind = ITEMS[item]
        name = source.add(
            f"take_rows_{kind}",
            f"const {kind}* from, const int64_t* rows, {kind}* to, int64_t width, int64_t count",
            f"  take_rows<{kind}>(from, rows, to, width, count);",
        )
        return Taking(source.kernels[name], size // item)


class Epoch:
    """The arrays of one epoch on the device.

    Args:
        given: The caller's arrays. The same list belongs to the same epoch.
        arrays: They on the device, in the dtypes of the inputs.
    """

    def __init__(self, given: list[Any], arrays: list[Any]) -> None:
        self.given, self._arrays = given, arrays

    @classmethod
    def of(
        cls, given: list[Any], targets: Sequence[Any], backend: Backend
    ) -> Epoch | None:  # fmt: skip
        """Copy the arrays to the device; None if they are too large.

        Args:
            given: The arrays.
            targets: The buffers that get batches of them.
            backend: The device.
        """
        shapes = [(len(a), *t.shape[1:]) for a, t in zip(given, targets, strict=True)]
        size = sum(math.prod(s) * t.dtype.itemsize for s, t in zip(shapes, targets, strict=True))
        if size > _MOST_BYTES or any(a.shape != s for a, s in zip(given, shapes, strict=True)):
            return None
        arrays = [backend.xp.empty(s, t.dtype) for s, t in zip(shapes, targets, strict=True)]
        for array, a in zip(arrays, given, strict=True):
            backend.put(array, a)
        return cls(given, arrays)

    def take(
        self, rows: int, batch: int, targets: Sequence[Any], how: Sequence[Taking], module: Any,
        backend: Backend,
    ) -> None:  # fmt: skip
        """Put a batch of rows into the buffers.

        Args:
            rows: The address of the rows' numbers on the device, int64.
            batch: How many rows.
            targets: The buffers.
            how: For each of them.
            module: That holds the kernels.
            backend: The device.
        """
        for array, target, (kernel, width) in zip(self._arrays, targets, how, strict=True):
            count = batch * width
            given = (backend.address(array), rows, backend.address(target), width, count)
            backend.launch(module, kernel, grid_of(count), given)
