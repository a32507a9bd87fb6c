"""Rounding of a matrix by what flows into it: GPTQ and AWQ, computed on the host.

Matrices lie as (outputs, inputs): a range of integers holds for a group of inputs of one output.

Source: Frantar et al. (2022), GPTQ; Lin et al. (2023), AWQ.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Gram", "Peaks", "Rounded", "awq", "gptq"]

Array = np.ndarray[Any, Any]
_BLOCK = 128  # columns whose errors are passed on together to those after them


class Rounded(NamedTuple):
    """`weights = scale (q - zero) / input_scales`, with scale and zero of the group of the input.

    Attributes:
        q: Integers (outputs, inputs).
        scale, zero: (outputs, groups).
        groups: (inputs,): the group of each, as floats to be rounded down.
        input_scales: (inputs,), of AWQ.
    """

    q: Array
    scale: Array
    zero: Array
    groups: Array
    input_scales: Array | None = None


class Gram:
    """The mean of `2 x x^T` over rows x: the Hessian of a layer's squared error."""

    def __init__(self, size: int) -> None:
        self.size, self.rows = size, 0
        self._sum = np.zeros((size, size))

    def add(self, inputs: Any) -> None:
        """Count the rows of inputs of any shape."""
        x = _rows(inputs, self.size)
        self._sum += x.T @ x
        self.rows += len(x)

    def value(self, copies: int = 1) -> Array:
        """For a matrix with `copies` inputs for each: they meet different outputs."""
        mean = 2 * self._sum / max(self.rows, 1)
        return mean if copies == 1 else np.kron(mean, np.eye(copies))


