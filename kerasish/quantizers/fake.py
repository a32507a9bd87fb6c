"""Quantizing and dequantizing at once, so that training sees what quantizing will lose."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .. import ops

__all__ = ["fake_quant_with_min_max_vars"]


def _nudged(low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any, Any]:
    """The range moved so that 0 is one of its values; its step, and the inverse of that."""
    first, last = int(narrow_range), (1 << num_bits) - 1
    width = high - low
    step, inverse = width / (last - first), (last - first) / width
    zero = ops.round(ops.clip(first - low / step, first, last))
    return (first - zero) * step, (last - zero) * step, step, inverse


def fake_quant_with_min_max_vars(
    inputs: Any, min_vals: Any, max_vals: Any, num_bits: int = 8, narrow_range: bool = False,
    axis: int | None = None,
) -> Any:  # fmt: skip
    """`inputs` rounded to the nearest of `2^num_bits` values from `min_vals` to `max_vals`.

    The range is first moved a little so that 0 is among the values. Gradients pass unchanged
    inside of the range; outside they go to the end that was met.

    Args:
        inputs: A float tensor.
        min_vals, max_vals: Scalars, or one for each place on `axis`.
        num_bits: Of the values.
        narrow_range: Whether to leave out the lowest value.
        axis: With a range of its own for each place; None for one range.

    Source: https://keras.io/api/quantizers/; Jacob et al. (2018), Quantization and Training of
        Neural Networks for Efficient Integer-Arithmetic-Only Inference, section 3.
    """
    x = ops.convert_to_tensor(inputs)
    num_bits = int(num_bits)
    axis = None if axis is None else axis % len(x.shape)

    def spread(value: Any) -> Any:
        """Along the axis of channels."""
        if axis is None or not value.shape:
            return value
        return ops.reshape(value, [-1 if i == axis else 1 for i in range(len(x.shape))])

    @core.custom_gradient
    def run(x: Any, low: Any, high: Any) -> Any:
        dtype = core.dtypes.result_type(low.dtype, "float32")
        least, most, step, inverse = _nudged(
            ops.cast(spread(low), dtype), ops.cast(spread(high), dtype), num_bits, narrow_range
        )
        zero = ops.floor(-least * inverse + 0.5)
        offset = ops.clip(ops.cast(x, dtype), least, most) - least
        found = ops.cast(ops.floor(offset * inverse - zero + 0.5) * step, x.dtype)

        def gradient(g: Any) -> Any:
            others = None if axis is None else [i for i in range(len(x.shape)) if i != axis]

            def total(condition: Any, like: Any) -> Any:
                summed = ops.sum(ops.where(condition, g, ops.zeros_like(g)), axis=others)
                return ops.reshape(summed, like.shape)

            inside = ops.logical_and(x >= least, x <= most)
            return (
                ops.where(inside, g, ops.zeros_like(g)),
                total(x <= least, low),
                total(x >= most, high),
            )

        return found, gradient

    return run(x, ops.convert_to_tensor(min_vals), ops.convert_to_tensor(max_vals))
