"""Numbers, orders and searches in ONNX: what it lacks, composed of what it has."""

from __future__ import annotations

import math
from typing import Any

from .rules import RULES, constant_like, rule

__all__: list[str] = []

_INT32 = "int32"


def _dtype(e: Any, node: Any) -> Any:
    return e.graph.specs[node.inputs[0]].dtype


def _cast(e: Any, x: str, dtype: Any) -> str:
    return e.op("Cast", x, to=e.type_of(dtype))


# -- element by element


@rule("isfinite")
def _isfinite(e: Any, node: Any, twin: Any, x: str) -> str:
    return e.op("Not", e.op("Or", e.op("IsNaN", x), e.op("IsInf", x)))


@rule("exp2")
def _exp2(e: Any, node: Any, twin: Any, x: str) -> str:
    return e.op("Pow", constant_like(e, node, 2), x)


def _logarithm(base: float) -> Any:
    def emit(e: Any, node: Any, twin: Any, x: str) -> str:
        return e.op("Mul", e.op("Log", x), constant_like(e, node, 1 / math.log(base)))

    return emit


RULES["log2"], RULES["log10"] = _logarithm(2.0), _logarithm(10.0)


def _log_of_sum(base: float) -> Any:
    def emit(e: Any, node: Any, twin: Any, a: str, b: str) -> str:
        # The larger one plus log(1 + base^-distance); of equal infinities there is no distance.
        scale = math.log(base)
        apart = e.op("Neg", e.op("Abs", e.op("Sub", a, b)))
        apart = e.op("Exp", e.op("Mul", apart, constant_like(e, node, scale)))
        rest = e.op("Log", e.op("Add", apart, constant_like(e, node, 1)))
        rest = e.op("Mul", rest, constant_like(e, node, 1 / scale))
        larger = e.op("Max", a, b)
        return e.op("Where", e.op("Equal", a, b),
                    e.op("Add", larger, constant_like(e, node, math.log(2) / scale)),
                    e.op("Add", larger, rest))  # fmt: skip

    return emit


RULES["logaddexp"], RULES["logaddexp2"] = _log_of_sum(math.e), _log_of_sum(2.0)


@rule("erfc")
def _erfc(e: Any, node: Any, twin: Any, x: str) -> str:
    return e.op("Sub", constant_like(e, node, 1), e.op("Erf", x))


@rule("hypot")
def _hypot(e: Any, node: Any, twin: Any, a: str, b: str) -> str:
    return e.op("Sqrt", e.op("Add", e.op("Mul", a, a), e.op("Mul", b, b)))


@rule("cbrt")
def _cbrt(e: Any, node: Any, twin: Any, x: str) -> str:
    root = e.op("Pow", e.op("Abs", x), constant_like(e, node, 1 / 3))
    return e.op("Mul", e.op("Sign", x), root)


@rule("trunc")
def _trunc(e: Any, node: Any, twin: Any, x: str) -> str:
    return e.op("Mul", e.op("Sign", x), e.op("Floor", e.op("Abs", x)))


@rule("arctan2")
def _arctan2(e: Any, node: Any, twin: Any, y: str, x: str) -> str:
    zero = constant_like(e, node, 0)
    up = e.op("Where", e.op("Less", y, zero), constant_like(e, node, -math.pi),
              constant_like(e, node, math.pi))  # fmt: skip
    angle = e.op("Atan", e.op("Div", y, x))
    left = e.op("Where", e.op("Less", x, zero), e.op("Add", angle, up), angle)
    level = e.op("Mul", e.op("Sign", y), constant_like(e, node, math.pi / 2))
    return e.op("Where", e.op("Equal", x, zero), level, left)


def _quotient(e: Any, node: Any, a: str, b: str) -> tuple[str, str]:
    """Floor of a / b and what is left, which has the sign of b."""
    if _dtype(e, node).kind == "f":
        quotient = e.op("Floor", e.op("Div", a, b))
        return quotient, e.op("Sub", a, e.op("Mul", quotient, b))
    rest = e.op("Mod", a, b)
    return e.op("Div", e.op("Sub", a, rest), b), rest


RULES["floor_divide"] = lambda e, node, twin, a, b: _quotient(e, node, a, b)[0]
RULES["mod"] = lambda e, node, twin, a, b: _quotient(e, node, a, b)[1]


def _bitwise(kind: str) -> Any:
    def emit(e: Any, node: Any, twin: Any, *xs: str) -> str:
        return e.op(kind if _dtype(e, node).kind == "b" else f"Bitwise{kind}", *xs)

    return emit


for _kind in ("And", "Or", "Xor", "Not"):
    RULES[f"bitwise_{_kind.lower()}"] = _bitwise(_kind)


