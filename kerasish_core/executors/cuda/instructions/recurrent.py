"""Recurrent layers: one launch for each step, with the product by the recurrent kernel in it.

Where that product is large a library makes it, one launch more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ....ir import Node
from ....passes.layout import Layout, dense_strides
from ...native.instructions.rnn import KINDS
from ...native.lowering import Strided
from ..builder import CudaBuilder, lowers

__all__ = ["RECURRENT"]

_ROWS, _UNITS = 8, 16  # of a block, as in `text/recurrent.cuh`
# Multiplications of a step from which on a library makes the product.
_LARGE = 1 << 26
_NUMBERS = ", ".join(f"int64_t n{i}" for i in range(5))


class _Kind(NamedTuple):
    """An op's inputs and outputs by the names of its kernel's parameters.

    Attributes:
        gates: How many columns of the recurrent kernel a unit has.
        read: Inputs that are always there.
        cotangents: Of a backward op: inputs that may be there.
        written: Outputs.
    """

    gates: int
    read: tuple[str, ...]
    cotangents: tuple[str, ...]
    written: tuple[str, ...]


_KINDS = {
    "simple_rnn": _Kind(1, ("z", "kernel", "h0"), (), ("states", "last")),
    "lstm": _Kind(
        4, ("z", "kernel", "h0", "c0"), (), ("states", "last", "last_cell", "cells", "gates")
    ),
    "gru": _Kind(3, ("z", "kernel", "bias", "h0"), (), ("states", "last", "gates")),
    "simple_rnn_grad": _Kind(1, ("kernel", "states"), ("from", "dh"), ("dz", "dh")),
    "lstm_grad": _Kind(
        4, ("kernel", "c0", "cells", "gates"), ("from", "dh", "dc"), ("dz", "dh", "dc")
    ),
    "gru_grad": _Kind(3, ("kernel", "h0", "states", "gates"), ("from", "dh"), ("dz", "db", "dh")),
}
RECURRENT = tuple(_KINDS)


class _Steps:
    """The launches of one op."""

    def __init__(self, node: Node, b: CudaBuilder) -> None:
        self.b, self.node, attrs = b, node, node.attrs
        self.kind = kind = _KINDS[node.op.name]
        self.backward = bool(kind.cotangents)
        given = iter([b.dense(v) for v in node.inputs])
        self.values = {name: next(given) for name in kind.read}
        self.masked = attrs["masked"]
        if self.masked:
            self.values["mask"] = next(given)
        self.given = {
            name: next(given)
            for name, there in zip(kind.cotangents, attrs.get("given", ()))
            if there
        }
        self.written = dict(zip(kind.written, node.outputs, strict=True))
        self.batch, self.time = b.spec(node.outputs[0]).shape[:2]
        self.units = b.spec(self.values["kernel"]).shape[0]
        self.reverse = attrs["reverse"] != self.backward
        self.type = b.kind(node.outputs[0])
        self.large = self.batch * self.units**2 * kind.gates >= _LARGE

    def emit(self) -> None:
        """All steps; backward, one more."""
        # Sums that go on from step to step begin with what is given.
        running = [n for n in self.kind.written if n in ("dh", "dc")]
        for name in running:
            self._start(self.written[name], self.given.get(name))
        fresh = [n for n in self.kind.written if n not in running]
        known = [*running]
        for step in range(self.time + self.backward):
            self._launch(step, known, [n for n in fresh if n not in known])
            known = [*running, *fresh]

    def _start(self, target: int, given: int | None) -> None:
        if given is None:
            self.b.fill(target, 0)
            return
        shape = self.b.spec(target).shape
        strides = dense_strides(shape)
        self.b.copy_part(given, target, shape, strides, strides, 0, 0, "the last state's cotangent")

    def _launch(self, step: int, known: Sequence[str], new: Sequence[str]) -> None:
        b, values = self.b, dict(self.values)
        if "from" in self.given:
            values["from"] = self.given["from"]
        if self.large and (step or not self.backward):
            values["product"] = self._product(step)
        order = [*self.kind.read, "mask", *(["from"] if self.backward else []), "product"]
        names = [n for n in order if n in values]
        pointers = [f"const {'truth' if n == 'mask' else self.type}* {n}" for n in names]
        pointers += [f"{self.type}* {n}" for n in (*known, *new)]
        absent = f"static_cast<const {self.type}*>(nullptr)"
        call = [n if n in values else "nullptr" if n == "mask" else absent for n in order]
        attrs = self.node.attrs
        kinds = [KINDS[attrs[a]] for a in ("activation", "recurrent_activation") if a in attrs]
        flags = ", ".join([*map(str, kinds), str(self.masked).lower()])
        name = self.node.op.name
        b.launch(
            f"{name}_{self.type}", f"{', '.join(pointers)}, {_NUMBERS}",
            f"  const Sequence s = {{n0, n1, n2, n3, n4}};\n"
            f"  {name}_step<{flags}>({', '.join([*call, *known, *new])}, s);",
            [Strided(values[n]) for n in names] + [Strided(self.written[n]) for n in known],
            [self.written[n] for n in new],
            [self.batch, self.time, self.units, int(self.reverse), step],
            -(-self.batch // _ROWS) * -(-self.units // _UNITS), f"step {step}",
        )  # fmt: skip

    def _product(self, step: int) -> int:
        """The state before, or the cotangents after, times the recurrent kernel."""
        b, units, wide = self.b, self.units, self.kind.gates * self.units
        before = self.time - step if self.reverse else step - 1
        columns, inner = (units, wide) if self.backward else (wide, units)
        if self.backward or step:
            whole = self.written[
                "db" if "db" in self.written else "dz" if self.backward else "states"
            ]
            left = self._row_of(whole, before * inner, inner)
            row = self.time * inner
        else:
            left, row = self.values["h0"], inner
        of_kernel = (1, wide) if self.backward else (wide, 1)
        made = b.temp((self.batch, columns), b.spec(whole if self.backward or step else left).dtype)
        b.emit(
            b.products[b.spec(made).dtype.name], [Strided(left), Strided(self.values["kernel"])],
            [made], [self.batch, columns, inner, 0, row, 1, *of_kernel, columns, 0, 0],
            note=f"product {self.batch}x{inner}x{columns}",
        )  # fmt: skip
        return made

    def _row_of(self, whole: int, offset: int, size: int) -> int:
        """The values of one moment, as a view."""
        view = self.b.temp((self.batch, size), self.b.spec(whole).dtype)
        self.b.layouts[view] = Layout(whole, offset, (self.time * size, 1))
        return view


@lowers(*RECURRENT)
def recurrence(node: Node, b: CudaBuilder) -> bool:
    specs: list[Any] = [b.spec(v) for v in (*node.inputs, *node.outputs)]
    floats = {s.dtype.name for s in specs} - {"bool"}
    if floats not in ({"float32"}, {"float64"}) or any(0 in s.shape for s in specs):
        return False
    _Steps(node, b).emit()
    return True
