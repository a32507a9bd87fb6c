"""Data types and their promotion, by Keras 3's table.

The table is the lattice of JAX ("type promotion semantics"), in which Python scalars are *weak*:
they adapt to the array they meet. Keras then reads a weak integer as int32 and a weak float as
`floatx`.

Source: https://docs.jax.dev/en/latest/type_promotion.html and `keras.backend.result_type`.
"""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np

from .errors import DTypeError

__all__ = [
    "as_dtype",
    "default_float",
    "is_complex",
    "is_float",
    "is_inexact",
    "is_integer",
    "limits",
    "name_of",
    "python_result_type",
    "result_type",
    "set_default_float",
    "short_name",
]

DType = np.dtype[Any]

_EXTENDED = {
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "int4": np.dtype(ml_dtypes.int4),
    "uint4": np.dtype(ml_dtypes.uint4),
}
_FLOATS = ("float16", "float32", "float64", *(n for n in _EXTENDED if "float" in n))

# Edges of the lattice: each type and the types directly above it. "int" and "float" are weak.
_ABOVE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint4": ("uint8",),
    "int4": ("int8",),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"),
    "float8_e4m3fn": (),
    "float8_e5m2": (),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}

_default_float = "float32"


def _upper_bounds() -> dict[str, frozenset[str]]:
    bounds: dict[str, frozenset[str]] = {}

    def visit(name: str) -> frozenset[str]:
        if name not in bounds:
            bounds[name] = frozenset({name}).union(*(visit(n) for n in _ABOVE[name]))
        return bounds[name]

    for name in _ABOVE:
        visit(name)
    return bounds


_UPPER = _upper_bounds()


def default_float() -> str:
    """The type of a float that nothing else decides (`keras.config.floatx()`)."""
    return _default_float


def set_default_float(name: str) -> None:
    """Set `default_float`. Clears the promotion cache, since weak floats resolve to it."""
    global _default_float
    _default_float = name
    _join.cache_clear()
    result_type.cache_clear()


@functools.lru_cache(maxsize=512)
def _as_dtype_cached(dtype: Any) -> DType:
    if isinstance(dtype, type) and dtype in (bool, int, float, complex):
        return np.dtype(
            {bool: "bool", int: "int32", float: _default_float, complex: "complex64"}[dtype]
        )
    if isinstance(dtype, str):
        if dtype in _EXTENDED:
            return _EXTENDED[dtype]
        if dtype == "float" or dtype == "int":
            return np.dtype(_default_float if dtype == "float" else "int32")
    name = getattr(dtype, "name", None)
    if isinstance(name, str) and name in _ABOVE:
        dtype = _EXTENDED.get(name, name)
    elif str(dtype).startswith("torch."):
        dtype = str(dtype)[len("torch.") :]
    try:
        return np.dtype(dtype)
    except TypeError:
        known = ", ".join(n for n in _ABOVE if n not in ("int", "float"))
        raise DTypeError(f"Invalid dtype: {dtype!r}. Expected one of {known}.") from None


def as_dtype(dtype: Any) -> DType:
    """The NumPy dtype meant by a name, a Python type, a NumPy type or another library's dtype.

    Raises:
        DTypeError: It names no data type.
    """
    if isinstance(dtype, np.dtype):
        return dtype
    return _as_dtype_cached(dtype)


def name_of(dtype: Any) -> str:
    """The Keras name of a dtype: `"float32"`, `"bfloat16"`, `"bool"` …"""
    return as_dtype(dtype).name


def is_name(name: str) -> bool:
    """Whether it is what `name_of` gives for a dtype that tensors may have."""
    return name in _ABOVE and name not in ("int", "float")


@functools.lru_cache(maxsize=512)
def short_name(dtype: DType) -> str:
    """The name used in error texts and printed graphs: `f32`, `i64`, `bf16`, `bool` …"""
    name = dtype.name
    for long, short in (
        ("bfloat", "bf"),
        ("complex", "c"),
        ("float", "f"),
        ("uint", "u"),
        ("int", "i"),
    ):
        if name.startswith(long):
            return short + name[len(long) :]
    return name


# NumPy computes `dtype.name` anew each time, in microseconds: asked for by extended types only.


def is_float(dtype: DType) -> bool:
    """Whether the type is a real floating type (bfloat16 and the float8 types included)."""
    kind = dtype.kind
    return kind == "f" or (kind not in "biuc" and dtype.name in _FLOATS)


def is_complex(dtype: DType) -> bool:
    """Whether the type is complex."""
    return dtype.kind == "c"


def is_inexact(dtype: DType) -> bool:
    """Whether gradients can flow through the type: real or complex floating."""
    kind = dtype.kind
    return kind in "fc" or (kind not in "biu" and dtype.name in _FLOATS)


def is_integer(dtype: DType) -> bool:
    """Whether the type is an integer (bool is not)."""
    kind = dtype.kind
    return kind in "iu" or (kind not in "bfc" and dtype.name in ("int4", "uint4"))


def limits(dtype: Any) -> Any:
    """`finfo` or `iinfo` of the type: `min`, `max` and, of floats, `eps`, as Python numbers."""
    dtype = as_dtype(dtype)
    if is_float(dtype):
        return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return ml_dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]


@functools.lru_cache(maxsize=4096)
def _join(*names: str) -> str:
    common = frozenset.intersection(*(_UPPER[n] for n in names))
    least = [n for n in common if common <= _UPPER[n]]
    if len(least) == 1:
        return least[0]
    raise DTypeError(
        f"No common dtype of {', '.join(names)}. Cast one of them first, as in cast(x, 'float32')."
    )


def python_result_type(x: Any) -> str:
    """The lattice element of a value: its dtype's name, or weak for a Python scalar."""
    if x is bool or isinstance(x, bool):
        return "bool"
    if x is int or isinstance(x, int):
        return "int"
    if x is float or isinstance(x, float):
        return "float"
    if x is complex or isinstance(x, complex):
        return "complex64"
    return name_of(getattr(x, "dtype", x))


@functools.lru_cache(maxsize=4096)
def result_type(*dtypes: Any) -> DType:
    """The common type of dtypes and (weak) Python types, by Keras's table.

    Args:
        *dtypes: Dtypes, their names, or `bool`, `int`, `float` for Python scalars.

    Returns:
        The NumPy dtype. Weak results become int32 or `default_float()`.

    Raises:
        DTypeError: There is no common type (two different float8 types).

    >>> result_type("int32", float).name
    'float32'
    >>> result_type("int8", "uint8").name
    'int16'
    """
    joined = _join(*sorted({python_result_type(d) for d in dtypes})) if dtypes else "float"
    return as_dtype({"int": "int32", "float": _default_float}.get(joined, joined))
