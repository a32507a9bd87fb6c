"""The geometry of windows that slide over spatial axes: what convolution and pooling share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ShapeError

__all__ = [
    "Pads", "SamePads", "output_size", "pad_spatial", "positions", "resolve_padding", "spatial",
    "view",
]  # fmt: skip

Pads = tuple[tuple[int, int], ...]


class SamePads(tuple[tuple[int, int], ...]):
    """What "same" adds: equal to the pairs, and tells that they go with the size."""


def spatial(name: str, value: Any, rank: int, what: str) -> tuple[int, ...]:
    """A setting for each spatial axis from one number or a sequence.

    Raises:
        ShapeError: There are not as many as spatial axes.
    """
    found = (int(value),) * rank if isinstance(value, int | np.integer) else tuple(map(int, value))
    if len(found) != rank or min(found, default=1) < 1:
        raise ShapeError(f"{name}: {what}={value!r}; {rank} positive integers (or one) are needed.")
    return found


def output_size(size: int, window: int, stride: int, dilation: int, pads: tuple[int, int]) -> int:
    """Number of windows along an axis."""
    return max((size + sum(pads) - (window - 1) * dilation - 1) // stride + 1, 0)


def resolve_padding(
    name: str, padding: Any, sizes: Any, window: Any, strides: Any, dilation: Any
) -> Pads:
    """What is added before and after each spatial axis.

    Raises:
        ValueError: An unknown padding.
    """
    if not isinstance(padding, str):
        return tuple((int(a), int(b)) for a, b in padding)
    kind = padding.lower()
    if kind == "valid":
        return ((0, 0),) * len(sizes)
    pads = []
    for n, k, s, d in zip(sizes, window, strides, dilation, strict=True):
        reach = (k - 1) * d
        if kind == "causal":
            pads.append((reach, 0))
        elif kind == "same":
            total = max((-(-n // s) - 1) * s + reach + 1 - n, 0)
            pads.append((total // 2, total - total // 2))
        else:
            raise ValueError(
                f"{name}: padding={padding!r}; expected 'valid', 'same', 'causal' (1D) or pairs."
            )
    return SamePads(pads) if kind == "same" else tuple(pads)


def pad_spatial(xp: Any, x: Any, pads: Pads, value: Any = 0) -> Any:
    """A channels-last array with its spatial axes padded; itself if there is nothing to add."""
    if not any(a or b for a, b in pads):
        return x
    shape = (x.shape[0], *(n + a + b for n, (a, b) in zip(x.shape[1:-1], pads)), x.shape[-1])
    result = xp.full(shape, value, x.dtype) if value else xp.zeros(shape, x.dtype)
    place = (slice(None), *(slice(a, a + n) for n, (a, _) in zip(x.shape[1:-1], pads)))
    result[place] = x
    return result


def view(xp: Any, x: Any, window: Any, strides: Any, dilation: Any) -> Any:
    """The windows of a padded channels-last array without copying: `(n, *out, *window, c)`."""
    rank = len(window)
    out = tuple(
        output_size(n, k, s, d, (0, 0))
        for n, k, s, d in zip(x.shape[1:-1], window, strides, dilation)
    )
    step = x.strides
    moves = tuple(a * s for a, s in zip(step[1 : rank + 1], strides))
    inner = tuple(a * d for a, d in zip(step[1 : rank + 1], dilation))
    return xp.lib.stride_tricks.as_strided(
        x, (x.shape[0], *out, *window, x.shape[-1]), (step[0], *moves, *inner, step[-1])
    )


def positions(window: Any, strides: Any, dilation: Any, out: Any) -> Iterator[tuple[Any, Any]]:
    """For each place in the window: its index, and where its elements lie in the padded array."""
    for index in np.ndindex(*window):
        slices = tuple(
            slice(i * d, i * d + (n - 1) * s + 1 if n else 0, s)
            for i, d, s, n in zip(index, dilation, strides, out)
        )
        yield index, (slice(None), *slices)
