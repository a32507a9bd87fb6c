"""A group of elementwise nodes with closing reductions as one kernel, or two for large reductions.

All sizes and strides are constants of the text. A group without reductions walks packs of elements;
one with reductions is a job of `rows` or `columns` in `text/reduce.cuh`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...ir import Node
from ...op import Spec
from .scalar import register, statement
from .source import THREADS, Source, dtype_name

__all__ = [
    "Chain",
    "Launch",
    "Load",
    "column_parts",
    "emit_chain",
    "emit_many",
    "grid_of",
    "parts_of",
]

_BYTES = 16  # that a thread reads or writes at once
_MOST_BLOCKS = 1 << 14
# Reductions are cut until there are so many blocks, but not into parts of fewer elements.
_BLOCKS = 1024
_PART = 2048
_SHORT = 256
_JOINS = {"sum": "Sum", "prod": "Prod", "max": "Max", "min": "Min", "any": "Any", "all": "All"}


class Load(NamedTuple):
    """An operand of a group.

    Attributes:
        value: Its number.
        dims: Sizes and strides along the iteration space, neighbours merged, innermost last.
        aligned: Whether its address is a multiple of 16 bytes.
    """

    value: int
    dims: tuple[tuple[int, int], ...]
    aligned: bool


class Chain(NamedTuple):
    """What a kernel computes.

    Attributes:
        shape: The iteration space.
        nodes: Elementwise nodes in order.
        reductions: Nodes that end the chain, over the same axes.
        form: Of the reductions: outer, reduced and inner size.
        loads: Operands.
        outputs: Values of elementwise nodes (or loads) that are written.
        alias: Values that are other names of others.
        specs: Of all values.
    """

    shape: tuple[int, ...]
    nodes: tuple[Node, ...]
    reductions: tuple[Node, ...]
    form: tuple[int, int, int]
    loads: tuple[Load, ...]
    outputs: tuple[int, ...]
    alias: Mapping[int, int]
    specs: Mapping[int, Spec]


class Launch(NamedTuple):
    """A kernel with its grid.

    Attributes:
        kernel: Its name.
        blocks: How many blocks.
        scratch: Bytes that it and the next launch of the chain share.
    """

    kernel: str
    blocks: int
    scratch: int = 0


def grid_of(count: int) -> int:
    """Blocks for so many threads, which stride over what is left."""
    return max(1, min(-(-count // THREADS), _MOST_BLOCKS))


def parts_of(length: int, blocks: int) -> int:
    """Into how many parts a reduction of that length is cut, with so many blocks per part."""
    return max(1, min(-(-length // _PART), -(-_BLOCKS // max(blocks, 1))))


def column_parts(length: int, blocks: int) -> int:
    """The same for columns of that length; short ones are not worth a second launch."""
    if length <= _SHORT:
        return 1
    return max(1, min(-(-length // 64), -(-_BLOCKS // max(blocks, 1))))


def _offset(load: Load, index: str, wide: str) -> str:
    """C++ of the operand's offset at a flat index."""
    terms, below = [], 1
    for place, (size, stride) in reversed(list(enumerate(load.dims))):
        if stride:
            at = index if below == 1 else f"({index} / {wide}({below}))"
            if place:
                at = f"({at} % {wide}({size}))"
            if stride < 0:
                at = f"int64_t({at}) * {stride}"
            elif stride != 1:
                at = f"{at} * {wide}({stride})"
            terms.append(at)
        below *= size
    return " + ".join(terms) or "0"


def _is_dense(load: Load) -> bool:
    return len(load.dims) == 1 and load.dims[0][1] == 1


def _pack(chain: Chain, count: int) -> int:
    """How many neighbours a thread takes at once."""
    specs = [chain.specs[v.value] for v in chain.loads] + [chain.specs[v] for v in chain.outputs]
    width = _BYTES // max((s.dtype.itemsize for s in specs), default=_BYTES)
    while width > 1 and not (
        count % width == 0 and all(load.aligned and _packs(load, width) for load in chain.loads)
    ):
        width //= 2
    return max(width, 1)


