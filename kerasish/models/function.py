"""A piece of the symbolic graph as an operation."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..layers.shapes import symbolic_of
from ..ops.symbolic import KerasTensor, Operation
from ..serialization import builtin
from .graph import Graph

__all__ = ["Function"]

tree = core.tree


@builtin("keras")
class Function(Operation):
    """What lies between symbolic inputs and outputs, to be run on other inputs.

    It is no layer: it tracks no state, though the layers in it keep theirs.

    Args:
        inputs: KerasTensor, or structure of them.
        outputs: KerasTensor, or structure of them, that come from `inputs`.
        name: Of the operation.

    Raises:
        ValueError: `inputs` or `outputs` is empty, or not connected.

    Source: https://keras.io/api/

    >>> import kerasish
    >>> x = kerasish.KerasTensor((None, 2))
    >>> f = kerasish.Function(x, kerasish.ops.sum(x * 2, axis=-1))
    >>> f(kerasish.ops.ones((3, 2))).shape
    (3,)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        for what, value in (("inputs", inputs), ("outputs", outputs)):
            if not tree.flatten(value):
                raise ValueError(
                    f"`{what}` argument cannot be empty. Received:\ninputs={inputs}\n"
                    f"outputs={outputs}"
                )
        self._inputs_struct = tree.map_structure(lambda t: t, inputs)
        self._outputs_struct = tree.map_structure(lambda t: t, outputs)
        self._graph = Graph(tree.flatten(inputs), tree.flatten(outputs))

    @property
    def operations(self) -> list[Any]:
        """The operations between, those farthest from the outputs first, and input layers."""
        called = {id(node.operation) for node in self._graph.nodes}
        return [op for op in self._graph.operations if id(op) in called or _is_input(op)]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, as a flat list."""
        return self._graph.inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, as a flat list."""
        return self._graph.outputs

    def call(self, inputs: Any) -> Any:
        """The outputs for tensors in the structure of the inputs.

        Raises:
            ValueError: Their structure or a shape does not fit.
        """
        self._check(inputs)
        flat = [
            x if isinstance(x, core.Tensor) else core.convert(x, t.dtype)
            for x, t in zip(tree.flatten(inputs), self.inputs, strict=True)
        ]
        return tree.pack_sequence_as(self._outputs_struct, self._graph.run(flat))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic outputs for symbolic inputs."""
        self._check(inputs)
        flat = tree.flatten(inputs)
        if all(x.shape == t.shape for x, t in zip(flat, self.inputs, strict=True)):
            return tree.map_structure(lambda t: KerasTensor(t.shape, t.dtype), self._outputs_struct)
        found = self._graph.replay(
            flat, lambda operation: operation, lambda op, *a, **k: op.compute_output_spec(*a, **k)
        )
        return tree.pack_sequence_as(self._outputs_struct, found)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for shapes in the structure of the inputs."""
        shapes = [t.shape for t in tree.flatten(symbolic_of(input_shape, "float32"))]
        flat = [KerasTensor(s, t.dtype) for s, t in zip(shapes, self.inputs, strict=True)]
        found = self.compute_output_spec(tree.pack_sequence_as(self._inputs_struct, flat))
        return tree.map_structure(lambda t: t.shape, found)

    def _check(self, inputs: Any) -> None:
        try:
            tree.assert_same_structure(inputs, self._inputs_struct)
        except ValueError:
            raise ValueError(
                "Function was called with an invalid input structure. Expected input structure: "
                f"{self._inputs_struct}\nReceived input structure: {inputs}"
            ) from None
        for x, t in zip(tree.flatten(inputs), self.inputs, strict=True):
            shape = tuple(x.shape)
            fits = len(shape) == len(t.shape) and all(
                a is None or b is None or a == b for a, b in zip(shape, t.shape, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"{type(self).__name__} was passed incompatible inputs. For input '{t.name}', "
                    f"expected shape {t.shape}, but received instead a tensor with shape {shape}."
                )


def _is_input(operation: Any) -> bool:
    return any(node.is_input for node in operation._inbound_nodes)
