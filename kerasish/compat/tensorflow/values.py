"""Making tensors, and what they are: `tf.constant`, `tf.zeros`, `tf.shape`, `tf.cast`."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

import kerasish_core as core

from ... import ops, text_arrays
from ...ops.symbolic import KerasTensor
from ...text_arrays import Text, holds_text, means_text
from ...variable import Variable as OurVariable
from ..methods import tensors as methods
from .dtypes import as_dtype, name_of

__all__ = ["AUTOTUNE", "Sizes", "Tensor", "TensorShape", "TensorSpec", "Variable", "constant"]

Tensor = core.Tensor
AUTOTUNE = -1


def plain(function: Any) -> Any:
    """A function that itself knows what to do with symbolic tensors."""
    function.plain = True
    return function


# -- shapes


class TensorShape(methods.Shape):
    """Sizes of axes, None where one is not known."""

    def __new__(cls, dims: Any = ()) -> TensorShape:
        sizes = [dims] if isinstance(dims, int) else (dims or ())
        return super().__new__(cls, [None if n is None else int(n) for n in sizes])

    def num_elements(self) -> int | None:
        """The number of elements, if it is known."""
        return None if None in self else math.prod(self)

    def concatenate(self, other: Any) -> TensorShape:
        """The axes of this shape, then those of another."""
        return TensorShape((*self, *TensorShape(other)))

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __eq__(self, other: object) -> bool:
        return super().__eq__(tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def is_compatible_with(self, other: Any) -> bool:
        """Whether both can be the shape of one tensor."""
        other = TensorShape(other)
        same = len(self) == len(other)
        return same and all(None in (a, b) or a == b for a, b in zip(self, other))


class Sizes(tuple):
    """What `tf.shape` gives: whole numbers that are known, with a tensor's arithmetic."""

    dtype = np.dtype("int32")

    @property
    def shape(self) -> tuple[int]:
        return (len(self),)

    def numpy(self) -> Any:
        """An array of the sizes."""
        return np.array(tuple(self), self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(tuple(self), dtype or self.dtype)

    def __neg__(self) -> Sizes:
        return Sizes(-n for n in self)

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return Sizes(found) if isinstance(key, slice) else found


def _elementwise(name: str, reflected: bool) -> Any:
    def operator(self: Sizes, other: Any) -> Any:
        if isinstance(other, core.Tensor):
            return NotImplemented
        mine, other = np.asarray(self), np.asarray(other)
        found = getattr(np, name)(*((other, mine) if reflected else (mine, other)))
        whole = found.dtype.kind in "iu" and found.ndim == 1
        return Sizes(map(int, found)) if whole else core.convert(found)

    return operator


for _short, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "floordiv": "floor_divide",
    "truediv": "true_divide", "mod": "mod",
}.items():  # fmt: skip
    setattr(Sizes, f"__{_short}__", _elementwise(_name, False))
    setattr(Sizes, f"__r{_short}__", _elementwise(_name, True))


@plain
def shape(input: Any, out_type: Any = "int32") -> Any:
    """The sizes of the axes, which are known here: whole numbers."""
    found = Sizes(ops.shape(input) if not holds_text(input) else np.shape(input))
    if name_of(out_type) != "int32":
        found.dtype = np.dtype(name_of(out_type))
    return found


@plain
def rank(input: Any) -> Any:
    """The number of axes."""
    return core.convert(len(static_shape(input)))


@plain
def size(input: Any, out_type: Any = "int32") -> Any:
    """The number of elements."""
    sizes = static_shape(input)
    if None in sizes:
        return ops.size(input)
    return core.convert(np.asarray(math.prod(sizes), name_of(out_type)))


def static_shape(x: Any) -> tuple[Any, ...]:
    """The shape of a tensor, array or list."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def sizes_of(shape: Any) -> tuple[Any, ...]:
    """A shape as Python's numbers: it may be a number, a list of tensors, a tensor."""
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    if isinstance(shape, core.Tensor):
        shape = np.asarray(shape)
    return tuple(None if n is None else int(n) for n in shape)


def ints(values: Any) -> Any:
    """One whole number or a tuple of them, of anything that holds them; None stays."""
    if values is None or isinstance(values, int):
        return values
    array = np.asarray(values)
    return int(array) if not array.ndim else tuple(map(int, array.reshape(-1)))


def tensor(x: Any, dtype: Any = None) -> Any:
    """Anything array-like as a tensor; symbolic ones as they are."""
    if isinstance(x, KerasTensor):
        return x if dtype is None else ops.cast(x, dtype)
    return core.convert(x, dtype)


def dtype_of(x: Any) -> str:
    """The name of a tensor's dtype."""
    return name_of(x.dtype)


# -- making


