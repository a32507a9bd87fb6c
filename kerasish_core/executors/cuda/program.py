"""A graph as launches over one static arena, captured as CUDA graphs and replayed.

Addresses never change: inputs are copied into buffers, variables have a home each, results are
copied out. Nodes without a kernel run generically between two graphs.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...codegen.cuda.source import Kernel
from ...collective import communicator
from ...control.body import Prepared
from ...ir import Graph, Node
from ...op import Spec
from ...passes import optimize
from ...passes.axes import split_axes
from ...passes.fuse import Group, group_nodes
from ...passes.pointwise import pointwise_products
from ...passes.recast import repeat_casts
from ...passes.widen import widen_halves
from ..native.arrangement import Arrangement, used_outside
from ..native.epilogue import find_epilogues
from ..native.instructions.control import graphs_of
from ..native.lowering import Instruction
from ..reference.gpu import run_kernel
from . import instructions
from .builder import LOWERINGS, CudaBuilder
from .epoch import Epoch, Taking
from .expand import expand
from .homes import change_alone, copies_of, home_of
from .instructions.control import Loop, emit_scan
from .instructions.fused import Pending, chain_of, emit_group, role_of
from .instructions.recurrent import RECURRENT
from .instructions.rows import reads_halves
from .protocol import Backend

__all__ = ["CudaProgram"]

assert instructions  # importing it fills LOWERINGS


def _computes(node: Node, specs: Mapping[int, Spec]) -> bool:
    """Whether half types may stay as they are: recurrences keep their states in float32."""
    return node.op.name not in RECURRENT or all(
        specs[v].dtype.itemsize >= 4 or specs[v].dtype.kind == "b"
        for v in (*node.inputs, *node.outputs)
    )


def _prepared(value: Any, bodies: Iterator[CudaProgram]) -> Any:
    """An attribute of a control node, its graphs as the programs that were made of them."""
    if isinstance(value, Graph):
        body = next(bodies)
        return Prepared(lambda arrays: body.run(arrays, []), value.output_specs)
    if isinstance(value, tuple):
        return tuple(_prepared(part, bodies) for part in value)
    return value


class _Places(NamedTuple):
    """Where a program's values lie: addresses of external ones by root value, and the arena's."""

    slots: dict[int, int]
    arena: int


class _Launch(NamedTuple):
    kernel: Kernel | None
    blocks: int
    arguments: tuple[int | float, ...]
    library: Callable[[], None] | None  # a call instead


class CudaProgram(Arrangement):
    """A graph made ready to run on a GPU.

    Args:
        graph: The graph; its last inputs are variables, its last outputs their new values.
        variables: How many variables a run is given. The graph's last inputs are the first of
            them.
        read: How many of them the graph reads.
        updates: For each update its variable's place.
        backend: The device.
    """

    builder: CudaBuilder

    def __init__(
        self, graph: Graph, variables: int, read: int, updates: Sequence[int], backend: Backend
    ) -> None:
        graph, self._reasons = expand(graph, backend.tensor_cores)
        graph = split_axes(pointwise_products(widen_halves(graph, _computes)))
        graph = self.graph = repeat_casts(
            graph, lambda node: role_of(node, graph.specs) is not None,
            lambda node: reads_halves(node, graph.specs),
        )  # fmt: skip
        self.inputs, self.variables = len(graph.inputs) - read, variables
        self.update_places = tuple(updates)
        self._backend = backend
        self._lock = threading.RLock()
        self.units = group_nodes(graph, lambda node: role_of(node, graph.specs))
        self.builder = b = CudaBuilder(graph, backend.tensor_cores)
        self._lower(b)
        self._taking = [Taking.of(b.spec(v), b.source) for v in graph.inputs[: self.inputs]]
        self._epoch: Epoch | None = None
        self._results_of = self._results()
        self._slots = self._bind(self._results_of)
        self.plan = self._plan()
        self.instructions = tuple(b.instructions)
        self._module: Any = None
        self._ready = False
        self._kept: list[Any] | None = None
        self._segments: list[Callable[[], None]] = []
        self._graphs: list[int] = []
        self._runs = 0
        self._bound: list[Any] = []
        self._libraries: set[int] = set()

    # -- launches
    def _lower(self, b: CudaBuilder) -> None:
        graph = self.graph
        outside = used_outside(graph, self.units)
        epilogues = find_epilogues(graph, self.units)
        split = len(graph.outputs) - len(self.update_places)
        pending = Pending(b, set(graph.outputs[split:]))
        for unit in self.units:
            nodes = unit.nodes if isinstance(unit, Group) else (unit,)
            b.location = nodes[-1].location
            end = None if isinstance(unit, Group) else epilogues.get(unit.outputs[0])
            read = [v for node in nodes for v in node.inputs]
            if pending.needs(read if end is None else [*read, end.bias]):
                pending.flush()
            b.location = nodes[-1].location
            if isinstance(unit, Group):
                left = tuple(n for n in unit.nodes if n.outputs[0] not in b.absorbed)
                if left:
                    chain = chain_of(unit._replace(nodes=left), b, outside)
                    if not pending.take(chain):
                        emit_group(chain, b)
                continue
            b.epilogue = end
            self._lower_node(unit, b)
        pending.flush()

    def _body(self, graph: Graph) -> CudaProgram:
        """The program of a loop's or branch's body."""
        return CudaProgram(optimize(graph), 0, 0, (), self._backend)

    def _lower_node(self, node: Node, b: CudaBuilder) -> None:
        if node.op.kind == "view" and 0 not in b.spec(node.outputs[0]).shape and self._view(node):
            return
        if node.op.kind == "control":
            reason = emit_scan(node, b, self._body)
            if reason:
                bodies = [self._body(graph) for graph in graphs_of(node)]
                b.host(node, f"generic: outside the graph, {reason}", bodies)
            return
        lowering = LOWERINGS.get(node.op.name)
        if lowering is None:
            b.host(node, "generic: outside the graph, no kernel")
            return
        try:
            served = lowering(node, b)
        except ValueError as error:
            b.host(node, f"generic: outside the graph, {error}")
            return
        if not served:
            b.host(node, "generic: outside the graph, no kernel for these operands")

    # -- addresses
    def _bind_memory(self, homes: Sequence[Any]) -> None:
        """Allocate everything once; afterwards no address changes."""
        backend, b, graph = self._backend, self.builder, self.graph
        xp = backend.xp
        self._arena = xp.empty(max(self.plan.size, 64), "uint8")
        arrays: dict[int, Any] = {}
        for i, v in enumerate(graph.inputs[: self.inputs]):
            arrays[i] = xp.empty(b.spec(v).shape, b.spec(v).dtype)
        for i, home in enumerate(homes):
            arrays[self.inputs + i] = home
        base = self.inputs + self.variables
        arrays.update(enumerate(self._constants(), base))
        base += len(graph.constants)
        split = len(self._results_of) - len(self.update_places)
        for i in range(len(self._results_of)):
            if i < split:
                spec = b.spec(graph.outputs[i])
                arrays[base + i] = xp.empty(spec.shape, spec.dtype)
            else:
                arrays[base + i] = homes[self.update_places[i - split]]
        self._arrays = arrays
        self._outputs = [arrays[base + i] for i in range(split)]
        address = backend.address
        slots = {root: address(arrays[slot]) for root, slot in self._slots.items()}
        self._make_segments(_Places(slots, address(self._arena)))

    def _constants(self) -> list[Any]:
        found = []
        for v, value in self.graph.constants.items():
            found.append(self._backend.xp.empty(*self.builder.spec(v)))
            self._backend.put(found[-1], value)
        return found

    def _address(self, operand: tuple[int, int], at: _Places) -> int:
        root, offset = operand
        start = at.slots.get(root)
        return (at.arena + self.plan.offsets[root] if start is None else start) + offset

    def _view_of(self, value: int) -> Any:
        """The value as an array over its memory."""
        b, layout = self.builder, self.builder.layout(value)
        root, spec = b.spec(layout.root), b.spec(value)
        if 0 in spec.shape:
            return self._backend.xp.empty(spec.shape, spec.dtype)
        slot = self._slots.get(layout.root)
        if slot is not None:
            base = self._arrays[slot].reshape(-1)
        else:
            offset = self.plan.offsets[layout.root]
            base = self._arena[offset : offset + root.nbytes].view(root.dtype)
        strides = tuple(s * spec.dtype.itemsize for s in layout.strides)
        return self._backend.xp.lib.stride_tricks.as_strided(
            base[layout.offset :], spec.shape, strides
        )

    def _make_segments(self, at: _Places) -> None:
        backend, b = self._backend, self.builder
        self._module = backend.compile(b.source)
        launches: list[_Launch] = []
        self._segments, self._graphs = [], []
        for i, step in enumerate(self.instructions):
            if step.node is not None:
                self._close(launches)
                launches = []
                self._segments.append(self._host(step.node, step.bodies))
            else:
                launches += self._launches(i, at)
        self._close(launches)

    def _launches(self, i: int, at: _Places) -> list[_Launch]:
        """What the instruction of that place launches."""
        step = self.instructions[i]
        loop = self.builder.loops.get(i)
        if loop is None:
            return [self._launch(i, step, at)]
        addresses = [self._address(operand, at) for operand in step.operands]
        body: CudaProgram = step.bodies[0]
        return body.steps_of(loop, addresses)

    def steps_of(self, loop: Loop, addresses: Sequence[int]) -> list[_Launch]:
        """All launches of a loop whose body this is, one step after another.

        Args:
            loop: The loop.
            addresses: Of the loop's operands.
        """
        if self._kept is None:
            self._kept = self._constants()
        constants = [self._backend.address(a) for a in self._kept]
        found: list[_Launch] = []
        for before, inputs, outputs, after in loop.steps(addresses):
            places = [*inputs, *constants, *outputs]
            slots = {root: places[slot] for root, slot in self._slots.items()}
            at = _Places(slots, addresses[loop.memory])
            found += [_Launch(*copy, None) for copy in before]
            for i in range(len(self.instructions)):
                found += self._launches(i, at)
            found += [_Launch(*copy, None) for copy in after]
        return found

    def _launch(self, i: int, step: Instruction, at: _Places) -> _Launch:
        backend, b = self._backend, self.builder
        kernel = b.source.kernels.get(step.kernel)
        addresses = tuple(self._address(operand, at) for operand in step.operands)
        if kernel is None:
            return self._library_call(i, step, addresses)
        blocks, *params = step.params
        numbers = tuple(
            float(np.int64(p).view(np.float64)) if kind == "d" else p
            for p, kind in zip(params, kernel.numbers)
        )
        given: tuple[int | float, ...] = (*addresses, *numbers)
        if i in b.many:
            given = self._table(b.many[i].items, addresses)
        library = None
        if i in b.library:
            library = backend.library(*b.library[i], addresses)
            if library is not None:
                self._libraries.add(i)
        return _Launch(kernel, blocks, given, library)

    def _library_call(self, i: int, step: Instruction, addresses: tuple[int, ...]) -> _Launch:
        """What no kernel of ours does."""
        call = self._backend.library(*self.builder.library[i], addresses)
        if call is None:
            raise RuntimeError(f"{self._text(step)}: the library that did this is not there.")
        self._libraries.add(i)
        return _Launch(None, 0, (), call)

    def _table(self, items: Any, addresses: tuple[int, ...]) -> tuple[int, int]:
        rows = [
            [first, count, *(addresses[place] for place in places)]
            for first, count, places in items
        ]
        host = np.array(rows, "int64")
        table = self._backend.xp.empty(host.shape, "int64")
        self._backend.put(table, host)
        self._bound.append(table)
        return self._backend.address(table), len(rows)

    def _close(self, launches: list[_Launch]) -> None:
        if not launches:
            return
        backend, module = self._backend, self._module
        todo = list(launches)

        def run() -> None:
            for step in todo:
                if step.library is not None:
                    step.library()
                elif step.kernel is not None:
                    backend.launch(module, step.kernel, step.blocks, step.arguments)

        self._graphs.append(len(self._segments))
        self._segments.append(run)

    def _host(self, node: Node, bodies: Sequence[CudaProgram]) -> Callable[[], None]:
        """A call that runs the node's generic kernel on views of its operands' memory."""
        op, attrs, location = node.op, dict(node.attrs), node.location
        if bodies:
            ready = iter(bodies)
            attrs = {k: _prepared(v, ready) for k, v in attrs.items()}
        sources = [self._view_of(v) for v in node.inputs]
        targets = [self._view_of(v) for v in node.outputs]

        def run() -> None:
            try:
                found = run_kernel(op, sources, attrs)
            except Exception as error:
                if location:
                    error.add_note(f"in {op.name}, from {location}")
                raise
            for target, array in zip(targets, found if op.multiple else (found,), strict=True):
                target[...] = array

        return run

    # -- running
    def run(
        self, inputs: Sequence[Any], variables: Sequence[Any], replica: int | None = None
    ) -> list[Any]:
        """The results; variables have their new values afterwards.

        The first run launches kernel by kernel, which loads them and the libraries; the second one
        captures what later ones replay.

        Args:
            inputs: Arrays.
            variables: As many as the program was made for.
            replica: Of a step that runs on several GPUs at once, the number of this part: the
                first writes to the variables, the others to copies of them. The caller has called
                `prepare`.
        """
        with self._lock, self._backend.active():
            if replica is None:
                self.prepare(variables)
            self._load(inputs)
            self._step()
            return [y.copy() for y in self._outputs]

    def run_rows(
        self, arrays: Sequence[Any], rows: Any, batch: int, variables: Sequence[Any],
        seconds: float, watched: int = -1, replica: int | None = None, most: int | None = None,
    ) -> tuple[int, list[Any]]:  # fmt: skip
        """Run on one batch of rows after another.

        Args:
            arrays: For each input the array of which it is a part. Calls with the same list, until
                all rows are done, may see the arrays as they were at the first one; all calls with
                the same `Unchanging` list do.
            rows: int64[steps * batch], the rows of each step.
            batch: Rows of a step.
            variables: As of `run`.
            seconds: No step begins later than this.
            watched: The place of a scalar result: no step begins after it was NaN or infinite.
            replica: As of `run`.
            most: So many steps at most; as many as there are by default.

        Returns:
            How many steps were done, and the results of the last.
        """
        end = time.monotonic() + seconds
        with self._lock, self._backend.active():
            if replica is None:
                self.prepare(variables)
            done, epoch = 0, self._epoch_of(arrays)
            start = 0
            if epoch is not None:
                numbers = self._backend.xp.empty(len(rows), "int64")
                self._backend.put(numbers, rows)
                start = self._backend.address(numbers)
            for first in range(0, len(rows), batch):
                if epoch is None:
                    part = rows[first : first + batch]
                    self._load([a[part] for a in arrays])
                else:
                    epoch.take(start + 8 * first, self._module, self._backend)
                self._step()
                self._backend.pace()
                done += 1
                if done == most or time.monotonic() >= end:
                    break
                if watched >= 0 and self._lost(watched, replica):
                    break
            if epoch is not None and not epoch.lasts and done * batch >= len(rows):
                self._epoch = None
            return done, [y.copy() for y in self._outputs]

    def _lost(self, watched: int, replica: int | None) -> bool:
        """Whether a result is NaN or infinite; of several replicas all give the same answer."""
        lost = not math.isfinite(float(self._outputs[watched]))
        return lost if replica is None else any(communicator().all_gather(lost))

    def _epoch_of(self, arrays: Sequence[Any]) -> Epoch | None:
        """The arrays on the device for as long as the caller comes with the same list."""
        if self._epoch is not None and self._epoch.is_of(arrays):
            return self._epoch
        self._epoch = None
        if isinstance(arrays, list) and len(arrays) == self.inputs and None not in self._taking:
            targets = [self._arrays[i] for i in range(self.inputs)]
            how = [t for t in self._taking if t is not None]
            self._epoch = Epoch.of(arrays, targets, how, self._backend)
        return self._epoch

    def _load(self, inputs: Sequence[Any]) -> None:
        for i, array in enumerate(inputs):
            self._backend.load(self._arrays[i], array)

    def prepare(self, variables: Sequence[Any], replica: int | None = None) -> None:
        """Have all memory, and the present values of the variables in it; arguments of `run`."""
        with self._lock, self._backend.active():
            if replica:
                homes = copies_of(variables, self._backend)
            else:
                homes = [home_of(v, self._backend) for v in variables]
                if replica is None:
                    change_alone(variables[i] for i in self.update_places)
            if not self._ready:
                self._bind_memory(homes)
                self._ready = True

    def _step(self) -> None:
        if self._runs == 1 and self._backend.captures:
            for i in self._graphs:
                self._segments[i] = self._backend.capture(self._segments[i])
        for segment in self._segments:
            segment()
        self._runs += 1

    def _text(self, step: Instruction) -> str:
        text = super()._text(step)
        place = self.instructions.index(step)
        return text + ("  (by a library)" if place in self._libraries else "")

    def explain_kernels(self) -> str:
        """One line per launch; what runs outside the graphs, or in more than one, says so.

        The launches of a loop's or a branch's body are indented under it.
        """
        lines = [*self._reasons]
        for step in self.instructions:
            lines.append(self._text(step))
            for body in step.bodies:
                lines += [f"  {line}" for line in body.explain_kernels().splitlines()]
        return "\n".join(lines)
