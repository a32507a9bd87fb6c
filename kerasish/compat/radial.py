"""RadialConstraint."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import constraints, ops
from ..serialization import builtin

__all__ = ["RadialConstraint"]


@builtin("keras.constraints")
class RadialConstraint(constraints.Constraint):
    """Kernels that look the same from all sides: entries at one distance to the middle are equal.

    The distance is the number of the square ring around the middle; the value that of the ring's
    entry in the middle column, from the top. For kernels `(n, n, in, out)`, n odd.
    """

    def __call__(self, w: Any) -> Any:
        shape = tuple(w.shape)
        if len(shape) != 4 or shape[0] != shape[1]:
            raise ValueError(f"The weights must be of shape (n, n, in, out). Received: {shape}")
        size = shape[0]
        middle = size // 2
        rows, columns = np.indices((size, size))
        ring = np.maximum(abs(rows - middle), abs(columns - middle))
        source = np.minimum(middle - ring, size - 1).clip(0)
        return ops.take(ops.convert_to_tensor(w)[:, middle], source.reshape(-1), axis=0).reshape(
            shape
        )
