"""ONNX files from traced functions: the same graph that compiled steps are made of.

The function is traced for two choices of the sizes that are free (see `sizes.py`); every other size
is fixed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kerasish_core as core

from ..ops.symbolic import KerasTensor
from ..saving.h5 import atomic_path
from . import (  # noqa: F401 (they note rules)
    control_rules,
    indexing_rules,
    numeric_rules,
    recurrent_rules,
)
from .rules import RULES, SIZED
from .sizes import Sizes, alternatives

__all__ = ["export_onnx"]

_OPSET = 18


def export_onnx(
    model: Any, filepath: Any, input_signature: Any = None, opset_version: int | None = None
) -> None:
    """Write a model (or function) to an ONNX file, for inference.

    Args:
        model: A model that is built, or a function of tensors.
        filepath: The file, which is replaced in one step.
        input_signature: List of `InputSpec`s, KerasTensors or tensors; a model's own inputs by
            default. Sizes of None stay free.
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
    proto = _emitted(onnx, model, specs, opset)
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
        found.append((name or f"input_{i}", shape, core.dtypes.name_of(spec.dtype or "float32")))
    return found


def _emitted(onnx: Any, model: Any, specs: Any, opset: int) -> Any:
    """The ONNX model, by the first choice of free sizes with which the function can be traced."""
    first = None
    for shapes in alternatives([shape for _, shape, _ in specs]):
        try:
            traced = [_traced(model, specs, chosen) for chosen in shapes]
        except Exception as error:  # whatever a function raises that takes some sizes only
            first = first or error
        else:
            return _Emitter(onnx, traced, specs, opset).model()
    assert first is not None
    raise first


def _traced(model: Any, specs: Any, shapes: Any) -> Any:
    inputs = [
        core.Spec(shape, core.dtypes.as_dtype(dtype))
        for (_, _, dtype), shape in zip(specs, shapes, strict=True)
    ]
    takes_list = hasattr(model, "inputs") or hasattr(model, "layers")
    several = takes_list and len(inputs) > 1

    def run(*xs: Any) -> Any:
        args = [list(xs)] if several else list(xs)
        found = model(*args, training=False) if takes_list else model(*args)
        return core.tree.flatten(found)

    return core.tracing.trace(run, inputs, name="main")


def _depends(value: Any) -> NotImplementedError:
    return NotImplementedError(
        f"export: a constant of shape {value.shape} depends on a size that is free, in no way that "
        "is known. Pass an input_signature without None."
    )


def _along(places: Any, axis: int, rank: int) -> Any:
    """Numbers along one axis of `rank`."""
    return places.reshape([-1 if i == axis else 1 for i in range(rank)])


def _diagonal(value: Any) -> tuple[str, int, Any, Any] | None:
    """What a matrix of two numbers tells of row minus column: how it compares with which number,
    the value where it does, and elsewhere."""
    value = value.reshape(value.shape[-2:])
    rows, columns = np.indices(value.shape)
    below, low, high = rows - columns, value[-1, 0], value[0, -1]
    found = below[value != high]
    if not found.size:
        return None
    inside = value[value != high][0]
    relation = "Equal" if low == high else "GreaterOrEqual"
    chosen = below == found.min() if low == high else below >= found.min()
    if not np.array_equal(value, np.where(chosen, inside, high)):
        return None
    return relation, int(found.min()), inside, high


