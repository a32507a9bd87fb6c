"""A graph as a native program: units, instructions, memory plan, one object that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

import numpy as np

from ...control.body import Prepared
from ...ir import Graph, Node
from ...op import Spec
from ...passes import optimize
from ...passes.axes import split_axes
from ...passes.fuse import Group, group_nodes
from ...passes.widen import widen_halves
from ..reference.quiet import quietly
from . import _native, instructions
from .arrangement import Arrangement, reads, used_outside
from .blocking import block_instructions
from .epilogue import find_epilogues
from .instructions.control import emit_control, graphs_of
from .instructions.fused import emit_group, role_of
from .lowering import LOWERINGS, Builder, Instruction

__all__ = ["NativeProgram"]

assert instructions  # importing it fills LOWERINGS


class NativeProgram(Arrangement):
    """A graph made ready to run by one native call. Immutable: threads can share it.

    Args:
        graph: The graph; its last inputs are variables, its last outputs their new values.
        variables: How many variables a run is given. The graph's last inputs are the first of
            them.
        read: How many of them the graph reads.
        updates: For each update its variable's place.
    """

    def __init__(
        self, graph: Graph, variables: int = 0, read: int = 0, updates: Sequence[int] = ()
    ) -> None:
        graph = self.graph = split_axes(widen_halves(graph, _serves))
        self.inputs, self.variables = len(graph.inputs) - read, variables
        self.update_places = tuple(updates)
        self.units = group_nodes(graph, lambda node: role_of(node, graph.specs))
        self.builder = b = Builder(graph)
        self._lower()
        kept = {b.layout(v).root for v in graph.outputs}
        b.instructions = block_instructions(b.instructions, b.specs, kept)
        results = self._results()
        self._slots = self._bind(results)
        self.plan = self._plan()
        self._program = _native.Program(*self._arguments(results))
        self.run, self.run_rows = self._program.run, self._program.run_rows
        self.instructions = tuple(b.instructions)

    @property
    def generic(self) -> int:
        """How many nodes run their generic kernels, in bodies of control flow too."""
        own = sum(s.node is not None and not s.bodies for s in self.instructions)
        return own + sum(body.generic for s in self.instructions for body in s.bodies)

    @property
    def address(self) -> int:
        """Of the native object, for instructions whose body this is."""
        return self._program.address()

    # -- instructions
    def _lower(self) -> None:
        b = self.builder
        outside = used_outside(self.graph, self.units)
        epilogues = find_epilogues(self.graph, self.units)
        for unit in self.units:
            if isinstance(unit, Group):
                b.location = unit.nodes[-1].location
                left = tuple(n for n in unit.nodes if n.outputs[0] not in b.absorbed)
                if left:
                    emit_group(unit._replace(nodes=left), b, outside)
                continue
            b.epilogue = epilogues.get(unit.outputs[0])
            b.location = unit.location
            if unit.op.kind == "view" and self._view(unit):
                continue
            if unit.op.kind == "control":
                self._control(unit)
                continue
            lowering = LOWERINGS.get(unit.op.name)
            if lowering is None:
                b.host(unit, "generic: no native kernel")
            elif not lowering(unit, b):
                b.host(unit, "generic: the native kernel does not take these operands")

    def _control(self, node: Node) -> None:
        bodies = [NativeProgram(optimize(graph)) for graph in graphs_of(node)]
        if not emit_control(node, self.builder, bodies):
            self.builder.host(node, "control flow, a body of which needs Python", bodies)

    # -- the native object
    def _arguments(self, results: list[int]) -> tuple[Any, ...]:
        b, graph, plan = self.builder, self.graph, self.plan
        slots = self._slots
        kernels: list[str] = []
        params: list[int] = []
        counts, operands, places, scratch = [], [], [], []
        segments: list[tuple[int, int, Any]] = []
        first = 0
        hosts: list[Any] = []
        for i, step in enumerate(b.instructions):
            if step.node is not None:
                hosts.append(self._host(step))
                continue
            if hosts:
                segments.append((first, len(kernels), _call_all(hosts)))
                first, hosts = len(kernels), []
            kernels.append(step.kernel)
            counts.append(len(step.operands))
            for root, offset in step.operands:
                slot = slots.get(root, -1)
                operands += [slot, offset + (plan.offsets[root] if slot < 0 else 0)]
            places.append(len(params))
            params += step.params
            scratch.append(plan.scratch[i])
        segments.append((first, len(kernels), _call_all(hosts) if hosts else None))
        split = len(results) - len(self.update_places)
        specs = [b.spec(v) for v in graph.outputs]
        early = _written_early(b.instructions)
        own = [step for step in b.instructions if step.node is None]
        return (
            kernels, counts, operands, params, places, scratch, max(plan.size, 64), self.inputs,
            self.variables, list(graph.constants.values()),
            [(s.shape, s.dtype) for s in specs[:split]],
            [
                (k, (s.shape, s.dtype), root in early)
                for k, s, root in zip(self.update_places, specs[split:], results[split:])
            ],
            segments, [s.nbytes for s in graph.input_specs],
            [_origin(s.kernel, s.location) for s in own],
            [body._program for s in own for body in s.bodies],
        )  # fmt: skip

    def _host(self, step: Instruction) -> Any:
        """A call `(arena, arrays)` that runs the node's generic kernel."""
        node = step.node
        assert node is not None
        b, slots, offsets = self.builder, self._slots, self.plan.offsets

        def place(v: int) -> tuple[int, int, Spec, Spec, Any]:
            layout = b.layout(v)
            root = layout.root
            return (slots.get(root, -1), offsets.get(root, 0), b.spec(root), b.spec(v), layout)

        sources = [place(v) for v in node.inputs]
        targets = [place(v) for v in node.outputs]
        op, attrs, origin = node.op, node.attrs, _origin(node.op.name, node.location)
        if step.bodies:
            programs = dict(zip(graphs_of(node), step.bodies, strict=True))
            attrs = {k: _prepared(v, programs) for k, v in attrs.items()}

        def view(arena: Any, arrays: Any, at: Any) -> Any:
            slot, offset, root, spec, layout = at
            base = arena.view(offset, root.shape, root.dtype) if slot < 0 else arrays[slot]
            flat = base.reshape(-1)
            if flat.size == 0:
                return np.empty(spec.shape, spec.dtype)
            item = spec.dtype.itemsize
            strides = [s * item for s in layout.strides]
            flat = flat[layout.offset :]
            if spec.dtype.isbuiltin == 1:
                return np.lib.stride_tricks.as_strided(flat, spec.shape, strides)
            # NumPy can't name the 8-bit floats of ml_dtypes: strides are set on plain bytes.
            plain = np.lib.stride_tricks.as_strided(flat.view(f"u{item}"), spec.shape, strides)
            return plain.view(spec.dtype)

        def call(arena: Any, arrays: Any) -> None:
            try:
                result = op.kernel(np, *[view(arena, arrays, s) for s in sources], **attrs)
            except Exception as error:
                if origin:
                    error.add_note(origin)
                raise
            for at, array in zip(targets, result if op.multiple else (result,), strict=True):
                view(arena, arrays, at)[...] = array

        return call

    def profile(
        self, inputs: list[Any], variables: list[Any], repeats: int = 5
    ) -> list[tuple[float, str]]:
        """Seconds and text of each native instruction, in order: the least over some runs.

        Every repeat is a run: it updates the variables.
        """
        seconds = self._program.profile(inputs, variables, repeats)
        own = [step for step in self.instructions if step.node is None]
        return [(t, self._text(step)) for t, step in zip(seconds, own, strict=True)]

    # -- text
    def explain_kernels(self) -> str:
        """One line per instruction: kernel, operands, why, the user's line."""
        lines = []
        for step in self.instructions:
            lines.append(self._text(step))
            for body in step.bodies:
                lines += [f"  {body.graph.name}:", indent(body.explain_kernels(), "    ")]
        return "\n".join(lines)