class _Missing:
    """A kind of tensor that is not here: nothing is one, so that programs may ask."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"tf.{type(self).__name__} is not there: tensors are dense here. Pad rows of different "
            "lengths (tf.keras.utils.pad_sequences) or write the zeros out."
        )


class RaggedTensor(_Missing):
    """Rows of different lengths."""


class SparseTensor(_Missing):
    """Values at places."""


class IndexedSlices(_Missing):
    """Rows at places: gradients of lookups are dense here."""


class _OfAllVariables(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, core.Variable)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, core.Variable)


class Variable(metaclass=_OfAllVariables):
    """A variable with a first value, or one that a function of no arguments gives."""

    plain = True

    def __new__(
        cls, initial_value: Any = None, trainable: bool = True, validate_shape: Any = None,
        caching_device: Any = None, name: Any = None, variable_def: Any = None, dtype: Any = None,
        import_scope: Any = None, constraint: Any = None, shape: Any = None, **_: Any,
    ) -> Any:  # fmt: skip
        value = initial_value() if callable(initial_value) else initial_value
        dtype = name_of(dtype) if dtype is not None else core.convert(value).dtype.name
        label = None if name is None else str(name).replace("/", "_").replace(":", "_")
        trained = trainable is None or bool(trainable)
        made = OurVariable(value, dtype=dtype, trainable=trained, name=label)
        if constraint is not None:
            made.constraint = constraint
        return made


@plain
def constant(value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """A tensor of values; of text an array."""
    made = convert_to_tensor(value, dtype)
    if shape is None:
        return made
    if isinstance(made, Text):
        return Text(np.resize(made, sizes_of(shape)))
    sizes = sizes_of(shape)
    return ops.broadcast_to(made, sizes) if made.size == 1 else ops.reshape(made, sizes)


@plain
def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None) -> Any:
    """A tensor of values; of text an array."""
    if isinstance(value, KerasTensor):
        return value
    if means_text(value):
        return Text(np.array(value, object) if not isinstance(value, np.ndarray) else value)
    return ops.convert_to_tensor(value, None if dtype is None else name_of(dtype))


def zeros(shape: Any, dtype: Any = "float32") -> Any:
    """Zeros."""
    if name_of(dtype) == "string":
        return fill(shape, "")
    return ops.zeros(sizes_of(shape), name_of(dtype))


def ones(shape: Any, dtype: Any = "float32") -> Any:
    """Ones."""
    return ops.ones(sizes_of(shape), name_of(dtype))


@plain
def fill(dims: Any, value: Any) -> Any:
    """One value everywhere."""
    if means_text(value):
        whole = np.empty(sizes_of(dims), object)
        whole.fill(value if isinstance(value, str | bytes) else value.item())
        return Text(whole)
    return ops.broadcast_to(tensor(value), sizes_of(dims))


@plain
def zeros_like(input: Any, dtype: Any = None) -> Any:
    """Zeros of the same shape."""
    return ops.zeros_like(input, None if dtype is None else name_of(dtype))


@plain
def ones_like(input: Any, dtype: Any = None) -> Any:
    """Ones of the same shape."""
    return ops.ones_like(input, None if dtype is None else name_of(dtype))


def eye(
    num_rows: int, num_columns: Any = None, batch_shape: Any = None, dtype: Any = "float32"
) -> Any:
    """1 on the diagonal, else 0."""
    one = ops.eye(int(num_rows), ints(num_columns), dtype=name_of(dtype))
    return (
        one if batch_shape is None else ops.broadcast_to(one, (*sizes_of(batch_shape), *one.shape))
    )


def linspace(start: Any, stop: Any, num: int, axis: int = 0) -> Any:
    """Numbers at equal distances, both ends among them."""
    start, stop = core.convert(start), core.convert(stop)
    if not core.dtypes.is_float(start.dtype):
        start = ops.cast(start, "float64")
    return ops.linspace(start, stop, int(num), axis=axis, dtype=start.dtype.name)


def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Any:
    """Numbers from `start` (0 if one number is given) to before `limit`."""
    start, limit = (0, start) if limit is None else (start, limit)
    bounds = [np.asarray(v) for v in (start, limit, delta)]
    if dtype is None:
        kinds = [v.dtype for v, given in zip(bounds, (start, limit, delta))
                 if hasattr(given, "dtype")]  # fmt: skip
        floats = any(v.dtype.kind == "f" for v in bounds)
        dtype = np.result_type(*kinds) if kinds else np.dtype("float32" if floats else "int32")
        if floats and dtype.kind != "f":
            dtype = np.dtype("float32")
    numbers = np.arange(*bounds).astype(core.dtypes.as_dtype(name_of(dtype)))
    return _Numbers(core.constant(numbers).value) if core.is_tracing() else core.constant(numbers)


class _Numbers(core.Tensor):
    """Numbers that a loop over them knows, also while a function is traced."""

    __slots__ = ()

    def __iter__(self) -> Any:
        return (core.constant(np.array(n)) for n in np.asarray(self))


@plain
def cast(x: Any, dtype: Any) -> Any:
    """The values in another dtype."""
    if isinstance(x, list | tuple):
        x = core.convert(x)
    return ops.cast(x, name_of(dtype))


def saturate_cast(value: Any, dtype: Any) -> Any:
    """The values in another dtype, limited to what it can hold."""
    return ops.saturate_cast(value, name_of(dtype))


def bitcast(input: Any, type: Any) -> Any:
    """The bytes of each number read as those of another dtype of equal size."""
    return core.ops.bitcast(input, name_of(type))


def complex_(real: Any, imag: Any) -> Any:
    """Complex numbers of real and imaginary parts."""
    real, imag = core.convert(real), core.convert(imag)
    return ops.view_as_complex(ops.stack([real, imag], axis=-1))


@plain
def identity(input: Any) -> Any:
    """The same values."""
    if holds_text(input) or isinstance(input, KerasTensor):
        return input
    return core.ops.identity(core.convert(input))


@plain
def identity_n(input: Any) -> list[Any]:
    """The same values, of several tensors."""
    return [identity(x) for x in input]


@plain
def is_tensor(x: Any) -> bool:
    """Whether it is a tensor, variable or array of text."""
    return isinstance(x, core.Tensor | core.Variable | KerasTensor | Text)


@plain
def is_symbolic_tensor(tensor: Any) -> bool:
    """Whether it has no values yet."""
    return isinstance(tensor, KerasTensor) or core.is_tracing()


@plain
def ensure_shape(x: Any, shape: Any) -> Any:
    """`x`, if it has this shape.

    Raises:
        ValueError: It has another.
    """
    if shape is not None and not TensorShape(static_shape(x)).is_compatible_with(shape):
        raise ValueError(f"ensure_shape: the shape is {static_shape(x)}, not {tuple(shape)}.")
    return x


@plain
def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The values as an array if they are known, else None."""
    known = not isinstance(tensor, KerasTensor) and not core.is_tracing()
    return np.asarray(tensor) if known or isinstance(tensor, Sizes) else None


