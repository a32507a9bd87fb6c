"""A stand-in for CuPy: arrays of their own type over NumPy's, as strict as CuPy's are.

Only what CuPy has is there, by `golden/cupy_api.json`: names, parameters and, of ufuncs, dtypes. A
NumPy array among the operands is refused, and nothing turns into a NumPy array by itself. What
kernels compute is right or wrong on a GPU by CuPy alone; that they ask CuPy for what it can do, and
never NumPy, shows here.
"""

import contextlib
import ctypes
import functools
import importlib.machinery
import json
import sys
import threading
import types
from pathlib import Path

import numpy as np
import standin_nccl

API = json.loads((Path(__file__).parent / "golden" / "cupy_api.json").read_text())
_SCALARS = (bool, int, float, complex, np.generic)
# Functions that take anything and make an array of it.
_MAKES = {"array", "asarray", "ascontiguousarray", "asanyarray"}
# Named by the registry of CuPy's dtypes; ml_dtypes' types can be stored, moved and cast.
_STORED = {"bfloat16"}


class _Current(threading.local):
    device = 0


_CURRENT = _Current()


class Device:
    """The current device, and a context in which it is another."""

    def __init__(self, number=None):
        self.id = _CURRENT.device if number is None else number
        if not 0 <= self.id < DEVICES:
            raise ValueError(f"device {self.id} of {DEVICES}")

    def __enter__(self):
        self._before, _CURRENT.device = _CURRENT.device, self.id
        return self

    def __exit__(self, *_):
        _CURRENT.device = self._before

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    __hash__ = None


DEVICES = 2


class MemoryPointer:
    """Where an array's elements lie."""

    def __init__(self, ptr):
        self.ptr = ptr

    def copy_from_host_async(self, mem, size, stream=None):
        if type(mem) is not int or type(size) is not int:
            raise TypeError("an address and a size are integers")
        ctypes.memmove(self.ptr, mem, size)


class ndarray:
    """An array on a device."""

    __array_priority__ = 100

    def __init__(self, shape, dtype=float, *, _data=None, _device=None):
        self._data = np.zeros(shape, dtype) if _data is None else _data
        self._device = _CURRENT.device if _device is None else _device

    @property
    def device(self):
        return Device(self._device)

    def __array__(self, *_, **__):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_function__(self, function, *_):
        raise TypeError(f"np.{function.__name__} was given an array of a GPU")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if not any(isinstance(x, np.generic) for x in inputs):
            raise TypeError(f"np.{ufunc.__name__} was given an array of a GPU")
        return getattr(_ufunc(ufunc.__name__), method)(*inputs, **options)

    def get(self):
        return np.array(self._data)

    def __getattr__(self, name):
        if name.startswith("__") or name not in API["ndarray"]:
            raise AttributeError(f"cupy.ndarray has no {name}")
        value = getattr(self._data, name)
        if callable(value):
            return _Method(value, name, self._device)
        return _wrap(value, self._device) if isinstance(value, np.ndarray) else value

    def __setattr__(self, name, value):
        if name in ("real", "imag"):
            setattr(self._data, name, _plain(value, self._device))
        else:
            object.__setattr__(self, name, value)

    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray) or arr.dtype != self._data.dtype:
            raise TypeError(f"{arr!r} cannot be set to a {self._data.dtype} array")
        if arr.shape != self._data.shape or not self._data.flags.c_contiguous:
            raise ValueError("Shape mismatch")
        self._data[...] = arr

    def copy(self):
        return ndarray(None, _data=self._data.copy())  # on the current device

    def view(self, dtype=None):
        data = self._data.view() if dtype is None else self._data.view(dtype)
        return ndarray(None, _data=data, _device=self._device)

    @property
    def data(self):
        return MemoryPointer(self._data.ctypes.data)

    @property
    def flags(self):
        return self._data.flags

    def __getitem__(self, key):
        return _wrap(self._data[_plain(key, self._device)], self._device)

    def __setitem__(self, key, value):
        if isinstance(value, np.ndarray):
            raise TypeError("a NumPy array assigned to an array of a GPU")
        self._data[_plain(key, self._device)] = _plain(value, self._device)

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"gpu {self._data!r}"

    __hash__ = None

    def __bool__(self):
        return bool(self._data)

    def __float__(self):
        return float(self._data)

    def __int__(self):
        return int(self._data)

    def __index__(self):
        return self._data.__index__()

    def __complex__(self):
        return complex(self._data)

    def __deepcopy__(self, memo):
        return self.copy()


def _operator(name, ufunc, reflected=False):
    def operator(self, other):
        if not isinstance(other, (ndarray, *_SCALARS)):
            if isinstance(other, np.ndarray):
                raise TypeError(f"Unsupported type {type(other)}")
            return NotImplemented
        pair = (other, self) if reflected else (self, other)
        return _ufunc(ufunc)(*pair)

    setattr(ndarray, name, operator)


