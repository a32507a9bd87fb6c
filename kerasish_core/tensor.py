"""The tensor: an immutable array with its spec. Operators look up the functions of `ops`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import device, dtypes
from .errors import DTypeError
from .op import Spec

__all__ = ["Resident", "Tensor", "constant", "convert", "new_tid"]

new_tid = itertools.count(1).__next__

# Filled by the rooms above: the functions behind operators, indexing and NumPy's protocols.
OPERATORS: dict[str, Callable[..., Any]] = {}
NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {}


class Tensor:
    """An immutable n-dimensional array.

    Tensors come from operations, `convert_to_tensor` and variables. `numpy()` hands out a copy.

    Args:
        value: A NumPy or CuPy array, which the tensor now owns: nobody may write to it.
    """

    __slots__ = ("__weakref__", "_mask", "_origin", "_tid", "_value")
    __array_priority__ = 100
    known = True  # while a function is traced, its own tensors are not

    def __init__(self, value: Any) -> None:
        self._value = value
        self._tid = 0

    # -- what it is
    @property
    def value(self) -> Any:
        """The array itself. Never write to it."""
        return self._value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> dtypes.DType:
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def spec(self) -> Spec:
        return Spec(self._value.shape, self.dtype)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        return self.size * int(self.dtype.itemsize)

    @property
    def device(self) -> str:
        return device.device_of(self.value)

    @property
    def mask(self) -> Any:
        """An opaque slot for the layers' masks; the core does not interpret it."""
        return getattr(self, "_mask", None)

    @mask.setter
    def mask(self, mask: Any) -> None:
        self._mask = mask

    # -- out of the tensor
    def numpy(self) -> Any:
        """A writable NumPy copy; of a scalar NumPy's number, which is hashable."""
        return self._copy()[()]

    def _copy(self) -> Any:
        value = self.value
        if type(value) is np.ndarray:
            return value.copy()
        return np.array(device.to_device(value, "cpu"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self._copy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __dlpack__(self, **options: Any) -> Any:
        return self.value.copy().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.value.__dlpack_device__()  # type: ignore[no-any-return]

    def item(self, *index: int) -> Any:
        """The Python number in a tensor of one element, or at a flat or full index."""
        return (np.asarray(self) if index else self.value).item(*index)

    def tolist(self) -> Any:
        return self.value.tolist()

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        if not dtypes.is_integer(self.dtype):
            raise DTypeError(f"A {self.spec} tensor is no index: an integer tensor is needed.")
        return int(self._scalar("int"))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"The truth value of a {self.spec} tensor is ambiguous. "
                "Use ops.any(x) or ops.all(x)."
            )
        return bool(self.value.reshape(())[()])

    def _scalar(self, what: str) -> Any:
        if self.size != 1:
            raise TypeError(
                f"{what}() needs a tensor of one element, got {self.spec}. Index or reduce it."
            )
        return self.value.item() if device.is_gpu_array(self.value) else self.value.reshape(())[()]

    def __format__(self, format_spec: str) -> str:
        if not format_spec:
            return str(self)
        return format(self._scalar("format"), format_spec)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a scalar tensor: it has no first axis.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, x: Any) -> bool:
        return x in np.asarray(self)

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self), separator=", ", prefix="Tensor(", threshold=100)
        return f"Tensor({shown}, shape={self.shape}, dtype={self.dtype.name})"

    def __str__(self) -> str:
        return str(np.asarray(self))

    def __deepcopy__(self, memo: Any) -> Tensor:
        return Tensor(self.value)

    def __reduce__(self) -> Any:
        return _restored, (np.asarray(self),)

    # -- into NumPy
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        function = NUMPY_FUNCTIONS.get(ufunc) if method == "__call__" and not options else None
        if function is not None:
            return function(*[_beside(self, x) if type(x) is np.ndarray else x for x in inputs])
        arrays = [np.asarray(x) if isinstance(x, Tensor) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        ours = NUMPY_FUNCTIONS.get(function)
        if ours is not None:
            return ours(*args, **kwargs)

        def plain(x: Any) -> Any:
            if isinstance(x, Tensor):
                return np.asarray(x)
            if type(x) in (list, tuple):
                return type(x)(map(plain, x))
            return x

        return function(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    # -- operators
    __hash__ = object.__hash__

    if TYPE_CHECKING:  # `install_operators` gives them
        __add__: Callable[..., Any]
        __radd__: Callable[..., Any]
        __sub__: Callable[..., Any]
        __rsub__: Callable[..., Any]
        __mul__: Callable[..., Any]
        __rmul__: Callable[..., Any]
        __truediv__: Callable[..., Any]
        __rtruediv__: Callable[..., Any]
        __floordiv__: Callable[..., Any]
        __rfloordiv__: Callable[..., Any]
        __mod__: Callable[..., Any]
        __rmod__: Callable[..., Any]
        __pow__: Callable[..., Any]
        __rpow__: Callable[..., Any]
        __matmul__: Callable[..., Any]
        __rmatmul__: Callable[..., Any]
        __and__: Callable[..., Any]
        __rand__: Callable[..., Any]
        __or__: Callable[..., Any]
        __ror__: Callable[..., Any]
        __xor__: Callable[..., Any]
        __rxor__: Callable[..., Any]
        __lt__: Callable[..., Any]
        __le__: Callable[..., Any]
        __gt__: Callable[..., Any]
        __ge__: Callable[..., Any]
        __neg__: Callable[..., Any]
        __abs__: Callable[..., Any]
        __invert__: Callable[..., Any]

        def __eq__(self, other: object) -> Any: ...
        def __ne__(self, other: object) -> Any: ...

    def __getitem__(self, key: Any) -> Tensor:
        return OPERATORS["getitem"](self, key)  # type: ignore[no-any-return]

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            "A Tensor can't be written to. Use ops.slice_update(x, start, updates) or "
            "ops.scatter_update(x, indices, updates), which return a new one; or a Variable: "
            "v[1:3].assign(values)."
        )

    def assign(self, value: Any) -> Any:
        """Assign to the part of a Variable that this is: `v[1:3].assign(values)`.

        Raises:
            TypeError: It is no part of a Variable.
        """
        origin = getattr(self, "_origin", None)
        if origin is None:
            raise TypeError("Only a Variable or its part can be assigned to: v[1:3].assign(...).")
        return origin[0].assign_part(origin[1], value)

    @property
    def T(self) -> Tensor:
        return OPERATORS["transpose"](self)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any) -> Tensor:
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return OPERATORS["reshape"](self, wanted)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order, reversed by default."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return OPERATORS["transpose"](self, given or None)  # type: ignore[no-any-return]

    def flatten(self) -> Tensor:
        """One axis of all elements."""
        return self.reshape(-1)

    def copy(self) -> Tensor:
        """The tensor itself: nothing writes to it."""
        return self

    def astype(self, dtype: Any) -> Tensor:
        return OPERATORS["cast"](self, dtype)  # type: ignore[no-any-return]


