"""The public names of `keras.backend`."""

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
from ..ops.symbolic import is_keras_tensor

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format",
    "is_float_dtype", "is_int_dtype", "is_keras_tensor", "name_scope", "result_type",
    "set_epsilon", "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip


def standardize_dtype(dtype: Any) -> str:
    """The dtype's name."""
    return floatx() if dtype is None else core.dtypes.name_of(dtype)


def result_type(*dtypes: Any) -> str:
    """The common dtype of operands, by Keras's promotion."""
    return core.dtypes.name_of(core.dtypes.result_type(*dtypes))


def is_float_dtype(dtype: Any) -> bool:
    """Whether the dtype is floating."""
    return core.dtypes.is_float(core.dtypes.as_dtype(dtype))


def is_int_dtype(dtype: Any) -> bool:
    """Whether the dtype is an integer."""
    return core.dtypes.is_integer(core.dtypes.as_dtype(dtype))
