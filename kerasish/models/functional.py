"""Models made of symbolic tensors: a graph of operations from inputs to outputs."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

import kerasish_core as core

from ..layers import InputLayer, Layer
from ..ops.symbolic import FunctionCall, KerasTensor, Node, map_symbolic
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .model import Model

__all__ = ["Functional", "clone_model"]

tree = core.tree


def graph_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """The nodes between inputs and outputs, each after those it depends on.

    Raises:
        ValueError: An output does not come from the inputs.
    """
    given = {id(t) for t in inputs}
    order: list[Node] = []
    state: dict[int, int] = {}
    stack: list[tuple[Any, bool]] = [(t, False) for t in reversed(outputs)]
    while stack:
        tensor, done = stack.pop()
        if id(tensor) in given and not done:
            continue
        history = tensor._keras_history
        if history is None or history[0]._inbound_nodes[history[1]].is_input:
            raise ValueError(
                "`inputs` not connected to `outputs`: an output depends on "
                f"{tensor}, which is not among the inputs. Pass all Input() tensors as `inputs`."
            )
        node = history[0]._inbound_nodes[history[1]]
        if done:
            if state.get(id(node)) != 2:
                state[id(node)] = 2
                order.append(node)
            continue
        if state.get(id(node)):
            continue
        state[id(node)] = 1
        stack.append((tensor, True))
        stack += [(t, False) for t in reversed(node.inputs)]
    return order


@builtin("keras")
class Functional(Model):
    """`Model(inputs, outputs)`: replays the graph between symbolic tensors.

    Args:
        inputs, outputs: KerasTensors, or lists, tuples or dictionaries of them.
        name: Of the model.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", True)
        Layer.__init__(self, name=name, **kwargs)
        self._start_trainer()
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for t in tree.flatten(structure):
                if not isinstance(t, KerasTensor):
                    raise ValueError(
                        f"All `{what}` values must be KerasTensors. Received: {what}={structure} "
                        f"including invalid value {t} of type {type(t)}"
                    )
        self._inputs_struct, self._outputs_struct = Hidden(inputs), Hidden(outputs)
        flat_in, flat_out = tree.flatten(inputs), tree.flatten(outputs)
        if len({id(t) for t in flat_in}) != len(flat_in):
            raise ValueError("The inputs of a model must all be different.")
        self._graph = Hidden(_Graph(flat_in, flat_out))
        self._functional_layers = self._graph.value.layers
        self.built = True
        self.input_names = [_layer_name(t) for t in flat_in]
        self.output_names = _output_names(outputs, flat_out)
        if not trainable:
            self.trainable = False

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs."""
        return tree.flatten(self._inputs_struct.value)

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs."""
        return tree.flatten(self._outputs_struct.value)

    @property
    def input(self) -> Any:
        return self._inputs_struct.value

    @property
    def output(self) -> Any:
        return self._outputs_struct.value

    @property
    def input_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self._inputs_struct.value)

    @property
    def output_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self._outputs_struct.value)

    @property
    def layers(self) -> list[Any]:
        return list(self._functional_layers)

    @property
    def _layers(self) -> list[Layer]:
        own = list(self._functional_layers)
        known = {id(x) for x in own}
        return own + [x for x in self._tracked(Layer) if id(x) not in known]

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the graph."""
        flat = self._standardize(inputs)
        if mask is not None:
            for x, m in zip(flat, tree.flatten(mask), strict=False):
                if m is not None and x is not None:
                    x.mask = m
        found = self._graph.value.run(flat, training)
        return tree.pack_sequence_as(self._outputs_struct.value, found)

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        shapes = [tuple(t.shape) for t in tree.flatten(inputs)]
        own = [tuple(t.shape) for t in self.inputs]
        if shapes == own:
            return tree.map_structure(
                lambda t: KerasTensor(t.shape, t.dtype), self._outputs_struct.value
            )
        return super().compute_output_spec(inputs, training=training)

    def _standardize(self, inputs: Any) -> list[Any]:
        """The inputs in the order of the graph, with the rank that it expects."""
        struct = self._inputs_struct.value
        if isinstance(inputs, dict):
            if isinstance(struct, dict):
                missing = [k for k in struct if k not in inputs]
                flat = [inputs.get(k) for k in struct]
            else:
                missing = [n for n in self.input_names if n not in inputs]
                flat = [inputs.get(n) for n in self.input_names]
            if missing:
                raise ValueError(
                    f"Missing data for input {missing[0]!r}. You passed a data dictionary with "
                    f"keys {list(inputs)}. Expected the following keys: "
                    f"{list(struct) if isinstance(struct, dict) else self.input_names}"
                )
        else:
            flat = tree.flatten(inputs)
        expected = self.inputs
        if len(flat) != len(expected):
            raise ValueError(
                f'Layer "{self.name}" expects {len(expected)} input(s), but it received '
                f"{len(flat)} input tensors."
            )
        return [_fit(x, t, self.name) for x, t in zip(flat, expected, strict=True)]

    def get_config(self) -> dict[str, Any]:
        if type(self) is not Functional:
            return Layer.get_config(self)
        return self._graph.value.config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return _from_config(config, custom_objects)

    def __deepcopy__(self, memo: Any) -> Any:
        twin = copy_model(self)
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        return rebuild, (type(self), serialize_keras_object(self.get_config()), self.get_weights(),
                         trainer_state(self))  # fmt: skip


Model._functional = Functional


class Hidden:
    """Keeps tracking from looking into a value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class _Graph:
    """The nodes in order, with numbers in place of symbolic tensors."""

    def __init__(self, inputs: list[KerasTensor], outputs: list[KerasTensor]) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.nodes = graph_nodes(inputs, outputs)
        layers: list[Any] = []
        for t in inputs:
            if t._keras_history is not None and isinstance(t._keras_history[0], InputLayer):
                layers.append(t._keras_history[0])
        layers += [n.operation for n in self.nodes if isinstance(n.operation, Layer)]
        self.layers = list({id(x): x for x in layers}.values())
        names = [x.name for x in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f'The name "{name}" is used {names.count(name)} times in the model. All '
                    "operation names should be unique."
                )
        self._steps = [self._step(n) for n in self.nodes]

    @staticmethod
    def _step(node: Node) -> Any:
        operation = node.operation
        simple = len(node.args) == 1 and isinstance(node.args[0], KerasTensor) and not node.kwargs
        takes_training = (
            isinstance(operation, Layer)
            and "training" not in node.kwargs
            and (operation._signature.training)
        )
        outputs = [id(t) for t in node.outputs]
        return operation, simple, node.args, node.kwargs, outputs, takes_training

    def run(self, inputs: list[Any], training: Any) -> list[Any]:
        values: dict[int, Any] = {id(t): x for t, x in zip(self.inputs, inputs, strict=True)}

        def fill(t: KerasTensor) -> Any:
            return values[id(t)]

        for operation, simple, args, kwargs, outputs, takes_training in self._steps:
            extra = {"training": training} if takes_training and training is not None else {}
            if simple:
                result = operation(values[id(args[0])], **extra)
            else:
                filled = map_symbolic(fill, list(args))
                result = operation(*filled, **map_symbolic(fill, kwargs), **extra)
            if len(outputs) == 1 and not isinstance(result, list | tuple | dict):
                values[outputs[0]] = result
            else:
                values.update(zip(outputs, tree.flatten(result), strict=True))
        return [values[id(t)] for t in self.outputs]

    # -- config
    def config(self, model: Functional) -> dict[str, Any]:
        place = {id(n): self._place(n) for n in self.nodes}
        operations: dict[int, Any] = {id(x): x for x in self.layers}
        for n in self.nodes:
            operations.setdefault(id(n.operation), n.operation)
        layers = []
        for operation in operations.values():
            entry = serialize_keras_object(operation)
            if isinstance(operation, FunctionCall):
                entry = {
                    "module": "kerasish.ops", "class_name": "FunctionCall",
                    "config": operation.get_config(), "registered_name": None,
                }  # fmt: skip
            entry["name"] = operation.name
            entry["inbound_nodes"] = [
                {
                    "args": serialize_keras_object([self._encode(a, place) for a in n.args]),
                    "kwargs": serialize_keras_object(self._encode(n.kwargs, place)),
                }
                for n in self.nodes
                if n.operation is operation
            ]
            layers.append(entry)
        struct = model._inputs_struct.value, model._outputs_struct.value
        return {
            "name": model.name,
            "trainable": model.trainable,
            "layers": layers,
            "input_layers": tree.map_structure(lambda t: self._reference(t), struct[0]),
            "output_layers": tree.map_structure(lambda t: self._reference(t), struct[1]),
        }

    def _place(self, node: Node) -> int:
        own = [n for n in self.nodes if n.operation is node.operation]
        return next(i for i, n in enumerate(own) if n is node)

    def _reference(self, t: KerasTensor) -> Any:
        operation, index, tensor = t._keras_history  # type: ignore[misc]
        node = operation._inbound_nodes[index]
        own = [n for n in self.nodes if n.operation is operation]
        number = next((i for i, n in enumerate(own) if n is node), 0)
        return (operation.name, number, tensor)

    def _encode(self, structure: Any, place: Any) -> Any:
        def encode(t: KerasTensor) -> Any:
            return _TensorConfig(
                {
                    "class_name": "__keras_tensor__",
                    "config": {
                        "shape": list(t.shape), "dtype": t.dtype,
                        "keras_history": list(self._reference(t)),
                    },
                }
            )  # fmt: skip

        return map_symbolic(encode, structure)


