"""Symbolic tensors and the graph of operations that the functional API builds.

A `KerasTensor` has a shape (None where unknown), a dtype and the operation that made it, no value.
Output specs come from running the operation abstractly twice with different sizes in place of
None: dimensions that differ depend on it and are None again.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import kerasish_core as core

from ..naming import auto_name
from ..remat_scope import RematMode, current_remat_mode
from ..serialization.arguments import auto_config, decode
from .keras_tensor import PUBLIC, KerasHistory, KerasTensor, is_keras_tensor

__all__ = [
    "KerasTensor", "Node", "Operation", "any_symbolic", "compute_output_spec", "evaluate",
    "is_keras_tensor",
    "map_symbolic", "symbolic", "symbolic_specs",
]  # fmt: skip

tree = core.tree


def any_symbolic(args: Any, kwargs: Any = None) -> bool:
    """Whether a leaf of the arguments is symbolic."""
    for x in args:
        if isinstance(x, KerasTensor):
            return True
        if isinstance(x, _CONTAINERS) and _holds_symbolic(x):
            return True
    return bool(kwargs) and any_symbolic(kwargs.values())


def _holds_symbolic(x: Any) -> bool:
    for part in x.values() if isinstance(x, dict) else x:
        if isinstance(part, KerasTensor):
            return True
        if isinstance(part, _CONTAINERS) and _holds_symbolic(part):
            return True
        if isinstance(part, slice) and isinstance(part.start or part.stop, KerasTensor):
            return True
    return False


# -- specs


def map_symbolic(function: Callable[[KerasTensor], Any], structure: Any) -> Any:
    """Replace the symbolic leaves."""
    return tree.map_structure(
        lambda x: function(x) if isinstance(x, KerasTensor) else x, structure, none_is_leaf=True
    )


# What stands for None: sizes that no program is likely to name, large enough for kernels and
# windows, and far enough apart to stay different when strides divide them.
_FILLS = (83, 131)
# For what must be divisible.
_DIVISIBLE = (840, 2520)
# How many ways are tried of giving unknown sizes those that other operands have.
_MOST_BINDINGS = 64


def _at_two_sizes(fn: Callable[..., Any], args: Any, kwargs: Any) -> list[Any]:
    """The results with two different sizes in place of None.

    A size that does not fit is taken to be one that does: that of an operand it is broadcast
    against, one that can be divided, or one that is contracted with it.
    """
    try:
        return [evaluate(fn, args, kwargs, fill) for fill in _fills(args, kwargs)]
    except core.ShapeError as error:
        first = None
        for (sized, named), fills in _other_sizes(args, kwargs):
            try:
                return [evaluate(fn, sized, named, fill) for fill in fills]
            except core.ShapeError as other:
                # With the sizes that operands have: more of them are the user's own.
                first = first or other
        raise first or error from None


def _other_sizes(args: Any, kwargs: Any) -> Iterator[tuple[Any, tuple[int, int]]]:
    symbols = [x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
    places = [(i, j) for i, x in enumerate(symbols) for j, n in enumerate(x.shape) if n is None]
    if not places:
        return
    aligned = _aligned(args, kwargs)
    if aligned is not None:
        yield aligned, _FILLS
    yield (args, kwargs), _DIVISIBLE
    sizes = sorted(_sizes_named(args, kwargs) - {1})
    choices = itertools.product((None, *sizes), repeat=len(places))
    few = sorted(itertools.islice(choices, _MOST_BINDINGS), key=lambda c: len(c) - c.count(None))
    for choice in few[1:]:
        bound = {id(symbols[i]): list(symbols[i].shape) for i, _ in places}
        for (i, j), size in zip(places, choice, strict=True):
            bound[id(symbols[i])][j] = size

        def resized(x: KerasTensor, to: Any = bound) -> KerasTensor:
            return KerasTensor(to.get(id(x), x.shape), x.dtype, name=x.name)

        yield map_symbolic(resized, (args, kwargs)), _FILLS


def _fills(args: Any, kwargs: Any) -> tuple[int, int]:
    """Two sizes that the arguments do not name."""
    named = _sizes_named(args, kwargs)
    if named.isdisjoint(_FILLS):
        return _FILLS
    first, second, *_ = (n for n in (*_FILLS, 167, 211, 257) if n not in named)
    return first, second


def _sizes_named(args: Any, kwargs: Any) -> set[int]:
    """Sizes of operands, whole numbers among the arguments, lengths of lists of them."""
    found: set[int] = set()
    for x in (*args, *kwargs.values()):
        if isinstance(x, list | tuple):
            found.add(len(x))
    for x in tree.flatten((args, kwargs)):
        if type(x) is int and x > 0:
            found.add(x)
        found.update(n for n in getattr(x, "shape", ()) if n is not None)
    return found


def _aligned(args: Any, kwargs: Any) -> Any:
    """The arguments with unknown sizes taken from operands that would broadcast against them.

    None if no operand knows better: the only known size but 1 at the same place from the right.
    """
    known: dict[int, set[int]] = {}
    for x in tree.flatten((args, kwargs)):
        for place, n in enumerate(reversed(getattr(x, "shape", ())), 1):
            if n is not None and n != 1:
                known.setdefault(place, set()).add(n)
    changed = False

    def align(x: KerasTensor) -> KerasTensor:
        nonlocal changed
        shape = list(x.shape)
        for place in range(1, len(shape) + 1):
            if shape[-place] is None and len(known.get(place, ())) == 1:
                (shape[-place],), changed = known[place], True
        return KerasTensor(shape, x.dtype, name=x.name)

    aligned = map_symbolic(align, (args, kwargs))
    return aligned if changed else None


def compute_output_spec(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of `fn` with KerasTensors in place of tensors, without computing anything."""
    found = _at_two_sizes(fn, args, kwargs)
    unknown = any(
        None in x.shape for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)
    )
    first, second = (tree_flatten_specs(x) for x in found)

    def merge(a: Any, b: Any) -> Any:
        if not isinstance(a, core.Spec):
            return a
        shape = tuple(n if n == m else None for n, m in zip(a.shape, b.shape, strict=True))
        return KerasTensor(shape if unknown else a.shape, a.dtype)

    merged = [merge(a, b) for a, b in zip(first, second, strict=True)]
    return _pack_specs(found[0], iter(merged))


