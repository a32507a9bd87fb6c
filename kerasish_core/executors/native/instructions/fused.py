"""Groups of elementwise ops with closing reductions, as one `fused` instruction.

Its parameters, in order:

    count, tile, chunk               elements of the iteration space, of a tile, of a chunk
    registers, register_bytes
    inputs, ops, outputs, reductions how many of each
    form, outer, red, inner          0 none, 1 trailing (inner is 1), 2 leading
    partial_row                      accumulators of one reduction in one chunk
    per input: mode, item size, register, period, and for mode 4: rank, shape, strides
    per output: item size
    per reduction: op, dtype, source
    per op: tile function, sources, each source, target, attributes, each attribute

A place is index * 4 + (0 register, 1 dense input, 2 output).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ....codegen import chains
from ....codegen.tiles import INDEX, attributes
from ....ir import Node
from ....op import Spec
from ....passes.axes import form_of
from ....passes.fuse import Group, Role
from ....passes.layout import Layout, dense_strides
from ..lowering import Builder, Strided, lowers

__all__ = ["emit_group", "role_of", "tile_key"]

_SCALAR, _PERIODIC, _ROWS, _GENERAL, _DENSE = 1, 2, 3, 4, 0
_REDUCTIONS = {"sum": 0, "max": 1, "min": 2, "prod": 3, "any": 4, "all": 5}
_DTYPES = {"float32": 0, "float64": 1, "int32": 2, "int64": 3, "bool": 4}
# Registers of one tile stay in half of a small first-level cache.
_CACHE = 24 * 1024
_LONGEST_TILE = 4096
# A chunk takes a thread some 20 microseconds at least.
_CHUNK_WORK = 1 << 18


def tile_key(node: Node, specs: Sequence[Spec]) -> str:
    """The name of the node's tile function in the generated table."""
    name = node.op.name
    if name == "cast":
        return f"cast:{specs[0].dtype.name}:{node_dtype(node)}"
    return f"{name}:{specs[-1 if name == 'where' else 0].dtype.name}"


def node_dtype(node: Node) -> str:
    """The dtype that a cast casts to."""
    return np.dtype(node.attrs["dtype"]).name


def role_of(node: Node, specs: Any) -> Role | None:
    """What the node can do in a group."""
    inputs = [specs[v] for v in node.inputs]
    op = node.op
    if op.kind == "elementwise" and op.scalar is not None and len(inputs) <= 4:
        if tile_key(node, inputs) not in INDEX or len(specs[node.outputs[0]].shape) > 12:
            return None
        return Role(specs[node.outputs[0]].shape)
    if op.kind == "reduce" and op.name in _REDUCTIONS:
        return _role_of_reduction(node, inputs[0], specs[node.outputs[0]])
    return None


def _role_of_reduction(node: Node, spec: Spec, result: Spec) -> Role | None:
    dtype = spec.dtype.name
    if dtype not in _DTYPES or result.dtype != spec.dtype or 0 in spec.shape or not spec.shape:
        return None
    if (node.op.name in ("any", "all")) != (dtype == "bool"):
        return None
    if set(node.attrs) - {"axis", "axes", "keepdims"} or math.prod(spec.shape) == math.prod(
        result.shape
    ):
        return None
    axes = _axes(node, len(spec.shape))
    if form_of(spec.shape, axes) is None:
        return None
    return Role(spec.shape, axes)


@lowers(*_REDUCTIONS)
def _reduce_nothing(node: Node, b: Builder) -> bool:
    """A reduction over axes of one element is another name of its input."""
    v, out = node.inputs[0], node.outputs[0]
    spec, result = b.spec(v), b.spec(out)
    if spec.dtype != result.dtype or math.prod(spec.shape) != math.prod(result.shape):
        return False
    if 0 in spec.shape or set(node.attrs) - {"axis", "axes", "keepdims"}:
        return False
    dense = b.layout(b.dense(v))
    b.layouts[out] = Layout(dense.root, dense.offset, dense_strides(result.shape))
    return True


