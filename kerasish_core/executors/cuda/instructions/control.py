"""Loops of a known number of steps: every step's launches, one after another in the graph.

The body is lowered once. A step's launches are those of the body with other addresses: slices are
read and written where they lie, and carries go from one buffer to another and back, or are read
from the stack that has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ....codegen.cuda.fused import grid_of
from ....codegen.cuda.source import Kernel
from ....ir import Graph, Node
from ....passes.memory import ALIGNMENT
from ..builder import CudaBuilder

__all__ = ["Loop", "emit_scan"]

# A kernel, its blocks and arguments.
Copy = tuple[Kernel, int, tuple[int, ...]]
# More launches than this are too many for one graph.
_MOST_LAUNCHES = 1 << 15


class _Buffer(NamedTuple):
    """What holds a slice that is not aligned: its place, and the kernel that copies its items."""

    operand: int
    kernel: Kernel
    items: int


class _Slices(NamedTuple):
    """Slices along the first axis of one operand.

    Attributes:
        operand: Its place among the loop's operands.
        size: Bytes of a slice.
        buffer: By which slices go, if they are not aligned.
    """

    operand: int
    size: int
    buffer: _Buffer | None

    def at(self, t: int, addresses: Sequence[int], copies: list[Copy], read: bool) -> int:
        """Where the body finds or puts a slice; appends the copy that this needs, if any."""
        lies = addresses[self.operand] + t * self.size
        if self.buffer is None:
            return lies
        operand, kernel, items = self.buffer
        held = addresses[operand]
        ends = (lies, held) if read else (held, lies)
        copies.append((kernel, grid_of(items), (*ends, items)))
        return held


class _Follower(NamedTuple):
    """A carry that the next step finds in a stack: the stack's place, and what copies the last."""

    stack: int
    kernel: Kernel
    items: int


class Loop(NamedTuple):
    """A loop as an instruction. Places are those of its operands.

    Attributes:
        length: How many steps.
        reverse: Whether they go from the last slice to the first.
        start: The carries before the first step.
        end: The carries after the last step.
        other: The buffers by which carries go every other step.
        rows: What is read slice by slice.
        fixed: What all steps read.
        stacks: What is written slice by slice.
        following: Carries that the next step finds in a stack.
        memory: The arena of the body.
    """

    length: int
    reverse: bool
    start: range
    end: range
    other: range
    rows: tuple[_Slices, ...]
    fixed: range
    stacks: tuple[_Slices, ...]
    following: dict[int, _Follower]
    memory: int

    def steps(
        self, addresses: Sequence[int]
    ) -> Iterator[tuple[list[Copy], list[int], list[int], list[Copy]]]:
        """For each step: copies, where the body's inputs and outputs lie, copies after it."""
        state = [addresses[i] for i in self.start]
        for done in range(self.length):
            t = self.length - 1 - done if self.reverse else done
            before: list[Copy] = []
            after: list[Copy] = []
            inputs = [row.at(t, addresses, before, True) for row in self.rows]
            outputs = [stack.at(t, addresses, after, False) for stack in self.stacks]
            # The last step writes the result.
            target = self.end if (self.length - 1 - done) % 2 == 0 else self.other
            made = [addresses[i] for i in target]
            now, state = state, list(made)
            for carry, (stack, kernel, items) in self.following.items():
                state[carry] = outputs[stack]
                if done == self.length - 1:
                    after.append((kernel, grid_of(items), (state[carry], made[carry], items)))
            made = [place for i, place in enumerate(made) if i not in self.following]
            fixed = [addresses[i] for i in self.fixed]
            yield before, [*now, *inputs, *fixed], [*made, *outputs], after


def emit_scan(node: Node, b: CudaBuilder, program_of: Callable[[Graph], Any]) -> str:
    """Emit a loop as launches; else return why it runs from the host.

    Args:
        node: The node.
        b: What instructions are written to.
        program_of: Makes the program of a body.
    """
    if node.op.name != "scan":
        return "only the device knows how it goes on"
    following = _following(node)
    graph = node.attrs["body"]
    kept = (v for i, v in enumerate(graph.outputs) if i not in following)
    body = program_of(graph._replace(outputs=tuple(kept)))
    outside = [step.node.op.name for step in body.instructions if step.node is not None]
    if outside:
        return f"its body has {outside[0]}, which has no kernel"
    length, carries = node.attrs["length"], node.attrs["carries"]
    sequences = node.attrs["sequences"]
    launches = length * _launches(body)
    if not 0 < launches <= _MOST_LAUNCHES:
        return f"{launches} launches in {length} steps are too many for a graph"
    inputs = [_aligned(b, v) for v in node.inputs]
    given, made = len(node.inputs), len(node.outputs)
    temps: list[int] = []

    def temp(size: int) -> int:
        temps.append(b.temp((max(size, 1),), "uint8"))
        return given + made + len(temps) - 1

    def slices(values: Sequence[int], first: int) -> tuple[_Slices, ...]:
        found = []
        for i, v in enumerate(values):
            shape, dtype = b.spec(v)
            size = math.prod(shape[1:]) * dtype.itemsize
            aligned = size % ALIGNMENT == 0 or length == 1
            through = None if aligned else _Buffer(temp(size), *b.copying(size))
            found.append(_Slices(first + i, size, through))
        return tuple(found)

    sizes = [b.spec(v).nbytes for v in node.outputs[:carries]]
    memory = temp(body.plan.size)
    places = [temp(size) for size in sizes]
    loop = Loop(
        length, node.attrs["reverse"], range(carries), range(given, given + carries),
        range(places[0], places[0] + carries) if carries else range(0),
        slices(node.inputs[carries : carries + sequences], carries),
        range(carries + sequences, given),
        slices(node.outputs[carries:], given + carries),
        {i: _Follower(stack, *b.copying(sizes[i])) for i, stack in following.items()}, memory,
    )  # fmt: skip
    b.source.kernels.update(body.builder.source.kernels)
    b.emit(
        "scan", inputs, [*node.outputs, *temps], bodies=[body],
        note=f"{length} steps of {launches // length} launches",
    )  # fmt: skip
    b.loops[len(b.instructions) - 1] = loop
    return ""


def _following(node: Node) -> dict[int, int]:
    """Carries that are stacked too, so that the next step may read the stack."""
    carries, graph = node.attrs["carries"], node.attrs["body"]
    stacks: dict[int, int] = {}
    for place, v in enumerate(graph.outputs[carries:]):
        size = graph.specs[v].nbytes
        if size and size % ALIGNMENT == 0 and v not in graph.inputs and v not in graph.constants:
            stacks.setdefault(v, place)
    ends = enumerate(graph.outputs[:carries])
    return {i: stacks[v] for i, v in ends if v in stacks}


def _aligned(b: CudaBuilder, value: int) -> int:
    """The value, or a copy of a part that begins anywhere: bodies expect aligned inputs."""
    value = b.dense(value)
    offset = b.layout(value).offset * b.spec(value).dtype.itemsize
    return b.copy(value, "copy: a loop needs it aligned") if offset % ALIGNMENT else value


def _launches(program: Any) -> int:
    """How many launches a program's instructions are."""
    count = 0
    for i, step in enumerate(program.instructions):
        loop = program.builder.loops.get(i)
        count += 1 if loop is None else loop.length * _launches(step.bodies[0])
    return count