def _restored(array: Any) -> Tensor:
    """What was pickled, on the device that is current where it is read."""
    return Tensor(device.to_device(array, device.current_device()))


class Resident(Tensor):
    """The buffer of a variable that programs on a GPU write in place. Never handed out."""

    __slots__ = ()

    def settled(self) -> Tensor:
        """A copy, which nobody writes to."""
        return Tensor(self._value.copy())


def _binary(name: str, reflected: bool) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        # What stands above tensors (the API's symbolic ones) says so and does the operation itself.
        if other is None or isinstance(other, str) or hasattr(type(other), "__kerasish_defer__"):
            return NotImplemented
        if type(other) is np.ndarray:
            other = _beside(self, other)
        function = OPERATORS[name]
        return function(other, self) if reflected else function(self, other)

    return operator


_WIDE = frozenset(["float64", "complex128", "int64", "uint64"])


def _beside(tensor: Any, array: Any) -> Any:
    """A float64 array beside a tensor of fewer bits is NumPy's default, not a wish: float32."""
    if array.dtype == np.float64 and getattr(tensor.dtype, "name", tensor.dtype) not in _WIDE:
        return array.astype(np.float32)
    return array


def _unary(name: str) -> Callable[[Any], Any]:
    def operator(self: Any) -> Any:
        return OPERATORS[name](self)

    return operator


def install_operators(cls: type) -> type:
    """Give a class the arithmetic, comparison and logic operators of `OPERATORS`."""
    for dunder, name in {
        "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
        "floordiv": "floor_divide", "mod": "mod", "pow": "power", "matmul": "matmul",
        "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    }.items():  # fmt: skip
        setattr(cls, f"__{dunder}__", _binary(name, False))
        setattr(cls, f"__r{dunder}__", _binary(name, True))
    for dunder, name in {
        "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal",
        "gt": "greater", "ge": "greater_equal",
    }.items():  # fmt: skip
        setattr(cls, f"__{dunder}__", _binary(name, False))
    for dunder, name in {"neg": "negative", "abs": "absolute", "invert": "bitwise_not"}.items():
        setattr(cls, f"__{dunder}__", _unary(name))
    cls.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]
    return cls


install_operators(Tensor)

# What arrays have as methods too, under the names of NumPy's functions.
_METHODS = (
    "all", "any", "argmax", "argmin", "argsort", "clip", "cumprod", "cumsum", "diagonal", "dot",
    "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "round", "squeeze", "std", "sum",
    "swapaxes", "take", "trace", "var",
)  # fmt: skip