# -- along axes


def _truth(kind: str) -> Any:
    def emit(e: Any, node: Any, twin: Any, x: str) -> str:
        axes = e.constant(list(node.attrs["axes"]), "int64")
        found = e.op(kind, _cast(e, _cast(e, x, bool), _INT32), axes,
                     keepdims=int(node.attrs["keepdims"]), noop_with_empty_axes=1)  # fmt: skip
        return _cast(e, found, bool)

    return emit


RULES["all"], RULES["any"] = _truth("ReduceMin"), _truth("ReduceMax")


def _place(kind: str) -> Any:
    def emit(e: Any, node: Any, twin: Any, x: str) -> str:
        found = e.op(kind, x, axis=node.attrs["axis"], keepdims=int(node.attrs["keepdims"]))
        return _cast(e, found, _INT32)

    return emit


RULES["argmax"], RULES["argmin"] = _place("ArgMax"), _place("ArgMin")


def _ordered(e: Any, node: Any, twin: Any, x: str) -> Any:
    """Elements in ascending order and where they were."""
    axis = node.attrs["axis"]
    sizes = [g.specs[n.inputs[0]].shape[axis] for g, n in ((e.graph, node), (e.other, twin))]
    return e.op("TopK", x, e.shape(*([n] for n in sizes)), outputs=2, axis=axis, largest=0)


RULES["sort"] = lambda e, node, twin, x: _ordered(e, node, twin, x)[0]
RULES["argsort"] = lambda e, node, twin, x: _cast(e, _ordered(e, node, twin, x)[1], _INT32)


@rule("top_k_indices")
def _top_k_indices(e: Any, node: Any, twin: Any, x: str) -> str:
    k = e.constant([node.attrs["k"]], "int64")
    return _cast(e, e.op("TopK", x, k, outputs=2, axis=-1)[1], _INT32)


@rule("cumsum")
def _cumsum(e: Any, node: Any, twin: Any, x: str) -> str:
    axis = e.constant(node.attrs["axis"], "int64")
    return e.op("CumSum", x, axis, reverse=int(node.attrs["reverse"]))


@rule("searchsorted")
def _searchsorted(e: Any, node: Any, twin: Any, x: str, values: str) -> str:
    # How many are below (or not above) each value.
    kind = "Less" if node.attrs["side"] == "left" else "LessOrEqual"
    below = e.op(kind, x, e.op("Unsqueeze", values, e.constant([-1], "int64")))
    return e.op("ReduceSum", _cast(e, below, _INT32), e.constant([-1], "int64"), keepdims=0)


@rule("roll")
def _roll(e: Any, node: Any, twin: Any, x: str) -> str:
    for shift, axis in zip(node.attrs["shift"], node.attrs["axis"], strict=True):
        # Python's own remainder is not at hand for a size that goes with the batch.
        size, other = (g.specs[n.inputs[0]].shape[axis] for g, n in
                       ((e.graph, node), (e.other, twin)))  # fmt: skip
        if size != other:
            raise NotImplementedError("export: roll along the batch.")
        cut = e.constant([-shift % size if size else 0], "int64")
        along, start = e.constant([axis], "int64"), e.constant([0], "int64")
        end = e.constant([size], "int64")
        x = e.op("Concat", e.op("Slice", x, cut, end, along), e.op("Slice", x, start, cut, along),
                 axis=axis)  # fmt: skip
    return x


@rule("moments")
def _moments(e: Any, node: Any, twin: Any, x: str) -> list[str]:
    axes, keep = node.attrs["axes"], int(node.attrs["keepdims"])
    if not axes:
        return [x, e.op("Mul", x, constant_like(e, node, 0))]
    over = e.constant(list(axes), "int64")
    mean = e.op("ReduceMean", x, over, keepdims=1)
    apart = e.op("Sub", x, mean)
    variance = e.op("ReduceMean", e.op("Mul", apart, apart), over, keepdims=keep)
    return [mean if keep else e.op("Squeeze", mean, over), variance]


# -- products


@rule("einsum")
def _einsum(e: Any, node: Any, twin: Any, *xs: str) -> str:
    terms, result = node.attrs["terms"], node.attrs["result"]
    labels = sorted({c for term in (*terms, result) for c in term})
    plain = {label: chr(ord("a") + i) for i, label in enumerate(labels)}  # ONNX knows a to z
    words = ["".join(plain[c] for c in term) for term in (*terms, result)]
    return e.op("Einsum", *xs, equation=f"{','.join(words[:-1])}->{words[-1]}")


@rule("det")
def _det(e: Any, node: Any, twin: Any, x: str) -> str:
    return e.op("Det", x)
