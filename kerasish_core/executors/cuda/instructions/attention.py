"""Attention in one kernel, its gradient in two."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....ir import Node
from ....op import Spec
from ..builder import CudaBuilder, lowers

__all__ = ["ATTENDING", "reason_against"]

ATTENDING = ("attention", "attention_grad")
_LARGEST = 128
_HALVES = ("float16", "bfloat16")
_MOST_FORWARD = 4  # inputs of `attention`; of its gradient there are more
_NUMBERS = 23
_FIELDS = ", ".join(f"int64_t n{i}" for i in range(_NUMBERS)) + ", double scale"
_STEPS = ", ".join("{" + ", ".join(f"n{i + j}" for j in range(3)) + "}" for i in (7, 10, 13, 16))
_FACTS = (
    "  const Attention a = {" + ", ".join(f"n{i}" for i in range(7)) + f", {_STEPS}, "
    "{n19, n20, n21, n22}, float(scale)};\n"
)


def reason_against(inputs: list[Spec], tensor_cores: bool) -> str | None:
    """Why attention on these operands runs as products and a softmax; None if it need not."""
    q, _, v, *_ = inputs
    size = max(q.shape[3], v.shape[3])
    if size > _LARGEST:
        return f"heads of size {size}, and the kernel takes up to {_LARGEST}"
    if q.dtype.name not in (*_HALVES, "float32"):
        return f"{q.dtype.name}, and the kernel takes float32 and half types"
    if q.dtype.name in _HALVES and not tensor_cores:
        return f"{q.dtype.name}, and this GPU has no tensor cores of compute capability 8.0"
    if any(0 in s.shape for s in inputs):
        return "nothing to attend to"
    statistics = inputs[4:6] if len(inputs) > _MOST_FORWARD else []
    if any(s.dtype != "float32" for s in statistics):
        return "statistics that are not float32"
    return None


def _chunked(b: CudaBuilder, values: list[int]) -> bool:
    """Whether rows of half types can be read eight neighbours at a time."""
    numbers = [
        n for v in values
        for n in (b.spec(v).shape[3], b.layout(v).offset, *b.layout(v).strides[:3])
    ]  # fmt: skip
    return all(b.layout(v).strides[3] == 1 for v in values) and not any(n % 8 for n in numbers)


class _Engine(NamedTuple):
    """How a block multiplies.

    Attributes:
        kind: Its type (see `attention.cuh`).
        rows: How many rows stand by.
        held: How many blocks a multiprocessor has registers for, without spilling any.
    """

    kind: str
    rows: int
    held: int


def _engine(b: CudaBuilder, values: list[int], backward: bool) -> _Engine:
    kind, size = b.kind(values[0]), max(b.spec(v).shape[3] for v in values)
    padded = next(p for p in (32, 64, 128) if size <= p)
    if kind != "float":
        chunks = str(_chunked(b, values)).lower()
        return _Engine(f"Mma<{kind}, {padded}, 32, {chunks}>", 128, 1 + (padded << backward <= 64))
    rows, passing = (32, 16) if padded == 128 else (64, 32)
    if backward:
        rows, passing = (16, 16) if padded == 128 else (32, 32)
    return _Engine(f"Fma<float, {padded}, {rows}, {passing}>", rows, 1)


def _steps(b: CudaBuilder, value: int) -> list[int]:
    """Strides along batch, place and head."""
    return list(b.layout(value).strides[:3])


def _aligned(b: CudaBuilder, value: int) -> int:
    """The value, its last axis dense."""
    dense = b.layout(value).strides[3] == 1 or b.spec(value).shape[3] == 1
    return value if dense else b.dense(value)


def _facts(
    b: CudaBuilder, node: Node, q: int, k: int, v: int, g: int | None, mask: int | None
) -> list[int | float]:
    (_, queries, heads, size), (_, keys, owners, _) = b.spec(q).shape, b.spec(k).shape
    whole = (b.spec(q).shape[0], heads, queries, keys)
    of_mask = [0] * 4
    if mask is not None:
        shape, strides = b.spec(mask).shape, b.layout(mask).strides
        of_mask = [
            s if n == w and n > 1 else 0 for n, w, s in zip(shape, whole, strides, strict=True)
        ]
    of_g = [0] * 3 if g is None else _steps(b, g)
    numbers = [heads, heads // owners, queries, keys, size, b.spec(v).shape[3]]
    return [*numbers, int(node.attrs["causal"]), *_steps(b, q), *_steps(b, k), *_steps(b, v),
            *of_g, *of_mask, node.attrs["scale"]]  # fmt: skip


def _call(name: str, engine: str, kind: str, masked: bool, given: str) -> str:
    given = given if masked else given.replace("mask", "nullptr")
    return f"{_FACTS}  {name}<{engine}, {kind}, {str(masked).lower()}>({given}, a);"


def _operands(b: CudaBuilder, values: list[int]) -> list[Any]:
    return [b.strided(v) for v in values]


@lowers("attention")
def attention(node: Node, b: CudaBuilder) -> bool:
    q, k, v = (_aligned(b, x) for x in node.inputs[:3])
    mask = node.inputs[3:]
    kind, (batch, queries, heads, _) = b.kind(q), b.spec(q).shape
    engine, rows, held = _engine(b, [q, k, v], False)
    pointers = f"const {kind}* q, const {kind}* k, const {kind}* v, "
    pointers += "const truth* mask, " * bool(mask) + f"{kind}* y, float* top, float* total"
    b.launch(
        f"attention_{kind}", f"{pointers}, {_FIELDS}",
        _call("attention", engine, kind, bool(mask), "q, k, v, mask, y, top, total"),
        _operands(b, [q, k, v, *mask]), node.outputs,
        _facts(b, node, q, k, v, None, mask[0] if mask else None),
        batch * heads * -(-queries // rows), "no weights in memory", held=held,
    )  # fmt: skip
    return True


@lowers("attention_grad")
def attention_grad(node: Node, b: CudaBuilder) -> bool:
    q, k, v = (_aligned(b, x) for x in node.inputs[:3])
    y, top, total = (b.dense(x) for x in node.inputs[3:6])
    g, mask = _aligned(b, node.inputs[6]), node.inputs[7:]
    kind, (batch, queries, heads, _) = b.kind(q), b.spec(q).shape
    keys, owners = b.spec(k).shape[1:3]
    engine, rows, held = _engine(b, [q, k, v, g], True)
    facts = _facts(b, node, q, k, v, g, mask[0] if mask else None)
    inner = b.temp((batch, heads, queries), "float32")
    dq, dk, dv = node.outputs
    common = f"const {kind}* q, const {kind}* k, const {kind}* v, "
    common += "const truth* mask, " * bool(mask)
    statistics = f"const float* top, const float* total, const {kind}* g"
    b.launch(
        f"attention_of_queries_{kind}",
        f"{common}const {kind}* y, {statistics}, {kind}* dq, float* inner, {_FIELDS}",
        _call("attention_of_queries", engine, kind, bool(mask),
              "q, k, v, mask, y, top, total, g, dq, inner"),
        _operands(b, [q, k, v, *mask, y, top, total, g]), [dq, inner], facts,
        batch * heads * -(-queries // rows), "weights computed again",
        held=held,
    )  # fmt: skip
    b.launch(
        f"attention_of_keys_{kind}",
        f"{common}{statistics}, const float* inner, {kind}* dk, {kind}* dv, {_FIELDS}",
        _call("attention_of_keys", engine, kind, bool(mask),
              "q, k, v, mask, top, total, g, inner, dk, dv"),
        _operands(b, [q, k, v, *mask, top, total, g, inner]), [dk, dv], facts,
        batch * owners * -(-keys // rows), "weights computed again",
        held=held,
    )  # fmt: skip
    return True