class _Emitter:
    """Builds the ONNX graph of a traced function.

    Args:
        onnx: The package.
        traced: The function traced for several choices of free sizes.
        specs: Name, shape and dtype of each input.
        opset: Version of ONNX's operations.
    """

    def __init__(self, onnx: Any, traced: Any, specs: Any, opset: int) -> None:
        self.onnx, self.specs, self.opset = onnx, specs, opset
        self.traced = traced[0]
        # Without what moves states, such as those of random generators, forward.
        self.graphs = [
            core.passes.dce(t.graph._replace(outputs=t.graph.outputs[: len(t.leaves)]))
            for t in traced
        ]
        self.nodes: list[Any] = []
        self._outermost = self.nodes
        self.initializers: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        # Constants until they are used: their numbers in all traces.
        self._later: dict[int, Sequence[int]] = {}
        self._count = 0
        self.sizes = Sizes(self)

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

    @property
    def graph(self) -> Any:
        """The graph that nodes are added for, as the first trace has it."""
        return self.graphs[0]

    def shapes(
        self, nodes: Sequence[Any], place: int = 0, output: int | None = None
    ) -> list[tuple[int, ...]]:
        """In all traces, the shape of an input of a node, or of an output."""
        return [
            graph.specs[n.inputs[place] if output is None else n.outputs[output]].shape
            for graph, n in zip(self.graphs, nodes, strict=True)
        ]

    def shape(self, *shapes: Sequence[int]) -> str:
        """A vector of sizes, given for all traces, as a value."""
        return self.sizes.vector(*shapes)

    def range(self, sizes: Sequence[int]) -> str:
        """0, 1, 2 ... up to a size, given for all traces."""
        count = self.op("Squeeze", self.shape(*([n] for n in sizes)))
        return self.op("Range", self.constant(0, "int64"), count, self.constant(1, "int64"))  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def outermost(self) -> Iterator[None]:
        """Add nodes in front of the loop or branch whose body is being made, if any."""
        inner, self.nodes = self.nodes, self._outermost
        try:
            yield
        finally:
            self.nodes = inner

    def type_of(self, dtype: Any) -> int:
        """ONNX's number of a dtype."""
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def emit(self, graphs: Sequence[Any], names: Sequence[str]) -> list[str]:
        """Add a sub-graph's nodes, which all traces have, for inputs of these names.

        Returns:
            The names of its outputs.
        """
        outside = self.graphs, self.names, self._later
        self.graphs, self._later = list(graphs), {}
        self.names = dict(zip(self.graph.inputs, names, strict=True))
        try:
            self._nodes()
            return [self._name(n) for n in self.graph.outputs]
        finally:
            self.graphs, self.names, self._later = outside

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
    def model(self) -> Any:
        """The ONNX model."""
        helper, graph = self.onnx.helper, self.graph
        own = len(self.specs)
        for number, (name, _, _) in zip(graph.inputs[:own], self.specs, strict=False):
            self.names[number] = name
        self._note([g.inputs[:own] for g in self.graphs])
        held = [*self.traced.captures, *(v.value for v in self.traced.variables)]
        for number, tensor in zip(graph.inputs[own:], held, strict=True):
            self._hold(number, np.asarray(tensor))
        free, named = self._free()
        self._nodes()
        outputs = []
        for i, number in enumerate(graph.outputs):
            name = f"output_{i}"
            self.nodes.append(helper.make_node("Identity", [self._name(number)], [name]))
            spec = graph.specs[number]
            found = zip(*(g.specs[g.outputs[i]].shape for g in self.graphs), strict=True)
            sizes = [each[0] if len(set(each)) == 1 else free.get(each) for each in found]
            outputs.append(helper.make_tensor_value_info(name, self.type_of(spec.dtype), sizes))
        inputs = [
            helper.make_tensor_value_info(name, self.type_of(dtype), sizes)
            for (name, _, dtype), sizes in zip(self.specs, named, strict=True)
        ]
        tensors = [
            self.onnx.numpy_helper.from_array(array, name)
            for name, array in self.initializers.items()
        ]
        body = helper.make_graph(self.nodes, graph.name, inputs, outputs, tensors)
        return helper.make_model(
            body, opset_imports=[helper.make_opsetid("", self.opset)], producer_name="kerasish",
            ir_version=9,
        )  # fmt: skip

    def _free(self) -> tuple[dict[tuple[int, ...], str], list[list[Any]]]:
        """Names of the free sizes, and with these the shape of each input."""
        free: dict[tuple[int, ...], str] = {}
        named = []
        for i, (name, shape, _) in enumerate(self.specs):
            chosen = zip(*(g.specs[g.inputs[i]].shape for g in self.graphs), strict=True)
            named.append([
                n if n is not None else free.setdefault(c, f"{name}_{axis}" if axis else "batch")
                for axis, (n, c) in enumerate(zip(shape, chosen, strict=True))
            ])  # fmt: skip
        return free, named

    def _note(self, numbers: Sequence[Sequence[int]]) -> None:
        """Tensors that the file has now, in all traces, outside of loops and branches."""
        if self.nodes is self._outermost:
            for each in zip(*numbers, strict=True):
                if each[0] in self.names:
                    shapes = [g.specs[n].shape for g, n in zip(self.graphs, each, strict=True)]
                    self.sizes.note(self.names[each[0]], shapes)

    def _hold(self, number: int, array: Any) -> None:
        if array.dtype.name == "bfloat16":
            raise NotImplementedError("export: bfloat16 weights. Convert the model to float32.")
        self.names[number] = self.constant(array)

    def _name(self, number: int) -> str:
        if number in self._later:  # by now the sizes that it goes with may be known
            self._hold_sized(number, self._later.pop(number))
        return self.names[number]

    def _hold_sized(self, number: int, numbers: Sequence[int]) -> None:
        """A constant; one that goes with free sizes is computed from them."""
        values = [core.to_device(g.constants[n], "cpu")
                  for g, n in zip(self.graphs, numbers, strict=True)]  # fmt: skip
        first = values[0]
        if any(v.shape != first.shape for v in values):
            self.names[number] = (
                self._spread(values) or self._windows(values) or self._counted(values)
            )
        elif all(np.array_equal(v, first, equal_nan=first.dtype.kind in "fc") for v in values):
            self._hold(number, first)
        else:
            self.names[number] = self._scaled(values)

    def _spread(self, values: Sequence[Any]) -> str | None:
        """A single value, if it is one."""
        every = values[0].reshape(-1)[:1]
        if not every.size or any((v != every).any() for v in values):
            return None
        return self.op("Expand", self.constant(every[0]), self.shape(*(v.shape for v in values)))  # type: ignore[no-any-return]

    def _windows(self, values: Sequence[Any]) -> str | None:
        """How many elements the windows of a mean have, which padding does not count among."""
        dtype = values[0].dtype
        for nodes in zip(*(g.nodes for g in self.graphs), strict=True):
            if nodes[0].op.name != "window_sum":
                continue
            shapes = [(1, *shape[1:-1], 1) for shape in self.shapes(nodes)]
            ones = [core.constant(np.ones(shape, dtype)) for shape in shapes]
            sums = [np.asarray(core.dispatch.apply(n.op, one, **n.attrs))
                    for n, one in zip(nodes, ones, strict=True)]  # fmt: skip
            # Where nothing is padded, the mean is over a number.
            if all(v.shape in ((), n.shape) and (v == n).all() for v, n in zip(values, sums)):
                blank = self.op("Expand", self.constant(1, dtype), self.shape(*shapes))
                return RULES["window_sum"](self, nodes[0], nodes, blank)  # type: ignore[no-any-return]
        return None

    def _counted(self, values: Sequence[Any]) -> str:
        """Numbers that grow by equal steps along the one axis whose size is free; two ones on the
        sides of a diagonal.

        The diagonal is one of the last two axes, both free, as in masks of causal attention.
        """
        value = values[0]
        if len({v.ndim for v in values}) > 1:
            raise _depends(value)
        sizes = list(zip(*(v.shape for v in values), strict=True))
        axes = [i for i, found in enumerate(sizes) if len(set(found)) > 1]
        rank, kind, end = value.ndim, value.dtype.kind, self.type_of(value.dtype)
        if len(axes) == 1 and kind in "iuf":
            axis = axes[0]
            start, step = value.take([0], axis), value.take([1], axis) - value.take([0], axis)
            if all(
                np.array_equal(v, start + step * _along(np.arange(v.shape[axis]), axis, rank))
                for v in values
            ):
                places = self.op("Cast", self._places(sizes[axis], axis, rank), to=end)
                grown = self.op("Mul", places, self.constant(step.astype(value.dtype)))
                return self.op("Add", grown, self.constant(start))  # type: ignore[no-any-return]
        elif axes == [rank - 2, rank - 1] and value[..., 0, 0].size == 1:
            found, *others = map(_diagonal, values)
            if found is not None and all(other == found for other in others):
                relation, at, inside, outside = found
                down, right = (self._places(sizes[a], a, rank) for a in axes)
                below = self.op("Sub", down, right)
                chosen = self.op(relation, below, self.constant(at, "int64"))
                if kind == "b":
                    return chosen if inside else self.op("Not", chosen)  # type: ignore[no-any-return]
                both = (self.constant(v, value.dtype) for v in (inside, outside))
                return self.op("Where", chosen, *both)  # type: ignore[no-any-return]
        raise _depends(value)

    def _places(self, sizes: Sequence[int], axis: int, rank: int) -> str:
        """0, 1, 2 ... along an axis."""
        view = self.constant([-1 if i == axis else 1 for i in range(rank)], "int64")
        return self.op("Reshape", self.range(sizes), view)  # type: ignore[no-any-return]

    def _scaled(self, values: Sequence[Any]) -> str:
        """Numbers that follow from a free size: see `Sizes.scale`."""
        dtype = values[0].dtype
        found = self.sizes.scale(values) if dtype.kind in "iuf" else None
        if found is None:
            raise _depends(values[0])
        one, size, kind = found
        size = self.op("Cast", self.op("Squeeze", size), to=self.type_of("float64"))
        exact = self.op(kind, self.constant(one), size)
        if dtype.kind != "f":
            exact = self.op("Round", exact)
        return self.op("Cast", exact, to=self.type_of(dtype))  # type: ignore[no-any-return]

    def _nodes(self) -> None:
        if any(
            [n.op.name for n in graph.nodes] != [n.op.name for n in self.graph.nodes]
            for graph in self.graphs
        ):
            raise NotImplementedError(
                "export: the model computes otherwise for other sizes of what is free. Pass an "
                "input_signature without None."
            )
        numbers = list(zip(*(g.constants for g in self.graphs), strict=True))
        self._later = {each[0]: each for each in numbers}
        for nodes in zip(*(g.nodes for g in self.graphs), strict=True):
            self._node(nodes)

    def _node(self, nodes: Sequence[Any]) -> None:
        node = nodes[0]
        rule = RULES.get(node.op.name)
        if rule is None:
            raise NotImplementedError(
                f"export: the operation {node.op.name!r} has no form in ONNX files yet (called at "
                f"{node.location or 'an unknown line'})."
            )
        if node.op.name not in SIZED and any(n.attrs != node.attrs for n in nodes):
            raise NotImplementedError(
                f"export: {node.op.name!r} is another operation for other sizes of what is free "
                f"(called at {node.location or 'an unknown line'}). Pass an input_signature "
                "without None."
            )
        names = [self._name(n) for n in node.inputs]
        found = rule(self, node, nodes, *names)
        found = found if isinstance(found, list) else [found]
        # What only gradients read has no name.
        self.names.update(zip(node.outputs, found, strict=False))
        self._note([n.outputs for n in nodes])
