"""Arrays that lie on the device while epochs take their batches from them.

Gathering a batch on the host and copying it takes longer than many a small model's step.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...codegen.cuda.fused import grid_of
from ...codegen.cuda.source import Kernel, Source
from ...device import Unchanging
from ...op import Spec
from .builder import item_of
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
        item, kind = item_of(size)
        name = source.add(
            f"take_rows_{kind}",
            f"const {kind}* from, const int64_t* rows, {kind}* to, int64_t width, int64_t count",
            f"  take_rows<{kind}>(from, rows, to, width, count);",
        )
        return Taking(source.kernels[name], size // item)


class Epoch:
    """Arrays on the device, and how batches of them are taken.

    Args:
        given: The caller's arrays. If they are `Unchanging`, the device lets go of them when that
            list is gone.
        arrays: They on the device, in the dtypes of the inputs.
        targets: The buffers that get batches of them.
        how: For each of them.
        backend: The device.
    """

    def __init__(
        self, given: list[Any], arrays: list[Any], targets: Sequence[Any], how: Sequence[Taking],
        backend: Backend,
    ) -> None:  # fmt: skip
        self._arrays, self._launches = arrays, []
        self._given: Callable[[], Any] = lambda: given
        self.lasts = isinstance(given, Unchanging)
        if self.lasts:
            self._given = weakref.ref(given, self._let_go)
        for array, target, (kernel, width) in zip(arrays, targets, how, strict=True):
            count = len(target) * width
            ends = backend.address(array), backend.address(target)
            self._launches.append((kernel, grid_of(count), *ends, width, count))

    @classmethod
    def of(
        cls, given: list[Any], targets: Sequence[Any], how: Sequence[Taking], backend: Backend
    ) -> Epoch | None:  # fmt: skip
        """Copy the arrays to the device; None if they are too large. Arguments as of the class."""
        shapes = [(len(a), *t.shape[1:]) for a, t in zip(given, targets, strict=True)]
        size = sum(math.prod(s) * t.dtype.itemsize for s, t in zip(shapes, targets, strict=True))
        if size > _MOST_BYTES or any(a.shape != s for a, s in zip(given, shapes, strict=True)):
            return None
        arrays = [backend.xp.empty(s, t.dtype) for s, t in zip(shapes, targets, strict=True)]
        for array, a in zip(arrays, given, strict=True):
            backend.put(array, a)
        return cls(given, arrays, targets, how, backend)

    def _let_go(self, _: Any) -> None:
        self._arrays.clear()
        self._launches.clear()

    def is_of(self, given: Any) -> bool:
        """Whether these are the caller's arrays."""
        return self._given() is given

    def take(self, rows: int, module: Any, backend: Backend) -> None:
        """Put a batch into the buffers.

        Args:
            rows: The address of its rows' numbers on the device, int64.
            module: That holds the kernels.
            backend: The device.
        """
        for kernel, blocks, source, target, width, count in self._launches:
            backend.launch(module, kernel, blocks, (source, rows, target, width, count))