class Peaks:
    """The largest absolute value of each input."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._most = np.zeros(size, "float32")

    def add(self, inputs: Any) -> None:
        """Count the rows of inputs of any shape."""
        np.maximum(self._most, np.abs(_rows(inputs, self.size)).max(axis=0), out=self._most)

    def value(self, copies: int = 1) -> Array:
        """For a matrix with `copies` inputs for each."""
        return np.repeat(self._most, copies)


def _rows(inputs: Any, size: int) -> Array:
    return np.asarray(inputs).astype("float32").reshape(-1, size)


def _ranges(
    least: Array, most: Array, bits: int, symmetric: bool = False
) -> tuple[Array, Array, float]:
    """Scale and zero of ranges, and the largest integer."""
    if symmetric:
        most = np.maximum(-least, most)
        least = -most
    flat = least == most
    least, most = np.where(flat, least - 1, least), np.where(flat, most + 1, most)
    top = float(2**bits - 1)
    scale = _scale(least, most, top)
    if symmetric:
        return scale, np.full_like(scale, (top + 1) / 2), top
    zero = np.round(-least / scale)
    # A byte must hold it: far from 0 the range is widened to have 0 in it. Keras cuts the zero.
    far = (zero < 0) | (zero > 255)
    least, most = (
        np.where(far, np.minimum(least, 0), least),
        np.where(far, np.maximum(most, 0), most),
    )
    scale = _scale(least, most, top)
    return scale, np.round(-least / scale), top


def _scale(least: Array, most: Array, top: float) -> Array:
    scale = ((most - least) / np.float32(top)).astype("float32")
    return np.where(scale <= 0, np.float32(1e-8), scale)


def _round(weights: Array, scale: Array, zero: Array, top: float) -> Array:
    return np.clip(np.round(weights / scale + zero), 0, top)


def _inverse(hessian: Array, damping: float) -> tuple[Array, Array]:
    """The inverse of the damped Hessian, and its diagonal before the inversion."""
    diagonal = hessian.diagonal().copy()
    diagonal[diagonal == 0] = 1  # inputs that are always zero
    diagonal += damping * diagonal.mean()
    damped = hessian.copy()
    np.fill_diagonal(damped, diagonal)
    try:
        return np.linalg.inv(damped).astype("float32"), diagonal
    except np.linalg.LinAlgError:
        raise ValueError(
            f"GPTQ: the Hessian of {len(hessian)} inputs is singular with hessian_damping="
            f"{damping}. Use a larger hessian_damping (0.01 is the default) or more samples."
        ) from None


def gptq(weights: Any, hessian: Array, config: Any) -> Rounded:
    """Round one input's weights after the other; those after it make up for the error.

    With G the inverse of the damped Hessian, input j passes `e = (w_j - rounded w_j) / G_jj` on:
    `w_k -= e G_jk` for k > j. As in Keras, G is not reduced to the inputs that are left, which is
    where the paper's Cholesky factor differs.

    Args:
        weights: (outputs, inputs).
        hessian: (inputs, inputs), of `Gram`.
        config: A `GPTQConfig`.

    Raises:
        ValueError: The damped Hessian has no inverse.

    Source: Frantar et al. (2022), GPTQ.
    """
    w = np.array(weights, "float32")
    count = w.shape[1]
    inverse, importance = _inverse(hessian, config.hessian_damping)
    order = np.arange(count)
    if config.activation_order:
        order = np.argsort(-importance.astype("float32"), kind="stable")
        w, inverse = w[:, order], inverse[np.ix_(order, order)]
    size = count if config.group_size == -1 else config.group_size
    q, parts = np.zeros(w.shape, "float32"), []
    for start in range(0, count, _BLOCK):
        end = min(start + _BLOCK, count)
        block, errors = w[:, start:end].copy(), np.zeros((len(w), end - start), "float32")
        for j in range(start, end):
            if j % size == 0:
                parts.append(_group_range(w[:, j : j + size], config))
            scale, zero, top = parts[-1]
            i = j - start
            column = block[:, i : i + 1]
            q[:, j : j + 1] = _round(column, scale, zero, top)
            errors[:, i] = (column - scale * (q[:, j : j + 1] - zero))[:, 0] / inverse[j, j]
            block[:, i + 1 :] -= np.outer(errors[:, i], inverse[j, j + 1 : end])
        w[:, end:] -= errors @ inverse[start:end, end:]
    groups = np.arange(count, dtype="float32") / np.float32(size)
    back = np.argsort(order)
    scale, zero = (np.concatenate([p[i] for p in parts], axis=1) for i in (0, 1))
    return Rounded(q[:, back], scale, zero, groups[back])


def _group_range(part: Array, config: Any) -> tuple[Array, Array, float]:
    seen = part if config.per_channel else part.reshape(1, -1)
    least, most = seen.min(axis=1, keepdims=True), seen.max(axis=1, keepdims=True)
    scale, zero, top = _ranges(least, most, config.weight_bits, config.symmetric)
    shape = (len(part), 1)
    return np.broadcast_to(scale, shape), np.broadcast_to(zero, shape), top


def _in_groups(weights: Array, size: int) -> tuple[Array, Array, Array, Array]:
    """q, scale, zero in 4 bits, and the groups of inputs."""
    count = weights.shape[1]
    number = 1 if size == -1 else math.ceil(count / size)
    groups = np.zeros(count, "int64") if size == -1 else np.arange(count) // size
    seen = weights[:, None]
    if number > 1:
        padded = np.pad(weights, [(0, 0), (0, number * size - count)])
        seen = padded.reshape(len(weights), number, size)
    scale, zero, top = _ranges(seen.min(axis=2), seen.max(axis=2), 4)
    return _round(weights, scale[:, groups], zero[:, groups], top), scale, zero, groups


def awq(weights: Any, peaks: Array, config: Any) -> Rounded:
    """Scale inputs of large activations up before rounding, by the power of them that fits best.

    The scales are `s = peaks^r / sqrt(max(peaks^r) min(peaks^r))`; of `r = 0, 1/n, ..., 1` that
    with the least mean of `((w - rounded(w s) / s) peaks)^2` is taken.

    Args:
        weights: (outputs, inputs).
        peaks: (inputs,): the largest absolute value of each.
        config: An `AWQConfig`; n is its `num_grid_points`.

    Source: Lin et al. (2023), AWQ.
    """
    w = np.array(weights, "float32")
    peaks = np.where(peaks < 1e-8, np.float32(1), peaks).astype("float32")
    best, least = np.ones_like(peaks), None
    for point in range(config.num_grid_points + 1):
        s = np.maximum(peaks ** np.float32(point / config.num_grid_points), np.float32(1e-4))
        s = s / np.maximum(np.sqrt(s.max() * s.min()), np.float32(1e-8))
        q, scale, zero, groups = _in_groups(w * s, config.group_size)
        found = scale[:, groups] * (q - zero[:, groups]) / s
        loss = np.mean(np.square(w - found) * np.square(peaks))
        if least is None or loss < least:
            best, least = s, loss
    q, scale, zero, groups = _in_groups(w * best, config.group_size)
    return Rounded(q, scale, zero, groups.astype("float32"), best)
