"""`keras.backend`: what it has in Keras 3 (configuration, names, dtypes), and Keras 2's `K`.

The names of Keras 3 are those of this file; where both have a name it is Keras 3's.
"""

from __future__ import annotations

import builtins  # `K.any`, `K.sum` and others lie over Python's own here
from typing import Any

import kerasish_core as core

from .. import older as _older
from ..config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)  # fmt: skip
from ..naming import clear_session, get_uid, name_scope
from ..ops.symbolic import KerasTensor, is_keras_tensor
from ..variable import Variable
from .arrays import *
from .control import *
from .ctc import *
from .function import *
from .math import *
from .nn import *
from .session import *
from .sparse import *
from .variables import *

__all__ = [
    "KerasTensor", "Variable", "backend", "clear_session", "epsilon", "floatx", "get_uid",
    "image_data_format", "is_float_dtype", "is_int_dtype", "is_keras_tensor", "name_scope",
    "result_type", "set_epsilon", "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip


def standardize_dtype(dtype: Any) -> str:
    """A dtype's name; `floatx()` for None.

    Raises:
        ValueError: There is no such dtype.
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, str) and dtype == "string":
        return dtype  # text has no tensors, but layers that take it have a dtype
    try:
        return core.dtypes.name_of(dtype)
    except (core.DTypeError, TypeError):
        raise ValueError(f"Invalid dtype: {dtype}") from None


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is floating."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is an integer type, signed or not."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def result_type(*dtypes: Any) -> str:
    """The dtype of a result of operands with these dtypes; Python's `int` and `float` are weak.

    As in Keras, None is `floatx()`, and so is nothing at all; 64 bits are given as 32, although
    operations on 64-bit tensors keep them.

    Raises:
        ValueError: One is a float8 type, which has no implicit conversion.
    """
    given = [floatx() if d is None else d for d in dtypes or (None,)]
    if builtins.any(isinstance(d, str) and d.startswith("float8") for d in given):
        raise ValueError(
            "There is no implicit conversions from float8 dtypes to others. You must cast it "
            f"internally. Received: {dtypes}"
        )
    name = core.dtypes.name_of(core.dtypes.result_type(*given))
    return {"int64": "int32", "uint64": "uint32", "float64": "float32"}.get(name, name)


__getattr__ = _older.names(__name__)