class _TensorConfig:
    """A symbolic tensor in a config."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    def keras_tensor_config(self) -> dict[str, Any]:
        return self._config

    def get_config(self) -> dict[str, Any]:
        return self._config["config"]


def _layer_name(t: KerasTensor) -> str:
    return t._keras_history[0].name if t._keras_history is not None else t.name


def _output_names(outputs: Any, flat: list[Any]) -> list[str]:
    names = [_layer_name(t) for t in flat]
    seen: dict[str, int] = {}
    found = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.append(f"{name}_{count}" if count else name)
    return found


def _fit(x: Any, t: KerasTensor, name: str) -> Any:
    """An input with the rank and kind that the graph expects.

    Raises:
        ValueError: Its shape does not fit.
    """
    if x is None:
        return None
    if not isinstance(x, core.Tensor | KerasTensor):
        x = core.convert(x)
    mask = x.mask
    shape, wanted = tuple(x.shape), tuple(t.shape)
    if len(shape) == len(wanted) + 1 and shape[-1] == 1:
        x = core.ops.squeeze(x, -1) if isinstance(x, core.Tensor) else x
    elif len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        x = core.ops.expand_dims(x, -1) if isinstance(x, core.Tensor) else x
    elif len(shape) != len(wanted) or any(
        a is not None and b is not None and a != b for a, b in zip(shape[1:], wanted[1:])
    ):
        raise ValueError(
            f"Input of model {name!r} is incompatible with the model: expected shape={wanted}, "
            f"found shape={shape}. Check the number of features and axes of x."
        )
    if core.dtypes.name_of(x.dtype) != t.dtype and isinstance(x, core.Tensor):
        x = core.ops.cast(x, t.dtype)
    if mask is not None:
        x.mask = mask
    return x


def _from_config(config: dict[str, Any], custom_objects: Any) -> Any:
    operations: dict[str, Any] = {}
    tensors: dict[tuple[str, int, int], KerasTensor] = {}
    waiting = []
    for entry in config["layers"]:
        if entry["class_name"] == "FunctionCall":
            operation: Any = FunctionCall.from_config(entry["config"])
        else:
            operation = deserialize_keras_object(entry, custom_objects)
        operations[entry["name"]] = operation
        if isinstance(operation, InputLayer):
            tensors[entry["name"], 0, 0] = operation.output
        for i, node in enumerate(entry["inbound_nodes"]):
            waiting.append((entry["name"], i, node))
    while waiting:
        left = []
        for name, i, node in waiting:
            needed = _histories(node)
            ready = all(key in tensors for key in needed) and (
                i == 0 or (name, i - 1, 0) in tensors
            )
            if not ready:
                left.append((name, i, node))
                continue
            args = _decode(node["args"], tensors)
            kwargs = _decode(node["kwargs"], tensors)
            result = operations[name](*args, **kwargs)
            for j, t in enumerate(tree.flatten(result)):
                tensors[name, i, j] = t
        if len(left) == len(waiting):
            raise ValueError(
                f"The config of model {config['name']!r} has a cycle or a missing layer."
            )
        waiting = left

    def find(references: Any) -> Any:
        if isinstance(references, dict):
            return {k: find(v) for k, v in references.items()}
        if (
            isinstance(references, list | tuple)
            and len(references) == 3
            and isinstance(references[0], str)
        ):
            return tensors[tuple(references)]  # type: ignore[index]
        return [find(r) for r in references]

    inputs, outputs = (
        find(deserialize_keras_object(config[k])) for k in ("input_layers", "output_layers")
    )
    return Functional(inputs, outputs, name=config["name"], trainable=config.get("trainable", True))


def _histories(node: Any) -> list[Any]:
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            return [tuple(node["config"]["keras_history"])]
        return [k for v in node.values() for k in _histories(v)]
    if isinstance(node, list | tuple):
        return [k for v in node for k in _histories(v)]
    return []


def _decode(structure: Any, tensors: Any) -> Any:
    if isinstance(structure, dict):
        if structure.get("class_name") == "__keras_tensor__":
            return tensors[tuple(structure["config"]["keras_history"])]
        if structure.get("class_name") == "__tuple__":
            return tuple(_decode(v, tensors) for v in structure["config"]["value"])
        if "class_name" in structure and "config" in structure:
            return deserialize_keras_object(structure)
        return {k: _decode(v, tensors) for k, v in structure.items()}
    if isinstance(structure, list):
        return [_decode(v, tensors) for v in structure]
    return structure


def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """A model like the given one, with fresh weights."""
    return type(model).from_config(deserialize_free(model))


def deserialize_free(model: Any) -> Any:
    """The model's config as JSON would hold it."""
    return serialize_keras_object(model.get_config())


