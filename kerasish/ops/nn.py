"""The functions of `keras.ops.nn`: activations, losses, convolutions, normalisation."""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core

from ..config import epsilon as _epsilon
from ..config import standardize_data_format
from .arrays import polar as polar
from .attention import in_one_kernel, join_heads, masked, scores_of, weighted_sum
from .ctc import ctc_loss as ctc_loss
from .ctc_decode import ctc_decode as ctc_decode
from .linalg import norm
from .patches import adaptive_average_pool as adaptive_average_pool
from .patches import adaptive_max_pool as adaptive_max_pool
from .patches import depth_to_space as depth_to_space
from .patches import fold as fold
from .patches import psnr as psnr
from .patches import space_to_depth as space_to_depth
from .patches import sparsemax as sparsemax
from .patches import unfold as unfold
from .symbolic import symbolic

__all__ = [
    "average_pool", "batch_normalization", "binary_crossentropy", "categorical_crossentropy",
    "celu", "conv", "conv_transpose", "depthwise_conv", "dot_product_attention", "elu", "erf",
    "erfinv", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax", "max_pool", "moments",
    "multi_hot", "normalize", "one_hot", "relu", "relu6", "rms_normalization", "rsqrt", "selu",
    "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "squareplus", "swish",
    "tanh_shrink", "threshold",
]  # fmt: skip

_o = core.ops


def _of_one(name: str, doc: str) -> Any:
    function = getattr(_o, name)

    def call(x: Any) -> Any:
        return function(x)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return symbolic(call)


relu = _of_one("relu", "`max(x, 0)`.")
relu6 = _of_one("relu6", "`min(max(x, 0), 6)`.")
sigmoid = _of_one("sigmoid", "`1 / (1 + exp(-x))`.")
log_sigmoid = _of_one("log_sigmoid", "`log(sigmoid(x))`.")
softplus = _of_one("softplus", "`log(1 + exp(x))`.")
softsign = _of_one("softsign", "`x / (1 + |x|)`.")
silu = _of_one("silu", "`x * sigmoid(x)`.")
selu = _of_one("selu", "Scaled ELU (Klambauer et al. 2017).")
hard_sigmoid = _of_one("hard_sigmoid", "`relu6(x + 3) / 6`.")
hard_silu = _of_one("hard_silu", "`x * hard_sigmoid(x)`.")
hard_tanh = _of_one("hard_tanh", "Limited to `[-1, 1]`.")
tanh_shrink = _of_one("tanh_shrink", "`x - tanh(x)`.")
sparse_plus = _of_one("sparse_plus", "Piecewise quadratic softplus.")
sparse_sigmoid = _of_one("sparse_sigmoid", "`(x + 1) / 2` limited to `[0, 1]`.")
rsqrt = _of_one("rsqrt", "`1 / sqrt(x)`.")
erf = _of_one("erf", "Error function.")
erfinv = _of_one("erfinv", "Inverse error function.")
swish, hard_swish = silu, hard_silu


@symbolic
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, else `negative_slope * x`."""
    return _o.leaky_relu(x, negative_slope)


@symbolic
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)`."""
    return _o.elu(x, alpha)


@symbolic
def celu(x: Any, alpha: float = 1.0) -> Any:
    """Continuously differentiable ELU."""
    return _o.celu(x, alpha)


@symbolic
def gelu(x: Any, approximate: bool = True) -> Any:
    """`x * Phi(x)`."""
    return _o.gelu(x, approximate)


@symbolic
def glu(x: Any, axis: int = -1) -> Any:
    """First half times the sigmoid of the second."""
    first, second = _o.split(x, 2, axis)
    return first * _o.sigmoid(second)


@symbolic
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0."""
    return _o.soft_shrink(x, threshold)


@symbolic
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where its size is above the threshold."""
    return _o.hard_shrink(x, threshold)


@symbolic
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where above the threshold, else `default_value`; integers stay integers."""
    x = core.convert(x)
    if core.dtypes.is_float(x.dtype):
        return _o.threshold(x, threshold, default_value)
    return _o.where(_o.greater(x, threshold), x, default_value)


@symbolic
def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2`."""
    return _o.squareplus(x, b)


@symbolic
def softmax(x: Any, axis: Any = -1) -> Any:
    """`exp(x) / sum(exp(x))`."""
    return _o.softmax(x, axis)


@symbolic
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """`log(softmax(x))`."""
    return _o.log_softmax(x, axis)


@symbolic
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """1 at the class of each element, 0 elsewhere."""
    return _o.one_hot(x, num_classes, axis, dtype)