def _in_place(name, ufunc):
    def operator(self, other):
        return _ufunc(ufunc)(self, other, out=self)

    setattr(ndarray, name, operator)


for _name, _of in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide",
    "floordiv": "floor_divide", "mod": "remainder", "pow": "power", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift",
}.items():  # fmt: skip
    _operator(f"__{_name}__", _of)
    _operator(f"__r{_name}__", _of, True)
    _in_place(f"__i{_name}__", _of)
for _name, _of in {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
}.items():  # fmt: skip
    _operator(f"__{_name}__", _of)
ndarray.__neg__ = lambda self: _ufunc("negative")(self)
ndarray.__invert__ = lambda self: _ufunc("invert")(self)
ndarray.__abs__ = lambda self: _ufunc("absolute")(self)
ndarray.__matmul__ = lambda self, other: module().matmul(self, other)


def _wrap(value, device):
    """What NumPy gave, as CuPy gives it: arrays, of no axes too."""
    if isinstance(value, tuple | list):
        made = [_wrap(v, device) for v in value]
        named = type(value) if hasattr(value, "_fields") else None
        return named(*made) if named else type(value)(made)
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(None, _data=np.asarray(value), _device=device)
    return value


def _plain(value, device, allow=False):
    """The operand as NumPy has it."""
    if isinstance(value, ndarray):
        if value._device != device:
            raise ValueError(f"Array device must be same as the current device: {device}")
        return value._data
    if isinstance(value, np.ndarray) and not allow:
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, tuple | list):
        return type(value)([_plain(v, device, allow) for v in value])
    if isinstance(value, slice):
        return slice(*(_plain(v, device) for v in (value.start, value.stop, value.step)))
    return value


def _call(function, name, device, *args, **kwargs):
    """Call NumPy and wrap what it gives."""
    allow = name in _MAKES
    device = _CURRENT.device if device is None else device
    plain = [_plain(a, device, allow) for a in args]
    plain_named = {k: _plain(v, device, allow) for k, v in kwargs.items()}
    with np.errstate(all="ignore"):  # a GPU warns of nothing
        return _wrap(function(*plain, **plain_named), device)


class _Ufunc:
    """A ufunc with CuPy's dtypes."""

    def __init__(self, name, loops):
        self._ufunc, self.__name__ = getattr(np, name), name
        self._loops = [tuple(loop.split("->")) for loop in loops.split()]

    def _check(self, args):
        """A loop must take the operands, Python's numbers left out."""
        given = [a.dtype if isinstance(a, ndarray | np.generic) else None for a in args]
        if any(d is not None and d.kind == "V" for d in given):
            raise TypeError(f"cupy.{self.__name__}: no loop for {given}")
        for takes, _ in self._loops:
            if len(takes) == len(given) and all(
                d is None or np.can_cast(d, t) for d, t in zip(given, takes)
            ):
                return
        raise TypeError(f"cupy.{self.__name__}: no loop for {given}")

    def __call__(self, *args, out=None, dtype=None):
        device = _CURRENT.device
        self._check(args[: self._ufunc.nin])
        plain = [_plain(a, device) for a in args]
        options = {} if dtype is None else {"dtype": dtype}
        with np.errstate(all="ignore"):
            if out is not None:
                self._ufunc(*plain, out=out._data, casting="same_kind", **options)
                return out
            return _wrap(self._ufunc(*plain, **options), device)

    def reduce(self, array, axis=0, **options):
        return _call(self._ufunc.reduce, self.__name__, None, array, axis, **options)

    def reduceat(self, array, indices, axis=0):
        if self.__name__ != "add":
            raise NotImplementedError(f"cupy.{self.__name__}.reduceat")
        return _call(self._ufunc.reduceat, self.__name__, None, array, indices, axis)

    def at(self, array, indices, values=None):
        if self.__name__ not in ("add", "subtract", "maximum", "minimum", "bitwise_and",
                                 "bitwise_or", "bitwise_xor"):  # fmt: skip
            raise NotImplementedError(f"cupy.{self.__name__}.at")
        device = _CURRENT.device
        self._ufunc.at(*(_plain(v, device) for v in (array, indices, values)))


def _check_call(name, known, args, kwargs):
    """Refuse what CuPy's function has no parameters for; None: they are not known."""
    if known is None or any(p.startswith("**") for p in known):
        return
    wrong = [k for k in kwargs if k not in known]
    if wrong:
        raise TypeError(f"cupy.{name} has no parameters {wrong}")
    if len(args) > len(known) and not any(p.startswith("*") for p in known):
        raise TypeError(f"cupy.{name} takes {known}")


