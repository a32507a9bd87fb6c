"""The memory plan: offsets in one arena, so that values that never live together share bytes."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["ALIGNMENT", "Plan", "Step", "plan_memory", "round_up"]

ALIGNMENT = 64


class Step(NamedTuple):
    """What one instruction does to memory.

    Attributes:
        reads: Values read.
        writes: Values written here first.
        in_place: Pairs (read, written) that may be the same bytes.
        scratch: Bytes needed during the step alone.
    """

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    in_place: tuple[tuple[int, int], ...] = ()
    scratch: int = 0


class Plan(NamedTuple):
    """Offsets by value, scratch offsets by step (-1 for none), and the arena's size."""

    offsets: dict[int, int]
    scratch: list[int]
    size: int
    last_use: dict[int, int]


class _Free:
    """Free blocks by offset; the best fit is taken, neighbours are merged."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, int]] = []
        self.size = 0

    def take(self, size: int) -> int:
        best = -1
        for i, (_, have) in enumerate(self.blocks):
            if have >= size and (best < 0 or have < self.blocks[best][1]):
                best = i
        if best >= 0:
            offset, have = self.blocks.pop(best)
            if have > size:
                bisect.insort(self.blocks, (offset + size, have - size))
            return offset
        if self.blocks and sum(self.blocks[-1]) == self.size:
            offset = self.blocks.pop()[0]
        else:
            offset = self.size
        self.size = offset + size
        return offset

    def give(self, offset: int, size: int) -> None:
        i = bisect.bisect(self.blocks, (offset, size))
        if i < len(self.blocks) and offset + size == self.blocks[i][0]:
            size += self.blocks.pop(i)[1]
        if i and sum(self.blocks[i - 1]) == offset:
            before = self.blocks.pop(i - 1)
            offset, size = before[0], before[1] + size
        bisect.insort(self.blocks, (offset, size))


def round_up(size: int) -> int:
    """The size in whole lines of cache; empty values take one too, so that addresses differ."""
    return max(ALIGNMENT, -(-size // ALIGNMENT) * ALIGNMENT)


def plan_memory(steps: Sequence[Step], sizes: Mapping[int, int]) -> Plan:
    """Place every value of `sizes`.

    Args:
        steps: In order of execution.
        sizes: Bytes of each value that lies in the arena; others are not placed.

    Returns:
        The plan: no two values whose lives overlap share a byte.
    """
    last: dict[int, int] = {}
    for i, step in enumerate(steps):
        for v in (*step.reads, *step.writes):
            last[v] = i
    free = _Free()
    offsets: dict[int, int] = {}
    held: dict[int, int] = {}
    scratch = []
    for i, step in enumerate(steps):
        taken = set()
        for source, target in step.in_place:
            if (
                source in held and target in sizes and last[source] == i
                and target not in offsets and source not in taken
                and held[source] == round_up(sizes[target])
            ):  # fmt: skip
                offsets[target], held[target] = offsets[source], held[source]
                taken.add(source)
        for v in step.writes:
            if v in sizes and v not in offsets:
                held[v] = round_up(sizes[v])
                offsets[v] = free.take(held[v])
        room = round_up(step.scratch) if step.scratch else 0
        scratch.append(free.take(room) if room else -1)
        if room:
            free.give(scratch[-1], room)
        for v in dict.fromkeys((*step.reads, *step.writes)):
            if v in held and last[v] == i:
                size = held.pop(v)
                if v not in taken:
                    free.give(offsets[v], size)
    return Plan(offsets, scratch, free.size, last)
