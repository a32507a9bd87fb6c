"""Regularizers under their names in Keras 1."""

from __future__ import annotations

from typing import Any

from .. import regularizers

__all__ = [
    "ActivityRegularizer", "EigenvalueRegularizer", "L1L2Regularizer", "WeightRegularizer",
    "activity_l1", "activity_l1l2", "activity_l2", "l1l2",
]  # fmt: skip


def WeightRegularizer(l1: float = 0.0, l2: float = 0.0) -> Any:
    """`l1 * sum|x| + l2 * sum x^2`."""
    return regularizers.L1L2(l1=l1, l2=l2)


ActivityRegularizer = L1L2Regularizer = WeightRegularizer


def l1l2(l1: float = 0.01, l2: float = 0.01) -> Any:
    """Both penalties."""
    return regularizers.L1L2(l1=l1, l2=l2)


activity_l1l2 = l1l2


def activity_l1(l: float = 0.01) -> Any:
    """The sum of absolute values, times `l`."""
    return regularizers.L1(l)


def activity_l2(l: float = 0.01) -> Any:
    """The sum of squares, times `l`."""
    return regularizers.L2(l)


def EigenvalueRegularizer(k: float) -> Any:
    """Not there.

    Raises:
        NotImplementedError: Always: Keras 2 took it out.
    """
    raise NotImplementedError(
        "EigenvalueRegularizer is of Keras 1 only: Keras 2 took it out, and kerasish has none. "
        "keras.layers.SpectralNormalization bounds the largest singular value of a kernel; a "
        "function of the kernel can be a regularizer too."
    )
