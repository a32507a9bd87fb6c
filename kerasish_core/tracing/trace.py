"""Record a Python function into a graph.

Inside a trace tensors have a spec and a number, no value. Variables are captured by reference:
a read is an input of the graph, an assignment an output. Python side effects happen once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import device, dtypes, tree
from ..dispatch import STATE, scope
from ..errors import TraceError
from ..ir import Graph, Node
from ..op import Op, Spec
from ..tensor import Tensor
from ..variable import Variable

__all__ = ["Traced", "Tracer", "eval_spec", "trace"]

_PACKAGES = tuple(
    os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), name) + os.sep
    for name in ("kerasish_core", "kerasish")
)


def user_location() -> str:
    """The innermost line of the user's code that is running, as `file:line`."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_PACKAGES) and not name.startswith("<frozen"):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


class Tracer(Tensor):
    """A tensor of a running trace: a spec and a number."""

    __slots__ = ("_spec", "number", "trace")
    known = False

    def __init__(self, trace: Trace, number: int, spec: Spec) -> None:
        self._tid = 0
        self.trace, self.number, self._spec = trace, number, spec

    @property
    def value(self) -> Any:
        raise TraceError(
            f"The value of a {self._spec} tensor was asked for while tracing "
            f"{self.trace.name!r}, where it has none yet: by float(), bool(), int(), .numpy(), "
            "np.asarray() or a Python `if` on it. Use ops.where or ops.cond, or run eagerly: "
            "compile(run_eagerly=True).",
            user_location(),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        return self._spec.shape

    @property
    def dtype(self) -> dtypes.DType:
        return self._spec.dtype

    @property
    def spec(self) -> Spec:
        return self._spec

    @property
    def device(self) -> str:
        return device.current_device()

    def __repr__(self) -> str:
        return f"Tensor(traced %{self.number}: {self._spec})"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        # A plain f"{x}" in a print is harmless; a number's format needs the number.
        return format(self.value, format_spec) if format_spec else str(self)

    def __deepcopy__(self, memo: Any) -> Tracer:
        return self


class Trace:
    """A graph in the making. `parent` is the trace around it, whose tensors it may capture.

    An abstract one is made for the specs of its results only, and never runs.
    """

    def __init__(self, name: str, abstract: bool = False) -> None:
        self.name = name
        self.parent = STATE.trace
        self.abstract: bool = abstract or (self.parent is not None and self.parent.abstract)
        self.closed = False
        self.specs: dict[int, Spec] = {}
        self.inputs: list[int] = []
        self.constants: dict[int, Any] = {}
        self.nodes: list[Node] = []
        self.captures: list[tuple[Tensor, int]] = []
        self.variables: dict[int, tuple[Variable, Tracer]] = {}
        self.updates: dict[int, tuple[Variable, Tensor]] = {}
        self._lifted: dict[int, tuple[Tensor, int]] = {}
        self._outer_read = STATE.store.read if STATE.store is not None else None

    def number(self, spec: Spec) -> int:
        value = len(self.specs)
        self.specs[value] = spec
        return value

    def add_input(self, spec: Spec) -> Tracer:
        value = self.number(spec)
        self.inputs.append(value)
        return Tracer(self, value, spec)

    def lift(self, tensor: Tensor) -> int:
        """The number of a tensor here: its own, that of a captured outer one, or a constant."""
        if isinstance(tensor, Tracer):
            if tensor.trace is self:
                return tensor.number
            if tensor.trace.closed:
                raise TraceError(
                    f"A tensor of the trace {tensor.trace.name!r}, which has ended, was used in "
                    f"{self.name!r}. Return it from the function instead of keeping it.",
                    user_location(),
                )
        known = self._lifted.get(id(tensor))
        if known is not None:
            return known[1]
        if isinstance(tensor, Tracer):
            value = self.add_input(tensor.spec).number
            self.captures.append((tensor, value))
        else:
            value = self.number(tensor.spec)
            self.constants[value] = tensor.value
        self._lifted[id(tensor)] = tensor, value
        return value

    def emit(self, op: Op, inputs: Any, attrs: dict[str, Any]) -> Any:
        if self.closed:
            raise TraceError(f"The trace {self.name!r} has ended.", user_location())
        numbers = tuple([self.lift(t) for t in inputs])
        specs = op.infer(*[t.spec for t in inputs], **attrs)
        found = tuple(specs) if op.multiple else (specs,)
        outputs = tuple([Tracer(self, self.number(s), s) for s in found])
        self.nodes.append(
            Node(op, numbers, tuple([t.number for t in outputs]), attrs, user_location())
        )
        return outputs if op.multiple else outputs[0]

    # -- variables
    def read(self, variable: Variable) -> Tensor:
        key = id(variable)
        if key in self.updates:
            return self.updates[key][1]
        if key not in self.variables:
            spec = variable.spec
            if self._outer_read is not None:
                spec = self._outer_read(variable).spec
            self.variables[key] = variable, self.add_input(spec)
        return self.variables[key][1]

    def assign(self, variable: Variable, value: Tensor) -> None:
        # Its own number, so that an assignment cuts the chain of gradients.
        fresh = Tracer(self, self.lift(value), value.spec)
        self.updates[id(variable)] = variable, fresh


class Traced(NamedTuple):
    """A traced function.

    Attributes:
        graph: Inputs are those of the function, then captured tensors, then variables; outputs
            are the results, then the new values of `updates`.
        captures: Tensors of outer traces.
        variables: Variables read.
        updates: Variables assigned.
        result: The structure of results; its tensor leaves are numbers into the outputs.
        leaves: For each leaf of `result` its output's place, or None for a Python value.
    """

    graph: Graph
    captures: tuple[Tensor, ...]
    variables: tuple[Variable, ...]
    updates: tuple[Variable, ...]
    result: Any
    leaves: tuple[int | None, ...]


def trace(
    fn: Callable[..., Any], args: Any, kwargs: Any = None, name: str | None = None,
    abstract: bool = False,
) -> Traced:  # fmt: skip
    """Run `fn` with tensors that have no values and record what it does.

    Args:
        fn: The function.
        args: Its arguments: `Spec` and tensor leaves become inputs, the rest stays as it is.
        kwargs: Its keyword arguments, likewise.
        name: Of the graph.
        abstract: Whether only the specs of the results are wanted.

    Raises:
        TraceError: It asks for a value that is not known yet. No variable has changed.
    """
    name = name or getattr(fn, "__name__", "function").strip("<>")
    running = Trace(name, abstract)

    def open_leaf(leaf: Any) -> Any:
        if isinstance(leaf, Spec):
            return running.add_input(leaf)
        if isinstance(leaf, Tensor):
            tracer = running.add_input(leaf.spec)
            tracer.mask = leaf.mask
            return tracer
        return leaf

    opened = map_specs(open_leaf, (list(args), dict(kwargs or {})))
    with scope(running, ()):
        result = fn(*opened[0], **opened[1])
        flat = tree.flatten(result)
        leaves: list[int | None] = []
        outputs: list[int] = []
        for i, leaf in enumerate(flat):
            if isinstance(leaf, Variable):
                leaf = flat[i] = leaf.value
            if isinstance(leaf, Tensor):
                leaves.append(len(outputs))
                outputs.append(running.lift(leaf))
            else:
                leaves.append(None)
    updates = tuple(running.updates.values())
    outputs += [running.lift(t) for _, t in updates]
    running.closed = True
    captured = {number for _, number in running.captures}
    variables = tuple(running.variables.values())
    read = {t.number for _, t in variables}
    own = [v for v in running.inputs if v not in captured and v not in read]
    ordered = own + [n for _, n in running.captures] + [t.number for _, t in variables]
    graph = Graph(
        name, tuple(ordered), running.constants, tuple(running.nodes), tuple(outputs),
        running.specs,
    )  # fmt: skip
    return Traced(
        graph,
        tuple(t for t, _ in running.captures),
        tuple(v for v, _ in variables),
        tuple(v for v, _ in updates),
        tree.pack_sequence_as(result, flat),
        tuple(leaves),
    )


def map_specs(function: Callable[[Any], Any], structure: Any) -> Any:
    """`tree.map_structure` that takes a `Spec`, a tuple itself, for a leaf."""
    if isinstance(structure, Spec):
        return function(structure)
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(map_specs(function, v) for v in structure))
    if isinstance(structure, list | tuple) and type(structure) in (list, tuple):
        return type(structure)(map_specs(function, v) for v in structure)
    if type(structure) is dict:
        # In the order of leaves, whatever the order of keys: the function numbers what it meets.
        done = {k: map_specs(function, structure[k]) for k in tree.sorted_keys(structure)}
        return {k: done[k] for k in structure}
    if not tree.is_nested(structure):
        return function(structure)
    return tree.map_structure(function, structure)


def eval_spec(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The specs of `fn`'s results, without running a kernel or changing a variable.

    Args:
        fn: The function.
        *args: Arguments, in which `Spec` leaves stand for tensors not known yet.
        **kwargs: Keyword arguments, likewise.

    Returns:
        The structure of the results with `Spec` leaves in place of tensors.
    """
    traced = trace(fn, args, kwargs, abstract=True)
    specs = traced.graph.output_specs
    flat = tree.flatten(traced.result)
    found = [
        leaf if place is None else specs[place]
        for leaf, place in zip(flat, traced.leaves, strict=True)
    ]
    return tree.pack_sequence_as(traced.result, found)
