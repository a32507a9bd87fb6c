"""`K.function` and `K.gradients`: run and differentiate what lies between symbolic tensors."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..layers.call_context import CallContext, state
from ..models.graph import Graph, is_input_tensor, key_of, node_of
from ..ops.symbolic import KerasTensor, Operation, compute_output_spec
from ..settings import learning_phase, structure_version
from .session import LearningPhase

__all__ = ["Function", "function", "gradients"]

tree = core.tree


def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Function:
    """A function from values of symbolic tensors to NumPy arrays of others.

    Args:
        inputs: List of symbolic tensors: placeholders, or any tensors on the way; and
            `K.learning_phase()`, which takes 0 or 1 at each call.
        outputs: List (or structure) of symbolic tensors, variables and tensors.
        updates: Pairs of a variable and its new value, or results of `K.update` and its kin:
            done after the outputs are computed.
        **kwargs: Only `name`, which has no effect.

    Returns:
        A function of one list with a value for each input, to a list (or structure) of arrays.

    Raises:
        ValueError: Other options, which belong to TensorFlow's sessions; or an output does not
            come from the inputs.

    >>> import kerasish
    >>> K = kerasish.backend
    >>> x = K.placeholder((None, 2))
    >>> K.function([x], [K.sum(x, axis=1)])([[[1.0, 2.0]]])[0].tolist()
    [3.0]
    """
    kwargs.pop("name", None)
    if kwargs:
        raise ValueError(
            f"Session keyword arguments are not supported, since there are no sessions. Received: "
            f"{sorted(kwargs)}"
        )
    return Function(inputs, outputs, updates)


class Function:
    """What `K.function` returns.

    Attributes:
        inputs, outputs: As given.
    """

    def __init__(self, inputs: Any, outputs: Any, updates: Any = None) -> None:
        self.inputs, self.outputs = inputs, outputs
        self._given = tree.flatten(inputs)
        for x in self._given:
            if not isinstance(x, KerasTensor | LearningPhase | int | bool):
                raise ValueError(
                    "`inputs` to K.function must be symbolic tensors (K.placeholder, model.input, "
                    f"a layer's output) or K.learning_phase(). Received: {x!r}"
                )
        symbolic = [x for x in self._given if isinstance(x, KerasTensor)]
        self._results = tree.flatten(outputs)
        self._pairs, writes = _split_updates(updates)
        wanted = [*self._results, *(value for _, value in self._pairs), *writes]
        self._graph = Graph(symbolic, [x for x in wanted if isinstance(x, KerasTensor)])
        self._step: Any = core.compile_step(self._run, name="function", key=_settings)

    def __call__(self, inputs: Any = ()) -> Any:
        flat = self._values(inputs)
        if self._step is not None:
            try:
                found = self._step(*flat)
            except core.TraceError:
                self._step = None
        if self._step is None:
            found = self._run(*flat)
        return tree.pack_sequence_as(self.outputs, [_plain(y) for y in found])

    def _values(self, inputs: Any) -> list[Any]:
        """The training phase (None if it is no input), then a tensor for each symbolic input."""
        values = tree.flatten(inputs) if isinstance(self.inputs, dict) else inputs
        if not isinstance(self.inputs, list | tuple | dict):
            values = [inputs]
        if not isinstance(values, list | tuple):
            raise TypeError(f"`inputs` should be a list or tuple. Received: {type(inputs)}")
        if len(values) != len(self._given):
            raise ValueError(
                f"K.function has {len(self._given)} inputs, and {len(values)} values were given."
            )
        phase, tensors = None, []
        for x, value in zip(self._given, values, strict=True):
            if isinstance(x, KerasTensor):
                tensors.append(_fitted(x, value))
            else:
                phase = bool(value)
        return [phase, *tensors]

    def _run(self, phase: Any, *tensors: Any) -> list[Any]:
        outer = state.context
        if phase is not None:
            state.context = CallContext(self)
            state.context.training = phase
        try:
            found = iter(self._graph.run(list(tensors), phase))
        finally:
            state.context = outer
        results = [next(found) if isinstance(x, KerasTensor) else _read(x) for x in self._results]
        new = [next(found) if isinstance(v, KerasTensor) else v for _, v in self._pairs]
        for (variable, _), value in zip(self._pairs, new, strict=True):
            variable.assign(value)
        return results


def _settings() -> Any:
    return learning_phase(), structure_version()


def _read(x: Any) -> Any:
    return x.value if isinstance(x, core.Variable) else core.convert(x)


def _plain(y: Any) -> Any:
    array = core.convert(y).numpy()
    return array if array.ndim else array[()]


def _split_updates(updates: Any) -> tuple[list[Any], list[Any]]:
    """Pairs of variables and values, and symbolic results that write by themselves."""
    pairs, writes = [], []
    for each in updates or ():
        if isinstance(each, list | tuple) and len(each) == 2:
            pairs.append(tuple(each))
        elif isinstance(each, KerasTensor):
            writes.append(each)
        elif not isinstance(each, core.Variable | core.Tensor):  # done when it was made
            raise ValueError(
                "`updates` are pairs of a variable and its new value, or results of K.update. "
                f"Received: {each!r}"
            )
    return pairs, writes


def _fitted(placeholder: KerasTensor, value: Any) -> Any:
    tensor = core.convert(value, placeholder.dtype)
    expected = placeholder.shape
    if len(expected) != tensor.ndim or any(
        n not in (None, m) for n, m in zip(expected, tensor.shape, strict=True)
    ):
        raise ValueError(
            f"K.function: a value of shape {tensor.shape} was given for {placeholder.name}, which "
            f"has shape {expected}."
        )
    return tensor


# -- gradients


class Gradients(Operation):
    """The gradients of a symbolic loss, as one operation of the graph that holds it.

    Running it runs the graph from the inputs to the loss under a tape. (A compiled step does the
    work that it shares with the rest of the graph once.)

    Args:
        losses: Symbolic tensors, whose elements are summed.
        sources: Symbolic tensors and variables.
        roots: The inputs on which the losses depend.
    """

    def __init__(self, losses: list[KerasTensor], sources: list[Any], roots: Any) -> None:
        super().__init__()
        self._losses, self._sources, self._roots = losses, sources, roots
        self._graph = Graph(roots, losses)
        self._places = {key_of(x) for x in sources if isinstance(x, KerasTensor)}
        self.connected: list[bool] = [True] * len(sources)

    def call(self, *inputs: Any) -> list[Any]:
        """The gradients by those sources that the losses depend on."""
        found, values = self._gradients(inputs)
        kept = [(g, x) for g, x, c in zip(found, values, self.connected, strict=True) if c]
        return [core.ops.zeros_like(x) if g is None else g for g, x in kept]

    def compute_output_spec(self, *inputs: Any) -> Any:
        """Symbolic gradients; finds out which sources are connected."""

        def connect(*inputs: Any) -> None:
            self.connected = [g is not None for g in self._gradients(inputs)[0]]

        try:
            compute_output_spec(connect, *inputs)
        except core.ShapeError:
            # A layer names the size of its batches, which no size that stands for it fits.
            self.connected = [self._reaches(x) for x in self._sources]
        return [
            KerasTensor(tuple(x.shape), core.dtypes.name_of(x.dtype))
            for x, connected in zip(self._sources, self.connected, strict=True)
            if connected
        ]

    def _reaches(self, source: Any) -> bool:
        """Whether the graph leads from a source to the losses."""
        graph = self._graph
        if isinstance(source, KerasTensor):
            tensors = [*graph.inputs, *(t for node in graph.nodes for t in node.outputs)]
            return key_of(source) in {key_of(t) for t in tensors}
        return any(v is source for layer in graph.layers for v in layer.variables)

    def _gradients(self, inputs: Any) -> tuple[list[Any], list[Any]]:
        """The gradients by all sources, and the sources' values; None where there is none."""
        seen: dict[Any, Any] = {}
        with core.GradientTape() as tape:
            tape.watch([v for v in self._sources if isinstance(v, core.Variable)])

            def note(t: KerasTensor, value: Any) -> None:
                if key_of(t) in self._places:
                    seen[key_of(t)] = value
                    if core.dtypes.is_inexact(value.dtype):
                        tape.watch(value)

            # Tensors of their own: one may have been given for two inputs.
            start = [core.ops.identity(core.convert(x)) for x in inputs]
            losses = self._graph.replay(start, lambda operation: operation, note=note)
        values = [seen.get(key_of(x)) if isinstance(x, KerasTensor) else x for x in self._sources]
        present = [x for x in values if x is not None]
        found = iter(tape.gradient(losses, present))
        return [None if x is None else next(found) for x in values], values


