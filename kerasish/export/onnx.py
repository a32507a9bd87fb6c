"""ONNX files from traced functions: the same graph that compiled steps are made of.

The function is traced for two batch sizes. Where the two graphs differ, a size is a multiple of the
batch, which the file then takes from its first input; every other size is fixed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kerasish_core as core

from ..ops.symbolic import KerasTensor
from ..saving.h5 import atomic_path
from . import control_rules, numeric_rules, recurrent_rules  # noqa: F401 (they note rules)
from .rules import RULES

__all__ = ["export_onnx"]

# Two sizes of the batch that no other size of a model is likely to be a multiple of.
_BATCHES = (7, 11)
_OPSET = 18


def export_onnx(
    model: Any, filepath: Any, input_signature: Any = None, opset_version: int | None = None
) -> None:
    """Write a model (or function) to an ONNX file, for inference.

    Args:
        model: A model that is built, or a function of tensors.
        filepath: The file, which is replaced in one step.
        input_signature: List of `InputSpec`s, KerasTensors or tensors; a model's own inputs by
            default. A first size of None stays free.
        opset_version: Of ONNX, at least 18 (the default).

    Raises:
        ImportError: `onnx` is not there: `pip install kerasish[onnx]`.
        NotImplementedError: An operation that ONNX files of ours do not have, named with the line
            of the model that called it.
    """
    onnx = _onnx()
    opset = opset_version or _OPSET
    if opset < _OPSET:
        raise ValueError(f"export: opset_version={opset}; at least {_OPSET} is written.")
    specs = _signature(model, input_signature)
    traced = [_traced(model, specs, batch) for batch in _BATCHES]
    free = any(shape[:1] == (None,) for _, shape, _ in specs)
    proto = _Emitter(onnx, traced[0], traced[1], specs, free).model(opset)
    onnx.checker.check_model(proto)
    path = Path(os.fspath(filepath))
    with atomic_path(path) as temporary:
        onnx.save(proto, str(temporary))


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            "Exporting needs the package `onnx`: pip install 'kerasish[onnx]'."
        ) from error
    return onnx


def _signature(model: Any, given: Any) -> list[tuple[str, tuple[Any, ...], str]]:
    """Name, shape and dtype of each input."""
    if given is None:
        given = getattr(model, "inputs", None)
    if not given:
        shape = getattr(model, "_build_shapes", None) or {}
        shape = shape.get("input_shape") if isinstance(shape, dict) else None
        if shape is None:
            raise ValueError(
                f"export: what {model!r} takes is not known. Pass input_signature, a list of "
                "InputSpec."
            )
        given = [KerasTensor((None, *shape[1:]))]
    found = []
    names = getattr(model, "input_names", None)
    for i, spec in enumerate(given if isinstance(given, list | tuple) else [given]):
        name = names[i] if names and i < len(names) else getattr(spec, "name", None)
        shape = tuple(spec.shape)
        if None in shape[1:]:
            raise ValueError(
                f"export: input {i} has shape {shape}; only the first size may be free. Pass "
                "input_signature with the others."
            )
        found.append((name or f"input_{i}", shape, core.dtypes.name_of(spec.dtype or "float32")))
    return found


def _traced(model: Any, specs: Any, batch: int) -> Any:
    inputs = [
        core.Spec(tuple(batch if n is None else n for n in shape), core.dtypes.as_dtype(dtype))
        for _, shape, dtype in specs
    ]
    takes_list = hasattr(model, "inputs") or hasattr(model, "layers")
    several = takes_list and len(inputs) > 1

    def run(*xs: Any) -> Any:
        args = [list(xs)] if several else list(xs)
        found = model(*args, training=False) if takes_list else model(*args)
        return core.tree.flatten(found)

    return core.tracing.trace(run, inputs, name="main")


class _Emitter:
    """Builds the ONNX graph of a traced function.

    Args:
        onnx: The package.
        traced: The function traced for one batch size.
        other: The same for another one.
        specs: Name, shape and dtype of each input.
        free: Whether the batch is free.
    """

    def __init__(self, onnx: Any, traced: Any, other: Any, specs: Any, free: bool) -> None:
        self.onnx, self.specs, self.free = onnx, specs, free
        self.traced, self.graph, self.other = traced, traced.graph, other.graph
        self.nodes: list[Any] = []
        self._outermost = self.nodes
        self.initializers: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        self._count = 0

    # -- building blocks for rules
    def fresh(self, hint: str = "t") -> str:
        """A name that is not used yet."""
        self._count += 1
        return f"{hint}_{self._count}"

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of a constant."""
        name = self.fresh("c")
        self.initializers[name] = np.asarray(value, dtype=dtype, order="C")
        return name

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; returns the name of its output, or a list of names."""
        names = [self.fresh(kind.lower()) for _ in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def shape(self, sizes: Sequence[int], others: Sequence[int]) -> str:
        """A vector of sizes as a value, free ones as multiples of the batch."""
        factors = [self._factor(a, b) for a, b in zip(sizes, others, strict=True)]
        if not any(factors):
            return self.constant(sizes, "int64")
        parts = [
            self.op("Mul", self._batch(), self.constant([f], "int64"))
            if f
            else self.constant([n], "int64")
            for n, f in zip(sizes, factors, strict=True)
        ]
        return self.op("Concat", *parts, axis=0)

    def _factor(self, a: int, b: int) -> int:
        """0 for a fixed size, k for k times the batch."""
        if a == b:
            return 0
        factor, rest = divmod(a, _BATCHES[0])
        if not self.free or rest or factor * _BATCHES[1] != b:
            raise NotImplementedError(
                f"export: a size is {a} for a batch of {_BATCHES[0]} and {b} for one of "
                f"{_BATCHES[1]}. Pass an input_signature without None."
            )
        return factor

    def _batch(self) -> str:
        if not hasattr(self, "_batch_name"):
            first = next(i for i, s in enumerate(self.specs) if s[1][:1] == (None,))
            inner, self.nodes = self.nodes, self._outermost  # where bodies of loops see it too
            self._batch_name = self.op("Shape", self.specs[first][0], start=0, end=1)
            self.nodes = inner
        return self._batch_name

    def type_of(self, dtype: Any) -> int:
        """ONNX's number of a dtype."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def emit(self, graph: Any, twin: Any, names: Sequence[str]) -> list[str]:
        """Add a sub-graph's nodes for inputs of these names; returns the names of its outputs."""
        outside = self.graph, self.other, self.names
        self.graph, self.other = graph, twin
        self.names = dict(zip(graph.inputs, names, strict=True))
        try:
            self._nodes()
            return [self.names[n] for n in graph.outputs]
        finally:
            self.graph, self.other, self.names = outside

    def body(
        self, name: str, inputs: Sequence[tuple[str, Any]], fill: Any, scalars: int = 0
    ) -> Any:
        """The graph of a loop or a branch, which sees all values around it.

        Args:
            name: Of the graph.
            inputs: Name and dtype of each of its own inputs.
            fill: Adds the nodes; returns name and dtype of each output.
            scalars: How many of the inputs are of no axis; the shapes of others are found.
        """
        helper, outside = self.onnx.helper, self.nodes
        self.nodes = []
        try:
            # An output must be made inside.
            found = [(self.op("Identity", value), dtype) for value, dtype in fill()]
            takes = [
                helper.make_tensor_value_info(n, self.type_of(d), [] if i < scalars else None)
                for i, (n, d) in enumerate(inputs)
            ]
            gives = [helper.make_tensor_value_info(n, self.type_of(d), None) for n, d in found]
            return helper.make_graph(self.nodes, name, takes, gives)
        finally:
            self.nodes = outside

    # -- the whole
    def model(self, opset: int) -> Any:
        """The ONNX model."""
        helper, graph = self.onnx.helper, self.graph
        own = len(self.specs)
        for number, (name, _, _) in zip(graph.inputs[:own], self.specs, strict=False):
            self.names[number] = name
        held = [*self.traced.captures, *(v.value for v in self.traced.variables)]
        for number, tensor in zip(graph.inputs[own:], held, strict=True):
            self._hold(number, np.asarray(tensor))
        self._nodes()
        count = len(self.traced.leaves)
        outputs = []
        for i, number in enumerate(graph.outputs[:count]):
            name = f"output_{i}"
            self.nodes.append(helper.make_node("Identity", [self.names[number]], [name]))
            spec, twin = graph.specs[number], self.other.specs[self.other.outputs[i]]
            sizes = [
                "batch" if a != b and self._factor(a, b) == 1 else None if a != b else a
                for a, b in zip(spec.shape, twin.shape, strict=True)
            ]
            outputs.append(helper.make_tensor_value_info(name, self.type_of(spec.dtype), sizes))
        inputs = [
            helper.make_tensor_value_info(
                name, self.type_of(dtype), ["batch" if n is None else n for n in shape]
            )
            for name, shape, dtype in self.specs
        ]
        tensors = [
            self.onnx.numpy_helper.from_array(array, name)
            for name, array in self.initializers.items()
        ]
        body = helper.make_graph(self.nodes, graph.name, inputs, outputs, tensors)
        return helper.make_model(
            body, opset_imports=[helper.make_opsetid("", opset)], producer_name="kerasish",
            ir_version=9,
        )  # fmt: skip

    def _hold(self, number: int, array: Any) -> None:
        if array.dtype.name == "bfloat16":
            raise NotImplementedError("export: bfloat16 weights. Convert the model to float32.")
        self.names[number] = self.constant(array)

    def _hold_sized(self, number: int, other: int) -> None:
        """A constant; one whose shape goes with the batch is expanded from its single value."""
        value, twin = (core.to_device(g.constants[n], "cpu") for g, n in
                       ((self.graph, number), (self.other, other)))  # fmt: skip
        if value.shape == twin.shape:
            self._hold(number, value)
            return
        if value.size == 0 or (value != value.flat[0]).any():
            raise NotImplementedError(
                f"export: a constant of shape {value.shape} depends on the batch size. Pass an "
                "input_signature without None."
            )
        sizes = self.shape(value.shape, twin.shape)
        self.names[number] = self.op("Expand", self.constant(value.flat[0]), sizes)

    def _nodes(self) -> None:
        graph, other = self.graph, self.other
        if [n.op.name for n in graph.nodes] != [n.op.name for n in other.nodes]:
            raise NotImplementedError(
                "export: the model computes otherwise for another batch size. Pass an "
                "input_signature without None."
            )
        for number, twin in zip(graph.constants, other.constants, strict=True):
            self._hold_sized(number, twin)
        for node, twin in zip(graph.nodes, other.nodes, strict=True):
            self._node(node, twin)

    def _node(self, node: Any, twin: Any) -> None:
        rule = RULES.get(node.op.name)
        if rule is None:
            raise NotImplementedError(
                f"export: the operation {node.op.name!r} has no form in ONNX files yet (called at "
                f"{node.location or 'an unknown line'})."
            )
        names = [self.names[n] for n in node.inputs]
        found = rule(self, node, twin, *names)
        found = found if isinstance(found, list) else [found]
        # What only gradients read has no name.
        self.names.update(zip(node.outputs, found, strict=False))
