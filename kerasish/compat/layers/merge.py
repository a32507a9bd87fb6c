"""`merge` and `Merge` of Keras 1: one name for all ways of joining tensors.

`Merge([left, right])` also began a `Sequential`, of which it joined the branches.
"""

from __future__ import annotations

from typing import Any

from ... import layers, models
from ...layers.tracking import no_tracking
from ...models.copying import Plan
from ...models.sequential import _as_layer
from ...serialization import builtin, deserialize_keras_object, serialize_keras_object
from ...serialization.lambdas import func_dump, func_load

__all__ = ["Joined", "Merge", "add_to_sequential", "merge"]

_MODES = {
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate",
    "dot": "Dot", "cos": "Dot",
}  # fmt: skip
# What may be a function, and how configs said whether it is.
_FUNCTIONS = ("mode", "output_shape", "output_mask")


def _joining(
    mode: Any, concat_axis: int, dot_axes: Any, output_shape: Any, arguments: Any, name: Any
) -> Any:
    """The layer of today for a mode.

    Raises:
        ValueError: There is no such mode.
    """
    if callable(mode):
        shape = {} if callable(output_shape) or output_shape is None else {
            "output_shape": tuple(output_shape)
        }  # fmt: skip
        return layers.Lambda(mode, arguments=arguments or {}, name=name, **shape)
    if mode not in _MODES:
        raise ValueError(
            f"Invalid merge mode: {mode!r}. Expected one of {', '.join(_MODES)}, or a function of "
            "the list of tensors."
        )
    kind = getattr(layers, _MODES[mode])
    if mode == "concat":
        return kind(axis=concat_axis, name=name)
    if mode in ("dot", "cos"):
        axes = dot_axes if isinstance(dot_axes, int) else tuple(dot_axes)
        return kind(axes=axes, normalize=mode == "cos", name=name)
    return kind(name=name)


def merge(
    inputs: Any, mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1,
    output_shape: Any = None, output_mask: Any = None, arguments: Any = None, name: Any = None,
) -> Any:  # fmt: skip
    """Tensors joined.

    Args:
        inputs: List of symbolic tensors.
        mode: "sum", "mul", "ave", "max", "concat", "dot", "cos" (the dot product of vectors of
            length 1), or a function of the list.
        concat_axis: For "concat".
        dot_axes: For "dot" and "cos": an axis, or one for each tensor.
        output_shape: For a function, if it can't be found out.
        output_mask: Accepted as in Keras 1.
        arguments: Keywords for the function.
        name: Of the layer.

    Raises:
        ValueError: There is no such mode.
    """
    return _joining(mode, concat_axis, dot_axes, output_shape, arguments, name)(inputs)


