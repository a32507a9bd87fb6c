"""Cache blocking: instructions that follow each other run over a few images at a time.

A pooling reads what a convolution has just written, a kernel's gradient what a pooling's gradient
has: for a whole batch that is more than the caches hold, for a few images it is not. Where nothing
else reads it, it never goes to memory. What a cheap convolution makes is made again for the
gradient: that takes less time than writing and reading it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import _native
from .arrangement import reads
from .lowering import Instruction

__all__ = ["block_instructions"]

# What the kernels' operands are, inputs first: images of the size read or written (x, y), shared
# by all images (s), a sum over them (k). Their params are those of `conv_params`.
_OPERANDS = {
    "conv": ("xsy", "xssy"),
    "max_pool": ("xy",),
    "window_sum": ("xy",),
    "max_pool_grad": ("xyx",),
    "window_spread": ("yx",),
    "conv_kernel_grad": ("xyk",),
}
_EARLIER = ("conv", "max_pool_grad", "window_spread")
_LAST = ("max_pool", "window_sum", "conv_kernel_grad")

_LEAST_BYTES = 1 << 20  # from one to the next, that pay: fewer stay in the cache anyway
_BLOCK_BYTES = 512 << 10  # read and written for one block
_LEAST_BLOCKS = 4
_SMALL_BYTES = 16 << 10  # a packed kernel or a sum of a block's own
_CHEAP = 32  # products for one result: reading and writing it takes longer

_OWN, _PARTIAL = -1, -2  # places of operands, as in blocked.cpp
_PARTS = 23  # of the params of conv_kernel_grad: how many partial sums


class _Stage(NamedTuple):
    """An instruction of a chain, its operands' kinds and their bytes for one image."""

    step: Instruction
    kinds: str
    sizes: list[int]

    @property
    def root(self) -> int:
        """What it writes."""
        return self.step.operands[-1][0]


def block_instructions(
    instructions: Sequence[Instruction], specs: Mapping[int, Any], kept: set[int]
) -> list[Instruction]:
    """The instructions with chains of them joined; a joined one stands in the last one's place.

    Args:
        instructions: In order.
        specs: Shape and dtype of the root values.
        kept: Roots that are read after the last instruction.
    """
    if not any(_name(step) in _LAST for step in instructions):
        return list(instructions)
    return _Blocking(instructions, specs, kept).result()


