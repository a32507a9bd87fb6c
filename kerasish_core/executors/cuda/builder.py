"""What lowerings write kernel launches to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ... import config
from ...codegen.cuda.fused import grid_of
from ...codegen.cuda.source import Kernel, Source, dtype_name
from ...ir import Graph, Node
from ...passes.layout import dense_strides
from ..native.lowering import Builder, Strided

__all__ = [
    "ITEMS", "LOWERINGS", "CudaBuilder", "Many", "item_of", "item_type", "lowers", "merged",
]  # fmt: skip

LOWERINGS: dict[str, Callable[[Node, CudaBuilder], bool]] = {}

# The C++ types by which elements are copied, by their bytes.
ITEMS = {1: "uint8_t", 2: "uint16_t", 4: "uint32_t", 8: "uint64_t", 16: "Pair64"}
MOST_AXES = 8
_WIDE = 16  # bytes that a thread moves at once
_BATCHES = 3
_MOST_BLOCKS = (1 << 31) - 1


def lowers(*names: str) -> Callable[[Callable[[Node, CudaBuilder], bool]], Any]:
    """Decorator: the function emits the launches of the ops `names`, or returns False."""

    def register(function: Callable[[Node, CudaBuilder], bool]) -> Any:
        for name in names:
            LOWERINGS[name] = function
        return function

    return register


def item_of(size: int) -> tuple[int, str]:
    """The largest item, by its bytes and C++ type, that so many bytes are whole numbers of."""
    item = max(n for n in ITEMS if size % n == 0)
    return item, ITEMS[item]


def item_type(dtype: np.dtype[Any]) -> str:
    """The C++ type by which elements are copied."""
    return ITEMS[dtype.itemsize]


class Many(NamedTuple):
    """A launch whose kernel reads its operands' addresses from a table.

    Attributes:
        items: For each: first block, count, places of its operands.
    """

    items: tuple[tuple[int, int, tuple[int, ...]], ...]


def _in_wide_items(axes: Sequence[tuple[int, ...]], width: int, *places: int) -> bool:
    """Whether a copy may go by runs of so many elements, all where one can begin."""
    if width < 2 or not axes or axes[-1][1:] != (1, 1):
        return False
    numbers = [axes[-1][0], *(step for _, *steps in axes[:-1] for step in steps), *places]
    return not any(n % width for n in numbers)


def merged(shape: Sequence[int], *strides: Sequence[int]) -> list[tuple[int, ...]]:
    """Axes as (size, stride of each operand), of size 1 left out, joined where all walk on."""
    found: list[tuple[int, ...]] = []
    for size, *steps in zip(shape, *strides, strict=True):
        if size == 1:
            continue
        if found and all(a == b * size for a, b in zip(found[-1][1:], steps, strict=True)):
            found[-1] = (found[-1][0] * size, *steps)
        else:
            found.append((size, *steps))
    return found


class CudaBuilder(Builder):
    """A builder of launches. The first two parameters of an instruction are its blocks and numbers.

    Attributes:
        tensor_cores: Whether the device multiplies tiles of half types and copies in stages.
        constants: Arrays of the graph, by value.
        source: The kernels.
        many: Instructions that take a table, by place.
        library: What a library might do instead of an instruction, by place: its kind and facts.
        filled: Copies with an axis filled up, by value, axis and size.
        loops: Instructions that are the steps of a loop, by place.
    """

    def __init__(self, graph: Graph, tensor_cores: bool = True) -> None:
        super().__init__(graph)
        self.tensor_cores, self.constants = tensor_cores, graph.constants
        self.source = Source()
        self.many: dict[int, Many] = {}
        self.library: dict[int, tuple[str, dict[str, Any]]] = {}
        self.filled: dict[tuple[int, int, int], int] = {}
        self.loops: dict[int, Any] = {}

    products: ClassVar[dict[str, str]] = {
        name: f"product_{name}" for name in ("float16", "bfloat16", "float32", "float64")
    }

    def emit(
        self, kernel: str, inputs: Sequence[int | Strided], outputs: Sequence[int],
        params: Sequence[int | float] = (), scratch: int = 0, note: str = "",
        in_place: Sequence[tuple[int, int]] = (), may_fail: bool | None = False,
        bodies: Sequence[Any] = (),
    ) -> None:  # fmt: skip
        """As of `Builder`; what the lowerings of products call is turned into launches."""
        if kernel in self.products.values():
            self._product(inputs, outputs[0], [int(p) for p in params], note)
        elif kernel == "strided_copy":
            rank = int(params[1])
            shape, strides = params[2 : 2 + rank], params[2 + rank :]
            (v,), (out,) = inputs, outputs
            assert isinstance(v, Strided)
            self.copy_part(v.value, out, [int(n) for n in shape], [int(n) for n in strides],
                           dense_strides([int(n) for n in shape]), 0, 0, note)  # fmt: skip
        else:
            super().emit(kernel, inputs, outputs, params, scratch, note, in_place, may_fail, bodies)

    def _product(
        self, inputs: Sequence[int | Strided], out: int, params: list[int], note: str
    ) -> None:
        rows, columns, inner, flags, *rest = params
        (a_row, a_inner, b_inner, b_column, c_row, c_column), axes = rest[:6], rest[7:]
        batch = [axes[i : i + 4] for i in range(0, len(axes), 5)]
        if len(batch) > _BATCHES:
            raise ValueError(f"a product over {len(batch)} batch axes")
        kind, count = self.kind(out), math.prod(axis[0] for axis in batch)
        tiles = count * -(-rows // 64) * -(-columns // 64)
        if tiles == 0:
            return
        batch = [[1, 0, 0, 0]] * (_BATCHES - len(batch)) + batch
        numbers = [rows, columns, inner, a_row, a_inner, b_inner, b_column, c_row, c_column or 1,
                   *(axis[i] for i in range(4) for axis in batch)]  # fmt: skip
        names = [f"n{i}" for i in range(len(numbers))]
        bias, relu = bool(flags & 1), bool(flags & 2)
        groups = [", ".join(names[9 + 3 * i : 12 + 3 * i]) for i in range(4)]
        listed = ", ".join([*names[:9], *(f"{{{g}}}" for g in groups)])
        template = f"{kind}, {str(bias).lower()}, {str(relu).lower()}"
        self.library[len(self.instructions)] = (
            "product", {"numbers": numbers, "bias": bias, "relu": relu,
                        "dtype": self.spec(out).dtype.name, "tf32": config.tensor_float_32()},
        )  # fmt: skip
        added = f"const {kind}* bias, " if bias else ""
        self.launch(
            f"product_{kind}",
            f"const {kind}* a, const {kind}* b, {added}{kind}* c, "
            + ", ".join(f"int64_t {n}" for n in names),
            f"  const Product p = {{{listed}}};\n"
            f"  product<{template}>(a, b, {'bias' if bias else 'nullptr'}, c, p);",
            inputs, [out], numbers, tiles, note,
        )  # fmt: skip

    def kind(self, value: int) -> str:
        """The C++ type of a value's elements."""
        return dtype_name(self.spec(value).dtype.name)

    def count(self, value: int) -> int:
        """How many elements a value has."""
        return math.prod(self.spec(value).shape)

    def launch(
        self, stem: str, parameters: str, body: str, inputs: Sequence[int | Strided],
        outputs: Sequence[int], numbers: Sequence[int | float] = (), blocks: int = 1,
        note: str = "", in_place: Sequence[tuple[int, int]] = (), held: int = 1,
    ) -> None:  # fmt: skip
        """Append a launch.

        Args:
            stem, parameters, body: Of the kernel, see `Source.add`. Pointers are the inputs, then
                the outputs.
            inputs, outputs: Values; inputs dense unless given as `strided(v)`.
            numbers: For the parameters behind the pointers.
            blocks: How many blocks.
            note: For `explain`.
            in_place: Pairs (input, output) by place that may be the same memory.
            held: As of `Source.add`.

        Raises:
            ValueError: More blocks than a grid takes.
        """
        if blocks <= 0:
            return
        if blocks > _MOST_BLOCKS:
            raise ValueError(f"{blocks} blocks, and a grid has at most {_MOST_BLOCKS}")
        name = self.source.add(stem, parameters, body, held)
        self.emit(name, inputs, outputs, [blocks, *numbers], note=note, in_place=in_place)

    def call(
        self, kind: str, facts: dict[str, Any], inputs: Sequence[int], outputs: Sequence[int],
        note: str, in_place: Sequence[tuple[int, int]] = (),
    ) -> None:  # fmt: skip
        """Append a library's call that no kernel can stand in for; arguments as of `launch`."""
        self.library[len(self.instructions)] = (kind, facts)
        super().emit(kind, inputs, outputs, [1], note=note, in_place=in_place)

    def copying(self, size: int) -> tuple[Kernel, int]:
        """The kernel that copies so many bytes, from aligned to aligned, and how many items."""
        item, kind = item_of(size)
        return self.source.kernels[self._copies_items(kind)], size // item

    def copy_bits(self, value: int, target: int, item: int, note: str) -> None:
        """Copy a value's bytes to one of another dtype, items of so many bytes at a time."""
        count = self.spec(target).nbytes // item
        name = self._copies_items(ITEMS[item])
        self.emit(name, [value], [target], [grid_of(count), count], note=note)

    def _copies_items(self, kind: str) -> str:
        return self.source.add(
            f"copy_items_{kind}", f"const {kind}* from, {kind}* to, int64_t count",
            f"  copy_items<{kind}>(from, to, count);",
        )  # fmt: skip

    def fill(self, value: int, item: int) -> None:
        """Set all bits patterns of a value's elements."""
        kind, count = item_type(self.spec(value).dtype), self.count(value)
        self.launch(
            f"fill_{kind}", f"{kind}* to, int64_t item, int64_t count",
            f"  fill<{kind}>(to, {kind}(item), count);", [], [value], [item, count], grid_of(count),
            "fill",
        )  # fmt: skip

    def copy(self, value: int, note: str) -> int:
        """A dense copy of the value."""
        spec = self.spec(value)
        made = self.temp(*spec)
        self.copy_part(
            value, made, spec.shape, self.layout(value).strides, dense_strides(spec.shape), 0, 0,
            note,
        )  # fmt: skip
        return made

    def copy_part(
        self, value: int, target: int, shape: Sequence[int], strides: Sequence[int],
        steps: Sequence[int], start: int, place: int, note: str,
    ) -> None:  # fmt: skip
        """Copy elements of `value` from `start` on, by `strides`, to `target` from `place` on.

        Raises:
            ValueError: More axes than a kernel takes.
        """
        count = math.prod(shape)
        if count == 0:
            return
        dtype = self.spec(value).dtype
        kind = item_type(dtype)
        axes = merged(shape, strides, steps)
        if self._transposes(axes) and start == 0 and place == 0:
            self._transpose(value, target, kind, axes, note)
            return
        if len(axes) > MOST_AXES:
            raise ValueError(f"a copy over {len(axes)} axes")
        width = _WIDE // dtype.itemsize
        if _in_wide_items(axes, width, start, place, self.layout(value).offset):
            *outer, (size, _, _) = axes
            axes = [(n, *(s // width for s in steps)) for n, *steps in outer]
            axes.append((size // width, 1, 1))
            start, place, count = start // width, place // width, count // width
            kind = "Run16"
        rows = [list(row) for row in zip(*axes, strict=True)] if axes else [[], [], []]
        blank = (1, 0, 0)
        numbers = [n for row, b in zip(rows, blank) for n in row + [b] * (MOST_AXES - len(row))]
        index = "uint32_t" if count < 1 << 31 else "uint64_t"
        fields = [f"int64_t {letter}{i}" for letter in "sfg" for i in range(MOST_AXES)]
        listed = ", ".join(
            "{" + ", ".join(f"{letter}{i}" for i in range(MOST_AXES)) + "}" for letter in "sfg"
        )
        body = (
            f"  const Dims dims = {{{listed}}};\n"
            f"  copy_strided<{kind}, {index}>(from + start, to + place, dims, int(rank), count);"
        )
        self.launch(
            f"copy_{kind}",
            f"const {kind}* from, {kind}* to, int64_t start, int64_t place, int64_t rank, "
            f"int64_t count, {', '.join(fields)}",
            body, [Strided(value)], [target], [start, place, len(axes), count, *numbers],
            grid_of(count), note,
        )  # fmt: skip

    @staticmethod
    def _transposes(axes: Sequence[tuple[int, ...]]) -> bool:
        """Whether the copy exchanges the last two axes of a batch of dense matrices."""
        if len(axes) not in (2, 3) or min(axes[-1][0], axes[-2][0]) < 8:
            return False
        (m, of_m, to_m), (n, of_n, to_n) = axes[-2:]
        dense = (of_m, of_n, to_m, to_n) == (1, m, n, 1)
        return dense and (len(axes) == 2 or axes[0][1:] == (m * n, m * n))

    def _transpose(
        self, value: int, target: int, kind: str, axes: Sequence[tuple[int, ...]], note: str
    ) -> None:
        (m, *_), (n, *_) = axes[-2:]
        batch = axes[0][0] if len(axes) == 3 else 1
        blocks = batch * -(-n // 32) * -(-m // 32)
        self.launch(
            f"transpose_{kind}", f"const {kind}* from, {kind}* to, int64_t n, int64_t m",
            f"  transpose_tiles<{kind}>(from, to, n, m);", [Strided(value)], [target], [n, m],
            blocks, note,
        )  # fmt: skip
