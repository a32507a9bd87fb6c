"""Two numbers of 4 bits in one byte."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from .. import ops

__all__ = ["pack_int4", "unpack_int4"]


def _check(dtype: str) -> None:
    if dtype not in ("int8", "uint8"):
        raise ValueError(f"Expected dtype to be 'int8' or 'uint8', but got '{dtype}'.")


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Any, tuple[int, ...], int]:
    """Neighbours on an axis in one byte, the first of them in its low half.

    Args:
        arr: Integers from -8 to 7 (or from 0 to 15) of type `dtype`.
        axis: A last one without a neighbour is paired with 0.
        dtype: `"int8"` or `"uint8"`.

    Returns:
        The bytes, their shape, and the length of the axis before.

    Raises:
        ValueError: Another `dtype`.
        TypeError: `arr` is of another type.
    """
    _check(dtype)
    found = core.dtypes.name_of(arr.dtype)
    if found != dtype:
        raise TypeError(f"Expected {dtype} tensor for packing, got {found}.")
    values = np.moveaxis(np.asarray(arr), axis, 0)
    length = len(values)
    if length % 2:
        values = np.concatenate([values, np.zeros_like(values[:1])])
    # Bytes without a sign: halves are shifted, not numbers.
    low, high = values.view("uint8")[::2] & 15, values.view("uint8")[1::2] & 15
    packed = np.moveaxis((low | high << 4).view(dtype), 0, axis)
    return ops.convert_to_tensor(np.ascontiguousarray(packed)), packed.shape, length


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Any:
    """What `pack_int4` packed.

    Args:
        packed: The bytes.
        orig_len: The length of the axis before.
        axis: That was packed.
        dtype: `"int8"`: numbers from -8 to 7. `"uint8"`: from 0 to 15.

    Raises:
        ValueError: Another `dtype`.
        TypeError: `packed` holds no bytes.
    """
    _check(dtype)
    packed = ops.convert_to_tensor(packed)
    found = core.dtypes.name_of(packed.dtype)
    if found not in ("int8", "uint8"):
        raise TypeError(f"Expected int8 or uint8 tensor for unpacking, got {found}")
    axis = axis % packed.ndim
    mask = core.convert(15, found)
    halves = [ops.bitwise_and(packed, mask), ops.bitwise_and(ops.right_shift(packed, 4), mask)]
    if dtype == "int8":
        sign = core.convert(8, found)
        halves = [ops.subtract(ops.bitwise_xor(h, sign), sign) for h in halves]
    shape = (*packed.shape[:axis], 2 * packed.shape[axis], *packed.shape[axis + 1 :])
    pairs = ops.reshape(ops.stack(halves, axis=axis + 1), shape)
    pairs = pairs[(slice(None),) * axis + (slice(orig_len),)]
    return ops.cast(pairs, dtype)
