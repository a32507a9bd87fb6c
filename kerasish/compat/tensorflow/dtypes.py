"""`tf.float32` and its kin: strings with the attributes that TensorFlow's dtypes have."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["DType", "as_dtype", "name_of"]


class DType(str):
    """A dtype by its name, which answers as TensorFlow's did."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's type of a value."""
        return object if self == "string" else core.dtypes.as_dtype(str(self)).type

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def size(self) -> int:
        """Bytes of a value."""
        return 1 if self == "string" else int(core.dtypes.as_dtype(str(self)).itemsize)

    @property
    def is_floating(self) -> bool:
        return self.startswith(("float", "bfloat"))

    @property
    def is_integer(self) -> bool:
        return self.startswith(("int", "uint"))

    @property
    def is_unsigned(self) -> bool:
        return self.startswith("uint")

    @property
    def is_complex(self) -> bool:
        return self.startswith("complex")

    @property
    def is_bool(self) -> bool:
        return str(self) == "bool"

    @property
    def min(self) -> Any:
        """The least value."""
        return self._limits()[0]

    @property
    def max(self) -> Any:
        """The greatest value."""
        return self._limits()[1]

    @property
    def limits(self) -> Any:
        return self._limits()

    def _limits(self) -> tuple[Any, Any]:
        if self.is_bool:
            return False, True
        dtype = core.dtypes.as_dtype(str(self))
        if self.is_integer:
            return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        if self == "bfloat16":
            return -3.3895313892515355e38, 3.3895313892515355e38
        return np.finfo(dtype).min, np.finfo(dtype).max

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str.__eq__(self, other)
        if isinstance(other, np.dtype) and other.kind in "OUS":
            return str(self) == "string"
        if isinstance(other, np.dtype | type):
            try:
                return str(self) == name_of(other)
            except (TypeError, ValueError):
                return False
        return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        return f"tf.{self!s}"


_TYPES = {float: "float32", int: "int32", bool: "bool", str: "string", bytes: "string"}


def name_of(dtype: Any) -> str:
    """The name of a dtype of TensorFlow's, NumPy's or Python's."""
    if isinstance(dtype, str):
        return str(dtype)
    if isinstance(dtype, np.dtype):
        return "string" if dtype.kind in "OUS" else dtype.name
    if isinstance(dtype, type):
        if dtype in _TYPES:
            return _TYPES[dtype]
        if dtype in (object, np.str_, np.bytes_):
            return "string"
    return str(core.dtypes.as_dtype(dtype).name)


def as_dtype(type_value: Any) -> DType:
    """The dtype that a name, a type of NumPy's or of Python's means."""
    return DType(name_of(type_value))


bfloat16, bool_, complex64, complex128 = map(DType, ("bfloat16", "bool", "complex64", "complex128"))
float16, float32, float64 = map(DType, ("float16", "float32", "float64"))
half, double = float16, float64
int8, int16, int32, int64 = map(DType, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(DType, ("uint8", "uint16", "uint32", "uint64"))
string = DType("string")