def tree_flatten_specs(structure: Any) -> list[Any]:
    """Leaves, a `Spec` being one."""
    if isinstance(structure, core.Spec) or not tree.is_nested(structure):
        return [structure]
    if isinstance(structure, dict):
        return [x for key in structure for x in tree_flatten_specs(structure[key])]
    if isinstance(structure, list | tuple):
        return [x for part in structure for x in tree_flatten_specs(part)]
    children, _ = structure.tree_flatten()
    return [x for part in children for x in tree_flatten_specs(part)]


def _pack_specs(structure: Any, leaves: Any) -> Any:
    if isinstance(structure, core.Spec) or not tree.is_nested(structure):
        return next(leaves)
    if isinstance(structure, dict):
        return type(structure)((k, _pack_specs(v, leaves)) for k, v in structure.items())
    if hasattr(structure, "_fields"):
        return type(structure)(*(_pack_specs(v, leaves) for v in structure))
    if isinstance(structure, list | tuple):
        return type(structure)([_pack_specs(v, leaves) for v in structure])
    children, metadata = structure.tree_flatten()
    return type(structure).tree_unflatten(metadata, [_pack_specs(v, leaves) for v in children])


def symbolic_specs(structure: Any, fill: int) -> Any:
    """Symbolic leaves as `core.Spec` with `fill` in place of None."""

    def spec(x: KerasTensor) -> core.Spec:
        shape = tuple(fill if n is None else n for n in x.shape)
        return core.Spec(shape, core.dtypes.as_dtype(x.dtype))

    return map_symbolic(spec, structure)


