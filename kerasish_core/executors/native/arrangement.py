"""Where the instructions of a program find their operands: results, variables, one arena.

What every compiled executor shares. A subclass sets `graph`, `inputs`, `variables`,
`update_places`, `units` and `builder`, whose instructions it has emitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...ir import Graph, Node
from ...passes.fuse import Group
from ...passes.layout import is_dense, view_layout
from ...passes.memory import Plan, Step, plan_memory
from .lowering import Builder, Instruction

__all__ = ["Arrangement", "pairs", "reads", "used_outside"]

_OWN = "copy: a result has memory of its own"


class _Uses(NamedTuple):
    """By root value: the instruction that first writes it, the last that touches it.

    `results` are the roots that lie behind results.
    """

    first: dict[int, int]
    last: dict[int, int]
    results: set[int]


class Arrangement:
    """The part of a program that knows its instructions' operands."""

    graph: Graph
    inputs: int
    variables: int
    update_places: tuple[int, ...]
    units: list[Group | Node]
    builder: Builder
    plan: Plan
    _slots: dict[int, int]

    def _view(self, node: Node) -> bool:
        b, (v,) = self.builder, node.inputs
        if 0 in b.spec(node.outputs[0]).shape:
            b.emit("zero", [], node.outputs, [0], note="empty")
            return True
        found = view_layout(node, b.spec(v), b.layout(v))
        if found is None and not b.is_dense(v):
            found = view_layout(node, b.spec(v), b.layout(b.dense(v)))
        if found is not None:
            b.layouts[node.outputs[0]] = found
        return found is not None

    # -- results
    def _results(self) -> list[int]:
        """The root value behind each output, an own one each: copies are made where needed."""
        b, graph = self.builder, self.graph
        uses = self._uses()
        taken: set[int] = set()
        results: list[int] = []
        split = len(graph.outputs) - len(self.update_places)
        variables = set(graph.inputs[self.inputs :])
        late: list[tuple[int, int]] = []
        b.location = ""
        for place, v in enumerate(graph.outputs):
            layout, spec = b.layout(v), b.spec(v)
            root, update = layout.root, place >= split
            own = (
                root in uses.first and root not in taken and layout.offset == 0
                and spec.dtype == b.spec(root).dtype
                and math.prod(spec.shape) == math.prod(b.spec(root).shape)
                and is_dense(spec.shape, layout.strides)
            )  # fmt: skip
            if own and (
                not update or self._may_overwrite(root, self.update_places[place - split], uses)
            ):
                taken.add(root)
                results.append(root)
            elif update:
                # Overwritten last, after everything that reads an old value.
                late.append((place, b.copy(v, _OWN) if root in variables else v))
                results.append(-1)
            else:
                results.append(b.copy(v, _OWN))
        for place, v in late:
            results[place] = b.copy(v, _OWN)
        return results

    def _uses(self) -> _Uses:
        uses = _Uses({}, {}, {self.builder.layout(v).root for v in self.graph.outputs})
        for i, step in enumerate(self.builder.instructions):
            for root, _ in step.operands:
                uses.last[root] = i
            for root, _ in step.operands[reads(step) :]:
                uses.first.setdefault(root, i)
        return uses

    def _may_overwrite(self, root: int, place: int, uses: _Uses) -> bool:
        """Whether writing `root` where the variable lies spoils nothing that is read later."""
        if place >= len(self.graph.inputs) - self.inputs:
            return True
        old = self.graph.inputs[self.inputs + place]
        if old in uses.results:
            return False
        first, last = uses.first[root], uses.last.get(old, -1)
        if last != first:
            return last < first
        # One instruction reads the old value and writes the new one.
        steps = self.builder.instructions
        return (old, root) in pairs(steps[first], self.builder.specs)

    def _bind(self, results: list[int]) -> dict[int, int]:
        """Places of external arrays: inputs, variables, constants, results."""
        graph, slots = self.graph, {}
        for i, v in enumerate(graph.inputs):
            slots[v] = i
        base = self.inputs + self.variables
        for i, v in enumerate(graph.constants):
            slots[v] = base + i
        base += len(graph.constants)
        for i, v in enumerate(results):
            slots[v] = base + i
        return slots

    # -- memory
    def _plan(self) -> Plan:
        b, slots = self.builder, self._slots
        steps, sizes = [], {}
        for step in b.instructions:
            split = reads(step)
            inputs = tuple(r for r, _ in step.operands[:split])
            writes = tuple(r for r, _ in step.operands[split:])
            for v in (*inputs, *writes):
                if v not in slots:
                    sizes[v] = b.spec(v).nbytes
            steps.append(Step(inputs, writes, tuple(pairs(step, b.specs)), step.scratch))
        return plan_memory(steps, sizes)

    # -- text
    def explain_memory(self) -> str:
        """The arena: each value's offset, bytes and life in instructions."""
        plan, b = self.plan, self.builder
        lines = [f"arena: {plan.size} bytes, {len(plan.offsets)} values"]
        for v, offset in plan.offsets.items():
            lines.append(
                f"%{v}: {b.spec(v)} at {offset}, {b.spec(v).nbytes} bytes, "
                f"until instruction {plan.last_use[v]}"
            )
        return "\n".join(lines)

    def explain_fused(self) -> str:
        """The units in order: groups with their nodes."""
        lines = []
        for unit in self.units:
            if isinstance(unit, Group):
                shape = ",".join(map(str, unit.shape))
                lines.append(f"group [{shape}] {{")
                lines += [f"  {_node_text(n, self.graph.specs)}" for n in unit.nodes]
                lines.append("}")
            else:
                lines.append(_node_text(unit, self.graph.specs))
        return "\n".join(lines)

    def _text(self, step: Instruction) -> str:
        split = reads(step)
        parts = [self._show(root, offset) for root, offset in step.operands]
        name = step.kernel or f"[{step.node.op.name if step.node else ''}]"
        text = f"{name}({', '.join(parts[:split])}) -> {', '.join(parts[split:])}"
        if step.note:
            text += f"  # {step.note}"
        return text + (f"  @ {step.location}" if step.location else "")

    def _show(self, root: int, offset: int) -> str:
        return f"%{root}:{self.builder.spec(root)}" + (f"+{offset}" if offset else "")


def _node_text(node: Node, specs: Any) -> str:
    made = ", ".join(f"%{v}:{specs[v]}" for v in node.outputs)
    return f"{made} = {node.op.name}({', '.join(f'%{v}' for v in node.inputs)})"


def reads(step: Instruction) -> int:
    return len(step.operands) - step.writes


def pairs(step: Instruction, specs: Any) -> list[tuple[int, int]]:
    """The in-place pairs of a step, as root values, that hold for its operands as they lie."""
    split = reads(step)
    roots = [root for root, _ in step.operands]
    found = []
    for source, target in step.in_place:
        (root, offset), (out, _) = step.operands[source], step.operands[split + target]
        if roots.count(root) == 1 and offset == 0 and specs[root].nbytes == specs[out].nbytes:
            found.append((root, out))
    return found


def used_outside(graph: Graph, units: Sequence[Group | Node]) -> set[int]:
    """Values that something outside their group reads."""
    home: dict[int, int] = {}
    for i, unit in enumerate(units):
        for node in unit.nodes if isinstance(unit, Group) else (unit,):
            for v in node.outputs:
                home[v] = i
    used = set(graph.outputs)
    for i, unit in enumerate(units):
        for node in unit.nodes if isinstance(unit, Group) else (unit,):
            used.update(v for v in node.inputs if home.get(v) != i)
    return used
