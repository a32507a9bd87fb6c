"""Keras 2's activations, losses on tensors, convolutions, pooling and normalisation."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

import kerasish_core as core

from .. import older, random
from ..ops.symbolic import classic
from ..settings import epsilon as _epsilon
from ..settings import standardize_data_format

__all__ = [
    "batch_normalization", "bias_add", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_focal_crossentropy", "conv1d", "conv2d",
    "conv2d_transpose", "conv3d", "conv3d_transpose", "depthwise_conv2d", "dropout", "elu",
    "hard_sigmoid", "local_conv1d", "local_conv2d", "normalize_batch_in_training", "pool2d",
    "pool3d", "relu", "separable_conv1d", "separable_conv2d", "sigmoid", "softmax", "softplus",
    "softsign", "sparse_categorical_crossentropy", "tanh",
]  # fmt: skip

_o = core.ops

# -- activations


@classic
def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """`x` above the threshold, limited to `max_value`; `alpha * (x - threshold)` below."""
    x = core.convert(x)
    if alpha == 0.0 and threshold == 0:
        y = _o.relu(x)
        return y if max_value is None else _o.minimum(y, max_value)
    above = x if max_value is None else _o.minimum(x, max_value)
    reaches = _o.greater_equal(x, threshold) if threshold == 0 else _o.greater(x, threshold)
    return _o.where(reaches, above, _o.multiply(_o.subtract(x, threshold), alpha))


@classic
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)`."""
    return _o.elu(x, alpha)


@classic
def softmax(x: Any, axis: int = -1) -> Any:
    """`exp(x) / sum(exp(x))` along an axis."""
    return _o.softmax(x, axis)


