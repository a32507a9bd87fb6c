"""Optimizers in the style of Keras 2: `decay`, and `get_updates` of a user's own."""

from __future__ import annotations

import functools
from typing import Any

import kerasish_core as core

from .. import ops

__all__ = ["clip_norm", "with_decay"]


def clip_norm(g: Any, c: Any, n: Any) -> Any:
    """`g`, scaled down to norm `c` where its norm `n` is larger; as it is where `c` is not
    positive."""
    return g if c <= 0 else ops.where(n >= c, g * c / n, g)


def with_decay(optimizer: Any, decay: float) -> None:
    """Let the learning rate fall with the number of updates t: `lr / (1 + decay * t)`.

    The variable of the learning rate stays, so that it can be read and set as ever.
    """
    plain = object.__setattr__
    plain(optimizer, "decay", core.convert(decay, "float32"))
    plain(optimizer, "_current_rate", functools.partial(_decayed_rate, optimizer))


def _decayed_rate(optimizer: Any) -> Any:
    def compute() -> Any:
        steps = core.convert(optimizer.iterations, "float32")
        return core.convert(optimizer.learning_rate, "float32") / (1.0 + optimizer.decay * steps)

    return optimizer._once("learning_rate", compute)
