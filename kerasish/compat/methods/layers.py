"""Methods and attributes that layers had."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import metrics
from ...layers.tracking import Tracker

__all__ = ["add_metric", "add_update", "get_input_at", "get_output_at"]

tree = core.tree


def _node(self: Any, index: int, what: str) -> Any:
    nodes = self._inbound_nodes
    if not nodes:
        raise RuntimeError(
            f"The layer {self.name} has never been called and thus has no defined {what}."
        )
    if not -len(nodes) <= index < len(nodes):
        raise ValueError(
            f"Asked to get {what} at node {index}, but the layer has only {len(nodes)} inbound "
            "nodes."
        )
    return nodes[index]


def get_input_at(self: Any, node_index: int) -> Any:
    """The symbolic input of one of the layer's calls; of an `InputLayer` what it holds."""
    node = _node(self, node_index, "input")
    inputs = node.inputs or node.outputs
    return inputs[0] if len(inputs) == 1 else list(inputs)


def get_output_at(self: Any, node_index: int) -> Any:
    """The symbolic output of one of the layer's calls."""
    return _node(self, node_index, "output").result


def input_of_first(before: property) -> property:
    """`layer.input`, which an `InputLayer` has too: what it holds."""

    def first(self: Any) -> Any:
        found = before.fget(self)
        return self.output if isinstance(found, list) and not found else found

    return property(first)


def _shape_of(tensors: Any) -> Any:
    return tree.map_structure(lambda t: t.shape, tensors)


def get_input_shape_at(self: Any, node_index: int) -> Any:
    """The shape of the input of one of the layer's calls."""
    return _shape_of(get_input_at(self, node_index))


def get_output_shape_at(self: Any, node_index: int) -> Any:
    """The shape of the output of one of the layer's calls."""
    return _shape_of(get_output_at(self, node_index))


def get_input_mask_at(self: Any, node_index: int) -> Any:
    """The mask of the input of one of the layer's calls."""
    return tree.map_structure(lambda t: t.mask, get_input_at(self, node_index), none_is_leaf=True)


def get_output_mask_at(self: Any, node_index: int) -> Any:
    """The mask of the output of one of the layer's calls."""
    return tree.map_structure(lambda t: t.mask, get_output_at(self, node_index), none_is_leaf=True)


@property
def input_shape(self: Any) -> Any:
    """The shape of the layer's input."""
    if self._inbound_nodes:
        return get_input_shape_at(self, 0)
    return _built_shape(self, "input shape")


@property
def output_shape(self: Any) -> Any:
    """The shape of the layer's output."""
    if self._inbound_nodes:
        return get_output_shape_at(self, 0)
    return self.compute_output_shape(_built_shape(self, "output shape"))


def _built_shape(self: Any, what: str) -> Any:
    shapes = self._build_shapes
    if not shapes:
        raise AttributeError(
            f"The layer {self.name} has never been called and thus has no defined {what}."
        )
    return next(iter(shapes.values()))


@property
def input_mask(self: Any) -> Any:
    """The mask of the layer's input."""
    return get_input_mask_at(self, 0)


@property
def output_mask(self: Any) -> Any:
    """The mask of the layer's output."""
    return get_output_mask_at(self, 0)


@property
def inbound_nodes(self: Any) -> list[Any]:
    """The layer's calls on symbolic tensors."""
    return list(self._inbound_nodes)


@property
def outbound_nodes(self: Any) -> list[Any]:
    """The calls that take the layer's results."""
    return list(self._outbound_nodes)


@property
def no(self: Any) -> bool:
    """No."""
    return False


def add_update(self: Any, updates: Any, inputs: Any = None) -> None:
    """Do updates: pairs of a variable and its new value. Results of `K.update` are done."""
    listed = updates if isinstance(updates, list) else [updates]
    for each in listed:
        if isinstance(each, tuple) and len(each) == 2:
            each[0].assign(each[1])


def apply(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Call the layer."""
    return self(inputs, *args, **kwargs)


def finalize_state(self: Any) -> None:
    """Nothing to do."""


def assert_input_compatibility(self: Any, inputs: Any) -> None:
    """Nothing to do: calling the layer checks its inputs."""


@property
def scope_name(self: Any) -> str:
    """The layer's name."""
    return str(self.name)


# -- metrics


def add_metric(
    before: Any, self: Any, value: Any, aggregation: Any = "mean", name: Any = None
) -> None:
    """Average a figure over the batches, as one of the model's metrics.

    Args:
        before: Today's method, which refuses.
        self: A layer in its call; or a model, with a symbolic tensor.
        value: The figure.
        aggregation: "mean", or None for a metric object's own result.
        name: In logs.
    """
    if any(not isinstance(x, core.Tensor | core.Variable) for x in tree.flatten(value)):
        from ..symbolic import attach_metric

        attach_metric(self, value, name)
        return
    label = name or "metric"
    with core.eager_scope():
        tracker: Tracker = self._tracker
        known = next((m for m in tracker.metrics if m.name == label), None)
        if known is None:
            known = metrics.Mean(name=label)
            tracker.track(known)
    known.update_state(value)


# -- lists of weights that the program writes


class _Weights(list):
    """The layer's weights; what is appended becomes one."""

    def __init__(self, layer: Any, trainable: bool) -> None:
        super().__init__(layer.trainable_weights if trainable else layer.non_trainable_weights)
        self._layer, self._trainable = layer, trainable

    def append(self, variable: Any) -> None:
        super().append(variable)
        own(self._layer, [variable], self._trainable)

    def extend(self, variables: Any) -> None:
        for v in variables:
            self.append(v)

    def __iadd__(self, variables: Any) -> Any:
        self.extend(variables)
        return self


def own(layer: Any, variables: Any, trainable: bool) -> None:
    """Make variables weights of a layer."""
    for v in variables:
        if v.trainable != trainable:
            v.trainable = trainable
        locked, layer._tracker.locked = layer._tracker.locked, False
        layer._track_variable(v)
        layer._tracker.locked = locked


@property
def trainable_list(self: Any) -> Any:
    """`layer._trainable_weights`."""
    return _Weights(self, True)


@property
def non_trainable_list(self: Any) -> Any:
    """`layer._non_trainable_weights`."""
    return _Weights(self, False)


def settable_trainable(before: property) -> property:
    """`layer.trainable_weights`, to which lists of variables can be assigned."""
    return before.setter(lambda self, variables: own(self, variables, True))


def settable_non_trainable(before: property) -> property:
    """`layer.non_trainable_weights`, likewise."""
    return before.setter(lambda self, variables: own(self, variables, False))
