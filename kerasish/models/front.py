"""The part of a graph that needs values and comes first: text to numbers, before what is compiled.

Layers for text and vocabularies (`layers/preprocessing/host.py`) can't be part of a program. Where
all that they depend on can be computed without the model's trainable weights, a step runs them on
the batch, and its program starts with their results.
"""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core

from ..layers import Layer
from ..ops.symbolic import KerasTensor, Node

__all__ = ["Front", "is_on_host"]

# What the front makes of a whole data set is kept for all epochs up to this size.
_MOST_BYTES = 1 << 28


class Front:
    """A graph in two parts.

    Args:
        first, rest: The places in the graph's list of nodes of the calls of each part.
        kept: Slot and symbolic tensor of what the rest starts with.
        random: Whether the first part draws random numbers.
    """

    def __init__(
        self, first: list[int], rest: list[int], kept: dict[int, KerasTensor], random: bool
    ) -> None:
        self.first, self.rest, self.kept, self.random = first, rest, kept, random

    def fits(self, count: int) -> bool:
        """Whether its results for so many rows are of one known shape, and small enough to keep.

        Not where the values may be others in the next epoch.
        """
        total = 0
        for t in self.kept.values():
            if t.dtype == "string" or None in t.shape[1:]:
                return False
            total += count * math.prod(t.shape[1:]) * core.dtypes.as_dtype(t.dtype).itemsize
        return total <= _MOST_BYTES and not self.random

    @classmethod
    def of(cls, nodes: list[Node], inputs: Any, outputs: Any, slot_of: Any) -> Front | None:
        """The two parts; None where nothing needs values, or trained weights come before it."""
        if not any(is_on_host(n.operation) for n in nodes):
            return None
        maker = {slot_of(t): i for i, n in enumerate(nodes) for t in n.outputs}
        chosen: set[int] = set()
        todo = [i for i, n in enumerate(nodes) if is_on_host(n.operation)]
        while todo:
            i = todo.pop()
            if i not in chosen:
                chosen.add(i)
                todo += [maker[slot_of(t)] for t in nodes[i].inputs if slot_of(t) in maker]
        if any(_is_trained(nodes[i].operation) for i in chosen):
            return None
        rest = [i for i in range(len(nodes)) if i not in chosen]
        needed = [t for i in rest for t in nodes[i].inputs] + list(outputs)
        kept = {slot_of(t): t for t in needed if maker.get(slot_of(t), -1) not in rest}
        random = any(_draws(nodes[i].operation) for i in chosen)
        return cls(sorted(chosen), rest, kept, random)


def is_on_host(operation: Any) -> bool:
    """Whether an operation is, or contains, a layer that needs values."""
    return isinstance(operation, Layer) and any(x._on_host for x in operation._flatten_layers())


def _is_trained(operation: Any) -> bool:
    return isinstance(operation, Layer) and any(
        x._tracker.trainable for x in operation._flatten_layers()
    )


def _draws(operation: Any) -> bool:
    """Whether it holds seeds, or is the user's own and may do anything."""
    if not isinstance(operation, Layer):
        return False
    return any(
        x._tracker.seeds or not type(x).__module__.startswith("kerasish.")
        for x in operation._flatten_layers()
    )
