"""Quantizing by the largest absolute value, or by the range of groups."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..serialization import builtin

__all__ = [
    "AbsMaxQuantizer",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "dequantize_groups",
]


def abs_max_quantize(
    inputs: Any, axis: Any, value_range: tuple[int, int] = (-127, 127), dtype: Any = "int8",
    epsilon: float = 1e-07, to_numpy: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """`q = round(scale x)` with `scale = high / (max |x| + epsilon)`, so that `x = q / scale`.

    Args:
        inputs: x.
        axis: Axes over which one scale holds.
        value_range: (low, high) of q.
        dtype: Of q.
        epsilon: Keeps the scale finite.
        to_numpy: Accepted as in Keras; the values are the same.

    Returns:
        q, and the scale with the axes kept.

    Source: https://keras.io/api/quantizers/
    """
    x = ops.convert_to_tensor(inputs)
    low, high = value_range
    scale = ops.divide(high, ops.add(ops.max(ops.abs(x), axis=axis, keepdims=True), epsilon))
    scale = ops.cast(scale, x.dtype)
    q = ops.clip(ops.round(ops.multiply(x, scale)), low, high)
    return ops.cast(q, dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any, block_size: int, value_range: tuple[int, int] = (-8, 7), dtype: Any = "int8",
    epsilon: float = 1e-07, to_numpy: bool = False,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """`q = round(x / scale) + zero`, with a scale and a zero for each block of rows and column.

    `scale = (max - min + epsilon) / (high - low)` and `zero = round(-min / scale) + low`, so that
    `x = scale (q - zero)`.

    Args:
        inputs: A matrix (rows, columns).
        block_size: Rows of a block.
        value_range: (low, high) of q.
        dtype: Of q.
        epsilon: Keeps the scale positive.
        to_numpy: As in Keras: with False, a block of equal values gets a range of 2 around them,
            and one block alone is not padded by zeros.

    Returns:
        q of the shape of the inputs, scale and zero of shape (blocks, columns).

    Source: https://keras.io/api/quantizers/
    """
    x = ops.convert_to_tensor(inputs)
    rows, columns = x.shape
    low, high = value_range
    blocks = math.ceil(rows / block_size)
    padded = ops.pad(x, [[0, blocks * block_size - rows], [0, 0]])
    grouped = ops.reshape(padded, (blocks, block_size, columns))
    ranged = grouped if to_numpy or blocks > 1 else x[None]
    least, most = ops.min(ranged, axis=1), ops.max(ranged, axis=1)
    if not to_numpy:
        flat = ops.equal(least, most)
        least, most = ops.where(flat, least - 1, least), ops.where(flat, most + 1, most)
    scale = ops.cast((most - least + epsilon) / (high - low), x.dtype)
    zero = ops.clip(ops.round(-least / scale) + low, low, high)
    q = ops.clip(ops.round(grouped / scale[:, None]) + zero[:, None], low, high)
    q = ops.reshape(ops.cast(q, dtype), (blocks * block_size, columns))[:rows]
    return q, scale, ops.cast(zero, "int8")


def dequantize_groups(q: Any, scale: Any, zero: Any, groups: Any, axis: int) -> Any:
    """`scale (q - zero)` with the scale and zero of the group that each place on an axis is in.

    Args:
        q: Small integers.
        scale, zero: With the groups on the axis.
        groups: The number of the group of each place, possibly as floats.
        axis: Of the places.
    """
    groups = ops.cast(groups, "int32")
    scale, zero = ops.take(scale, groups, axis=axis), ops.take(zero, groups, axis=axis)
    return ops.multiply(scale, ops.subtract(ops.cast(q, scale.dtype), ops.cast(zero, scale.dtype)))


@builtin("keras.quantizers")
class Quantizer:
    """A function of a tensor to its quantized form.

    Args:
        output_dtype: Of the quantized form.
    """

    def __init__(self, output_dtype: str = "int8") -> None:
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """The quantized form of `x`."""
        return x

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The quantizer of a config."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        raise NotImplementedError(
            f"{self} does not implement get_config(): define it to return the arguments."
        )


@builtin("keras.quantizers")
class AbsMaxQuantizer(Quantizer):
    """`abs_max_quantize` with these settings: `quantizer(x)` gives integers and scale.

    Args:
        axis: Over which one scale holds; may be given to the call instead. The last by default.
        value_range: (low, high) of the integers.
        epsilon: Keeps the scale finite.
        output_dtype: Of the integers.

    Raises:
        ValueError: The range does not fit into `"int8"`.

    Source: https://keras.io/api/quantizers/
    """

    def __init__(
        self, axis: Any = None, value_range: Any = (-127, 127), epsilon: float = 1e-07,
        output_dtype: str = "int8",
    ) -> None:  # fmt: skip
        super().__init__(output_dtype)
        self.axis = None if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.value_range, self.epsilon = value_range, epsilon
        if output_dtype == "int8" and (value_range[0] < -128 or value_range[1] > 127):
            raise ValueError(
                "Quantizer with output_dtype='int8' requires value_range to be within the interval "
                f"[-128, 127]. Received: value_range={value_range}"
            )

    def __call__(self, x: Any, axis: Any = None, to_numpy: bool = False) -> tuple[Any, Any]:
        """The integers and the scale of `x`."""
        axis = self.axis if axis is None else axis
        axis = -1 if axis is None else axis
        return abs_max_quantize(
            x, axis, self.value_range, self.output_dtype, self.epsilon, to_numpy
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        config = {
            "value_range": self.value_range,
            "epsilon": self.epsilon,
            "output_dtype": self.output_dtype,
        }
        return config if self.axis is None else {**config, "axis": self.axis}
