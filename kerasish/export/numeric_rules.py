"""Numbers, orders and searches in ONNX: what it lacks, composed of what it has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .rules import RULES, constant_like, rule

__all__: list[str] = []

_INT32 = "int32"


def _dtype(e: Any, node: Any) -> Any:
    return e.graph.specs[node.inputs[0]].dtype


def _cast(e: Any, x: str, dtype: Any) -> str:
    return e.op("Cast", x, to=e.type_of(dtype))


# -- element by element


@rule("isfinite")
def _isfinite(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Not", e.op("Or", e.op("IsNaN", x), e.op("IsInf", x)))


@rule("exp2")
def _exp2(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Pow", constant_like(e, node, 2), x)


def _logarithm(base: float) -> Any:
    def emit(e: Any, node: Any, nodes: Any, x: str) -> str:
        return e.op("Mul", e.op("Log", x), constant_like(e, node, 1 / math.log(base)))

    return emit


RULES["log2"], RULES["log10"] = _logarithm(2.0), _logarithm(10.0)


def _log_of_sum(base: float) -> Any:
    def emit(e: Any, node: Any, nodes: Any, a: str, b: str) -> str:
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
def _erfc(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Sub", constant_like(e, node, 1), e.op("Erf", x))


@rule("hypot")
def _hypot(e: Any, node: Any, nodes: Any, a: str, b: str) -> str:
    return e.op("Sqrt", e.op("Add", e.op("Mul", a, a), e.op("Mul", b, b)))


@rule("cbrt")
def _cbrt(e: Any, node: Any, nodes: Any, x: str) -> str:
    root = e.op("Pow", e.op("Abs", x), constant_like(e, node, 1 / 3))
    return e.op("Mul", e.op("Sign", x), root)


@rule("trunc")
def _trunc(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Mul", e.op("Sign", x), e.op("Floor", e.op("Abs", x)))


@rule("arctan2")
def _arctan2(e: Any, node: Any, nodes: Any, y: str, x: str) -> str:
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


RULES["floor_divide"] = lambda e, node, nodes, a, b: _quotient(e, node, a, b)[0]
RULES["mod"] = lambda e, node, nodes, a, b: _quotient(e, node, a, b)[1]


def _bitwise(kind: str) -> Any:
    def emit(e: Any, node: Any, nodes: Any, *xs: str) -> str:
        return e.op(kind if _dtype(e, node).kind == "b" else f"Bitwise{kind}", *xs)

    return emit


for _kind in ("And", "Or", "Xor", "Not"):
    RULES[f"bitwise_{_kind.lower()}"] = _bitwise(_kind)


# M. Giles, Approximating the erfinv function, GPU Computing Gems 2, 2011: single precision.
_NEAR = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
         -0.00125372503, -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
_FAR = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
        -0.0076224613, 0.00943887047, 1.00167406, 2.83297682)  # fmt: skip


@rule("erfinv")
def _erfinv(e: Any, node: Any, nodes: Any, x: str) -> str:
    def polynomial(factors: Any, w: str) -> str:
        y = constant_like(e, node, factors[0])
        for factor in factors[1:]:
            y = e.op("Add", e.op("Mul", y, w), constant_like(e, node, factor))
        return y

    one = constant_like(e, node, 1)
    w = e.op("Neg", e.op("Log", e.op("Mul", e.op("Sub", one, x), e.op("Add", one, x))))
    near = polynomial(_NEAR, e.op("Sub", w, constant_like(e, node, 2.5)))
    far = polynomial(_FAR, e.op("Sub", e.op("Sqrt", w), constant_like(e, node, 3)))
    factor = e.op("Where", e.op("Less", w, constant_like(e, node, 5)), near, far)
    found = e.op("Mul", x, factor)
    # At the ends the polynomial makes NaN of what is infinite.
    end = e.op("Equal", e.op("Abs", x), one)
    return e.op("Where", end, e.op("Mul", x, constant_like(e, node, math.inf)), found)


@rule("random_uniform")
def _random_uniform(e: Any, node: Any, nodes: Any, seed: str) -> str:
    # Drawn by the program that runs the file, otherwise each time: its generator is another.
    kind = e.type_of(node.attrs["dtype"])
    shape = e.shape(*(n.attrs["shape"] for n in nodes))
    blank = e.op("Expand", e.constant(0, node.attrs["dtype"]), shape)
    return e.op("RandomUniformLike", blank, dtype=kind, low=0.0, high=1.0)


@rule("segment_max")
def _segment_max(e: Any, node: Any, nodes: Any, data: str, ids: str) -> str:
    spec, number = e.graph.specs[node.inputs[0]], e.graph.specs[node.inputs[1]]
    shapes = e.shapes(nodes)
    count, kind = node.attrs["num_segments"], spec.dtype.kind
    if kind == "b":
        raise NotImplementedError("export: the greatest of booleans.")
    least = -np.inf if kind == "f" else np.iinfo(spec.dtype).min
    # One more row, for ids that are out of range.
    shape = e.shape(*((count + 1, *s[1:]) for s in shapes))
    blank = e.op("Expand", constant_like(e, node, least), shape)
    inside = e.op("And", e.op("Less", ids, e.constant(count, number.dtype)),
                  e.op("GreaterOrEqual", ids, e.constant(-count, number.dtype)))  # fmt: skip
    wrapped = e.op("Where", e.op("Less", ids, e.constant(0, number.dtype)),
                   e.op("Add", ids, e.constant(count, number.dtype)), ids)  # fmt: skip
    row = e.op("Where", inside, wrapped, e.constant(count, number.dtype))
    if len(shapes[0]) > 1:
        row = e.op("Unsqueeze", row, e.constant(list(range(1, len(shapes[0]))), "int64"))
    row = e.op("Expand", row, e.shape(*shapes))
    found = e.op("ScatterElements", blank, row, data, axis=0, reduction="max")
    start, end, axis = (e.constant([n], "int64") for n in (0, count, 0))
    return e.op("Slice", found, start, end, axis)


# -- along axes


def _truth(kind: str) -> Any:
    def emit(e: Any, node: Any, nodes: Any, x: str) -> str:
        axes = e.constant(list(node.attrs["axes"]), "int64")
        found = e.op(kind, _cast(e, _cast(e, x, bool), _INT32), axes,
                     keepdims=int(node.attrs["keepdims"]), noop_with_empty_axes=1)  # fmt: skip
        return _cast(e, found, bool)

    return emit


RULES["all"], RULES["any"] = _truth("ReduceMin"), _truth("ReduceMax")


def _place(kind: str) -> Any:
    def emit(e: Any, node: Any, nodes: Any, x: str) -> str:
        found = e.op(kind, x, axis=node.attrs["axis"], keepdims=int(node.attrs["keepdims"]))
        return _cast(e, found, _INT32)

    return emit


RULES["argmax"], RULES["argmin"] = _place("ArgMax"), _place("ArgMin")


def _ordered(e: Any, node: Any, nodes: Any, x: str) -> Any:
    """Elements in ascending order and where they were."""
    axis = node.attrs["axis"]
    sizes = [s[axis] for s in e.shapes(nodes)]
    return e.op("TopK", x, e.shape(*([n] for n in sizes)), outputs=2, axis=axis, largest=0)


RULES["sort"] = lambda e, node, nodes, x: _ordered(e, node, nodes, x)[0]
RULES["argsort"] = lambda e, node, nodes, x: _cast(e, _ordered(e, node, nodes, x)[1], _INT32)


@rule("top_k_indices")
def _top_k_indices(e: Any, node: Any, nodes: Any, x: str) -> str:
    k = e.constant([node.attrs["k"]], "int64")
    return _cast(e, e.op("TopK", x, k, outputs=2, axis=-1)[1], _INT32)


@rule("cumsum")
def _cumsum(e: Any, node: Any, nodes: Any, x: str) -> str:
    axis = e.constant(node.attrs["axis"], "int64")
    return e.op("CumSum", x, axis, reverse=int(node.attrs["reverse"]))


@rule("searchsorted")
def _searchsorted(e: Any, node: Any, nodes: Any, x: str, values: str) -> str:
    # How many are below (or not above) each value.
    kind = "Less" if node.attrs["side"] == "left" else "LessOrEqual"
    below = e.op(kind, x, e.op("Unsqueeze", values, e.constant([-1], "int64")))
    return e.op("ReduceSum", _cast(e, below, _INT32), e.constant([-1], "int64"), keepdims=0)


@rule("roll")
def _roll(e: Any, node: Any, nodes: Any, x: str) -> str:
    for shift, axis in zip(node.attrs["shift"], node.attrs["axis"], strict=True):
        sizes = [s[axis] for s in e.shapes(nodes)]
        if not all(sizes):
            continue
        end = e.shape(*([n] for n in sizes))
        cut = e.op("Mod", e.constant([-shift], "int64"), end)
        along, start = e.constant([axis], "int64"), e.constant([0], "int64")
        x = e.op("Concat", e.op("Slice", x, cut, end, along), e.op("Slice", x, start, cut, along),
                 axis=axis)  # fmt: skip
    return x


@rule("moments")
def _moments(e: Any, node: Any, nodes: Any, x: str) -> list[str]:
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
def _einsum(e: Any, node: Any, nodes: Any, *xs: str) -> str:
    terms, result = node.attrs["terms"], node.attrs["result"]
    labels = sorted({c for term in (*terms, result) for c in term})
    plain = {label: chr(ord("a") + i) for i, label in enumerate(labels)}  # ONNX knows a to z
    words = ["".join(plain[c] for c in term) for term in (*terms, result)]
    return e.op("Einsum", *xs, equation=f"{','.join(words[:-1])}->{words[-1]}")


@rule("det")
def _det(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Det", x)


@rule("cumprod")
def _cumprod(e: Any, node: Any, nodes: Any, x: str) -> str:
    # Products of 1, 2, 4 ... neighbours: ONNX sums, but does not multiply, along an axis.
    axis, reverse = node.attrs["axis"], node.attrs["reverse"]
    size, *others = (s[axis] for s in e.shapes(nodes))
    if any(other != size for other in others):
        raise NotImplementedError("export: cumprod along the batch.")
    rank, one = len(e.graph.specs[node.inputs[0]].shape), constant_like(e, node, 1)
    shift = 1
    while shift < size:
        pads = [0] * (2 * rank)
        pads[axis], pads[rank + axis] = (-shift, shift) if reverse else (shift, -shift)
        x = e.op("Mul", x, e.op("Pad", x, e.constant(pads, "int64"), one))
        shift *= 2
    return x


@rule("fourier")
def _fourier(e: Any, node: Any, nodes: Any, re: str, im: str) -> list[str]:
    # ONNX has real and imaginary parts along a last axis, and an axis in front of those it turns.
    shape = e.graph.specs[node.inputs[0]].shape
    ends = e.constant([0, len(shape) + 1], "int64")
    x = e.op("Concat", *(e.op("Unsqueeze", v, ends) for v in (re, im)), axis=-1)
    for axis in node.attrs["axes"]:
        inverse = int(node.attrs["sign"] > 0)
        if e.opset < 20:
            x = e.op("DFT", x, axis=axis + 1, inverse=inverse)
        else:
            x = e.op("DFT", x, "", e.constant(axis + 1, "int64"), inverse=inverse)
        if inverse:  # which divides by the size
            sizes = [s[axis] for s in e.shapes(nodes)]
            size = e.op("Cast", e.shape(*([n] for n in sizes)), to=e.type_of(_dtype(e, node)))
            x = e.op("Mul", x, size)
    front, last = e.constant([0], "int64"), len(shape) + 1
    x = e.op("Squeeze", x, front)
    return [e.op("Gather", x, e.constant(i, "int64"), axis=last - 1) for i in (0, 1)]