def _written_early(steps: Sequence[Instruction]) -> set[int]:
    """Root values that are written before the last instruction that can fail, or by it."""
    failing = [i for i, s in enumerate(steps) if s.may_fail]
    last = failing[-1] + 1 if failing else 0
    return {root for step in steps[:last] for root, _ in step.operands[reads(step) :]}


def _origin(name: str, location: str) -> str:
    """What a note on an error says."""
    return f"in {name}, from {location}" if location else ""


def _prepared(value: Any, programs: Mapping[Graph, NativeProgram]) -> Any:
    """An attribute of a control node, graphs as programs."""
    if isinstance(value, Graph):
        body = programs[value]
        return Prepared(lambda arrays: body.run(arrays, []), value.output_specs)
    return tuple([_prepared(v, programs) for v in value]) if isinstance(value, tuple) else value


def _serves(node: Node, specs: Mapping[int, Spec]) -> bool:
    """Whether a node gets a native kernel: tried with a builder of its own."""
    own = {v: specs[v] for v in (*node.inputs, *node.outputs)}
    graph = split_axes(Graph("one", node.inputs, {}, (node,), node.outputs, own))
    builder = Builder(graph)
    for part in graph.nodes:
        if role_of(part, graph.specs) is None:
            lowering = LOWERINGS.get(part.op.name)
            if lowering is None or not lowering(part, builder):
                return False
    return True


def _call_all(hosts: list[Any]) -> Any:
    calls = tuple(hosts)

    def run(arena: Any, arrays: Any) -> None:
        def each() -> None:
            for call in calls:
                call(arena, arrays)

        quietly(each)

    return run
