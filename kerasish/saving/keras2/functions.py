"""Calls of TensorFlow's functions in functional models, as calls of `keras.ops`."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...naming import to_snake_case

__all__ = ["modern_function"]

_BINARY = {"x": "x1", "y": "x2"}
# TensorFlow's function: Keras's operation class, and the arguments that are named otherwise.
_FUNCTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "__operators__.add": ("numpy.Add", _BINARY),
    "math.add": ("numpy.Add", _BINARY),
    "math.subtract": ("numpy.Subtract", _BINARY),
    "math.multiply": ("numpy.Multiply", _BINARY),
    "math.truediv": ("numpy.TrueDivide", _BINARY),
    "math.divide": ("numpy.Divide", _BINARY),
    "math.floordiv": ("numpy.FloorDivide", _BINARY),
    "math.pow": ("numpy.Power", _BINARY),
    "math.maximum": ("numpy.Maximum", _BINARY),
    "math.minimum": ("numpy.Minimum", _BINARY),
    "math.greater": ("numpy.Greater", _BINARY),
    "math.less": ("numpy.Less", _BINARY),
    "math.equal": ("numpy.Equal", _BINARY),
    "linalg.matmul": ("numpy.Matmul", {"a": "x1", "b": "x2"}),
    "concat": ("numpy.Concatenate", {"values": "xs"}),
    "stack": ("numpy.Stack", {"values": "x"}),
    "reshape": ("numpy.Reshape", {"tensor": "x", "shape": "newshape"}),
    "transpose": ("numpy.Transpose", {"a": "x", "perm": "axes"}),
    "expand_dims": ("numpy.ExpandDims", {"input": "x"}),
    "squeeze": ("numpy.Squeeze", {"input": "x"}),
    "cast": ("core.Cast", {}),
    "nn.softmax": ("nn.Softmax", {"logits": "x"}),
    "nn.leaky_relu": ("nn.LeakyRelu", {"features": "x", "alpha": "negative_slope"}),
    "clip_by_value": (
        "numpy.Clip", {"t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"},
    ),
}  # fmt: skip
_FUNCTIONS |= {
    f"math.{f}": (f"numpy.{c}", {})
    for f, c in {
        "negative": "Negative", "exp": "Exp", "log": "Log", "log1p": "Log1p", "sqrt": "Sqrt",
        "square": "Square", "abs": "Absolute", "sin": "Sin", "cos": "Cos", "tanh": "Tanh",
        "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "reciprocal": "Reciprocal",
    }.items()
}  # fmt: skip
_FUNCTIONS |= {
    f"nn.{f}": (f"nn.{c}", {"features": "x", "logits": "x"})
    for f, c in {
        "relu": "Relu", "relu6": "Relu6", "elu": "Elu", "selu": "Selu", "silu": "Silu",
        "gelu": "Gelu", "softplus": "Softplus", "log_softmax": "LogSoftmax",
    }.items()
}  # fmt: skip
_FUNCTIONS |= {
    f"math.reduce_{f}": (f"numpy.{c}", {"input_tensor": "x"})
    for f, c in {"mean": "Mean", "sum": "Sum", "max": "Max", "min": "Min", "prod": "Prod"}.items()
}
_FUNCTIONS |= {
    "math.sigmoid": ("nn.Sigmoid", {}), "nn.sigmoid": ("nn.Sigmoid", {}),
    "nn.tanh": ("numpy.Tanh", {}), "nn.swish": ("nn.Silu", {"features": "x"}),
    "math.rsqrt": ("math.Rsqrt", {}), "math.softplus": ("nn.Softplus", {"features": "x"}),
}  # fmt: skip


def modern_function(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of a functional model with its function, if it is a call of one, as of Keras 3.

    Raises:
        ValueError: A function that is not known.
    """
    kind = entry["class_name"]
    if kind == "TFOpLambda":
        return _function(entry)
    if kind == "SlicingOpLambda":
        return _slicing(entry)
    if kind == "TensorFlowOpLayer":
        raise ValueError(
            f"Layer {entry.get('name')!r} holds a node of a TensorFlow graph "
            f"({entry['config'].get('node_def')!r}); only TensorFlow can run it."
        )
    # Keras 3 leaves out the module in this format: `Multiply` may be the layer or the function.
    bare = "module" not in entry and "trainable" not in entry["config"] and kind != "InputLayer"
    if bare and callable(getattr(ops, to_snake_case(kind), None)):
        return _operation(entry, f"numpy.{kind}", entry["inbound_nodes"], entry["config"])
    return entry


def _function(entry: dict[str, Any]) -> dict[str, Any]:
    name = entry["config"]["function"]
    if name not in _FUNCTIONS:
        raise ValueError(
            f"Layer {entry.get('name')!r} calls TensorFlow's `tf.{name}`, for which no function of "
            f"`keras.ops` is known. Known are: {', '.join(sorted(_FUNCTIONS))}. Put the call into "
            "a layer of your own and pass that in custom_objects."
        )
    operation, arguments = _FUNCTIONS[name]
    renamed = dict.fromkeys(("axis", "keepdims", "dtype"))
    nodes = []
    for node in entry["inbound_nodes"]:
        kwargs = {
            arguments.get(k, k): v
            for k, v in node["kwargs"].items()
            if v is not None or k in renamed
        }
        nodes.append({"args": node["args"], "kwargs": kwargs})
    return _operation(entry, operation, nodes)


def _slicing(entry: dict[str, Any]) -> dict[str, Any]:
    def part(x: Any) -> Any:
        if isinstance(x, dict) and set(x) == {"start", "stop", "step"}:
            return {"class_name": "__slice__", "config": x}
        return {"class_name": "__ellipsis__", "config": {}} if x == "..." else x

    nodes = []
    for node in entry["inbound_nodes"]:
        spec = node["kwargs"]["slice_spec"]
        parts = spec if isinstance(spec, list) else [spec]
        nodes.append({"args": [*node["args"], [part(p) for p in parts]], "kwargs": {}})
    return _operation(entry, "numpy.GetItem", nodes)


def _operation(
    entry: dict[str, Any], operation: str, nodes: Any, config: dict[str, Any] | None = None
) -> dict[str, Any]:
    module, name = operation.split(".")
    return {
        "module": f"keras.src.ops.{module}",
        "class_name": name,
        "config": {**(config or {}), "name": entry["name"]},
        "registered_name": name,
        "name": entry["name"],
        "inbound_nodes": nodes,
    }