class _Blocking:
    def __init__(
        self, instructions: Sequence[Instruction], specs: Mapping[int, Any], kept: set[int]
    ) -> None:
        self.instructions, self.specs, self.kept = instructions, specs, kept
        self.readers: dict[int, list[int]] = {}
        self.writer: dict[int, int] = {}
        for i, step in enumerate(instructions):
            for root in dict.fromkeys(root for root, _ in step.operands[: reads(step)]):
                self.readers.setdefault(root, []).append(i)
            if _name(step) in _EARLIER:
                self.writer[self._made(i)] = i

    def result(self) -> list[Instruction]:
        """See `block_instructions`."""
        lasts = [i for i, step in enumerate(self.instructions) if _name(step) in _LAST]
        while True:
            chains = {i: self._chain(i) for i in lasts}
            joined = {i: self._join(chains[i]) for i in lasts if len(chains[i]) > 1}
            left = [i for i, step in joined.items() if step is None]
            made = {self._made(k) for i in left for k in chains[i][:-1]}
            failed = {root for root in made if self._private(root)}
            if not failed:
                break
            for root in failed:  # one that is not joined to all its readers is to none
                del self.writer[root]
        gone = {k for i, step in joined.items() if step is not None for k in chains[i][:-1]}
        steps = [joined.get(i) or step for i, step in enumerate(self.instructions)]
        return [step for i, step in enumerate(steps) if i not in gone]

    def _made(self, i: int) -> int:
        return self.instructions[i].operands[-1][0]

    def _chain(self, at: int, end: int | None = None) -> list[int]:
        """The instructions that can run with the one at `at` in the place `end`, in order."""
        found: list[int] = []
        end = at if end is None else end
        step = self.instructions[at]
        for root in dict.fromkeys(root for root, _ in step.operands[: reads(step)]):
            i = self.writer.get(root)
            if i is None:
                continue
            # What is written must not be read before the chain's place.
            if self._private(root) or all(r == at or r > end for r in self.readers[root]):
                found += [k for k in self._chain(i, end) if k not in found]
        return [*found, at]

    def _private(self, root: int) -> bool:
        """Whether all that read it can be given it block by block."""
        if root in self.kept or root not in self.writer:
            return False
        readers = self.readers.get(root, [])
        step = self.instructions[self.writer[root]]
        cheap = _name(step) == "conv" and self._products(step) <= _CHEAP
        return len(readers) == 1 or (cheap and all(map(self._ends, readers)))

    def _ends(self, i: int) -> bool:
        """Whether the instruction is the last of a chain, or read by nothing but such a one."""
        if _name(self.instructions[i]) in _LAST:
            return True
        root = self._made(i)
        readers = self.readers.get(root, [])
        return (
            root in self.writer and root not in self.kept and len(readers) == 1
            and _name(self.instructions[readers[0]]) in _LAST
        )  # fmt: skip

    def _products(self, step: Instruction) -> int:
        """Multiplications for one result of a convolution."""
        return math.prod(step.params[7:23:6]) * step.params[1] // step.params[3]

    def _join(self, chain: Sequence[int]) -> Instruction | None:
        """One instruction for all of a chain, or None if that would not pay."""
        stages = [_stage(self.instructions[i]) for i in chain]
        images = stages[0].step.params[0]
        made = {stage.root: stage.sizes[-1] for stage in stages[:-1]}
        if not all(images == s.step.params[0] and _agrees(s, made) for s in stages):
            return None
        sizes: dict[tuple[int, int], int] = {}
        for stage in stages:
            sizes.update(zip(stage.step.operands, stage.sizes, strict=True))
        last = stages[-1]
        summed = self.specs[last.root].nbytes if last.kinds[-1] == "k" else 0
        scratch = max((s.step.scratch for s in stages[:-1]), default=0)
        moved = sum(sizes.values())
        if images * min(made.values()) < _LEAST_BYTES or moved > _BLOCK_BYTES:
            return None
        each = _BLOCK_BYTES // moved
        blocks = -(-images // each)
        if blocks < _LEAST_BLOCKS or max(summed, scratch) > _SMALL_BYTES:
            return None
        own: dict[int, int] = {}  # where in a block's memory
        bytes_ = 0
        for root, size in made.items():
            if self._private(root):
                own[root] = bytes_
                bytes_ += -(-each * size // 64) * 64
        inputs = {o: None for s in stages for o in s.step.operands[:-1] if o[0] not in made}
        outputs = [(s.root, 0) for s in stages if s.root not in own]
        operands = [*inputs, *outputs]
        params = [images, each, bytes_, scratch, summed, _item(last.step)]
        params += [len(stages), len(operands) - 1]
        for stage in stages:
            numbers = list(stage.step.params)
            if stage.kinds[-1] == "k":
                numbers[_PARTS] = 1
            params += [_native.address(stage.step.kernel), len(stage.kinds), len(numbers)]
            for operand, kind, size in zip(
                stage.step.operands, stage.kinds, stage.sizes, strict=True
            ):
                if kind == "k":
                    params += [_PARTIAL, 0]
                elif operand[0] in own:
                    params += [_OWN, own[operand[0]]]
                else:
                    params += [operands.index(operand), size]
            params += numbers
        text = "; ".join(f"{s.step.kernel}, {s.step.note}" for s in stages)
        return Instruction(
            "blocked", tuple(operands), len(outputs), tuple(params), blocks * (scratch + summed),
            f"{each} images at a time: {text}", last.step.location,
        )  # fmt: skip


def _name(step: Instruction) -> str:
    name, _, suffix = step.kernel.rpartition("_")
    return name if suffix in ("f32", "f64") else ""


def _item(step: Instruction) -> int:
    """Bytes of a number."""
    return 4 if step.kernel.endswith("f32") else 8


def _stage(step: Instruction) -> _Stage:
    kinds = next(s for s in _OPERANDS[_name(step)] if len(s) == len(step.operands))
    channels, filters, axes = step.params[1], step.params[2], step.params[5:23]
    item = _item(step)
    size = {
        "x": item * channels * math.prod(axes[0::6]),
        "y": item * filters * math.prod(axes[1::6]),
    }
    return _Stage(step, kinds, [size.get(kind, 0) for kind in kinds])


def _agrees(stage: _Stage, made: Mapping[int, int]) -> bool:
    """Whether what other stages make is what this one takes for images, whole ones."""
    return all(
        root not in made or (size == made[root] and offset == 0 and kind in "xy")
        for (root, offset), kind, size in zip(
            stage.step.operands, stage.kinds, stage.sizes, strict=True
        )
    )