@classic
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`."""
    return _o.softplus(x)


@classic
def softsign(x: Any) -> Any:
    """`x / (1 + |x|)`."""
    return _o.softsign(x)


@classic
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return _o.sigmoid(x)


@classic
def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return _o.tanh(x)


@classic
def hard_sigmoid(x: Any) -> Any:
    """`0.2 x + 0.5` limited to `[0, 1]`: Keras 2's, not that of `keras.activations` today."""
    return _o.clip(_o.add(_o.multiply(x, 0.2), 0.5), 0.0, 1.0)


# -- losses


def _inside(p: Any) -> Any:
    return _o.clip(p, _epsilon(), 1.0 - _epsilon())


def _binary(target: Any, p: Any) -> Any:
    least = _epsilon()
    return -(target * _o.log(p + least) + (1.0 - target) * _o.log(1.0 - p + least))


@older.arguments
@classic
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`-(t log(p + e) + (1 - t) log(1 - p + e))`, element by element; e is `epsilon()`."""
    target, output = core.convert(target), core.convert(output)
    if from_logits:
        return _o.softplus(output) - output * target
    return _binary(target, _inside(output))


@classic
def binary_focal_crossentropy(
    target: Any, output: Any, apply_class_balancing: bool = False, alpha: float = 0.25,
    gamma: float = 2.0, from_logits: bool = False,
) -> Any:  # fmt: skip
    """`(1 - p_t)**gamma` times the binary cross entropy, p_t the probability of the truth.

    Args:
        target: 0 or 1.
        output: Probabilities, or logits with `from_logits`.
        apply_class_balancing: Whether to weight class 1 by `alpha` and class 0 by `1 - alpha`.
        alpha: That weight.
        gamma: How much less easy samples count.
        from_logits: What `output` is.

    Source: Lin et al. (2018), Focal loss for dense object detection, eq. 4 and 5.
    """
    target, output = core.convert(target), core.convert(output)
    p = _inside(_o.sigmoid(output) if from_logits else output)
    truth = target * p + (1.0 - target) * (1.0 - p)
    found = _o.power(1.0 - truth, gamma) * _binary(target, p)
    if apply_class_balancing:
        found = (target * alpha + (1.0 - target) * (1.0 - alpha)) * found
    return found


@older.arguments
@classic
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-sum(t log p)` along an axis; p is `output` made to sum to 1, or its softmax."""
    target, output = core.convert(target), core.convert(output)
    if target.shape != output.shape:
        raise ValueError(f"Shapes {target.shape} and {output.shape} are incompatible")
    if from_logits:
        log_p = _o.log_softmax(output, axis)
    else:
        log_p = _o.log(_inside(output / _o.sum(output, axis, True)))
    return -_o.sum(target * log_p, axis)


@classic
def categorical_focal_crossentropy(
    target: Any, output: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False,
    axis: int = -1,
) -> Any:  # fmt: skip
    """`-sum(alpha (1 - p)**gamma t log p)` along an axis.

    Args:
        target: One-hot.
        output: Probabilities, or logits with `from_logits`.
        alpha: A weight, or one of each class.
        gamma: How much less easy samples count.
        from_logits: What `output` is.
        axis: That of the classes.
    """
    target, output = core.convert(target), core.convert(output)
    p = _o.softmax(output, axis) if from_logits else output
    p = _inside(p / _o.sum(p, axis, True))
    weights = _o.power(1.0 - p, gamma) * alpha
    return _o.sum(weights * (-target * _o.log(p)), axis)


@older.arguments
@classic
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: Any = None
) -> Any:
    """`-log p[target]`, the targets being class numbers.

    Args:
        target: Integers, `output`'s shape without the axis (or with 1 there).
        output: Probabilities, or logits with `from_logits`.
        from_logits: What `output` is.
        axis: That of the classes.
        ignore_class: A class number whose elements give 0.
    """
    output = core.convert(output)
    output = _o.moveaxis(output, axis, -1) if axis % output.ndim != output.ndim - 1 else output
    target = _o.reshape(_o.cast(target, "int64"), output.shape[:-1])
    log_p = _o.log_softmax(output if from_logits else _o.log(_inside(output)), -1)
    valid = None if ignore_class is None else _o.not_equal(target, ignore_class)
    chosen = target if valid is None else _o.where(valid, target, 0)
    found = -_o.squeeze(_o.take_along_axis(log_p, _o.expand_dims(chosen, -1), -1), -1)
    return found if valid is None else _o.where(valid, found, 0)


# -- convolution and pooling


def _padding(padding: str, *more: str) -> str:
    if padding not in ("valid", "same", *more):
        raise ValueError(f"Invalid padding: {padding}")
    return padding


@classic
def conv1d(
    x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution along one axis; kernel `(size, in, out)`; padding may be "causal"."""
    layout = standardize_data_format(data_format)
    x, kernel = core.convert(x), core.convert(kernel)
    if _padding(padding, "causal") == "causal":
        before = (int(np.max(dilation_rate)) * (kernel.shape[0] - 1), 0)
        time = 1 if layout == "channels_last" else 2
        x = _o.pad(x, tuple(before if i == time else (0, 0) for i in builtins.range(3)))
        padding = "valid"
    return _o.conv(x, kernel, strides, padding, layout, dilation_rate)