class _Method:
    """A method of an array with CuPy's parameters."""

    def __init__(self, function, name, device):
        self._function, self._name, self._device = function, name, device

    def __call__(self, *args, **kwargs):
        _check_call(f"ndarray.{self._name}", API["ndarray"][self._name], args, kwargs)
        return _call(self._function, self._name, self._device, *args, **kwargs)


class _Function:
    """A function with CuPy's parameters."""

    def __init__(self, room, name, parameters):
        self._function, self._name, self._parameters = getattr(room, name), name, parameters
        self.__name__ = name

    def __call__(self, *args, **kwargs):
        _check_call(self._name, self._parameters, args, kwargs)
        if self._name not in _MAKES:
            for a in args:
                if isinstance(a, ndarray) and a.dtype.name in _STORED:
                    _refuse_stored(self._name)
        return _call(self._function, self._name, _CURRENT.device, *args, **kwargs)


class _Errors(threading.local):
    linalg = "ignore"


_ERRORS = _Errors()


@contextlib.contextmanager
def errstate(*, linalg):
    """`cupyx.errstate`: what becomes of a matrix that linear algebra can't work with."""
    before, _ERRORS.linalg = _ERRORS.linalg, linalg
    try:
        yield
    finally:
        _ERRORS.linalg = before


class _Factored(_Function):
    """Linear algebra: a matrix that it can't work with gives something, if not told to raise."""

    def __call__(self, *args, **kwargs):
        if self._name == "solve" and args[1].ndim > 1 and args[0].shape[:-1] != args[1].shape[:-1]:
            raise ValueError("a must have (..., M, M) shape and b must have (..., M, K)")
        try:
            return super().__call__(*args, **kwargs)
        except np.linalg.LinAlgError:
            if _ERRORS.linalg == "raise":
                raise
            return _wrap(np.full(args[-1].shape, 7, args[-1].dtype), _CURRENT.device)


# What moves elements without computing.
_MOVES = {
    "reshape", "transpose", "broadcast_to", "concatenate", "stack", "take", "flip", "roll", "pad",
    "moveaxis", "swapaxes", "expand_dims", "squeeze", "repeat", "tile", "where", "zeros_like",
    "ones_like", "empty_like", "full_like", "as_strided", "copyto",
}  # fmt: skip


def _refuse_stored(name):
    if name not in _MOVES:
        raise TypeError(f"cupy.{name}: bfloat16 can only be stored and cast")


@functools.cache
def _ufunc(name):
    name = {"remainder": "remainder", "divide": "true_divide"}.get(name, name)
    loops = API["rooms"][""].get(name)
    if not isinstance(loops, str) or "->" not in loops:
        raise AttributeError(f"cupy has no ufunc {name}")
    return _Ufunc(name, loops)


def _room(name, room):
    made = types.ModuleType(f"cupy.{name}" if name else "cupy")
    for member, kind in API["rooms"][name].items():
        real = getattr(room, member, None)
        if real is None:
            continue
        if isinstance(kind, str) and "->" in kind and isinstance(real, np.ufunc):
            setattr(made, member, _Ufunc(member, kind))
        elif kind == "class" or kind == "constant" or not callable(real):
            setattr(made, member, real)
        else:
            of = _Factored if member in ("inv", "solve", "cholesky") else _Function
            setattr(made, member, of(room, member, kind if kind != "class" else None))
    return made


@functools.cache
def module():
    """The module to be put at `sys.modules["cupy"]`."""
    made = _room("", np)
    made.__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    made.ndarray, made.float16 = ndarray, np.float16
    made.linalg, made.fft = _room("linalg", np.linalg), _room("fft", np.fft)
    made.lib = types.ModuleType("cupy.lib")
    made.lib.stride_tricks = _room("lib.stride_tricks", np.lib.stride_tricks)
    made.asnumpy = lambda a: a.get() if isinstance(a, ndarray) else np.asarray(a)
    made.cuda = types.SimpleNamespace(
        Device=Device,
        get_current_stream=lambda: types.SimpleNamespace(ptr=standin_nccl.STREAM),
        runtime=types.SimpleNamespace(
            getDeviceCount=lambda: DEVICES,
            deviceGetPCIBusId=lambda number: f"0000:0{Device(number).id + 1}:00.0",
        ),
    )
    return made


def cupyx():
    """The module to be put at `sys.modules["cupyx"]`."""
    return types.SimpleNamespace(errstate=errstate)


@contextlib.contextmanager
def installed():
    """Inside the block `import cupy` gives the stand-in."""
    given = {"cupy": module(), "cupy.cuda.nccl": standin_nccl, "cupyx": cupyx()}
    before = {name: sys.modules.get(name) for name in given}
    sys.modules.update(given)
    try:
        yield module()
    finally:
        for name, was in before.items():
            if was is None:
                del sys.modules[name]
            else:
                sys.modules[name] = was
