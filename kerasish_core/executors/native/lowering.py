"""From ops to native instructions: the table of lowerings and the builder they write to."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...ir import Graph, Node
from ...op import Spec
from ...passes.layout import Layout, dense_strides, is_dense
from .epilogue import Epilogue

__all__ = [
    "LOWERINGS",
    "Builder",
    "Instruction",
    "Layout",
    "Strided",
    "lowers",
]

LOWERINGS: dict[str, Callable[[Node, Builder], bool]] = {}

# Kernels that can end a step with an error (`fail_index` in kernel.h), unless their parameter
# _FORGIVING is set.
_MAY_FAIL = frozenset({"gather", "index_add", "index_max", "index_set"})
_FORGIVING = 2


def lowers(*names: str) -> Callable[[Callable[[Node, Builder], bool]], Any]:
    """Decorator: the function emits the instructions of the ops `names`, or returns False."""

    def register(function: Callable[[Node, Builder], bool]) -> Any:
        for name in names:
            LOWERINGS[name] = function
        return function

    return register


class Strided(NamedTuple):
    """An operand that the kernel reads through its layout: its address is the first element's."""

    value: int


class Instruction(NamedTuple):
    """One kernel call.

    Attributes:
        kernel: Its name.
        operands: Root value and byte offset of each operand, inputs first.
        writes: How many of the operands, the last ones, are written.
        params: Integers for the kernel; real numbers by their bits.
        scratch: Bytes that it needs.
        note: What `explain("kernels")` says of it.
        location: The user's line.
        in_place: Pairs of an input's and an output's place that may be the same memory.
        node: For a generic kernel, which runs in Python: its node; `kernel` is empty.
        may_fail: Whether it can end the step with an error. What is written before such an
            instruction goes to memory of its own, so that variables keep the values of whole steps.
        bodies: The programs of a control flow's bodies.
    """

    kernel: str
    operands: tuple[tuple[int, int], ...]
    writes: int
    params: tuple[int, ...]
    scratch: int
    note: str
    location: str
    in_place: tuple[tuple[int, int], ...] = ()
    node: Node | None = None
    may_fail: bool = False
    bodies: tuple[Any, ...] = ()


class Builder:
    """What lowerings write instructions to.

    Args:
        graph: The graph being lowered.

    Attributes:
        products: The kernels of matrix products by dtype.
    """

    products: ClassVar[dict[str, str]] = {"float32": "gemm_f32", "float64": "gemm_f64"}

    def __init__(self, graph: Graph) -> None:
        self.specs: dict[int, Spec] = dict(graph.specs)
        self.layouts: dict[int, Layout] = {}
        self.instructions: list[Instruction] = []
        self.location = ""
        self.epilogue: Epilogue | None = None
        self.absorbed: set[int] = set()
        self._next = max(self.specs, default=-1) + 1
        self._copies: dict[int, int] = {}

    def spec(self, value: int) -> Spec:
        """Shape and dtype of a value."""
        return self.specs[value]

    def layout(self, value: int) -> Layout:
        """Where the value lies; a value of its own is dense."""
        found = self.layouts.get(value)
        if found is None:
            found = Layout(value, 0, dense_strides(self.specs[value].shape))
        return found

    def is_dense(self, value: int) -> bool:
        """Whether the elements follow each other in C order without gaps."""
        return is_dense(self.specs[value].shape, self.layout(value).strides)

    def temp(self, shape: Sequence[int], dtype: Any) -> int:
        """A value of the program's own, in the arena."""
        value = self._next
        self._next += 1
        self.specs[value] = Spec(tuple(shape), np.dtype(dtype))
        return value

    def strided(self, value: int) -> Strided:
        """The value as an operand that is read through its layout."""
        return Strided(value)

    def dense(self, value: int) -> int:
        """The value, or a dense copy of it."""
        if self.is_dense(value):
            return value
        if value not in self._copies:
            self._copies[value] = self.copy(value, "copy: a kernel needs it dense")
        return self._copies[value]

    def copy(self, value: int, note: str) -> int:
        """A dense copy of the value."""
        spec, layout = self.specs[value], self.layout(value)
        copy = self.temp(*spec)
        self.emit(
            "strided_copy", inputs=[Strided(value)], outputs=[copy],
            params=[spec.dtype.itemsize, len(spec.shape), *spec.shape, *layout.strides],
            note=note,
        )  # fmt: skip
        return copy

    def take_epilogue(self) -> Epilogue | None:
        """What the product being lowered may do to its result, if its kernel can.

        A lowering that takes it writes `output` instead of the node's own.
        """
        taken, self.epilogue = self.epilogue, None
        if taken is not None:
            self.absorbed |= taken.nodes
        return taken

    def alias(self, value: int, other: int) -> None:
        """Let `value` be another name of `other`."""
        self.layouts[value] = self.layout(other)

    def host(self, node: Node, note: str, bodies: Sequence[Any] = ()) -> None:
        """Append a node that runs its generic kernel between native instructions.

        Args:
            node: The node.
            note: For `explain`.
            bodies: The programs of its bodies, for `explain`.
        """
        operands = [(self.layout(v).root, 0) for v in node.inputs]
        operands += [(v, 0) for v in node.outputs]
        self.instructions.append(
            Instruction(
                "", tuple(operands), len(node.outputs), (), 0, note, self.location, (), node,
                may_fail=True, bodies=tuple(bodies),
            )
        )  # fmt: skip

    def emit(
        self,
        kernel: str,
        inputs: Sequence[int | Strided],
        outputs: Sequence[int],
        params: Sequence[int | float] = (),
        scratch: int = 0,
        note: str = "",
        in_place: Sequence[tuple[int, int]] = (),
        may_fail: bool | None = None,
        bodies: Sequence[Any] = (),
    ) -> None:
        """Append a kernel call.

        Args:
            kernel: Its name in the native table.
            inputs: Values, made dense first unless given as `strided(v)`.
            outputs: Values that it writes, dense.
            params: Integers, and floats, which are passed by their bits.
            scratch: Bytes of scratch memory.
            note: For `explain`.
            in_place: Pairs (input, output) by place that may be the same memory if the input is
                not needed afterwards: the kernel reads an element before it writes it.
            may_fail: Whether it can end the step with an error; None asks the table of kernels.
            bodies: The programs that are its bodies.
        """
        operands = []
        for v in inputs:
            value = v.value if isinstance(v, Strided) else self.dense(v)
            layout = self.layout(value)
            operands.append((layout.root, layout.offset * self.specs[value].dtype.itemsize))
        for value in outputs:
            operands.append((value, 0))
        if may_fail is None:
            may_fail = kernel in _MAY_FAIL and not params[_FORGIVING]
        self.instructions.append(
            Instruction(
                kernel, tuple(operands), len(outputs), tuple(_bits(p) for p in params), scratch,
                note, self.location, tuple(in_place), None, may_fail, tuple(bodies),
            )
        )  # fmt: skip


def _bits(param: int | float) -> int:
    if isinstance(param, float):
        bits: int = struct.unpack("<q", struct.pack("<d", param))[0]
        return bits
    return int(param)
