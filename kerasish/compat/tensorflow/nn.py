"""`tf.nn`: convolutions, pooling, normalization and losses under TensorFlow's arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from ... import random as draws
from .values import ints, plain, sizes_of, tensor

__all__ = ["conv2d", "dropout", "max_pool", "moments"]

_o = core.ops


# -- windows


def _last(data_format: Any) -> bool:
    return data_format is None or not str(data_format).startswith("NC")


def _format(data_format: Any) -> str:
    return "channels_last" if _last(data_format) else "channels_first"


def _spatial(values: Any, rank: int, data_format: Any, default: int = 1) -> tuple[int, ...]:
    """One number for each spatial axis, of one, of them, or of all axes."""
    if values is None:
        return (default,) * rank
    given = (values,) if isinstance(values, int) else tuple(map(int, np.ravel(np.asarray(values))))
    if len(given) == 1:
        return given * rank
    if len(given) == rank:
        return given
    return given[1:-1] if _last(data_format) else given[2:]


def _padding(x: Any, padding: Any, data_format: Any) -> tuple[Any, str]:
    """The values and "same" or "valid"; explicit sizes are added here."""
    if isinstance(padding, str):
        return x, padding.lower()
    return ops.pad(x, [tuple(map(int, pair)) for pair in padding]), "valid"


def convolution(
    input: Any, filters: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
    dilations: Any = None,
) -> Any:  # fmt: skip
    """A convolution over as many axes as the filters have."""
    x, filters = tensor(input), tensor(filters)
    rank = len(filters.shape) - 2
    x, padding = _padding(x, padding, data_format)
    return ops.conv(
        x, filters, _spatial(strides, rank, data_format), padding, _format(data_format),
        _spatial(dilations, rank, data_format),
    )  # fmt: skip


def conv1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: Any = "NWC",
    dilations: Any = None,
) -> Any:  # fmt: skip
    """A convolution over one axis: filters `(width, channels, filters)`."""
    return convolution(input, filters, stride, padding, data_format, dilations)


def conv2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: Any = "NHWC",
    dilations: Any = None,
) -> Any:  # fmt: skip
    """A convolution over two axes: filters `(height, width, channels, filters)`."""
    return convolution(input, filters, strides, padding, data_format, dilations)


def conv3d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: Any = "NDHWC",
    dilations: Any = None,
) -> Any:  # fmt: skip
    """A convolution over three axes."""
    return convolution(input, filters, strides, padding, data_format, dilations)


def atrous_conv2d(value: Any, filters: Any, rate: Any, padding: Any) -> Any:
    """A convolution whose filters have holes: only each `rate`-th place is read."""
    return convolution(value, filters, 1, padding, None, int(rate))


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = None,
    dilations: Any = None,
) -> Any:  # fmt: skip
    """A convolution of each channel by itself: filter `(height, width, channels, multiplier)`."""
    x, padding = _padding(tensor(input), padding, data_format)
    return ops.depthwise_conv(
        x, filter, _spatial(strides, 2, data_format), padding, _format(data_format),
        _spatial(dilations, 2, data_format),
    )  # fmt: skip


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any,
    data_format: Any = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """`depthwise_conv2d`, then one of 1 x 1."""
    deep = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return convolution(deep, pointwise_filter, 1, "VALID", data_format)


def conv_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME",
    data_format: Any = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """What the gradient of a convolution makes of `input`: filters `(..., filters, channels)`."""
    x, filters = tensor(input), tensor(filters)
    rank = len(filters.shape) - 2
    steps, holes = (_spatial(v, rank, data_format) for v in (strides, dilations))
    if not _last(data_format):
        x = _o.moveaxis(x, 1, -1)
    wanted = sizes_of(output_shape)
    if len(wanted) > rank:
        wanted = wanted[1:-1] if _last(data_format) else wanted[2:]
    whole = ops.conv_transpose(x, filters, steps, "valid", None, "channels_last", holes)
    key, pads = [slice(None)], [(0, 0)]
    for i, (size, step, hole) in enumerate(zip(wanted, steps, holes)):
        reach = (x.shape[1 + i] - 1) * step + (filters.shape[i] - 1) * hole + 1
        before = max(reach - size, 0) // 2 if padding.upper() == "SAME" else 0
        key.append(slice(before, before + size))
        pads.append((0, max(before + size - whole.shape[1 + i], 0)))
    found = _o.pad(whole, [*pads, (0, 0)])[tuple(key)]
    return found if _last(data_format) else _o.moveaxis(found, -1, 1)


def conv1d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME",
    data_format: Any = "NWC", dilations: Any = None,
) -> Any:  # fmt: skip
    """`conv_transpose` over one axis."""
    return conv_transpose(input, filters, output_shape, strides, padding, data_format, dilations)


def conv2d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME",
    data_format: Any = "NHWC", dilations: Any = None,
) -> Any:  # fmt: skip
    """`conv_transpose` over two axes."""
    return conv_transpose(input, filters, output_shape, strides, padding, data_format, dilations)


def conv3d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: str = "SAME",
    data_format: Any = "NDHWC", dilations: Any = None,
) -> Any:  # fmt: skip
    """`conv_transpose` over three axes."""
    return conv_transpose(input, filters, output_shape, strides, padding, data_format, dilations)


def _pooled(function: Any, input: Any, ksize: Any, strides: Any, padding: Any, form: Any) -> Any:
    x = tensor(input)
    rank = len(x.shape) - 2
    x, padding = _padding(x, padding, form)
    size = _spatial(ksize, rank, form)
    steps = size if strides is None else _spatial(strides, rank, form)
    return function(x, size, steps, padding, _format(form))


def _pooling(name: str, function: Any) -> Any:
    def pool(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any = None) -> Any:
        return _pooled(function, input, ksize, strides, padding, data_format)

    pool.__name__ = name
    pool.__doc__ = f"`{function.__name__}` over all axes between batch and channels."
    return pool


max_pool, avg_pool = _pooling("max_pool", ops.max_pool), _pooling("avg_pool", ops.average_pool)


def pool(
    input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: Any = "VALID",
    data_format: Any = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """The largest element ("MAX") or the mean ("AVG") of windows."""
    if dilations is not None and set(_spatial(dilations, 2, data_format)) != {1}:
        raise NotImplementedError("pool: windows with holes (dilations) are not there.")
    function = {"MAX": ops.max_pool, "AVG": ops.average_pool}[pooling_type]
    return _pooled(function, input, window_shape, 1 if strides is None else strides, padding,
                   data_format)  # fmt: skip


def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC") -> Any:
    """Blocks of space out of channels."""
    return ops.depth_to_space(input, block_size, _format(data_format))


def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC") -> Any:
    """Channels out of blocks of space."""
    return ops.space_to_depth(input, block_size, _format(data_format))


def bias_add(value: Any, bias: Any, data_format: Any = None) -> Any:
    """One number added to each channel."""
    value, bias = tensor(value), tensor(bias)
    if not _last(data_format):
        bias = ops.reshape(bias, (-1, *[1] * (len(value.shape) - 2)))
    return ops.add(value, bias)


# -- activations


def crelu(features: Any, axis: int = -1) -> Any:
    """`relu(x)` and `relu(-x)` side by side."""
    x = tensor(features)
    return ops.concatenate([ops.relu(x), ops.relu(ops.negative(x))], axis=axis)


def silu(features: Any, beta: Any = 1.0) -> Any:
    """`x * sigmoid(beta * x)`."""
    x = tensor(features)
    return ops.silu(x) if isinstance(beta, float) and beta == 1.0 else x * ops.sigmoid(beta * x)


# -- normalization


def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False) -> Any:
    """Mean and variance over axes."""
    mean, variance = ops.moments(tensor(x), ints(axes), keepdims=keepdims)
    return mean, variance


def weighted_moments(x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False) -> Any:
    """Mean and variance over axes, each element counted so often."""
    x, weights, axes = core.convert(x), core.convert(frequency_weights), ints(axes)
    weights = _o.broadcast_to(_o.cast(weights, x.dtype.name), x.shape)
    total = _o.sum(weights, axes, keepdims=True)
    mean = _o.sum(x * weights, axes, keepdims=True) / total
    variance = _o.sum(weights * _o.square(x - mean), axes, keepdims=True) / total
    if keepdims:
        return mean, variance
    return _o.squeeze(mean, axes), _o.squeeze(variance, axes)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any
) -> Any:
    """`(x - mean) * scale / sqrt(variance + epsilon) + offset`."""
    factor = ops.rsqrt(tensor(variance) + variance_epsilon)
    factor = factor if scale is None else factor * scale
    shifted = (tensor(x) - mean) * factor
    return shifted if offset is None else shifted + offset


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Any:
    """`x / (bias + alpha * sum of squares of neighbouring channels) ** beta`."""
    x = core.convert(input)
    radius, channels = int(depth_radius), x.shape[-1]
    squares = _o.pad(_o.square(x), [(0, 0)] * (x.ndim - 1) + [(radius, radius)])
    total: Any = 0.0
    for i in range(2 * radius + 1):
        total = total + squares[..., i : i + channels]
    return x * (bias + alpha * total) ** (-beta)


@plain
def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    """Elements set to 0 with probability `rate`; the others times `1 / (1 - rate)`."""
    x = tensor(x)
    if isinstance(rate, int | float) and not 0 <= rate < 1:
        raise ValueError(f"dropout: rate is {rate}; it must be in [0, 1).")
    if noise_shape is not None:
        noise_shape = tuple(n if m is None else int(m) for m, n in zip(noise_shape, x.shape))
    return draws.dropout(x, float(rate), noise_shape, seed)


def embedding_lookup(params: Any, ids: Any, max_norm: Any = None) -> Any:
    """The rows with these numbers, scaled down to a norm of at most `max_norm`."""
    rows = ops.take(params, ids, axis=0)
    if max_norm is None:
        return rows
    norm = ops.sqrt(ops.sum(ops.square(rows), axis=-1, keepdims=True))
    return rows * (max_norm / ops.maximum(norm, max_norm))


# -- losses


def l2_loss(t: Any) -> Any:
    """`sum(t**2) / 2`."""
    return ops.sum(ops.square(tensor(t))) / 2.0


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1) -> Any:
    """`-sum(labels * log_softmax(logits))` along an axis."""
    logits = tensor(logits)
    labels = ops.cast(labels, core.dtypes.as_dtype(logits.dtype).name)
    return ops.negative(ops.sum(labels * ops.log_softmax(logits, axis=axis), axis=axis))


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any) -> Any:
    """`-log_softmax(logits)` at each label."""
    logits, labels = core.convert(logits), core.convert(labels)
    places = _o.expand_dims(_o.cast(labels, "int32"), -1)
    return -_o.squeeze(_o.take_along_axis(_o.log_softmax(logits, -1), places, -1), -1)


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None) -> Any:
    """`max(x, 0) - x * labels + log(1 + exp(-|x|))` of each element."""
    x = tensor(logits)
    labels = ops.cast(labels, core.dtypes.as_dtype(x.dtype).name)
    return ops.relu(x) - x * labels + ops.softplus(ops.negative(ops.abs(x)))


def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any) -> Any:
    """`sigmoid_cross_entropy_with_logits` with positive labels counted `pos_weight` times."""
    x, z = core.convert(logits), core.convert(labels)
    factor = 1.0 + (pos_weight - 1.0) * z
    return (1.0 - z) * x + factor * (_o.softplus(-_o.absolute(x)) + _o.relu(-x))


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False) -> Any:
    """`exp(c) - z * c`; in full with Stirling's approximation of `log(z!)` where `z > 1`."""
    c, z = core.convert(log_input), core.convert(targets)
    found = _o.exp(c) - z * c
    if not compute_full_loss:
        return found
    safe = _o.where(z > 1, z, _o.ones_like(z))
    stirling = safe * _o.log(safe) - safe + 0.5 * _o.log(2 * math.pi * safe)
    return found + _o.where(z > 1, stirling, _o.zeros_like(z))


def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Any:
    """The sum of the losses over the size of the whole batch."""
    loss = tensor(per_example_loss)
    if sample_weight is not None:
        loss = loss * sample_weight
    size = loss.shape[0] if global_batch_size is None else global_batch_size
    return ops.sum(loss) / ops.cast(size, core.dtypes.as_dtype(loss.dtype).name)


def scale_regularization_loss(regularization_loss: Any) -> Any:
    """The sum of the losses: there is one replica."""
    return ops.sum(tensor(regularization_loss))


def ctc_loss(
    labels: Any, logits: Any, label_length: Any, logit_length: Any, logits_time_major: bool = True,
    unique: Any = None, blank_index: Any = None,
) -> Any:  # fmt: skip
    """`-log p(labels)` of labels without alignment, `(batch,)`; `blank_index` is 0 by default."""
    logits = core.convert(logits)
    if logits_time_major:
        logits = _o.transpose(logits, (1, 0, 2))
    blank = 0 if blank_index is None else int(blank_index)
    blank += logits.shape[-1] if blank < 0 else 0
    return ops.ctc_loss(labels, logits, label_length, logit_length, blank)