@builtin("keras.layers")
class Merge(layers.Layer):
    """`merge` as a layer: of tensors, or of the outputs of models and layers.

    Args:
        layers: Branches: models (or layers with an input shape). The layer can then begin a
            `Sequential`, whose inputs are all of theirs.
        mode, concat_axis, dot_axes, output_shape, output_mask, arguments: See `merge`.
        node_indices, tensor_indices: Accepted as in Keras 1.
        name: Of the layer.

    Raises:
        ValueError: There is no such mode, or only one branch.
    """

    def __init__(
        self, layers: Any = None, mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1,
        output_shape: Any = None, output_mask: Any = None, arguments: Any = None,
        node_indices: Any = None, tensor_indices: Any = None, name: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        kinds = {part: kwargs.pop(f"{part}_type", "raw") for part in _FUNCTIONS}
        super().__init__(name=name, **kwargs)
        if kinds["mode"] == "lambda":  # a config's
            mode = func_load(mode)
        self.mode, self.arguments = mode, arguments
        self.axes = {"concat_axis": concat_axis, "dot_axes": dot_axes}
        self.joining = _joining(mode, concat_axis, dot_axes, output_shape, arguments, None)
        self.branches = list(layers or ())
        if len(self.branches) == 1:
            raise ValueError(f"Merge joins at least 2 branches. Received: {self.branches}")

    def call(self, inputs: Any) -> Any:
        return self.joining(inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.joining.compute_mask(inputs, mask) if mask is not None else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.joining.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments under their names then; `layers` if there are branches."""
        function = callable(self.mode)
        mode = func_dump(self.mode) if function else self.mode
        kind = "lambda" if function else "raw"
        own = {"mode": mode, "mode_type": kind, "arguments": self.arguments, **self.axes}
        if self.branches:
            own["layers"] = [_branch_config(branch) for branch in self.branches]
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a config, with its branches."""
        branches = [deserialize_keras_object(c) for c in config.get("layers") or ()]
        return cls(**{**config, "layers": branches})

    @property
    def joined(self) -> tuple[list[Any], Any]:
        """The inputs of all branches, and their outputs joined.

        Raises:
            ValueError: A branch does not know the shape of its input.
        """
        inputs: list[Any] = []
        outputs = []
        for branch in self.branches:
            into, out = _ends(branch)
            inputs += [t for t in into if all(t is not known for known in inputs)]
            outputs.append(out)
        return inputs, self(outputs)


def _ends(branch: Any) -> tuple[list[Any], Any]:
    """The inputs and the output of a model, or of a layer with an input shape."""
    if isinstance(branch, models.Model):
        if isinstance(branch, models.Sequential) and not branch.built:
            raise ValueError(
                f"Merge: the branch {branch.name!r} does not know its input's shape. Give its "
                "first layer input_dim= or input_shape=."
            )
        return list(branch.inputs), branch.outputs[0]
    shape = getattr(branch, "_batch_input_shape", None)
    if shape is None and not isinstance(branch, layers.InputLayer):
        raise ValueError(f"Merge: the layer {branch.name!r} needs input_dim= or input_shape=.")
    if isinstance(branch, layers.InputLayer):
        return [branch.output], branch.output
    first = layers.Input(batch_shape=shape)
    return [first], branch(first)


def _branch_config(branch: Any) -> Any:
    """A layer keeps the shape of its input, which today's configs leave to models."""
    entry = serialize_keras_object(branch)
    if not isinstance(branch, models.Model | layers.InputLayer):
        entry["config"]["batch_input_shape"] = branch._batch_input_shape
    return entry


@builtin("keras.legacy.layers")
class Joined(models.Sequential):
    """A `Sequential` that begins with a `Merge` of branches: it has all of their inputs."""

    @property
    def flattened_layers(self) -> list[Any]:
        """Those of the branches in place of the `Merge`: how files of Keras 1 list them."""
        first, *rest = self._stack
        inner: list[Any] = []
        for branch in first.branches:
            inner += getattr(branch, "flattened_layers", getattr(branch, "layers", [branch]))
        return inner + rest

    def add(self, layer: Any, rebuild: bool = True) -> None:
        self._stack.append(_as_layer(layer))
        self._track_stack()
        self.build()

    def pop(self, rebuild: bool = True) -> Any:
        layer = self._stack.pop()
        self._tracker.untrack(layer)
        del self._outputs[len(self._stack) :]
        self.build()
        return layer

    def build(self, input_shape: Any = None) -> None:
        outputs = list(self._outputs)
        for layer in self._stack[len(outputs) :]:
            outputs.append(layer(outputs[-1]))
        with no_tracking():
            self._outputs = outputs
            self._network = models.Model(self._joined_inputs, outputs[-1], name=self.name)
        self._steps = {}
        self.built = True

    def _maybe_rebuild(self) -> None:
        self.build()

    def _maybe_build(self, args: Any, kwargs: Any, symbolic: bool) -> None:
        """It is built from the start."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model of a config, whose first layer is the `Merge`."""
        first, *rest = (deserialize_keras_object(c, custom_objects) for c in config["layers"])
        model = models.Sequential(name=config.get("name"))
        _begin(model, first)
        for layer in rest:
            model.add(layer)
        model.trainable = config.get("trainable", True)
        return model

    def __getstate__(self) -> dict[str, Any]:
        values = super().__getstate__()
        del values["_joined_inputs"]
        ends = {"inputs": self._joined_inputs, "outputs": self._outputs}
        return {**values, "_plan": Plan(self._network._graph, **ends)}

    def __setstate__(self, values: dict[str, Any]) -> None:
        super().__setstate__({**values, "_plan": None})
        ends = values["_plan"].restore()
        with no_tracking():
            self._joined_inputs, self._outputs = ends["inputs"], ends["outputs"]
        self.build()


def _begin(model: Any, merge: Merge) -> None:
    """Let an empty `Sequential` begin with branches."""
    inputs, merged = merge.joined
    model._stack.append(merge)
    model._track_stack()
    object.__setattr__(model, "__class__", Joined)
    with no_tracking():
        model._joined_inputs, model._outputs = inputs, [merged]
    model.build()


def add_to_sequential(before: Any, self: Any, layer: Any, *args: Any, **kwargs: Any) -> None:
    """`Sequential.add`, which a `Merge` of branches may begin."""
    if not isinstance(layer, Merge) or not layer.branches:
        before(self, layer, *args, **kwargs)
        return
    if self._stack:
        raise ValueError(
            "A Merge of branches can only be the first layer of a Sequential. To join what comes "
            "before it with others, make them branches too."
        )
    _begin(self, layer)
