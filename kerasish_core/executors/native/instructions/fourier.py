"""Fourier transforms: along one axis after another."""

from __future__ import annotations

import math

import numpy as np

from ....ir import Node
from ..lowering import Builder, lowers
from .norm import SUFFIX

__all__: list[str] = []

# The table of roots is in the parameters.
_LONGEST = 1 << 13
# Rows go side by side: a few long ones are faster by NumPy.
_FEW_ROWS, _LONG = 3, 512
# A radix r takes r multiplications for each number.
_LARGEST_RADIX = 31


def _radices(n: int) -> list[int] | None:
    """The factors of n, 4 before 2, or None if one is too large."""
    found = []
    for radix in (4, 2, *range(3, _LARGEST_RADIX + 1, 2)):
        while n % radix == 0:
            found.append(radix)
            n //= radix
    return found if n == 1 else None


def _table(n: int) -> list[float]:
    angles = 2 * np.pi * np.arange(n) / n
    found: list[float] = np.stack([np.cos(angles), np.sin(angles)], 1).ravel().tolist()
    return found


@lowers("fourier")
def fourier(node: Node, b: Builder) -> bool:
    re, im = node.inputs
    shape, dtype = b.spec(re)
    suffix, axes, sign = SUFFIX.get(dtype), node.attrs["axes"], node.attrs["sign"]
    radices = {a: _radices(shape[a]) for a in axes}
    if suffix is None or 0 in shape or not axes or None in radices.values():
        return False
    if max(shape[a] for a in axes) > _LONGEST:
        return False
    if any(shape[a] >= _LONG and math.prod(shape) // shape[a] < _FEW_ROWS for a in axes):
        return False
    same = not any(s for s, n in zip(b.layout(im).strides, shape, strict=True) if n > 1)
    for i, axis in enumerate(axes):
        n, factors = shape[axis], radices[axis] or []
        last = i == len(axes) - 1
        made = list(node.outputs) if last else [b.temp(shape, dtype), b.temp(shape, dtype)]
        b.emit(
            f"fourier_{suffix}", [re, b.strided(im) if same else im], made,
            [math.prod(shape[:axis]), n, math.prod(shape[axis + 1 :]), sign, int(same),
             len(factors), *factors, *_table(n)],
            note=f"axis {axis}: {n} = {' * '.join(map(str, factors)) or 1}",
        )  # fmt: skip
        re, im, same = made[0], made[1], False
    return True