def _method(name: str, function: Any) -> Callable[..., Any]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return NUMPY_FUNCTIONS[function](self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"`{name}` of this tensor, as of a NumPy array; a new tensor."
    return method


for _name in _METHODS:
    setattr(Tensor, _name, _method(_name, getattr(np, _name)))


def convert(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor of anything array-like; Python numbers take Keras's weak types.

    Args:
        x: A Tensor, Variable, array, number, nested list, or what has `__array__`.
        dtype: The wanted dtype, or None to keep (arrays) or choose (Python numbers).

    Raises:
        DTypeError: The value is no array of numbers.
    """
    if isinstance(x, Tensor):
        return x if dtype is None or x.dtype == dtypes.as_dtype(dtype) else x.astype(dtype)
    if hasattr(x, "__kerasish_tensor__"):
        return convert(x.__kerasish_tensor__(), dtype)
    if device.is_gpu_array(x):
        return convert(Tensor(x.copy()), dtype)
    if isinstance(x, np.ndarray | np.generic):
        array = np.array(x, dtype=None if dtype is None else dtypes.as_dtype(dtype))
    elif isinstance(x, list | tuple) and _holds_tensor(x):
        common = _common_dtype(x)
        stacked = OPERATORS["stack"]([convert(v, common) for v in x])
        return convert(stacked, dtype)
    else:
        array = _from_python(x, dtype)
    if array.dtype.kind not in "biufcV" or array.dtype.names:
        raise DTypeError(
            f"Can't make a tensor of {type(x).__name__} with dtype {array.dtype}: "
            f"numbers or booleans are needed, got {_shown(x)}."
        )
    return constant(array)


def constant(array: Any) -> Tensor:
    """A Tensor of a fresh NumPy array, which it now owns, on the current device."""
    if not array.dtype.isnative:  # of a file with the other byte order
        array = array.astype(array.dtype.newbyteorder("="))
    name = device.current_device()
    return Tensor(array if name == "cpu:0" else device.to_device(array, name))


_PYTHON_NUMBERS = frozenset((bool, int, float, complex))


def _holds_tensor(x: Any) -> bool:
    if isinstance(x, list | tuple):
        for kind in set(map(type, x)) - _PYTHON_NUMBERS:
            if not issubclass(kind, np.generic | np.ndarray) and any(
                _holds_tensor(v) for v in x if type(v) is kind
            ):
                return True
        return False
    return isinstance(x, Tensor) or hasattr(x, "__kerasish_tensor__")


def _from_python(x: Any, dtype: Any) -> Any:
    common = _common_dtype(x) if isinstance(x, list | tuple) else None
    try:
        if common is None:
            array = np.array(x)
        else:
            with np.errstate(over="ignore"):
                array = np.array(x, dtype=common)
    except ValueError as error:
        raise DTypeError(
            f"Can't make a tensor of {_shown(x)}: rows have different lengths ({error}). Pad them."
        ) from None
    if dtype is not None:
        return array.astype(dtypes.as_dtype(dtype)) if array.dtype.kind in "biufcV" else array
    if common is not None or hasattr(x, "__array__") or hasattr(x, "__dlpack__"):
        return array
    if array.dtype.kind == "f":
        return array.astype(dtypes.as_dtype(dtypes.default_float()))
    if array.dtype.kind == "i" and array.min(initial=0) >= -(2**31):
        return array.astype("int32") if array.max(initial=0) < 2**31 else array
    return array


def _common_dtype(x: Any) -> Any:
    """Of a nested list in which not all are Python numbers: these are weak beside the others.

    NumPy's float64, which its functions give where nobody asked for it, is `floatx` there. None if
    Python numbers are all there is, or something is no number.
    """
    found: set[Any] = set()
    _add_dtypes(x, found)
    if found <= _PYTHON_NUMBERS:
        return None
    numbers = {k for k in found if isinstance(k, np.dtype)}
    if any(d.kind not in "biufcV" or d.names for d in numbers):
        return None
    if np.dtype("float64") in found:
        found = found - {np.dtype("float64")} | {dtypes.as_dtype(dtypes.default_float())}
    return dtypes.result_type(*found)


def _add_dtypes(x: Any, found: set[Any]) -> None:
    for kind in set(map(type, x)):
        if kind in _PYTHON_NUMBERS:
            found.add(kind)
        elif issubclass(kind, np.generic):
            found.add(np.dtype(kind))
        else:
            for v in x:
                if type(v) is not kind:
                    continue
                if isinstance(v, list | tuple):
                    _add_dtypes(v, found)
                elif isinstance(v, np.ndarray):
                    found.add(v.dtype)
                else:
                    found.add(convert(v).dtype if _holds_tensor(v) else np.asarray(v).dtype)


def _shown(x: Any) -> str:
    text = repr(x)
    return text if len(text) < 80 else text[:77] + "..."
