"""One rule for each operation of the core: what it is in ONNX.

A rule is called with the emitter, the node, the nodes in its place of all traces (itself first),
and the names of the inputs. It returns the name of the result, or a list of names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["RULES", "SIZED", "constant_like", "rule", "without_whole"]

RULES: dict[str, Any] = {}
# Whose rules compare the attributes of all traces.
SIZED = {
    "broadcast_to", "conv", "conv_input_grad", "gather", "getitem", "index_add", "index_set",
    "max_pool", "random_uniform", "reshape", "ruled", "scan", "switch", "while", "window_sum",
}  # fmt: skip

# Operations that ONNX has with the same arguments.
_SAME = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "true_divide": "Div", "negative": "Neg",
    "sign": "Sign", "absolute": "Abs", "reciprocal": "Reciprocal", "maximum": "Max",
    "minimum": "Min", "power": "Pow", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
    "floor": "Floor", "ceil": "Ceil", "rint": "Round", "identity": "Identity",
    "stop_gradient": "Identity", "erf": "Erf", "equal": "Equal", "less": "Less",
    "less_equal": "LessOrEqual", "greater": "Greater", "greater_equal": "GreaterOrEqual",
    "isnan": "IsNaN", "isinf": "IsInf", "sin": "Sin", "cos": "Cos", "tan": "Tan",
    "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "tanh": "Tanh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
    "sigmoid": "Sigmoid", "softplus": "Softplus", "relu": "Relu", "matmul": "MatMul",
}  # fmt: skip
for _name, _kind in _SAME.items():
    RULES[_name] = lambda e, node, nodes, *xs, kind=_kind: e.op(kind, *xs)


def rule(name: str) -> Any:
    """Decorate the rule of an operation."""

    def note(function: Any) -> Any:
        RULES[name] = function
        return function

    return note


def constant_like(e: Any, node: Any, value: Any) -> str:
    """A constant of the dtype of the node's first input."""
    return e.constant(value, e.graph.specs[node.inputs[0]].dtype)


# -- element by element