@symbolic
def multi_hot(
    inputs: Any, num_classes: Any = None, axis: int = -1, dtype: Any = None, sparse: bool = False,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """1 at each class that occurs in a row; `num_tokens` is an older name of `num_classes`."""
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    x = _o.cast(inputs, "int32")
    reduce = 1 if x.ndim > 1 else 0
    return _o.max(_o.one_hot(x, num_classes, axis, dtype), reduce)


# -- losses on probabilities or logits


def _check_shapes(name: str, target: Any, output: Any) -> None:
    if len(target.shape) != len(output.shape) or any(
        a != b for a, b in zip(target.shape, output.shape, strict=True)
    ):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={target.shape}, output.shape={output.shape}"
        )


@symbolic
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-sum(target * log(p))` along the axis, p being the output or its softmax."""
    target, output = core.convert(target), core.convert(output)
    _check_shapes("categorical_crossentropy", target, output)
    if from_logits:
        log_p = _o.log_softmax(output, axis)
    else:
        p = output / _o.sum(output, axis, True)
        log_p = _o.log(_o.clip(p, _epsilon(), 1.0 - _epsilon()))
    return -_o.sum(target * log_p, axis)


@symbolic
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """`-log(p[target])`, the targets being class numbers."""
    target, output = _o.cast(target, "int32"), core.convert(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = _o.squeeze(target, -1)
    if output.ndim < 1:
        raise ValueError(
            f"Argument `output` must be at least rank 1. Received: output.shape={output.shape}"
        )
    place = axis % output.ndim
    if target.shape != output.shape[:place] + output.shape[place + 1 :]:
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last "
            f"dimension: target.shape={target.shape}, output.shape={output.shape}"
        )
    # A class out of range counts nothing, as the row of zeros that one_hot gives.
    classes = output.shape[place]
    inside = _o.logical_and(target >= 0, target < classes)
    chosen = _o.expand_dims(_o.clip(target, 0, classes - 1), place)
    if from_logits:
        log_p = _o.take_along_axis(_o.log_softmax(output, axis), chosen, place)
    else:
        p = _o.take_along_axis(output, chosen, place) / _o.sum(output, axis, True)
        log_p = _o.log(_o.clip(p, _epsilon(), 1.0 - _epsilon()))
    loss = -_o.where(inside, _o.squeeze(log_p, place), 0)
    # In half precision too, as Keras multiplies by the one-hot targets in float32.
    return _o.cast(loss, core.dtypes.result_type(loss.dtype, core.dtypes.as_dtype("float32")))


@symbolic
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """`-(t log(p) + (1 - t) log(1 - p))`, element by element."""
    target, output = core.convert(target), core.convert(output)
    _check_shapes("binary_crossentropy", target, output)
    if not core.dtypes.is_float(target.dtype):
        target = _o.cast(target, output.dtype)
    if from_logits:
        # max(x, 0) - x t + log(1 + exp(-|x|))
        return _o.softplus(output) - output * target
    p = _o.clip(output, _epsilon(), 1.0 - _epsilon())
    return -(target * _o.log(p) + (1.0 - target) * _o.log(1.0 - p))


# -- convolution and pooling


@symbolic
def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution over 1, 2 or 3 spatial axes; kernel `(*size, in / groups, out)`."""
    return _o.conv(
        inputs, kernel, strides, padding.lower(), standardize_data_format(data_format),
        dilation_rate,
    )  # fmt: skip


@symbolic
def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """Convolution of each channel with its own kernels `(*size, in, multiplier)`."""
    return _o.depthwise_conv(
        inputs, kernel, strides, padding.lower(), standardize_data_format(data_format),
        dilation_rate,
    )  # fmt: skip


@symbolic
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1,
    padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """A depthwise convolution, then one of size 1."""
    layout = standardize_data_format(data_format)
    deep = _o.depthwise_conv(
        inputs, depthwise_kernel, strides, padding.lower(), layout, dilation_rate
    )
    return _o.conv(deep, pointwise_kernel, 1, "valid", layout, 1)


@symbolic
def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of a convolution; kernel `(*size, out, in)`."""
    if padding.lower() not in ("valid", "same"):
        raise ValueError(
            f"The `padding` argument must be one of 'valid', 'same'. Received: padding={padding}"
        )
    return _o.conv_transpose(
        inputs, kernel, strides, padding.lower(), output_padding,
        standardize_data_format(data_format), dilation_rate,
    )  # fmt: skip


@symbolic
def max_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
             data_format: Any = None) -> Any:  # fmt: skip
    """The largest element of each window."""
    layout = standardize_data_format(data_format)
    return _o.max_pool(inputs, pool_size, strides, padding.lower(), layout)


@symbolic
def average_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
                 data_format: Any = None) -> Any:  # fmt: skip
    """The mean of each window, padding not counted."""
    layout = standardize_data_format(data_format)
    return _o.average_pool(inputs, pool_size, strides, padding.lower(), layout)


# -- normalisation


@symbolic
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance over axes."""
    return _o.moments(x, axes, keepdims)


@symbolic
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:  # fmt: skip
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset` along a channel axis."""
    x = core.convert(x)
    y = _o.batch_normalization(x, mean, variance, axis, offset, scale, epsilon)
    return _o.cast(y, x.dtype)


@symbolic
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None, **kwargs: Any
) -> Any:
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta` over axes (Ba et al. 2016).

    With the deprecated `rms_scaling` it is `x / sqrt(var + epsilon) * gamma`.
    """
    x, small = core.convert(x), _epsilon() if epsilon is None else epsilon
    gamma, beta = (_along(v, x, axis) for v in (gamma, beta))
    if kwargs.pop("rms_scaling", False):
        wide = _o.cast(x, core.dtypes.result_type(x.dtype, core.dtypes.as_dtype("float32")))
        y = wide * _o.rsqrt(_o.var(wide, axis, True) + small)
        return _o.cast(y if gamma is None else y * gamma, x.dtype)
    return _o.layer_normalization(x, gamma, beta, axis, small)