def trainer_state(model: Any) -> Any:
    """What pickling keeps of training."""
    return {
        "compile": model._compile_config, "optimizer": model.optimizer,
        "slots": None if model.optimizer is None or not model.optimizer.built else [
            v.numpy() for v in model.optimizer.variables
        ],
    }  # fmt: skip


def copy_model(model: Any) -> Any:
    """A deep copy: config, weights, compile arguments, optimizer slots."""
    state = trainer_state(model)
    state["compile"] = copy.deepcopy(state["compile"])
    return rebuild(
        type(model), serialize_keras_object(model.get_config()), model.get_weights(), state
    )


def rebuild(cls: Any, config: Any, weights: Any, state: Any) -> Any:
    """The model of a config, weights and training state: the inverse of pickling."""
    model = cls.from_config(config)
    model.set_weights([np.asarray(w) for w in weights])
    if state["compile"] is not None:
        settings = dict(state["compile"])
        optimizer = settings["optimizer"]
        if optimizer is not None:
            settings["optimizer"] = type(optimizer).from_config(optimizer.get_config())
        model.compile(**settings)
        if state["slots"] is not None:
            model.optimizer.build(model.trainable_variables)
            for v, value in zip(model.optimizer.variables, state["slots"], strict=True):
                v.assign(value)
    return model
