"""Models made of symbolic tensors: a graph of operations from inputs to outputs."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np

import kerasish_core as core

from ..layers import Input, Layer
from ..layers.preprocessing.host import values_of
from ..layers.tracking import no_tracking
from ..ops.symbolic import KerasTensor
from ..serialization import builtin
from ..text_arrays import is_text
from ..training.prepared import Prepared
from . import graph_config
from .copying import Plan
from .direct import DirectCall
from .front import is_on_host
from .graph import Graph, is_input_tensor
from .model import Model

__all__ = ["Functional"]

tree = core.tree
# Rows that go through the front at once where a whole data set does.
_ROWS = 1024


@builtin("keras.src.models.functional")
class Functional(DirectCall, Model):
    """`Model(inputs, outputs)`: replays the graph between symbolic tensors.

    Args:
        inputs, outputs: KerasTensors, or lists, tuples or dictionaries of them.
        name: Of the model.
        trainable: Whether its weights are trained.

    Raises:
        ValueError: Something else than KerasTensors, or outputs that do not come from the inputs.

    Source: https://keras.io/guides/functional_api/
    """

    _layers_first = True
    _locks = False

    # Whether values may have other sizes than the inputs: the layers say what they need.
    _sizes_free = False

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        if kwargs:  # as in Keras, so that a subclass may pass on what it was given
            warnings.warn(
                f"{type(self).__name__}: a functional model has no arguments {sorted(kwargs)}; "
                "they are ignored.",
                stacklevel=3,
            )
        Layer.__init__(self, name=name)
        self._start_trainer()
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for t in tree.flatten(structure):
                if not isinstance(t, KerasTensor):
                    raise ValueError(
                        f"All `{what}` values must be KerasTensors. Received: {what}={structure} "
                        f"including invalid value {t} of type {type(t)}"
                    )
        # Inputs are converted here, each to the dtype of its own Input.
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True
        self.autocast = False
        self._set_graph(*_from_inputs(inputs, outputs))
        self.built = True
        if trainable is not None:
            # The model's own flag: layers keep theirs, and held weights of LoRA stay held.
            self._trainable = bool(trainable)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        flat_in, flat_out = tree.flatten(inputs), tree.flatten(outputs)
        graph = Graph(flat_in, flat_out)
        with no_tracking():
            self._graph = graph
            self._inputs_struct, self._outputs_struct = inputs, outputs
            self._single_in = isinstance(inputs, KerasTensor)
            self._single_out = isinstance(outputs, KerasTensor)
            self._accepted: set[Any] = set()
            self.input_names = [_operation_name(t) for t in flat_in]
            self.output_names = _unique_names([_operation_name(t) for t in _seen(outputs)])
        for layer in graph.layers:
            self._tracker.track(layer)

    # -- what it is made of
    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs, flat."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs, flat."""
        return list(self._graph.outputs)

    @property
    def input(self) -> Any:
        """The symbolic inputs as given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs as given."""
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        """The shape of the input; of several, a flat list."""
        return _shapes(self._graph.inputs)

    @property
    def output_shape(self) -> Any:
        """The shape of the output; of several, a flat list."""
        return _shapes(self._graph.outputs)

    @property
    def operations(self) -> list[Any]:
        """Layers and function calls of the graph."""
        return list(self._graph.operations)

    @property
    def layers(self) -> list[Any]:
        """The layers of the graph, inputs among them."""
        return list(self._graph.layers)

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do: the graph is built."""

    def get_build_config(self) -> Any:
        """Nothing to know: the graph is built when it is made."""
        return {"input_shape": None}

    # -- running
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the graph."""
        if isinstance(inputs, Prepared):
            return self._results(self._graph.finish(inputs, training))
        flat = self._standardize(inputs)
        if mask is not None:
            for x, m in zip(flat, tree.flatten(mask), strict=False):
                if m is not None and x is not None:
                    x.mask = m
        return self._results(self._graph.run(flat, training))

    def _results(self, flat: list[Any]) -> Any:
        """The outputs in their structure; a list of one is that one, as in Keras."""
        if self._single_out:
            return flat[0]
        found = tree.pack_sequence_as(self._outputs_struct, flat)
        return found[0] if isinstance(found, list | tuple) and len(found) == 1 else found

    def _run_front(self, x: Any) -> Any:
        return self._graph.prepare(self._standardize(x))

    def _front_of_all(self, x: Any, count: int) -> Any:
        if not self._graph.front.fits(count):
            return None
        parts = [
            self._run_front(tree.map_structure(lambda a, i=i: a[i : i + _ROWS], x)).values
            for i in range(0, count, _ROWS)
        ]
        return Prepared([np.concatenate([np.asarray(v) for v in same]) for same in zip(*parts)])

    @property
    def _has_front(self) -> bool:
        return self._graph.front is not None

    def compute_output_spec(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Symbolic results for symbolic inputs."""
        flat = [x for x in tree.flatten(inputs) if isinstance(x, KerasTensor)]
        own = self._graph.inputs
        if len(flat) == len(own) and all(
            a.shape == b.shape and a.dtype == b.dtype for a, b in zip(flat, own, strict=True)
        ):
            return tree.map_structure(lambda t: KerasTensor(t.shape, t.dtype), self._outputs_struct)
        if any(is_on_host(op) for op in self._graph.operations):
            # It can't be run abstractly: each operation tells its own.
            found = self._graph.replay(
                flat, lambda op: op, lambda op, *a, **k: op.compute_output_spec(*a, **k)
            )
        else:
            found = tree.flatten(super().compute_output_spec(inputs, training=training))
        return found[0] if self._single_out else tree.pack_sequence_as(self._outputs_struct, found)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for shapes of the inputs."""
        return super().compute_output_shape(input_shape)

    # -- inputs
    def _standardize(self, inputs: Any) -> list[Any]:
        """The inputs in the order of the graph, with the dtype and rank that it expects."""
        if self._single_in and isinstance(inputs, core.Tensor):
            seen = (inputs.shape, inputs.dtype)
            if seen in self._accepted:
                return [inputs]
            fitted = self._fit(0, inputs)
            if fitted is inputs and len(self._accepted) < 64:
                self._accepted.add(seen)
            return [fitted]
        flat = self._flat_inputs(inputs)
        expected = self._graph.inputs
        if len(flat) != len(expected):
            names = self.input_names
            raise ValueError(
                f'Layer "{self.name}" expects {len(expected)} named input(s) with keys {names}, '
                f"but it received {len(flat)} input tensors. Pass inputs as a list in that order, "
                f"or as a dict, e.g. `model({{{', '.join(f'{n!r}: ...' for n in names)}}})`."
            )
        return [self._fit(i, x) for i, x in enumerate(flat)]

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        struct = self._inputs_struct
        if isinstance(inputs, dict):
            keyed = isinstance(struct, dict)
            keys = list(struct) if keyed else self.input_names
            missing = [k for k in keys if k not in inputs and not self._is_optional(k, keyed)]
            if missing:
                raise ValueError(
                    f'Missing data for input "{missing[0]}". You passed a data dictionary with '
                    f"keys {list(inputs)}. Expected the following keys: {keys}"
                )
            if keyed and len(inputs) > len(keys):
                self._warn_structure(inputs)
            chosen = {k: inputs.get(k) for k in keys}
            return tree.flatten(chosen) if keyed else list(chosen.values())
        if isinstance(struct, dict):
            self._warn_structure(inputs)
        if not isinstance(inputs, list | tuple):
            return [inputs]
        if inputs and not any(hasattr(x, "shape") for x in tree.flatten(inputs)):
            return [inputs] if len(self.input_names) == 1 else list(inputs)  # nested numbers
        return tree.flatten(inputs)

    def _is_optional(self, name: Any, keyed: bool) -> bool:
        tensors = (
            tree.flatten(self._inputs_struct[name])
            if keyed
            else [self._graph.inputs[self.input_names.index(name)]]
        )
        return all(_optional(t) for t in tensors)

    def _warn_structure(self, inputs: Any) -> None:
        names = tree.map_structure(lambda t: t.name, self._inputs_struct)
        received = tree.map_structure(
            lambda x: f"Tensor(shape={getattr(x, 'shape', None)})", inputs
        )
        warnings.warn(
            "The structure of `inputs` doesn't match the expected structure.\n"
            f"Expected: {names}\nReceived: inputs={received}",
            stacklevel=6,
        )

    def _fit(self, place: int, x: Any) -> Any:
        """An input with the rank and dtype of the graph's.

        Raises:
            ValueError: Its shape does not fit.
        """
        t = self._graph.inputs[place]
        if x is None:
            if _optional(t):
                return None
            raise ValueError(
                f"Input {place} ({self.input_names[place]!r}) of model '{self.name}' is None. Only "
                "inputs made by Input(optional=True) may be None."
            )
        if isinstance(x, core.Variable):
            x = x.value
        if not isinstance(x, core.Tensor | KerasTensor):
            x = values_of(x) if t.dtype == "string" else x
            x = x if is_text(x) else core.convert(x)
        fitted = _with_rank(x, t)
        free = self._sizes_free and not isinstance(x, KerasTensor)
        if fitted is None or not (free or _sizes_fit(fitted.shape, t.shape)):
            raise ValueError(
                f"Input {place} with name '{self.input_names[place]}' of layer '{self.name}' is "
                f"incompatible with the layer: expected shape={t.shape}, found "
                f"shape={tuple(x.shape)}"
            )
        if is_text(fitted):
            return fitted
        if isinstance(fitted, core.Tensor) and fitted.dtype.name != t.dtype != "string":
            fitted = core.ops.cast(fitted, t.dtype)
        if fitted is not x and x.mask is not None:
            fitted.mask = x.mask
        return fitted

    # -- config and copies
    def get_config(self) -> dict[str, Any]:
        """Layers with their calls, in Keras's format.

        A subclass with another `__init__` than `(inputs, outputs, name)` is written by the
        arguments of that instead.
        """
        if not _takes_graph(type(self)):
            return Layer.get_config(self)
        return graph_config.write(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model of a config."""
        if {"layers", "input_layers", "output_layers"} <= set(config):
            return graph_config.read(cls, config, custom_objects)
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        values = super().__getstate__()
        for name in ("_graph", "_inputs_struct", "_outputs_struct", "_accepted"):
            values.pop(name)
        values["_plan"] = Plan(
            self._graph, inputs=self._inputs_struct, outputs=self._outputs_struct
        )
        return values

    def __setstate__(self, values: dict[str, Any]) -> None:
        values = dict(values)
        plan = values.pop("_plan")
        super().__setstate__(values)
        self._set_graph(**plan.restore())


Model._functional = Functional


def _takes_graph(cls: type) -> bool:
    """Whether `cls(inputs=, outputs=, name=)` makes a model."""
    parameters = inspect.signature(cls.__init__).parameters
    return {"inputs", "outputs"} <= set(parameters) and (
        "name" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    )


def _from_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Inputs and outputs of a graph that starts at `Input()`s.

    A model may start at a tensor in the middle of another one: then that part of the graph is
    called again on fresh inputs.
    """
    flat = tree.flatten(inputs)
    if all(is_input_tensor(t) for t in flat):
        return inputs, outputs
    graph = Graph(flat, tree.flatten(outputs))
    fresh = [
        t if is_input_tensor(t) else Input(batch_shape=t.shape, dtype=t.dtype, name=t.name)
        for t in flat
    ]
    found = graph.replay(fresh, lambda operation: operation)
    return tree.pack_sequence_as(inputs, fresh), tree.pack_sequence_as(outputs, found)


def _shapes(tensors: list[KerasTensor]) -> Any:
    shapes = [t.shape for t in tensors]
    return shapes[0] if len(shapes) == 1 else shapes


def _operation_name(t: KerasTensor) -> str:
    return t._keras_history[0].name if t._keras_history is not None else t.name


def _seen(outputs: Any) -> list[Any]:
    """A tensor of each output as losses see them: a distribution of several tensors is one."""
    if isinstance(outputs, dict):
        return [t for key in tree.sorted_keys(outputs) for t in _seen(outputs[key])]
    if isinstance(outputs, list | tuple):
        return [t for part in outputs for t in _seen(part)]
    return tree.flatten(outputs)[:1]


def _unique_names(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.append(f"{name}_{count}" if count else name)
    return found


def _optional(t: KerasTensor) -> bool:
    return t._keras_history is not None and getattr(t._keras_history[0], "optional", False)


def _with_rank(x: Any, t: KerasTensor) -> Any:
    """`x`, with a last axis of size 1 added or dropped if that makes the ranks equal; or None."""
    rank, wanted = len(x.shape), len(t.shape)
    if rank == wanted:
        return x
    arrays = np if is_text(x) else core.ops
    if not isinstance(x, KerasTensor):
        if rank == wanted + 1 and x.shape[-1] == 1:
            return arrays.squeeze(x, -1)
        if rank == wanted - 1 and t.shape[-1] == 1:
            return arrays.expand_dims(x, -1)
    return None


def _sizes_fit(found: Any, expected: Any) -> bool:
    """Whether the sizes are as declared; that of the batch may be any, as in Keras."""
    pairs = zip(found[1:], expected[1:], strict=True)
    return all(a is None or b is None or a == b for a, b in pairs)