def _axes(node: Node, rank: int) -> tuple[int, ...]:
    axis = node.attrs.get("axis", node.attrs.get("axes"))
    if axis is None:
        return tuple(range(rank))
    return tuple(sorted(a % rank for a in ((axis,) if isinstance(axis, int) else axis)))


class _Input(NamedTuple):
    mode: int
    item: int
    period: int
    general: tuple[int, ...]


def _classify(shape: tuple[int, ...], spec: Spec, strides: tuple[int, ...]) -> _Input:
    """How a broadcast operand is loaded along the flat iteration space."""
    item = spec.dtype.itemsize
    gap = len(shape) - len(spec.shape)
    dims: list[tuple[int, int]] = []  # size and stride, neighbours merged
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        stride = 0
        if axis >= gap and spec.shape[axis - gap] != 1:
            stride = strides[axis - gap]
        if dims and dims[-1][1] == stride * size:
            dims[-1] = (dims[-1][0] * size, stride)
        else:
            dims.append((size, stride))
    if not dims:
        return _Input(_DENSE, item, 1, ())
    if all(stride == 0 for _, stride in dims):
        return _Input(_SCALAR, item, 1, ())
    if len(dims) == 1 and dims[0][1] == 1:
        return _Input(_DENSE, item, 1, ())
    if len(dims) == 2 and dims[0][1] == 0 and dims[1][1] == 1:
        return _Input(_PERIODIC, item, dims[1][0], ())
    if len(dims) == 2 and dims[0][1] == 1 and dims[1][1] == 0:
        return _Input(_ROWS, item, dims[1][0], ())
    general = (len(dims), *(size for size, _ in dims), *(stride for _, stride in dims))
    return _Input(_GENERAL, item, 1, general)


class _Registers:
    """Buffers of one tile; those of temporaries are used again."""

    def __init__(self) -> None:
        self.count = 0
        self._free: list[int] = []

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self.count += 1
        return self.count - 1

    def give(self, register: int) -> None:
        self._free.append(register)


class _Op(NamedTuple):
    """One call of a tile function."""

    tile: int
    inputs: tuple[int, ...]
    output: int
    numbers: tuple[float, ...] = ()


