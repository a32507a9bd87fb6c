"""Symbolic tensors: a shape and a dtype, no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import kerasish_core as core

from .. import older
from ..naming import auto_name

__all__ = ["PUBLIC", "KerasHistory", "KerasTensor", "is_keras_tensor"]


class KerasHistory(NamedTuple):
    """Where a symbolic tensor comes from.

    Attributes:
        operation: The layer or operation that gave it.
        node_index: Which of its calls.
        tensor_index: Which of that call's results.
    """

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor:
    """A tensor without a value, as `Input()` gives it.

    Args:
        shape: Sizes, None where unknown.
        dtype: A dtype's name.
        name: Of the tensor.
    """

    # Tensors and variables leave operators with one of these to it.
    __kerasish_defer__ = True

    __getattr__ = older.attribute

    def __init__(
        self, shape: Any, dtype: Any = "float32", sparse: bool = False, ragged: bool = False,
        record_history: bool = True, name: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        self._shape = tuple(None if n is None else int(n) for n in shape)
        # Text has no tensors, but layers that take it have inputs.
        self._dtype = "string" if dtype == "string" else core.dtypes.name_of(dtype)
        self._sparse, self._ragged = bool(sparse), bool(ragged)
        if sparse and ragged:
            raise ValueError(
                "KerasTensor cannot have `sparse=True` and `ragged=True` at the same time."
            )
        self._ragged_rank = kwargs.pop("ragged_rank", None)
        self._row_splits_dtype = kwargs.pop("row_splits_dtype", None)
        if kwargs:
            raise TypeError(f"Unexpected keyword arguments: {', '.join(kwargs)}")
        self.name = name or auto_name(type(self).__name__)
        self.record_history = record_history
        self.mask: Any = None
        self._keras_history: KerasHistory | None = None

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def _keras_mask(self) -> Any:
        return self.mask

    def reshape(self, *newshape: Any) -> Any:
        wanted = (
            newshape[0] if len(newshape) == 1 and not isinstance(newshape[0], int) else newshape
        )
        return _public("reshape")(self, wanted)

    def squeeze(self, axis: Any = None) -> Any:
        return _public("squeeze")(self, axis)

    def astype(self, dtype: Any) -> Any:
        return _public("cast")(self, dtype)

    @property
    def T(self) -> Any:
        return _public("transpose")(self)

    def __getitem__(self, key: Any) -> Any:
        return _public("get_item")(self, key)

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse={self.sparse}, "
            f"ragged={self.ragged}, name={self.name}>"
        )

    def __deepcopy__(self, memo: Any) -> KerasTensor:
        twin = memo.get(id(self))
        if twin is None:
            twin = KerasTensor(self.shape, self.dtype, self.sparse, self.ragged, name=self.name)
            memo[id(self)] = twin
        return twin

    __hash__ = object.__hash__

    def _no_value(self, what: str) -> Any:
        raise ValueError(
            "A KerasTensor is symbolic: it's a placeholder for a shape and a dtype. It doesn't "
            f"have any actual numerical value. You cannot convert it to {what}. Use `keras.ops` "
            "functions or layers on it, or a Layer of your own whose call() does the computation."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        self._no_value("a NumPy array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = {"divide": "true_divide", "remainder": "mod"}.get(ufunc.__name__, ufunc.__name__)
        if method == "__call__" and not options and name in PUBLIC:
            return PUBLIC[name](*inputs)
        return self._no_value("a NumPy array")

    def __float__(self) -> float:
        return self._no_value("a float")

    def __int__(self) -> int:
        return self._no_value("an int")

    def __bool__(self) -> bool:
        raise TypeError(
            "A symbolic KerasTensor cannot be used as a boolean. Use ops.where or cond."
        )

    def __iter__(self) -> Any:
        raise NotImplementedError(
            "Iterating over a symbolic KerasTensor is not supported. Use ops.unstack or indexing."
        )

    def __len__(self) -> int:
        raise TypeError("object of type 'KerasTensor' has no len(): use its shape.")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("A KerasTensor can't be written to. Use ops.scatter_update or where.")


def _operator(name: str, reflected: bool) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        function = _public(name)
        return function(other, self) if reflected else function(self, other)

    return operator


for _dunder, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
    "floordiv": "floor_divide", "mod": "mod", "pow": "power", "matmul": "matmul",
    "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
}.items():  # fmt: skip
    setattr(KerasTensor, f"__{_dunder}__", _operator(_name, False))
    setattr(KerasTensor, f"__r{_dunder}__", _operator(_name, True))
for _dunder, _name in {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}.items():  # fmt: skip
    setattr(KerasTensor, f"__{_dunder}__", _operator(_name, False))
KerasTensor.__neg__ = lambda self: _public("negative")(self)
KerasTensor.__abs__ = lambda self: _public("absolute")(self)
KerasTensor.__round__ = lambda self, ndigits=None: _public("round")(self, decimals=ndigits or 0)
KerasTensor.__invert__ = lambda self: _public("logical_not")(self)
KerasTensor.__hash__ = object.__hash__


def _fixed(name: str, doc: str) -> property:
    """An attribute that can't be set."""

    def refuse(self: Any, value: Any) -> None:
        raise AttributeError(
            f"The `{name}` attribute of KerasTensor is immutable. One should create a new "
            "instance of KerasTensor for this."
        )

    return property(lambda self: getattr(self, f"_{name}"), refuse, doc=doc)


for _name, _doc in {
    "shape": "Its sizes, None where unknown.", "dtype": "A dtype's name.",
    "sparse": "Whether it stands for a sparse tensor.",
    "ragged": "Whether it stands for rows of different lengths.",
    "ragged_rank": "Number of ragged axes, or None.",
    "row_splits_dtype": "Of the places where ragged rows start, or None.",
}.items():  # fmt: skip
    setattr(KerasTensor, _name, _fixed(_name, _doc))

# Public functions by name, for the operators above and for files.
PUBLIC: dict[str, Callable[..., Any]] = {}


def _public(name: str) -> Callable[..., Any]:
    return PUBLIC[name]


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, KerasTensor)


# The name that Keras has for it, on tensors with values too: its guide to masks prints it.
core.Tensor._keras_mask = core.Tensor.mask  # type: ignore[attr-defined]