@rule("square")
def _square(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Mul", x, x)


@rule("rsqrt")
def _rsqrt(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Reciprocal", e.op("Sqrt", x))


@rule("expm1")
def _expm1(e: Any, node: Any, nodes: Any, x: str) -> str:
    # exp(x) - 1 = 2 tanh(x / 2) / (1 - tanh(x / 2)): exact near zero.
    t = e.op("Tanh", e.op("Mul", x, constant_like(e, node, 0.5)))
    rest = e.op("Sub", constant_like(e, node, 1), t)
    near = e.op("Div", e.op("Mul", t, constant_like(e, node, 2)), rest)
    far = e.op("Sub", e.op("Exp", x), constant_like(e, node, 1))
    small = e.op("Less", e.op("Abs", x), constant_like(e, node, 1))
    return e.op("Where", small, near, far)


@rule("log1p")
def _log1p(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Log", e.op("Add", x, constant_like(e, node, 1)))


@rule("power_static")
def _power_static(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Pow", x, constant_like(e, node, node.attrs["exponent"]))


@rule("cast")
def _cast(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Cast", x, to=e.type_of(node.attrs["dtype"]))


@rule("clip")
def _clip(e: Any, node: Any, nodes: Any, x: str, low: str, high: str) -> str:
    return e.op("Min", e.op("Max", x, low), high)


@rule("relu6")
def _relu6(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Clip", x, constant_like(e, node, 0), constant_like(e, node, 6))


@rule("elu")
def _elu(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Elu", x, alpha=float(node.attrs.get("alpha", 1.0)))


def _logical(kind: str) -> Any:
    def emit(e: Any, node: Any, nodes: Any, *xs: str) -> str:
        kinds = [e.graph.specs[n].dtype.kind for n in node.inputs]
        true = [x if k == "b" else e.op("Cast", x, to=e.type_of(bool)) for x, k in zip(xs, kinds)]
        return e.op(kind, *true)

    return emit


for _kind in ("And", "Or", "Xor", "Not"):
    RULES[f"logical_{_kind.lower()}"] = _logical(_kind)


@rule("where")
def _where(e: Any, node: Any, nodes: Any, condition: str, a: str, b: str) -> str:
    if e.graph.specs[node.outputs[0]].dtype.kind != "b":
        return e.op("Where", condition, a, b)
    # Of booleans, which onnxruntime does not choose among.
    return e.op("Or", e.op("And", condition, a), e.op("And", e.op("Not", condition), b))


@rule("not_equal")
def _not_equal(e: Any, node: Any, nodes: Any, a: str, b: str) -> str:
    return e.op("Not", e.op("Equal", a, b))


@rule("normal_cdf")
def _normal_cdf(e: Any, node: Any, nodes: Any, x: str) -> str:
    # half erfc(root x), and erfc(y) = 1 - erf(y).
    inner = e.op("Erf", e.op("Mul", x, constant_like(e, node, node.attrs["root"])))
    rest = e.op("Sub", constant_like(e, node, 1), inner)
    return e.op("Mul", rest, constant_like(e, node, node.attrs["half"]))


@rule("centred_affine")
def _centred_affine(e: Any, node: Any, nodes: Any, *xs: str) -> str:
    x, mean, factor, shift = xs
    return e.op("Add", e.op("Mul", e.op("Sub", x, mean), factor), shift)


# -- shapes


@rule("reshape")
def _reshape(e: Any, node: Any, nodes: Any, x: str) -> str:
    shapes = [n.attrs["shape"] for n in nodes]
    sizes = shapes[0]
    free = [i for i, found in enumerate(zip(*shapes, strict=True)) if len(set(found)) > 1]
    if len(free) == 1:
        found = [-1 if i == free[0] else n for i, n in enumerate(sizes)]
        return e.op("Reshape", x, e.constant(found, "int64"))
    return e.op("Reshape", x, e.shape(*shapes))


@rule("broadcast_to")
def _broadcast_to(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Expand", x, e.shape(*(n.attrs["shape"] for n in nodes)))


@rule("transpose")
def _transpose(e: Any, node: Any, nodes: Any, x: str) -> str:
    return e.op("Transpose", x, perm=list(node.attrs["axes"]))


@rule("concatenate")
def _concatenate(e: Any, node: Any, nodes: Any, *xs: str) -> str:
    return e.op("Concat", *xs, axis=node.attrs["axis"])


@rule("pad")
def _pad(e: Any, node: Any, nodes: Any, x: str) -> str:
    width, mode = node.attrs["pad_width"], node.attrs["mode"]
    if mode == "symmetric":
        raise NotImplementedError("export: padding with mode 'symmetric' is not in ONNX.")
    pads = e.constant([a for a, _ in width] + [b for _, b in width], "int64")
    extra = (constant_like(e, node, node.attrs.get("value", 0)),) if mode == "constant" else ()
    return e.op("Pad", x, pads, *extra, mode=mode)


@rule("getitem")
def _getitem(e: Any, node: Any, nodes: Any, x: str) -> str:
    shapes = e.shapes(nodes)
    key, *others = (without_whole(n.attrs["key"], s) for n, s in zip(nodes, shapes, strict=True))
    if any(other != key for other in others):
        raise NotImplementedError("export: a slice goes with a size that is free.")
    rank = len(shapes[0])
    axis, gone, added, place = 0, [], [], 0
    for part in key:
        if part is None:
            added.append(place)
            place += 1
        elif isinstance(part, int):
            x = e.op("Slice", x, *(e.constant([n], "int64") for n in _single(part, axis)))
            gone.append(axis)
            axis += 1
        elif part[0] == "ellipsis":
            used = sum(p is not None and p[:1] != ("ellipsis",) if isinstance(p, tuple) else
                       p is not None for p in key)  # fmt: skip
            axis, place = axis + rank - used, place + rank - used
        else:
            x = _slice(e, x, axis, *part[1:])
            axis, place = axis + 1, place + 1
    if gone:
        x = e.op("Squeeze", x, e.constant(gone, "int64"))
    return e.op("Unsqueeze", x, e.constant(added, "int64")) if added else x


def without_whole(key: Any, shape: Any) -> list[Any]:
    """A key whose slices from the beginning to the end say no sizes, up to an ellipsis."""
    found, axis = list(key), 0
    for i, part in enumerate(key):
        if isinstance(part, tuple) and part[0] == "ellipsis":
            break
        if isinstance(part, tuple) and part[1:] in ((0, shape[axis], 1), (0, shape[axis], None)):
            found[i] = ("slice", None, None, None)
        axis += part is not None
    return found


_END = np.iinfo("int64").max


def _single(index: int, axis: int) -> tuple[int, int, int]:
    return index, index + 1 if index != -1 else _END, axis


def _slice(e: Any, x: str, axis: int, start: Any, stop: Any, step: Any) -> str:
    if start is None and stop is None and step in (None, 1):
        return x
    step = 1 if step is None else step
    start = (0 if step > 0 else _END) if start is None else start
    stop = (_END if step > 0 else -_END) if stop is None else stop
    return e.op("Slice", x, *(e.constant([n], "int64") for n in (start, stop, axis, step)))


@rule("flip")
def _flip(e: Any, node: Any, nodes: Any, x: str) -> str:
    for axis in node.attrs["axes"]:
        x = _slice(e, x, axis, None, None, -1)
    return x


# -- reductions


def _reduction(kind: str) -> Any:
    def emit(e: Any, node: Any, nodes: Any, x: str) -> str:
        axes = e.constant(list(node.attrs["axes"]), "int64")
        return e.op(kind, x, axes, keepdims=int(node.attrs.get("keepdims", False)))

    return emit


for _name, _kind in {
    "sum": "ReduceSum", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
    "logsumexp": "ReduceLogSumExp",
}.items():  # fmt: skip
    RULES[_name] = _reduction(_kind)


@rule("softmax")
def _softmax(e: Any, node: Any, nodes: Any, x: str) -> str:
    axes = node.attrs["axes"]
    if len(axes) == 1:
        return e.op("Softmax", x, axis=axes[0])
    return e.op("Exp", _log_softmax(e, node, nodes, x))


@rule("log_softmax")
def _log_softmax(e: Any, node: Any, nodes: Any, x: str) -> str:
    axes = node.attrs["axes"]
    if len(axes) == 1:
        return e.op("LogSoftmax", x, axis=axes[0])
    return e.op("Sub", x, e.op("ReduceLogSumExp", x, e.constant(list(axes), "int64"), keepdims=1))


# -- convolution and pooling: ONNX has the channels first


def _channels_first(e: Any, x: str, rank: int) -> str:
    return e.op("Transpose", x, perm=[0, rank - 1, *range(1, rank - 1)])


def _channels_last(e: Any, x: str, rank: int) -> str:
    return e.op("Transpose", x, perm=[0, *range(2, rank), 1])


def _rank_of(e: Any, number: int) -> int:
    return len(e.graph.specs[number].shape)


def _rank(e: Any, node: Any) -> int:
    return _rank_of(e, node.inputs[0])


def _pads(pairs: Any) -> list[int]:
    return [a for a, _ in pairs] + [b for _, b in pairs]


def _padded(e: Any, node: Any, nodes: Any, window: Any, dilation: Any = None) -> dict[str, Any]:
    """The padding of windows as ONNX's attributes: that of "same" goes with a size that is free.

    Raises:
        NotImplementedError: All traces lose a free size, the windows themselves go with one, or
            they lie apart (onnxruntime computes negative padding for those).
    """
    taken = list(zip(*e.shapes(nodes), strict=True))[1:-1]
    given = list(zip(*e.shapes(nodes, output=0), strict=True))[1:-1]
    for before, after in zip(taken, given, strict=True):
        if len(set(before)) > 1 and len(set(after)) == 1:
            raise NotImplementedError(
                f"export: windows make {after[0]} of {before} along an axis whose size is free. "
                "Pass an input_signature without None."
            )
    changed = {k for k, v in node.attrs.items() if any(v != n.attrs[k] for n in nodes)}
    if changed - {"pads"}:
        raise NotImplementedError("export: windows go with a size that is free.")
    free = any(len(set(sizes)) > 1 for sizes in taken)
    reach = [(n - 1) * d + 1 for n, d in zip(window, dilation or (1,) * len(window), strict=True)]
    if free and isinstance(node.attrs["pads"], core.ops.windows.SamePads) and max(reach) > 1:
        if any(n < s for n, s in zip(reach, node.attrs["strides"], strict=True)):
            raise NotImplementedError(
                f"export: windows of {tuple(reach)} that lie apart, with strides of "
                f"{node.attrs['strides']} and padding 'same', along an axis whose size is free."
            )
        return {"auto_pad": "SAME_UPPER"}
    if changed:
        raise NotImplementedError("export: padding goes with a size that is free.")
    return {"pads": _pads(node.attrs["pads"])}


@rule("conv")
def _conv(e: Any, node: Any, nodes: Any, x: str, kernel: str) -> str:
    rank, attrs = _rank(e, node), node.attrs
    window = e.graph.specs[node.inputs[1]].shape[: rank - 2]
    weights = e.op("Transpose", kernel, perm=[rank - 1, rank - 2, *range(rank - 2)])
    y = e.op(
        "Conv", _channels_first(e, x, rank), weights, strides=list(attrs["strides"]),
        dilations=list(attrs["dilation"]), group=attrs["groups"],
        **_padded(e, node, nodes, window, attrs["dilation"]),
    )  # fmt: skip
    return _channels_last(e, y, rank)


@rule("conv_input_grad")
def _conv_transpose(e: Any, node: Any, nodes: Any, g: str, kernel: str) -> str:
    rank, attrs = _rank(e, node), node.attrs
    window = e.graph.specs[node.inputs[1]].shape[: rank - 2]
    extra, *others = (
        [
            size - ((n - 1) * s + (k - 1) * d + 1 - a - b)
            for size, n, s, k, d, (a, b) in zip(
                one.attrs["shape"][1:-1], shape[1:-1], attrs["strides"], window,
                attrs["dilation"], one.attrs["pads"], strict=True,
            )
        ]
        for one, shape in zip(nodes, e.shapes(nodes), strict=True)
    )  # fmt: skip
    if any(other != extra for other in others) or any(
        n.attrs["pads"] != attrs["pads"] for n in nodes
    ):
        raise NotImplementedError(
            "export: a transposed convolution pads otherwise for other sizes."
        )
    weights = e.op("Transpose", kernel, perm=[rank - 1, rank - 2, *range(rank - 2)])
    y = e.op(
        "ConvTranspose", _channels_first(e, g, rank), weights, strides=list(attrs["strides"]),
        pads=_pads(attrs["pads"]), dilations=list(attrs["dilation"]), group=attrs["groups"],
        output_padding=extra,
    )  # fmt: skip
    return _channels_last(e, y, rank)


@rule("max_pool")
def _max_pool(e: Any, node: Any, nodes: Any, x: str) -> str:
    rank, attrs = _rank(e, node), node.attrs
    y = e.op(
        "MaxPool", _channels_first(e, x, rank), kernel_shape=list(attrs["window"]),
        strides=list(attrs["strides"]), **_padded(e, node, nodes, attrs["window"]),
    )  # fmt: skip
    return _channels_last(e, y, rank)


@rule("window_sum")
def _window_sum(e: Any, node: Any, nodes: Any, x: str) -> str:
    rank, attrs = _rank(e, node), node.attrs
    y = e.op(
        "AveragePool", _channels_first(e, x, rank), kernel_shape=list(attrs["window"]),
        strides=list(attrs["strides"]), count_include_pad=1,
        **_padded(e, node, nodes, attrs["window"]),
    )  # fmt: skip
    y = e.op("Mul", y, constant_like(e, node, float(np.prod(attrs["window"]))))
    return _channels_last(e, y, rank)


# -- normalisation


@rule("layer_norm")
def _layer_norm(e: Any, node: Any, nodes: Any, x: str, gamma: str, beta: str) -> str:
    first, epsilon = -_rank_of(e, node.inputs[1]), float(node.attrs["epsilon"])
    return e.op("LayerNormalization", x, gamma, beta, axis=first, epsilon=epsilon)


@rule("rms_norm")
def _rms_norm(e: Any, node: Any, nodes: Any, x: str, gamma: str) -> str:
    over = e.constant(list(range(-_rank_of(e, node.inputs[1]), 0)), "int64")
    mean = e.op("ReduceMean", e.op("Mul", x, x), over, keepdims=1)
    root = e.op("Sqrt", e.op("Add", mean, constant_like(e, node, node.attrs["epsilon"])))
    return e.op("Mul", e.op("Div", x, root), gamma)