def _packs(load: Load, width: int) -> bool:
    """Whether the operand's elements of a pack lie side by side or are one."""
    if not load.dims or all(stride == 0 for _, stride in load.dims):
        return True
    size, stride = load.dims[-1]
    if size % width or stride not in (0, 1):
        return False
    return stride == 0 or all(s % width == 0 for _, s in load.dims[:-1])


def _body(chain: Chain, names: dict[int, str], read: Mapping[int, str]) -> list[str]:
    """Statements of one element; `names` gets the variables of all values."""
    lines = []
    for load in chain.loads:
        dtype = chain.specs[load.value].dtype.name
        names[load.value] = f"x{load.value}"
        lines.append(f"const {register(dtype)} x{load.value} = k::get({read[load.value]});")
    for v, actual in chain.alias.items():
        if actual in names:
            names[v] = names[actual]
    for node in chain.nodes:
        out = node.outputs[0]
        values = [names[chain.alias.get(v, v)] for v in node.inputs]
        dtypes = [chain.specs[v].dtype.name for v in (*node.inputs, out)]
        names[out] = f"x{out}"
        lines.append(statement(node, dtypes, names[out], values))
        for v, actual in chain.alias.items():
            if actual == out:
                names[v] = names[out]
    return lines


def _parameters(chain: Chain) -> list[str]:
    found = [
        f"const {dtype_name(chain.specs[v.value].dtype.name)}* p{v.value}" for v in chain.loads
    ]
    return found + [f"{dtype_name(chain.specs[v].dtype.name)}* y{v}" for v in chain.outputs]


def emit_chain(source: Source, chain: Chain) -> list[Launch]:
    """Add the kernels of a chain.

    Their parameters are the loads, the outputs, the reductions' results and, of a reduction in
    parts, the scratch memory.
    """
    if chain.reductions:
        return _emit_reduction(source, chain)
    count = math.prod(chain.shape)
    wide = "uint32_t" if count < 1 << 31 else "uint64_t"
    width = _pack(chain, count)
    packs = count // width
    lines = [
        f"  const {wide} step = gridDim.x * {wide}({THREADS});",
        f"  for ({wide} p = blockIdx.x * {wide}({THREADS}) + threadIdx.x; p < {wide}({packs}); "
        "p += step) {",
        f"    const {wide} i = p * {wide}({width});",
    ]
    read = {}
    for load in chain.loads:
        v, kind = load.value, dtype_name(chain.specs[load.value].dtype.name)
        at = _offset(load, "i", wide)
        if width > 1 and load.dims and load.dims[-1][1] == 1:
            pack = f"const Pack<{kind}, {width}>"
            lines.append(f"    {pack} a{v} = *reinterpret_cast<{pack}*>(p{v} + ({at}));")
            read[v] = f"a{v}.v[j]"
        else:
            lines.append(f"    const {kind} a{v} = p{v}[{at}];")
            read[v] = f"a{v}"
    for v in chain.outputs:
        lines.append(f"    Pack<{dtype_name(chain.specs[v].dtype.name)}, {width}> b{v};")
    lines += ["    #pragma unroll", f"    for (int j = 0; j < {width}; ++j) {{"]
    names: dict[int, str] = {}
    lines += [f"      {line}" for line in _body(chain, names, read)]
    for v in chain.outputs:
        kind = dtype_name(chain.specs[v].dtype.name)
        lines.append(f"      b{v}.v[j] = k::put<{kind}>({names[chain.alias.get(v, v)]});")
    lines.append("    }")
    for v in chain.outputs:
        kind = dtype_name(chain.specs[v].dtype.name)
        lines.append(f"    *reinterpret_cast<Pack<{kind}, {width}>*>(y{v} + i) = b{v};")
    lines.append("  }")
    name = source.add("fused", *_renamed(", ".join(_parameters(chain)), "\n".join(lines), chain))
    return [Launch(name, grid_of(packs))]