def evaluate(fn: Callable[..., Any], args: Any, kwargs: Any, size: int | None = None) -> Any:
    """Run `fn` once abstractly with a size in place of None; its result has `core.Spec` leaves."""
    fill = _fills(args, kwargs)[0] if size is None else size
    symbols = [x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
    outer = batch_fill(), unknown_size()
    if any(x.shape and x.shape[0] is None for x in symbols):
        _RUNNING.batch_fill = fill
    if any(None in x.shape for x in symbols):
        _RUNNING.unknown = None if fill in _sizes_named(args, kwargs) else fill
    try:
        return core.eval_spec(fn, *symbolic_specs(list(args), fill), **symbolic_specs(kwargs, fill))
    except ValueError as error:
        _say_none(error, fill, args, kwargs)
        raise
    finally:
        _RUNNING.batch_fill, _RUNNING.unknown = outer


def _say_none(error: ValueError, fill: int, args: Any, kwargs: Any) -> None:
    """Put None where a message names the size that stood for it."""
    if fill not in _sizes_named(args, kwargs):
        number = re.compile(rf"(?<![\w.]){fill}(?![\w.])")
        error.args = tuple(
            [number.sub("None", part) if isinstance(part, str) else part for part in error.args]
        )


_RUNNING = threading.local()


def batch_fill() -> int | None:
    """What stands for an unknown batch size in the abstract run under way, if there is one."""
    return getattr(_RUNNING, "batch_fill", None)


def unknown_size() -> int | None:
    """What stands for all unknown sizes in the abstract run under way, and for nothing else."""
    return getattr(_RUNNING, "unknown", None)


# -- operations and nodes


class Node:
    """One call of an operation on symbolic tensors.

    Attributes:
        operation: What was called.
        args, kwargs: Its arguments, with KerasTensors among them.
        inputs: The KerasTensors among the arguments.
        outputs: The KerasTensors of the result.
        result: The structure of the result.
    """

    def __init__(self, operation: Operation, args: Any, kwargs: Any, result: Any) -> None:
        self.operation, self.args, self.kwargs, self.result = operation, args, kwargs, result
        self.inputs = [x for x in tree.flatten((args, kwargs)) if isinstance(x, KerasTensor)]
        self.outputs = [x for x in tree.flatten(result) if isinstance(x, KerasTensor)]
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, tensor in enumerate(self.outputs):
            tensor._keras_history = KerasHistory(operation, index, i)
        for x in self.inputs:
            if x._keras_history is not None:
                x._keras_history[0]._outbound_nodes.append(self)

    @property
    def input_tensors(self) -> list[KerasTensor]:
        return self.inputs

    @property
    def output_tensors(self) -> list[KerasTensor]:
        return self.outputs

    @property
    def is_input(self) -> bool:
        return not self.inputs

    @property
    def parent_nodes(self) -> list[Node]:
        found = []
        for x in self.inputs:
            if x._keras_history is not None:
                operation, index, _ = x._keras_history
                found.append(operation._inbound_nodes[index])
        return found


class Operation:
    """What can be a node of a graph: a layer, or a call of a function of `ops`."""

    _remat_mode: RematMode | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = object.__new__(cls)
        # For those without get_config of their own.
        object.__setattr__(instance, "_init_arguments", (args, kwargs))
        return instance

    def __init__(self, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        mode = current_remat_mode()
        if mode is not None:
            object.__setattr__(self, "_remat_mode", mode)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation with quantized weights."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments from which the operation can be made again.

        Raises:
            NotImplementedError: A subclass whose arguments can't be written defines none.
        """
        config = {"name": self.name}
        if type(self).get_config is not Operation.get_config:
            return config
        return auto_config(self, config, Operation)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An operation of a config."""
        return cls(**{k: decode(v) for k, v in config.items()})

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record a node and return its symbolic results."""
        result = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, result)
        return result

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic results, by abstract evaluation of `call`."""
        return compute_output_spec(self.call, *args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.rematerialized_call(self.call, *args, **kwargs)(*args, **kwargs)

    def rematerialized_call(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """`fn`, or what computes its inner values again for the gradient, if the `RematScope` in
        which the operation was made says so.

        Args:
            fn: The operation's `call`.
            *args, **kwargs: What it will be called with.
        """
        mode = self._remat_mode
        if mode is None:
            return fn
        large = mode.mode == "larger_than" and (
            self._output_size(fn, args, kwargs) > mode.output_size_threshold
        )
        return self._twice(fn) if large or mode.mode == "full" else fn

    def _output_size(self, fn: Any, args: Any, kwargs: Any) -> int:
        """The number of elements of all results."""
        found = tree_flatten_specs(core.eval_spec(fn, *args, **kwargs))
        return sum(math.prod(s.shape) for s in found if isinstance(s, core.Spec))

    def _twice(self, fn: Any) -> Any:
        return core.remat(fn)

    @property
    def input(self) -> Any:
        """The symbolic inputs of the first call."""
        node = self._first_node("input")
        if len(node.args) == 1 and not isinstance(node.args[0], dict):
            return node.args[0]
        return node.inputs[0] if len(node.inputs) == 1 else node.inputs

    @property
    def output(self) -> Any:
        """The symbolic results of the first call."""
        return self._first_node("output").result

    def _first_node(self, what: str) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined {what}."
            )
        return self._inbound_nodes[0]


class FunctionCall(Operation):
    """A call of one of `ops`' functions, as a node. Each function has a subclass with the name
    and module that Keras's class for it has (`Add` of `keras.src.ops.numpy`)."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        super().__init__(name or auto_name(function.__name__))
        self.function = function
        # What PUBLIC and files know it by.
        self.function_name: str = function.public_name

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "function": self.function_name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FunctionCall:
        return cls(PUBLIC[config["function"]], config["name"])

    def __deepcopy__(self, memo: Any) -> FunctionCall:
        twin = type(self)(self.function, self.name)
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        # The class is made by the decorator, so pickle can't find it by its name.
        return _call_of, (self.function_name, self.name)


def _call_of(function_name: str, name: str) -> FunctionCall:
    function = PUBLIC[function_name]
    return function.node(function, name)


# Types of arguments that are no symbolic tensor and hold none.
_PLAIN = frozenset([core.Tensor, int, float, bool, str, type(None), np.ndarray])
_CONTAINERS = (list, tuple, dict)


def symbolic(
    function: Callable[..., Any] | None = None, *, spec: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Decorate a public function: on a KerasTensor it records a node, else it runs.

    Args:
        function: What is decorated.
        spec: The KerasTensors of its result for its arguments, where abstract evaluation can't
            tell: the shape depends on values.
    """
    if function is None:
        return functools.partial(symbolic, spec=spec)
    room = function.__module__.rsplit(".", 1)[-1]
    room = room if room in ("core", "nn", "linalg", "image", "math") else "numpy"
    return _recording(function, f"keras.src.ops.{room}", function.__name__, spec=spec)


def classic(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function of Keras 2's backend module, which Keras has no operation class for."""
    return _recording(function, CLASSIC, f"{CLASSIC}.{function.__name__}")


def classic_writer(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a function that gets variables as such, since it may assign to them."""
    return _recording(function, CLASSIC, f"{CLASSIC}.{function.__name__}", reads=False)


# Module of the nodes of Keras 2's backend functions, in files.
CLASSIC = "kerasish.backend"
# That of TensorFlow's functions too.
OUTSIDE = (CLASSIC, "kerasish.compat.tensorflow")


def _recording(
    function: Callable[..., Any], module: str, public: str, reads: bool = True,
    spec: Callable[..., Any] | None = None,
) -> Callable[..., Any]:  # fmt: skip
    camel = "".join(part.capitalize() for part in function.__name__.split("_"))
    body: dict[str, Any] = {"__module__": module}
    if spec is not None:
        body["compute_output_spec"] = lambda self, *args, **kwargs: spec(*args, **kwargs)
    node = type(camel, (FunctionCall,), body)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        variables = False
        for x in args:
            kind = type(x)
            if kind in _PLAIN:
                continue
            if kind is KerasTensor or (isinstance(x, _CONTAINERS) and _holds_symbolic(x)):
                return node(wrapper).symbolic_call(*args, **kwargs)
            variables = variables or isinstance(x, core.Variable)
        if kwargs and any_symbolic(kwargs.values()):
            return node(wrapper).symbolic_call(*args, **kwargs)
        if variables and reads:
            # Read here, so that the core finds tensors of one dtype.
            args = tuple([x.value if isinstance(x, core.Variable) else x for x in args])
        return function(*args, **kwargs)

    wrapper.__signature__ = inspect.signature(function)
    wrapper.node = node
    wrapper.public_name = public
    PUBLIC[public] = wrapper
    return wrapper
