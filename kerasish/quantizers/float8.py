"""Scales of training in 8-bit floats.

Source: Micikevicius et al. (2022), FP8 Formats for Deep Learning; the delayed scaling of NVIDIA's
Transformer Engine (https://docs.nvidia.com/deeplearning/transformer-engine).
"""

from __future__ import annotations

from typing import Any

import ml_dtypes

import kerasish_core as core

from .. import ops

__all__ = [
    "compute_float8_amax_history",
    "compute_float8_scale",
    "largest",
    "quantize_and_dequantize",
]


def largest(dtype: str) -> float:
    """The largest number of an 8-bit float type."""
    return float(ml_dtypes.finfo(core.dtypes.as_dtype(dtype)).max)


def compute_float8_scale(amax: Any, scale: Any, dtype_max: Any, margin: int = 0) -> Any:
    """`amax 2^margin / dtype_max`, or the scale as it was where `amax` is 0 or not finite.

    Args:
        amax: Largest absolute value seen.
        scale: The scale before.
        dtype_max: Largest number of the type.
        margin: Powers of 2 left unused.
    """
    known = ops.logical_and(amax > 0.0, ops.isfinite(amax))
    before = ops.reciprocal(scale)
    found = ops.divide(ops.divide(dtype_max, amax), 2**margin)
    return ops.reciprocal(ops.where(known, found, before))


def compute_float8_amax_history(x: Any, amax_history: Any) -> Any:
    """The history moved on by one, with the largest absolute value of `x` in its first place."""
    history = ops.convert_to_tensor(amax_history)
    latest = ops.reshape(ops.cast(ops.max(ops.abs(x)), history.dtype), (1,))
    return ops.concatenate([latest, history[2:], history[:1]][: 2 + (len(history) > 1)])


def quantize_and_dequantize(
    inputs: Any, scale: Any, quantized_dtype: str, compute_dtype: str
) -> Any:
    """`inputs` rounded to multiples of `scale` that an 8-bit float can hold.

    Args:
        inputs: A tensor.
        scale: A scalar.
        quantized_dtype: `"float8_e4m3fn"` or `"float8_e5m2"`.
        compute_dtype: Of the computation and the result.
    """
    most = ops.cast(largest(quantized_dtype), compute_dtype)
    scale = ops.cast(scale, compute_dtype)
    x = ops.clip(ops.divide(inputs, scale), -most, most)
    return ops.multiply(ops.cast(_rounded(x, quantized_dtype), compute_dtype), scale)


def _rounded(x: Any, dtype: str) -> Any:
    """The nearest numbers of an 8-bit float type, ties to even, in the dtype of arithmetic.

    Multiples of `2^(e - m)` near `2^e`, of m bits after the point. GPUs have no arrays of the type,
    and kernels no casts. A logarithm that is off by its last bit finds the wrong e only next to a
    power of two, to which both round. A cast's gradient is a cast.
    """
    info = ml_dtypes.finfo(core.dtypes.as_dtype(dtype))
    least = float(info.smallest_subnormal)

    @core.custom_gradient
    def nearest(x: Any) -> Any:
        exponent = ops.floor(ops.log2(ops.maximum(ops.abs(x), float(info.smallest_normal))))
        step = ops.maximum(core.ops.exp2(exponent) * 2.0**-info.nmant, least)
        return ops.round(ops.divide(x, step)) * step, lambda g: g

    wide = x if core.dtypes.as_dtype(x.dtype).itemsize > 2 else ops.cast(x, "float32")
    return nearest(wide)