class _Chain:
    """A group on its way to an instruction."""

    def __init__(self, group: Group, b: Builder, needed: set[int]) -> None:
        self.b, self.shape = b, group.shape
        self.alias: dict[int, int] = {}
        self.nodes: list[Node] = []
        self.reductions: list[Node] = []
        for node in group.nodes:
            if node.op.kind == "reduce":
                self.reductions.append(node)
            elif node.op.scalar == "x" and b.spec(node.inputs[0]).shape == group.shape:
                self.alias[node.outputs[0]] = self._actual(node.inputs[0])
            else:
                self.nodes.append(node)
        made = [node.outputs[0] for node in self.nodes]
        kept = needed.union(actual for v, actual in self.alias.items() if v in needed)
        self.outputs = [v for v in made if v in kept]
        self.ops = self._joined()
        inside = set(made)
        used = [v for op in self.ops for v in op.inputs]
        used += [self._actual(node.inputs[0]) for node in self.reductions]
        # What leaves the group under another name.
        self.names = [v for v, actual in self.alias.items() if v in needed]
        self.inputs = list(dict.fromkeys(v for v in used if v not in inside))

    def _actual(self, v: int) -> int:
        return self.alias.get(v, v)

    def _joined(self) -> list[_Op]:
        """The nodes as calls of tile functions: of short chains where what is between them is
        needed nowhere else."""
        uses: dict[int, int] = dict.fromkeys(self.outputs, 2)
        for node in (*self.nodes, *self.reductions):
            for v in node.inputs:
                uses[self._actual(v)] = uses.get(self._actual(v), 0) + 1
        nodes = [n._replace(inputs=tuple(map(self._actual, n.inputs))) for n in self.nodes]
        specs = self.b.specs
        plain = {n.outputs[0]: n for n in nodes if self._is_plain(n)}
        within = {v: n for v, n in plain.items() if uses.get(v, 0) == 1}
        found: list[_Op] = []
        taken: set[int] = set()
        for node in reversed(nodes):
            out = node.outputs[0]
            if out in taken:
                continue
            joined = self._chain_to(node, within) if out in plain else None
            if joined is not None:
                op, inner = joined
                taken |= inner
                found.append(op)
                continue
            values = [node.attrs[name] for name in attributes(node.op)]
            numbers = tuple(float(v) for v in values if isinstance(v, int | float))
            key = tile_key(node, [specs[v] for v in node.inputs])
            found.append(_Op(INDEX[key], node.inputs, out, numbers))
        return found[::-1]

    def _is_plain(self, node: Node) -> bool:
        dtypes = {self.b.spec(v).dtype.name for v in (*node.inputs, *node.outputs)}
        return len(dtypes) == 1 and dtypes.issubset(chains.DTYPES)

    def _chain_to(self, node: Node, within: dict[int, Node]) -> tuple[_Op, set[int]] | None:
        """The longest chain that ends with a node, and the values within it."""
        dtype = self.b.spec(node.outputs[0]).dtype.name
        for name, tree in chains.CHAINS.items():
            found = chains.match(tree, node, within)
            if found is not None:
                inputs = tuple(v for _, v in sorted(found.items()))
                op = _Op(INDEX[f"{name}:{dtype}"], inputs, node.outputs[0])
                return op, _between(node, set(inputs), within)
        return None

    def emit(self) -> None:
        b = self.b
        for v in self.names:
            b.alias(v, self._actual(v))
        if not self.ops and not self.reductions:
            return
        loads = [
            _classify(self.shape, b.spec(v), b.layout(v).strides) for v in self.inputs
        ]  # fmt: skip
        places = self._assign(loads)
        sources, targets, registers = places
        tile, chunk, form, partial_row, item = self._sizes(loads, registers)
        count = math.prod(self.shape)
        chunks = -(-count // chunk)
        words: list[int | float] = [count, tile, chunk, registers, tile * item, len(self.inputs),
                                    len(self.ops), len(self.outputs), len(self.reductions),
                                    *form, partial_row]  # fmt: skip
        for v, load in zip(self.inputs, loads, strict=True):
            slot = 0 if load.mode == _DENSE else sources[v] >> 2
            words += [load.mode, load.item, slot, load.period, *load.general]
        words += [b.spec(v).dtype.itemsize for v in self.outputs]
        for node in self.reductions:
            v = self._actual(node.inputs[0])
            words += [
                _REDUCTIONS[node.op.name],
                _DTYPES[b.spec(v).dtype.name],
                targets.get(v, sources.get(v, 0)),
            ]
        for k, op in enumerate(self.ops):
            words += [op.tile, len(op.inputs), *self.op_sources[k]]
            words += [self.op_targets[k], len(op.numbers), *op.numbers]
        b.emit(
            "fused", [Strided(v) for v in self.inputs],
            [*self.outputs, *(node.outputs[0] for node in self.reductions)], words,
            scratch=chunks * len(self.reductions) * partial_row * 8,
            note=self._note(), in_place=self._in_place(loads),
        )  # fmt: skip

    def _assign(self, loads: list[_Input]) -> tuple[dict[int, int], dict[int, int], int]:
        """Places of inputs and of results, and how many registers there are."""
        registers = _Registers()
        sources: dict[int, int] = {}
        for i, (v, load) in enumerate(zip(self.inputs, loads, strict=True)):
            sources[v] = i * 4 + 1 if load.mode == _DENSE else registers.take() * 4
        last: dict[int, int] = {}
        for k, op in enumerate(self.ops):
            last.update(dict.fromkeys(op.inputs, k))
        for node in self.reductions:
            last[self._actual(node.inputs[0])] = len(self.ops)
        targets: dict[int, int] = {}
        self.op_sources: list[list[int]] = []
        self.op_targets: list[int] = []
        for k, (_, used, out, _) in enumerate(self.ops):
            self.op_sources.append([targets[v] if v in targets else sources[v] for v in used])
            over = [
                v for v in dict.fromkeys(used)
                if v in targets and targets[v] & 3 == 0 and last[v] == k
            ]  # fmt: skip
            # Only operands of the same size may be overwritten by the op that reads them last.
            item = self.b.spec(out).dtype.itemsize
            late = [v for v in over if self.b.spec(v).dtype.itemsize != item]
            for v in over:
                if v not in late:
                    registers.give(targets[v] >> 2)
            if out in self.outputs:
                targets[out] = self.outputs.index(out) * 4 + 2
            else:
                targets[out] = registers.take() * 4
                if out not in last:
                    registers.give(targets[out] >> 2)
            for v in late:
                registers.give(targets[v] >> 2)
            self.op_targets.append(targets[out])
        self.last = last
        return sources, targets, registers.count

    def _sizes(
        self, loads: list[_Input], registers: int
    ) -> tuple[int, int, tuple[int, int, int, int], int, int]:
        b, count = self.b, math.prod(self.shape)
        values = [*self.inputs, *(op.output for op in self.ops)]
        item = max(b.spec(v).dtype.itemsize for v in values)
        longest = min(_LONGEST_TILE, max(128, _CACHE // (item * max(registers, 1))))
        form = (0, 1, 1, 1)
        if self.reductions:
            axes = _axes(self.reductions[0], len(self.shape))
            outer, red, inner = form_of(self.shape, axes) or (1, 1, 1)
            form = (1 if inner == 1 else 2, outer, red, inner)
        # Suffix products divide each other: a tile is a multiple of the longest that it can hold.
        unit, step = 1, 1
        for size in reversed(self.shape):
            step *= size
            if step <= longest:
                unit = step
        tile = min(longest // unit * unit, max(count, 1))
        work = max(len(self.nodes) + 2 * len(self.reductions), 2)
        chunk = max(tile, _CHUNK_WORK // work // tile * tile)
        block = 1
        if form[0] == 1 and form[1] > 1:
            block = form[2]
        elif form[0] == 2:
            block = form[3] if form[1] == 1 else form[2] * form[3]
        step = math.lcm(tile, block)
        chunk = max(step, chunk // step * step)
        partial_row = form[3] if form[0] == 2 else 1
        return tile, chunk, form, partial_row, item

    def _in_place(self, loads: list[_Input]) -> list[tuple[int, int]]:
        """Dense inputs whose last reader is the op that writes an output, or an earlier one."""
        made = {op.output: k for k, op in enumerate(self.ops)}
        pairs = []
        for i, (v, load) in enumerate(zip(self.inputs, loads, strict=True)):
            if load.mode != _DENSE:
                continue
            for j, out in enumerate(self.outputs):
                same = self.b.spec(out).dtype.itemsize == load.item
                if same and self.last[v] <= made[out]:
                    pairs.append((i, j))
        return pairs

    def _note(self) -> str:
        names = [node.op.name for node in (*self.nodes, *self.reductions)]
        return " ".join(names)


def _between(node: Node, inputs: set[int], within: dict[int, Node]) -> set[int]:
    """The values that lead from a chain's operands to its last node."""
    found: set[int] = set()
    for v in node.inputs:
        if v not in inputs and v in within:
            found |= {v} | _between(within[v], inputs, within)
    return found


def emit_group(group: Group, b: Builder, needed: set[int]) -> None:
    """Emit a group.

    Args:
        group: The group.
        b: The builder.
        needed: Values that something outside the group reads.
    """
    if 0 in group.shape:
        for node in group.nodes:
            b.emit("zero", [], [node.outputs[0]], [0], note="empty")
        return
    _Chain(group, b, needed).emit()