class _Spec(NamedTuple):
    shape: Any
    dtype: Any
    name: Any


class TensorSpec(_Spec):
    """Shape and dtype of an element of a data set; a shape of None is any."""

    def __new__(cls, shape: Any, dtype: Any = "float32", name: Any = None) -> TensorSpec:
        return super().__new__(
            cls, None if shape is None else TensorShape(shape), as_dtype(dtype), name
        )

    @classmethod
    def from_tensor(cls, tensor: Any, name: Any = None) -> TensorSpec:
        """Those of a tensor."""
        return cls(TensorShape(tensor.shape), as_dtype(tensor.dtype), name)


def _caster(dtype: str) -> Any:
    @plain
    def to(x: Any, name: Any = None) -> Any:
        return ops.cast(x, dtype)

    to.__doc__ = f"The values as {dtype}."
    return to


to_float, to_double = _caster("float32"), _caster("float64")
to_int32, to_int64 = _caster("int32"), _caster("int64")


# -- methods of tensors


def _scattering(name: str, reduction: Any) -> Any:
    def scatter(self: Any, indices: Any, updates: Any, name: Any = None) -> Any:
        self.assign(ops.scatter_update(self.value, indices, updates, reduction=reduction))
        return self

    scatter.__name__, scatter.__doc__ = name, f"Change rows of indices; reduction: {reduction}."
    return scatter


def _answering(shape: Any) -> Any:
    """The property with what it gives as a `TensorShape`."""
    return property(lambda self: tuple.__new__(TensorShape, shape.__get__(self)), doc=shape.__doc__)


@functools.cache  # shapes are wrapped once
def install_methods() -> None:
    """Give tensors the methods that TensorFlow's have, and shapes those of `TensorShape`."""
    for name in ("get_shape", "set_shape"):
        if not hasattr(core.Tensor, name):
            setattr(core.Tensor, name, getattr(methods, name))
    for name, reduction in {
        "scatter_nd_update": None, "scatter_nd_add": "add", "scatter_nd_max": "max",
        "scatter_nd_min": "min",
    }.items():  # fmt: skip
        setattr(core.Variable, name, _scattering(name, reduction))
    text_arrays.of_layers = Text
    for first in (core.Tensor, core.Variable, KerasTensor):
        for cls in (first, *first.__subclasses__()):
            if "shape" in vars(cls):
                cls.shape = _answering(vars(cls)["shape"])
