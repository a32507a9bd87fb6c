"""Control flow: loops and branches whose bodies are programs, run within one instruction."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ....ir import Graph, Node
from ....passes.memory import ALIGNMENT, round_up
from ..lowering import Builder

__all__ = ["emit_control", "graphs_of"]


def graphs_of(node: Node) -> list[Graph]:
    """The bodies of a control node, in the order of its attributes."""
    found: list[Graph] = []
    for value in node.attrs.values():
        if isinstance(value, Graph):
            found.append(value)
        elif isinstance(value, tuple):  # of branches
            found += [part for part in value if isinstance(part, Graph)]
    return found


def emit_control(node: Node, b: Builder, bodies: Sequence[Any]) -> bool:
    """Emit a control node as one instruction.

    Args:
        node: The node.
        b: What instructions are written to.
        bodies: The native programs of `graphs_of(node)`.

    Returns:
        False if a body runs Python: then so does the loop.
    """
    emit = _EMIT.get(node.op.name)
    if emit is None or any(step.node is not None for p in bodies for step in p.instructions):
        return False
    emit(node, b, bodies)
    return True


def _bytes(b: Builder, values: Sequence[int], skip: int = 0) -> list[int]:
    """Bytes of each value, or of its slices along the first axes."""
    specs = [b.spec(v) for v in values]
    return [math.prod(s.shape[skip:]) * s.dtype.itemsize for s in specs]


def _scan(node: Node, b: Builder, bodies: Sequence[Any]) -> None:
    (body,) = bodies
    carries, sequences = node.attrs["carries"], node.attrs["sequences"]
    length, reverse = node.attrs["length"], node.attrs["reverse"]
    arena, sizes = body.plan.size, _bytes(b, node.outputs[:carries])
    b.emit(
        "scan", inputs=node.inputs, outputs=node.outputs,
        params=[
            body.address, arena, length, int(reverse), carries, sequences,
            len(node.inputs) - carries - sequences, len(node.outputs) - carries, *sizes,
            *_bytes(b, node.inputs[carries : carries + sequences], 1),
            *_bytes(b, node.outputs[carries:], 1),
        ],
        scratch=round_up(arena) + sum(map(round_up, sizes)),
        note=f"{length} steps", may_fail=True, bodies=bodies,
    )  # fmt: skip


def _while(node: Node, b: Builder, bodies: Sequence[Any]) -> None:
    test, body = bodies
    carries, tests = node.attrs["carries"], node.attrs["tests"]
    sizes = _bytes(b, node.outputs)
    arenas = [test.plan.size, body.plan.size]
    b.emit(
        "while", inputs=node.inputs, outputs=node.outputs,
        params=[
            test.address, arenas[0], body.address, arenas[1], carries, tests,
            len(node.inputs) - carries - tests, *sizes,
        ],
        scratch=sum(map(round_up, arenas)) + ALIGNMENT + sum(map(round_up, sizes)),
        note="as long as the test holds", may_fail=True, bodies=bodies,
    )  # fmt: skip


def _switch(node: Node, b: Builder, bodies: Sequence[Any]) -> None:
    b.emit(
        "switch", inputs=node.inputs, outputs=node.outputs,
        params=[
            len(bodies), len(node.inputs) - 1, len(node.outputs), *(p.address for p in bodies)
        ],
        scratch=max(p.plan.size for p in bodies), note=f"{len(bodies)} branches",
        may_fail=any(step.may_fail for p in bodies for step in p.instructions), bodies=bodies,
    )  # fmt: skip


_EMIT: dict[str, Callable[[Node, Builder, Sequence[Any]], None]] = {
    "scan": _scan,
    "while": _while,
    "switch": _switch,
}