@older.arguments
@classic
def conv2d(
    x: Any, kernel: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Convolution over two axes; kernel `(rows, columns, in, out)`."""
    layout = standardize_data_format(data_format)
    return _o.conv(x, kernel, strides, _padding(padding), layout, dilation_rate)


@older.arguments
@classic
def conv3d(
    x: Any, kernel: Any, strides: Any = (1, 1, 1), padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:  # fmt: skip
    """Convolution over three axes; kernel `(*size, in, out)`."""
    layout = standardize_data_format(data_format)
    return _o.conv(x, kernel, strides, _padding(padding), layout, dilation_rate)


def _transposed(
    x: Any, kernel: Any, output_shape: Any, strides: Any, padding: str, layout: str, dilation: Any
) -> Any:
    """What a convolution from `output_shape` to the shape of x pulls x back to."""
    x = core.convert(x)
    sizes = tuple(x.shape[0] if n is None else int(n) for n in output_shape)
    start = _o.zeros((x.shape[0], *sizes[1:]), x.dtype)

    def forward(u: Any) -> Any:
        return _o.conv(u, kernel, strides, _padding(padding), layout, dilation)

    return core.vjp(forward, start)[1](x)[0]


@older.arguments
@classic
def conv2d_transpose(
    x: Any, kernel: Any, output_shape: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: Any = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """The transpose of a convolution over two axes.

    Args:
        x: The images.
        kernel: `(rows, columns, out, in)`.
        output_shape: That of the result, with the batch.
        strides, padding, data_format, dilation_rate: Of the convolution that it transposes.
    """
    layout = standardize_data_format(data_format)
    return _transposed(x, kernel, output_shape, strides, padding, layout, dilation_rate)


@classic
def conv3d_transpose(
    x: Any, kernel: Any, output_shape: Any, strides: Any = (1, 1, 1), padding: str = "valid",
    data_format: Any = None,
) -> Any:  # fmt: skip
    """The transpose of a convolution over three axes; arguments as in `conv2d_transpose`."""
    layout = standardize_data_format(data_format)
    return _transposed(x, kernel, output_shape, strides, padding, layout, 1)


@classic
def depthwise_conv2d(
    x: Any, depthwise_kernel: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: Any = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """Convolution of each channel with its own kernels `(rows, columns, in, multiplier)`."""
    layout = standardize_data_format(data_format)
    return _o.depthwise_conv(x, depthwise_kernel, strides, _padding(padding), layout, dilation_rate)


def _separable(
    x: Any, deep: Any, pointwise: Any, strides: Any, padding: str, layout: str, dilation: Any
) -> Any:
    y = _o.depthwise_conv(x, deep, strides, _padding(padding), layout, dilation)
    return _o.conv(y, pointwise, 1, "valid", layout, 1)


@classic
def separable_conv1d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1,
    padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """A depthwise convolution along one axis, then one of size 1."""
    layout = standardize_data_format(data_format)
    return _separable(
        x, depthwise_kernel, pointwise_kernel, strides, padding, layout, dilation_rate
    )


@older.arguments
@classic
def separable_conv2d(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = (1, 1),
    padding: str = "valid", data_format: Any = None, dilation_rate: Any = (1, 1),
) -> Any:  # fmt: skip
    """A depthwise convolution over two axes, then one of size 1."""
    layout = standardize_data_format(data_format)
    return _separable(
        x, depthwise_kernel, pointwise_kernel, strides, padding, layout, dilation_rate
    )


def _pool(x: Any, size: Any, strides: Any, padding: str, layout: str, mode: str) -> Any:
    pools = {"max": _o.max_pool, "avg": _o.average_pool}
    if mode not in pools:
        raise ValueError(f"Invalid pooling mode: {mode}. Expected 'max' or 'avg'.")
    return pools[mode](x, tuple(size), tuple(strides), _padding(padding), layout)


@older.arguments
@classic
def pool2d(
    x: Any, pool_size: Any, strides: Any = (1, 1), padding: str = "valid", data_format: Any = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """The largest element or the mean ("avg") of each window of two axes."""
    layout = standardize_data_format(data_format)
    return _pool(x, pool_size, strides, padding, layout, pool_mode)


@older.arguments
@classic
def pool3d(
    x: Any, pool_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
    data_format: Any = None, pool_mode: str = "max",
) -> Any:  # fmt: skip
    """The largest element or the mean ("avg") of each window of three axes."""
    layout = standardize_data_format(data_format)
    return _pool(x, pool_size, strides, padding, layout, pool_mode)


def _local(inputs: Any, kernel: Any, size: Any, strides: Any, count: Any, layout: str) -> Any:
    """Each window times the kernel of its own place: `(places, window, out)`."""
    x, kernel = core.convert(inputs), core.convert(kernel)
    last = layout == "channels_last"
    axes = len(size)
    # Windows by index: (batch, [in,] out_1, size_1, out_2, size_2, ..., [in])
    for i in builtins.range(axes - 1, -1, -1):
        places = np.arange(count[i])[:, None] * strides[i] + np.arange(size[i])
        axis = i + (1 if last else 2)
        x = _o.take(x, places.astype("int32"), axis)
    head = 1 if last else 2
    outs = [head + 2 * i for i in builtins.range(axes)]
    inside = [head + 2 * i + 1 for i in builtins.range(axes)]
    window = [*inside, x.ndim - 1] if last else [1, *inside]
    x = _o.transpose(x, (*outs, 0, *window))
    x = _o.reshape(x, (int(np.prod(count)), inputs.shape[0], -1))
    y = _o.reshape(_o.matmul(x, kernel), (*count, inputs.shape[0], kernel.shape[-1]))
    order = (axes, *builtins.range(axes), axes + 1)
    return _o.transpose(y, order if last else (axes, axes + 1, *builtins.range(axes)))


@classic
def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: Any = None
) -> Any:
    """Convolution along one axis with a kernel of its own at each place.

    Args:
        inputs: `(batch, steps, in)`.
        kernel: `(steps out, size * in, out)`.
        kernel_size, strides: Tuples of one number.
        data_format: "channels_last" or "channels_first".
    """
    layout = standardize_data_format(data_format)
    return _local(inputs, kernel, kernel_size, strides, kernel.shape[:1], layout)


@classic
def local_conv2d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, output_shape: Any,
    data_format: Any = None,
) -> Any:  # fmt: skip
    """Convolution over two axes with a kernel of its own at each place.

    Args:
        inputs: `(batch, rows, columns, in)`, or as `data_format` says.
        kernel: `(rows out * columns out, rows * columns * in, out)`; with channels first the
            window is in the order in, rows, columns.
        kernel_size, strides: Of rows and columns.
        output_shape: `(rows out, columns out)`.
        data_format: "channels_last" or "channels_first".
    """
    layout = standardize_data_format(data_format)
    return _local(inputs, kernel, kernel_size, strides, tuple(output_shape), layout)


# -- bias, normalisation, noise


@classic
def bias_add(x: Any, bias: Any, data_format: Any = None) -> Any:
    """`x` plus a bias for each channel, or for each place and channel.

    Args:
        x: `(batch, ..., channels)`, or as `data_format` says.
        bias: `(channels,)`, or with as many axes as `x` has beside the batch, channels last.
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: The bias has another number of axes.
    """
    layout = standardize_data_format(data_format)
    x, bias = core.convert(x), core.convert(bias)
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(
            f"Unexpected bias dimensions {bias.ndim}. Expected it to be 1 or {x.ndim - 1} "
            "dimensions"
        )
    if layout == "channels_first" and x.ndim > 2:
        if bias.ndim == 1:
            bias = _o.reshape(bias, (-1,) + (1,) * (x.ndim - 2))
        else:  # not transposed: Keras 2 takes the same numbers in another shape
            bias = _o.reshape(bias, (bias.shape[-1], *bias.shape[:-1]))
    return x + bias


@classic
def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta`, by given statistics.

    Args:
        x: The data.
        mean, var: Of the axis, or broadcasting to `x`.
        beta, gamma: The same, or None.
        axis: That of the channels.
        epsilon: Added to the variance.
    """
    x = core.convert(x)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]

    def fitting(v: Any) -> Any:
        v = core.convert(v)
        return _o.reshape(v, shape) if v.size == shape[axis] and v.ndim != x.ndim else v

    scale = _o.rsqrt(fitting(var) + epsilon)
    scale = scale if gamma is None else scale * fitting(gamma)
    y = (x - fitting(mean)) * scale
    return y if beta is None else y + fitting(beta)


@classic
def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3
) -> Any:
    """Normalise by the batch's own statistics.

    Returns:
        The data, their mean and their variance over `reduction_axes`; of images reduced over all
        axes but the last the unbiased variance, as Keras 2 hands it to the moving average.
    """
    x = core.convert(x)
    axes = tuple(a % x.ndim for a in reduction_axes)
    mean, var = _o.moments(x, axes, False)
    shape = [1 if i in axes else n for i, n in enumerate(x.shape)]

    def fitting(v: Any) -> Any:
        return _o.reshape(v, shape)

    y = (x - fitting(mean)) * _o.rsqrt(fitting(var) + epsilon)
    y = y if gamma is None else y * fitting(gamma)
    if x.ndim == 4 and axes == (0, 1, 2):
        count = x.size // x.shape[-1]
        var = var * (count / max(count - 1, 1))
    return (y if beta is None else y + fitting(beta)), mean, var


@classic
def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Zeros with probability `level`, the rest divided by `1 - level`."""
    return random.dropout(x, level, noise_shape, seed)