def gradients(loss: Any, variables: Any) -> Any:
    """The gradients of a loss, or of the sum of several, by variables or tensors.

    Args:
        loss: A symbolic tensor (or a list). Tensors that have values are differentiated by the
            innermost `GradientTape` in whose block this is called.
        variables: A list of variables and tensors (symbolic ones if the loss is), or one.

    Returns:
        A list with a gradient, or None where the loss does not depend on it, for each.

    Raises:
        RuntimeError: The loss has a value, and no tape recorded how it was computed.
    """
    losses = loss if isinstance(loss, list | tuple) else [loss]
    sources = list(variables) if isinstance(variables, list | tuple) else [variables]
    symbolic = [x for x in losses if isinstance(x, KerasTensor)]
    if not symbolic:
        tape = core.active_tape()
        if tape is None:
            raise RuntimeError(
                "K.gradients of a tensor that has a value already: nobody recorded how it was "
                "computed. Use symbolic tensors (K.placeholder, model.input), or compute the loss "
                "inside `with kerasish.GradientTape() as tape:`."
            )
        return tape.gradient(list(losses), sources)
    roots = _roots(symbolic)
    operation = Gradients(symbolic, sources, roots)
    found = iter(tree.flatten(operation.symbolic_call(*roots)))
    return [next(found) if connected else None for connected in operation.connected]


def _roots(tensors: list[KerasTensor]) -> list[KerasTensor]:
    """The inputs on which symbolic tensors depend."""
    found: dict[Any, KerasTensor] = {}
    seen: set[int] = set()
    stack = list(tensors)
    while stack:
        t = stack.pop()
        node = node_of(t)
        if node is None or is_input_tensor(t):
            found.setdefault(key_of(t), t)
        elif id(node) not in seen:
            seen.add(id(node))
            stack += node.inputs
    return list(found.values())
