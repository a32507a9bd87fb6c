"""What `keras.backend` has in Keras 3: configuration, names, dtypes."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

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
    """The dtype of a result of operands with these dtypes; Python's `int` and `float` are weak."""
    if not dtypes:
        raise ValueError("Invalid `dtypes`. At least one dtype is required.")
    return core.dtypes.name_of(core.dtypes.result_type(*dtypes))
