"""The graph between symbolic inputs and outputs: operations in Keras's order, and their replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kerasish_core as core

from ..layers import InputLayer, Layer
from ..layers.call_context import state
from ..ops.symbolic import KerasTensor, Node, map_symbolic
from ..training.prepared import Prepared
from .front import Front

__all__ = ["Graph", "key_of", "node_of"]

tree = core.tree

# A symbolic tensor is known by where it came from: casts make twins of the same history.
Key = tuple[int, int, int]


def key_of(tensor: KerasTensor) -> Key:
    """What names a symbolic tensor in a graph: its operation, node and place."""
    if tensor._keras_history is None:
        return id(tensor), -1, 0
    operation, node, place = tensor._keras_history
    return id(operation), node, place


def node_of(tensor: KerasTensor) -> Node | None:
    """The call that made a symbolic tensor."""
    if tensor._keras_history is None:
        return None
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


class Graph:
    """What lies between symbolic inputs and outputs.

    Args:
        inputs, outputs: Flat lists of KerasTensors.

    Attributes:
        nodes: Calls, each after those it depends on, without those of inputs.
        operations: Layers and function calls, inputs among them, in the order in which Keras
            lists them: by greatest distance to an output, then as a walk from the outputs finds
            them.
        layers: Those that are layers.

    Raises:
        ValueError: An output does not come from the inputs, or two operations share a name.
    """

    def __init__(self, inputs: list[KerasTensor], outputs: list[KerasTensor]) -> None:
        self.inputs, self.outputs = inputs, outputs
        finished, indices = _walk(inputs, outputs)
        self.operations, self.nodes = _by_depth(inputs, finished, indices)
        _check_connected(inputs, self.nodes, outputs)
        self.layers = [op for op in self.operations if isinstance(op, Layer)]
        names = [op.name for op in self.operations]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f'The name "{name}" is used {names.count(name)} times in the model. All '
                    "operation names should be unique."
                )
        self._compile()

    # -- running
    def _compile(self) -> None:
        """Number the tensors, so that a run is a walk over a list."""
        slots: dict[Key, int] = {}
        for t in self.inputs:
            slots.setdefault(key_of(t), len(slots))
        for node in self.nodes:
            for t in node.outputs:
                slots.setdefault(key_of(t), len(slots))
        self._size = len(slots)
        self._starts = [slots[key_of(t)] for t in self.inputs]
        self._ends = [slots[key_of(t)] for t in self.outputs]
        self._steps = [_step(node, slots) for node in self.nodes]
        self.front = Front.of(self.nodes, self.inputs, self.outputs, lambda t: slots[key_of(t)])

    def run(self, inputs: list[Any], training: Any = None) -> list[Any]:
        """The outputs for tensors in place of the inputs."""
        values = self._play(self._steps, self._starts, inputs, training)
        return [values[slot] for slot in self._ends]

    def prepare(self, inputs: list[Any]) -> Prepared:
        """Run the part that needs values."""
        front = self.front
        values = self._play([self._steps[i] for i in front.first], self._starts, inputs, None)
        return Prepared([_of_dtype(values[slot], t.dtype) for slot, t in front.kept.items()])

    def finish(self, prepared: Prepared, training: Any = None) -> list[Any]:
        """The outputs, from what `prepare` gave."""
        front = self.front
        steps = [self._steps[i] for i in front.rest]
        values = self._play(steps, list(front.kept), prepared.values, training)
        return [values[slot] for slot in self._ends]

    def _play(self, steps: list[Any], starts: list[int], given: list[Any], training: Any) -> Any:
        """The values of all slots after some of the steps."""
        values: list[Any] = [None] * self._size
        for slot, x in zip(starts, given, strict=True):
            values[slot] = x
        context = state.context
        # Inside a layer's call, `training` reaches the layers by the context.
        tell = training is not None and (context is None or context.training is not training)
        for operation, source, fill, targets, takes_training in steps:
            if source is not None and not (tell and takes_training):
                result = operation(values[source])
            else:
                args, kwargs = fill(values)
                if tell and takes_training and "training" not in kwargs:
                    kwargs = {**kwargs, "training": training}
                result = operation(*args, **kwargs)
            if type(targets) is int:
                values[targets] = result
            else:
                for slot, part in zip(targets, tree.flatten(result), strict=True):
                    values[slot] = part
        return values

    def replay(
        self, inputs: list[Any], replaced: Callable[[Any], Any], call: Any = None, note: Any = None
    ) -> list[Any]:
        """The outputs when other operations are called on other (symbolic) inputs.

        Args:
            inputs: In place of the inputs.
            replaced: Operation to the one called instead.
            call: Called as `call(operation, *args, **kwargs)` in place of the operation.
            note: Called as `note(tensor, value)` for each symbolic tensor of the graph.
        """
        values: dict[Key, Any] = {}

        def keep(t: KerasTensor, value: Any) -> None:
            values[key_of(t)] = value
            if note is not None:
                note(t, value)

        for t, x in zip(self.inputs, inputs, strict=True):
            keep(t, x)

        def find(t: KerasTensor) -> Any:
            return values[key_of(t)]

        for node in self.nodes:
            args = map_symbolic(find, list(node.args))
            kwargs = map_symbolic(find, dict(node.kwargs))
            operation = replaced(node.operation)
            result = (
                operation(*args, **kwargs) if call is None else call(operation, *args, **kwargs)
            )
            for t, part in zip(node.outputs, tree.flatten(result), strict=True):
                keep(t, part)
        return [find(t) for t in self.outputs]

    # -- places of nodes, for files
    def node_numbers(self) -> dict[int, int]:
        """Node (by id) to its number among those of its operation that are in the graph."""
        numbers: dict[int, int] = {}
        for operation in self.operations:
            own = {id(n) for n in self.nodes if n.operation is operation}
            inside = [n for n in operation._inbound_nodes if id(n) in own or n.is_input]
            numbers |= {id(n): i for i, n in enumerate(inside)}
        return numbers


def _step(node: Node, slots: dict[Key, int]) -> Any:
    operation, args, kwargs = node.operation, node.args, node.kwargs
    single = len(args) == 1 and isinstance(args[0], KerasTensor) and not kwargs
    source = slots[key_of(args[0])] if single else None
    fill_args = [_filler(a, slots) for a in args]
    fill_kwargs = {k: _filler(v, slots) for k, v in kwargs.items()}

    def fill(values: list[Any]) -> Any:
        return [f(values) for f in fill_args], {k: f(values) for k, f in fill_kwargs.items()}

    takes = isinstance(operation, Layer) and operation._signature.training
    if isinstance(node.result, KerasTensor):
        targets: Any = slots[key_of(node.result)]
    else:
        targets = [slots[key_of(t)] for t in node.outputs]
    return operation, source, fill, targets, takes


def _of_dtype(x: Any, dtype: str) -> Any:
    """A value in the dtype that the graph gives it: the rest of the graph was built for that."""
    if isinstance(x, core.Tensor) and dtype not in ("string", x.dtype.name):
        return core.ops.cast(x, dtype)
    return x


def _filler(part: Any, slots: dict[Key, int]) -> Callable[[list[Any]], Any]:
    """A function from the values to an argument."""
    if isinstance(part, KerasTensor):
        slot = slots[key_of(part)]
        return lambda values: values[slot]
    if type(part) in (list, tuple) and all(isinstance(t, KerasTensor) for t in part):
        many = [slots[key_of(t)] for t in part]
        kind = type(part)
        return lambda values: kind([values[i] for i in many])
    if any(isinstance(t, KerasTensor) for t in tree.flatten(part)):
        return lambda values: map_symbolic(lambda t: values[slots[key_of(t)]], part)
    return lambda values: part


def _walk(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> Any:
    """Nodes after their parents, and operations in the order of a walk from the outputs."""
    given = {key_of(t) for t in inputs}
    finished: list[Node] = []
    done: set[int] = set()
    open_nodes: set[int] = set()
    indices: dict[int, int] = {}
    stack: list[tuple[KerasTensor, bool]] = [(t, False) for t in reversed(outputs)]
    while stack:
        tensor, leaving = stack.pop()
        node = node_of(tensor)
        if node is None or id(node) in done:
            continue
        if leaving:
            done.add(id(node))
            open_nodes.discard(id(node))
            finished.append(node)
            continue
        if id(node) in open_nodes:
            raise ValueError(f"{tensor} depends on itself: the graph has a cycle.")
        indices.setdefault(id(node.operation), len(indices))
        open_nodes.add(id(node))
        stack.append((tensor, True))
        if not node.is_input and key_of(tensor) not in given:
            stack += [(t, False) for t in reversed(node.inputs)]
    return finished, indices


def _by_depth(inputs: list[KerasTensor], finished: list[Node], indices: Any) -> Any:
    """Operations and nodes, those farthest from the outputs first."""
    given = {key_of(t) for t in inputs}
    depths: dict[int, int] = {}
    of_operation: dict[int, int] = {}
    operations: dict[int, Any] = {}
    for node in reversed(finished):
        operation = node.operation
        depth = max(depths.get(id(node), 0), of_operation.get(id(operation), 0))
        depths[id(node)] = of_operation[id(operation)] = depth
        operations[id(operation)] = operation
        if any(key_of(t) in given for t in node.outputs):
            continue
        for parent in node.parent_nodes:
            depths[id(parent)] = max(depth + 1, depths.get(id(parent), 0))
    for t in inputs:  # those that no output depends on
        if t._keras_history is not None:
            operation = t._keras_history[0]
            if id(operation) not in operations:
                operations[id(operation)] = operation
                of_operation[id(operation)] = 0
                indices[id(operation)] = -1
    order = sorted(operations, key=lambda i: (-of_operation[i], indices[i]))
    nodes = [n for n in finished if not (n.is_input or any(key_of(t) in given for t in n.outputs))]
    # Among those equally far, in the order in which they were met: of two calls of one layer with
    # state (moving averages) the same one comes last as in Keras.
    met = {each: place for place, each in enumerate(depths)}
    nodes.sort(key=lambda n: (-depths[id(n)], met[id(n)]))
    return [operations[i] for i in order], nodes


def _check_connected(inputs: Any, nodes: list[Node], outputs: Any) -> None:
    known = {key_of(t) for t in inputs}
    for node in nodes:
        missing = [t for t in node.inputs if key_of(t) not in known]
        if missing:
            raise ValueError(
                f"`inputs` not connected to `outputs`: an output depends on {missing[0]}, which "
                "does not come from the inputs. Pass all Input() tensors as `inputs`."
            )
        known |= {key_of(t) for t in node.outputs}
    for t in outputs:
        if key_of(t) not in known:
            raise ValueError(
                f"`inputs` not connected to `outputs`: the output {t} does not come from the "
                "inputs."
            )


def is_input_tensor(tensor: KerasTensor) -> bool:
    """Whether it was made by `Input()`."""
    return tensor._keras_history is not None and isinstance(tensor._keras_history[0], InputLayer)