def _renamed(parameters: str, body: str, chain: Chain) -> tuple[str, str]:
    """The text with values numbered from 0, so that alike groups have one kernel."""
    order: dict[str, str] = {}
    values = [*(v.value for v in chain.loads), *(n.outputs[0] for n in chain.nodes),
              *(n.outputs[0] for n in chain.reductions)]  # fmt: skip
    for v in values:
        order.setdefault(str(v), str(len(order)))
    pieces = []
    for text in (parameters, body):
        for letter in "paxyb":
            text = _numbered(text, letter, order)
        pieces.append(text)
    return pieces[0], pieces[1]


def _numbered(text: str, letter: str, order: Mapping[str, str]) -> str:
    out, i = [], 0
    while i < len(text):
        before = text[i - 1] if i else " "
        if text[i] == letter and not (before.isalnum() or before in "_."):
            end = i + 1
            while end < len(text) and text[end].isdigit():
                end += 1
            number = text[i + 1 : end]
            after = text[end] if end < len(text) else " "
            if number in order and not (after.isalnum() or after == "_"):
                out.append(letter + "#" + order[number])
                i = end
                continue
        out.append(text[i])
        i += 1
    return "".join(out).replace(f"{letter}#", letter)


def _emit_reduction(source: Source, chain: Chain) -> list[Launch]:
    outer, length, inner = chain.form
    count = math.prod(chain.shape)
    wide = "int64_t"
    reduced = {n.outputs[0]: chain.specs[n.inputs[0]].dtype.name for n in chain.reductions}
    results = [f"{dtype_name(chain.specs[v].dtype.name)}* y{v}" for v in reduced]
    read = {v.value: f"p{v.value}[{_offset(v, 'i', wide)}]" for v in chain.loads}
    names: dict[int, str] = {}
    body = _body(chain, names, read)
    for v in chain.outputs:
        kind = dtype_name(chain.specs[v].dtype.name)
        body.append(f"y{v}[i] = k::put<{kind}>({names[chain.alias.get(v, v)]});")
    fields, zeros, joins, finishes = [], [], [], []
    size = 0
    for n, node in enumerate(chain.reductions):
        out, fold = node.outputs[0], _JOINS[node.op.name]
        kind = register(reduced[out])
        field = f"s{n}"
        fields.append(f"{kind} {field};")
        size += 8
        zeros.append(f"s.{field} = {fold}::zero<{kind}>();")
        joins.append(f"a.{field} = {fold}::join(a.{field}, b.{field});")
        value = names[chain.alias.get(node.inputs[0], node.inputs[0])]
        body.append(f"s.{field} = {fold}::join(s.{field}, {kind}({value}));")
        target = dtype_name(chain.specs[out].dtype.name)
        finishes.append(f"y{out}[place] = k::put<{target}>(s.{field});")
    parameters = [*_parameters(chain), *results]
    pointers = "\n".join(f"    {p};" for p in parameters)
    # Shuffled by words of four bytes; compilers refuse less than the widest field has by itself.
    aligned = max(4, *(chain.specs[n.inputs[0]].dtype.itemsize for n in chain.reductions))
    job = f"""  struct Job {{
    struct alignas({aligned}) State {{ {" ".join(fields)} }};
{pointers}
    DEVICE State zero() {{ State s; {" ".join(zeros)} return s; }}
    DEVICE State join(State a, State b) {{ {" ".join(joins)} return a; }}
    __device__ void add(State& s, int64_t i, int64_t, int64_t) const {{
      {(chr(10) + "      ").join(body)}
    }}
    __device__ void finish(int64_t place, State s) const {{ {" ".join(finishes)} }}
  }};
  const Job job = {{{", ".join(p.rsplit(" ", 1)[1] for p in parameters)}}};
"""
    assert count == outer * length * inner
    if inner == 1:
        lanes = 32 if length <= 1024 else THREADS
        per_block = THREADS // lanes
        parts = 1 if lanes == 32 else parts_of(length, outer)
        blocks = -(-outer * parts // per_block)
        call = f"  rows<Job, {lanes}>(job, partial, {outer}, {length}, {parts});"
        second = f"  join_rows<Job>(job, partial, {outer}, {parts});"
        after = -(-outer // 8)
    else:
        across = -(-inner // 32)
        parts = column_parts(length, outer * across)
        blocks = outer * across * parts
        call = f"  columns<Job>(job, partial, {outer}, {length}, {inner}, {parts});"
        second = f"  join_columns<Job>(job, partial, {outer * inner}, {parts});"
        after = -(-outer * inner // THREADS)
    scratch = outer * inner * parts * size if parts > 1 else 0
    launches = []
    for text, grid in ((call, blocks), (second, after))[: 2 if parts > 1 else 1]:
        partial = "  Job::State* partial = static_cast<Job::State*>(scratch);\n"
        listed = [*parameters, "void* scratch"]
        if parts == 1:
            partial, listed = "  Job::State* const partial = nullptr;\n", parameters
        given = _renamed(", ".join(listed), job + partial + text, chain)
        launches.append(Launch(source.add("fold", *given), grid, scratch))
    return launches


def emit_many(source: Source, chain: Chain) -> str:
    """Add a kernel that runs one chain for many sets of operands, and give its name.

    All loads are dense or single numbers. The kernel finds its operands in a table: per item its
    first block, its count, the addresses of loads and outputs, all int64. A block takes 1024
    elements.
    """
    width = 2 + len(chain.loads) + len(chain.outputs)
    lines = [
        "  int64_t low = 0, high = items;",
        "  while (high - low > 1) {",
        "    const int64_t middle = (low + high) / 2;",
        f"    const bool before = table[middle * {width}] <= int64_t(blockIdx.x);",
        "    low = before ? middle : low;",
        "    high = before ? high : middle;",
        "  }",
        f"  const int64_t* item = table + low * {width};",
        "  const int64_t first = (int64_t(blockIdx.x) - item[0]) * 1024, count = item[1];",
    ]
    place = 2
    read = {}
    for load in chain.loads:
        v, kind = load.value, dtype_name(chain.specs[load.value].dtype.name)
        lines.append(f"  const {kind}* p{v} = reinterpret_cast<const {kind}*>(item[{place}]);")
        read[v] = f"p{v}[i]" if _is_dense(load) else f"p{v}[0]"
        place += 1
    for v in chain.outputs:
        kind = dtype_name(chain.specs[v].dtype.name)
        lines.append(f"  {kind}* y{v} = reinterpret_cast<{kind}*>(item[{place}]);")
        place += 1
    lines += [
        f"  for (int64_t i = first + threadIdx.x; i < count && i < first + 1024; i += {THREADS}) {{"
    ]
    names: dict[int, str] = {}
    lines += [f"    {line}" for line in _body(chain, names, read)]
    for v in chain.outputs:
        kind = dtype_name(chain.specs[v].dtype.name)
        lines.append(f"    y{v}[i] = k::put<{kind}>({names[chain.alias.get(v, v)]});")
    lines.append("  }")
    given = _renamed("const int64_t* table, int64_t items", "\n".join(lines), chain)
    return source.add("many", *given)


def same_chain(a: Chain, b: Chain) -> bool:
    """Whether two chains compute the same of other operands."""
    return _signature(a) == _signature(b)


def _signature(chain: Chain) -> tuple[object, ...]:
    order: dict[int, int] = {}

    def number(v: int) -> int:
        return order.setdefault(chain.alias.get(v, v), len(order))

    loads = tuple((number(v.value), _is_dense(v), chain.specs[v.value].dtype) for v in chain.loads)
    nodes = tuple(
        (n.op.name, tuple(map(number, n.inputs)), number(n.outputs[0]),
         chain.specs[n.outputs[0]].dtype, tuple((k, repr(v)) for k, v in sorted(n.attrs.items())))
        for n in chain.nodes
    )  # fmt: skip
    return loads, nodes, tuple(map(number, chain.outputs))


def mergeable(chain: Chain) -> bool:
    """Whether `emit_many` takes the chain."""
    single = all(stride == 0 for load in chain.loads for _, stride in load.dims if not
                 _is_dense(load))  # fmt: skip
    return not chain.reductions and single and bool(chain.nodes)


def operands(chain: Chain) -> Sequence[int]:
    """Loads and outputs in the order of the parameters."""
    return [*(v.value for v in chain.loads), *chain.outputs]
