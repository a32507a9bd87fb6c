"""Groups of elementwise ops with closing reductions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ....codegen.cuda.fused import (
    Chain,
    Load,
    emit_chain,
    emit_many,
    mergeable,
    operands,
    same_chain,
)
from ....codegen.cuda.scalar import CASTS, served
from ....ir import Node
from ....passes.axes import form_of
from ....passes.fuse import Group, Role
from ...native.lowering import Strided
from ..builder import CudaBuilder, Many

__all__ = ["Pending", "chain_of", "emit_group", "role_of"]

_REDUCTIONS = ("sum", "max", "min", "prod", "any", "all")
_ALIGNED = 16
_PER_BLOCK = 1024


def role_of(node: Node, specs: Any) -> Role | None:
    """What the node can do in a group."""
    op = node.op
    inputs, out = [specs[v] for v in node.inputs], specs[node.outputs[0]]
    if op.kind == "elementwise" and op.scalar is not None:
        names = [s.dtype.name for s in (*inputs, out)]
        if any(n not in CASTS for n in names) or 0 in out.shape:
            return None
        of = names[-2 if op.inputs[0] == "condition" else 0]
        return Role(out.shape) if op.name == "cast" or served(op, of) else None
    if op.name in _REDUCTIONS:
        (spec,) = inputs
        plain = spec.dtype.name in CASTS and spec.dtype == out.dtype and 0 not in spec.shape
        if not plain or (op.name in ("any", "all")) != (spec.dtype.kind == "b"):
            return None
        axes = node.attrs["axes"]
        return Role(spec.shape, axes) if form_of(spec.shape, axes) is not None else None
    return None


def _load(b: CudaBuilder, v: int, shape: tuple[int, ...]) -> Load:
    spec, layout = b.spec(v), b.layout(v)
    gap = len(shape) - len(spec.shape)
    dims: list[tuple[int, int]] = []
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        own = axis >= gap and spec.shape[axis - gap] != 1
        stride = layout.strides[axis - gap] if own else 0
        if dims and dims[-1][1] == stride * size:
            dims[-1] = (dims[-1][0] * size, stride)
        else:
            dims.append((size, stride))
    return Load(v, tuple(dims), layout.offset * spec.dtype.itemsize % _ALIGNED == 0)


def chain_of(group: Group, b: CudaBuilder, needed: set[int]) -> Chain:
    """The group as a kernel will compute it.

    Args:
        group: The group.
        b: The builder.
        needed: Values that something outside the group reads.
    """
    alias: dict[int, int] = {}
    nodes, reductions = [], []
    for node in group.nodes:
        if node.op.kind == "reduce":
            reductions.append(node)
        elif node.op.scalar == "x" and b.spec(node.inputs[0]).shape == group.shape:
            alias[node.outputs[0]] = alias.get(node.inputs[0], node.inputs[0])
        else:
            nodes.append(node)
    made = {n.outputs[0] for n in nodes}
    used = [alias.get(v, v) for n in (*nodes, *reductions) for v in n.inputs]
    loads = [_load(b, v, group.shape) for v in dict.fromkeys(used) if v not in made]
    kept = needed | {actual for v, actual in alias.items() if v in needed}
    outputs = tuple(n.outputs[0] for n in nodes if n.outputs[0] in kept)
    form = (math.prod(group.shape), 1, 1)
    if reductions:
        form = form_of(group.shape, reductions[0].attrs["axes"]) or form
    for v, actual in alias.items():
        if v in needed:
            b.alias(v, actual)
    return Chain(
        group.shape, tuple(nodes), tuple(reductions), form, tuple(loads), outputs, alias, b.specs
    )


def _note(chain: Chain) -> str:
    return " ".join(n.op.name for n in (*chain.nodes, *chain.reductions))


def emit_group(chain: Chain, b: CudaBuilder) -> None:
    """Emit a chain's one or two launches."""
    results = [n.outputs[0] for n in chain.reductions]
    if not chain.nodes and not results:
        return
    launches = emit_chain(b.source, chain)
    loads: list[int | Strided] = [Strided(v.value) for v in chain.loads]
    in_place = [
        (i, j)
        for i, load in enumerate(chain.loads)
        for j, v in enumerate(chain.outputs)
        if len(load.dims) <= 1 and b.count(load.value) == b.count(v)
        and b.spec(load.value).dtype.itemsize == b.spec(v).dtype.itemsize
    ]  # fmt: skip
    written = [*chain.outputs, *results]
    scratch = [b.temp((launches[0].scratch,), "uint8")] if len(launches) == 2 else []
    first, *second = launches
    b.emit(
        first.kernel, loads, [*written, *scratch], [first.blocks], note=_note(chain),
        in_place=[] if second else in_place,
    )  # fmt: skip
    for launch in second:
        given = [*loads, *(Strided(v) for v in (*written, *scratch))]
        b.emit(launch.kernel, given, [], [launch.blocks], note="the parts joined")


class Pending:
    """Chains of one kind that wait to be launched together, such as all variables' updates.

    Args:
        b: The builder.
        late: New values of variables: chains of such outputs may wait until they are read.
    """

    def __init__(self, b: CudaBuilder, late: set[int]) -> None:
        self._b, self._late = b, late
        self._waiting: list[list[tuple[Chain, str]]] = []
        self._values: set[int] = set()

    def take(self, chain: Chain) -> bool:
        """Whether the chain waits."""
        late = chain.outputs and all(v in self._late for v in chain.outputs)
        if not late or not mergeable(chain) or math.prod(chain.shape) >= 1 << 31:
            return False
        for alike in self._waiting:
            if same_chain(alike[0][0], chain):
                alike.append((chain, self._b.location))
                break
        else:
            self._waiting.append([(chain, self._b.location)])
        self._values.update(chain.outputs)
        return True

    def needs(self, values: Sequence[int]) -> bool:
        """Whether one of the values, or what it is a view of, is still to be made."""
        return any(self._b.layout(v).root in self._values for v in values)

    def flush(self) -> None:
        """Emit what waits."""
        for alike in self._waiting:
            self._b.location = alike[0][1]
            if len(alike) == 1:
                emit_group(alike[0][0], self._b)
            else:
                self._emit([chain for chain, _ in alike])
        self._waiting, self._values = [], set()

    def _emit(self, chains: list[Chain]) -> None:
        b = self._b
        kernel = emit_many(b.source, chains[0])
        loads: list[int | Strided] = []
        outputs: list[int] = []
        items, block = [], 0
        total = sum(len(c.loads) for c in chains)
        in_place = []
        for chain in chains:
            count = math.prod(chain.shape)
            own = len(chain.loads)
            places = range(len(loads), len(loads) + own)
            made = range(len(outputs), len(outputs) + len(chain.outputs))
            in_place += [
                (i, j) for i, load in zip(places, chain.loads) for j, v in zip(made, chain.outputs)
                if len(load.dims) <= 1 and b.count(load.value) == b.count(v)
                and b.spec(load.value).dtype.itemsize == b.spec(v).dtype.itemsize
            ]  # fmt: skip
            items.append((block, count, (*places, *(total + j for j in made))))
            assert len(operands(chain)) == own + len(chain.outputs)
            loads += [Strided(v.value) for v in chain.loads]
            outputs += chain.outputs
            block += -(-count // _PER_BLOCK)
        b.many[len(b.instructions)] = Many(tuple(items))
        note = f"{len(chains)} alike: {_note(chains[0])}"
        b.emit(kernel, loads, outputs, [block, len(chains)], note=note, in_place=in_place)