def _along(weight: Any, x: Any, axis: Any) -> Any:
    """A weight of the sizes of some axes in the shape in which it broadcasts to `x`."""
    if weight is None:
        return None
    weight = core.convert(weight)
    chosen = sorted(a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis))
    if weight.ndim == x.ndim or chosen == [x.ndim - 1]:
        return weight
    return _o.reshape(weight, [n if i in chosen else 1 for i, n in enumerate(x.shape)])


@symbolic
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    """`x / sqrt(mean(x**2) + epsilon) * scale` (Zhang and Sennrich 2019).

    `epsilon` is `config.epsilon()` by default.
    """
    return _o.rms_normalization(x, scale, axis, _epsilon() if epsilon is None else epsilon)


@symbolic
def normalize(x: Any, axis: int = -1, order: Any = 2, epsilon: Any = None) -> Any:
    """`x / max(norm(x), epsilon)`: norms of 1 along the axis; a scalar becomes a vector.

    Raises:
        ValueError: The order is no int from 1.
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = _o.multiply(x, 1.0)
    x = _o.expand_dims(x, 0) if x.ndim == 0 else x
    small = _epsilon() if epsilon is None else epsilon
    if order == 2:
        return x * _o.rsqrt(_o.maximum(_o.sum(_o.square(x), axis, True), small**2))
    return x / _o.maximum(norm(x, order, axis, True), small)


@symbolic
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None,
    is_causal: bool = False, flash_attention: Any = None, attn_logits_soft_cap: Any = None,
) -> Any:  # fmt: skip
    """`softmax(scale * query key^T + bias) value` over the second axis (Vaswani et al. 2017).

    Args:
        query: `(batch, queries, heads, size)`.
        key, value: `(batch, keys, heads, size)`; fewer heads are shared by the query's.
        bias, mask: Broadcast to `(batch, heads, queries, keys)`; the mask is true where a query
            may look.
        scale: `1 / sqrt(size)` by default.
        is_causal: Whether each query looks only at keys not later than it.
        flash_attention: Whether to take the one kernel that GPUs have for attention without bias
            and cap, in compiled steps; None: in half types. See also
            `config.disable_flash_attention`.
        attn_logits_soft_cap: The largest size that scores may approach, `cap * tanh(score / cap)`.

    Raises:
        ValueError: An operand has not four axes, or the heads do not divide.
    """
    query, key, value = core.convert(query), core.convert(key), core.convert(value)
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(
            "`dot_product_attention` only supports 4D inputs. Received: "
            f"query.shape={query.shape}, key.shape={key.shape}, value.shape={value.shape}."
        )
    if query.shape[2] % key.shape[2]:
        raise ValueError(
            "The number of query heads must be a multiple of that of key and value heads. "
            f"Received: query.shape={query.shape}, key.shape={key.shape}."
        )
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    plain = bias is None and attn_logits_soft_cap is None and isinstance(scale, int | float)
    if plain and in_one_kernel(flash_attention, query.dtype):
        return _o.attention(query, key, value, mask, scale, is_causal)
    logits = scores_of(query * scale, key, (1,))
    if attn_logits_soft_cap is not None:
        logits = _o.tanh(logits / attn_logits_soft_cap) * attn_logits_soft_cap
    logits = logits if bias is None else logits + bias
    logits = logits if mask is None else masked(logits, mask)
    if is_causal:
        logits = masked(logits, _o.tri(*logits.shape[-2:], dtype="bool"))
    return join_heads(weighted_sum(_o.softmax(logits, -1), value, (1,)), query, (1,))
