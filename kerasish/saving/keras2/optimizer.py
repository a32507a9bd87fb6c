"""Optimizer state of Keras 2: from names like `Adam/dense/kernel/m:0` to slots."""

from __future__ import annotations

import re

__all__ = ["slots_by_variable"]

# Keras 2's names of slots, of both its kinds of optimizers: ours.
_SLOTS = {
    "m": "momentum", "v": "velocity", "vhat": "velocity_hat", "momentum": "momentum",
    "velocity": "velocity", "rms": "velocity", "mg": "average_gradient",
    "average_gradient": "average_gradient", "accumulator": "accumulator", "linear": "linear",
    "accumulated_grad": "accumulated_grad", "accum_grad": "accumulated_grad",
    "accumulated_delta_var": "accumulated_delta_var", "accum_var": "accumulated_delta_var",
    "u": "norm", "average": "average", "velocity_hat": "velocity_hat",
}  # fmt: skip
_COUNTERS = {"iteration", "iter", "iterations"}


def slots_by_variable(names: list[str]) -> tuple[int | None, dict[str, list[int]]]:
    """What the arrays of an optimizer's state are.

    Args:
        names: Their names in the order of the file.

    Returns:
        Where the count of steps is (or None), and for each kind of slot, by Keras 3's name, where
        it is for each trained variable in turn.
    """
    counter = None
    slots: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        parts = re.sub(r":\d+$", "", name).split("/")
        if parts[-1] in _COUNTERS:
            counter = i
            continue
        # tf.keras wrote `Adam/m/dense/kernel` since 2.11, `Adam/dense/kernel/m` before.
        for part in (parts[1] if len(parts) > 2 else "", parts[-1]):
            if part in _SLOTS:
                slots.setdefault(_SLOTS[part], []).append(i)
                break
    return counter, slots
