"""Shapes that layers give, as Keras's own files compute them."""

from __future__ import annotations

from typing import Any

from ..applications.frame import Request, image_shape
from ..layers.convolutional.base import standardize_tuple
from .utils.conv_utils import conv_output_length, deconv_output_length

__all__ = [
    "broadcast_shapes", "canonicalize_axis", "compute_conv_output_shape",
    "compute_conv_transpose_output_shape", "compute_pooling_output_shape", "obtain_input_shape",
    "reduce_shape", "standardize_padding", "to_tuple_or_list",
]  # fmt: skip


def _windows(
    input_shape: Any, kernel: Any, strides: Any, padding: str, data_format: str, dilation: Any
) -> tuple[Any, ...]:
    """The sizes of the axes of space after windows."""
    space = _space(input_shape, data_format)
    rank = len(space)
    found = tuple(
        conv_output_length(*one)
        for one in zip(
            space, standardize_tuple(kernel, rank, "kernel_size"), [padding.lower()] * rank,
            standardize_tuple(strides, rank, "strides"),
            standardize_tuple(dilation, rank, "dilation_rate"), strict=True,
        )
    )  # fmt: skip
    if any(n is not None and n < 1 for n in found):
        raise ValueError(
            f"Computed output size would be negative or 0. Received: input_shape={input_shape}, "
            f"kernel_size={kernel}, strides={strides}, dilation_rate={dilation}."
        )
    return found


def _space(shape: Any, data_format: str) -> tuple[Any, ...]:
    return tuple(shape[1:-1] if data_format == "channels_last" else shape[2:])


def _whole(batch: Any, space: Any, channels: Any, data_format: str) -> tuple[Any, ...]:
    last = data_format == "channels_last"
    return (batch, *space, channels) if last else (batch, channels, *space)


def compute_conv_output_shape(
    input_shape: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
    data_format: str = "channels_last", dilation_rate: Any = 1,
) -> tuple[Any, ...]:  # fmt: skip
    """The shape that a convolution gives; see `conv_output_length`.

    Raises:
        ValueError: A size would be 0 or less.
    """
    if len(input_shape) != len(kernel_size) + 2:
        raise ValueError(
            "Kernel shape must have the same length as input, but received kernel of shape "
            f"{kernel_size} and input of shape {input_shape}."
        )
    space = _windows(input_shape, kernel_size, strides, padding, data_format, dilation_rate)
    return _whole(input_shape[0], space, filters, data_format)


def compute_pooling_output_shape(
    input_shape: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last",
) -> tuple[Any, ...]:  # fmt: skip
    """The shape that pooling gives; strides of None are the windows.

    Raises:
        ValueError: A size would be 0 or less.
    """
    steps = pool_size if strides is None else strides
    space = _windows(input_shape, pool_size, steps, padding, data_format, 1)
    channels = input_shape[-1 if data_format == "channels_last" else 1]
    return _whole(input_shape[0], space, channels, data_format)


def compute_conv_transpose_output_shape(
    input_shape: Any, kernel_size: Any, filters: int, strides: Any, padding: str,
    output_padding: Any = None, data_format: str = "channels_last", dilation_rate: Any = 1,
) -> list[Any]:  # fmt: skip
    """The shape that a transposed convolution gives; see `deconv_output_length`."""
    space = _space(input_shape, data_format)
    rank = len(space)
    more = output_padding
    if more is None or isinstance(more, int):
        more = (more,) * rank
    found = (
        deconv_output_length(n, k, padding.lower(), extra, stride, dilation)
        for n, k, extra, stride, dilation in zip(
            space, standardize_tuple(kernel_size, rank, "kernel_size"), more,
            standardize_tuple(strides, rank, "strides"),
            standardize_tuple(dilation_rate, rank, "dilation_rate"), strict=True,
        )
    )  # fmt: skip
    return list(_whole(input_shape[0], found, filters, data_format))


def canonicalize_axis(axis: int, num_dims: int) -> int:
    """An axis counted from the front.

    Raises:
        ValueError: There is no such axis.
    """
    if not -num_dims <= axis < num_dims:
        raise ValueError(f"axis {axis} is out of bounds for an array with dimension {num_dims}.")
    return axis % num_dims


def reduce_shape(shape: Any, axis: Any = None, keepdims: bool = False) -> tuple[Any, ...]:
    """The shape after a reduction over some axes, None for all."""
    rank = len(shape)
    axes = range(rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    gone = {canonicalize_axis(a, rank) for a in axes}
    return tuple(1 if i in gone else n for i, n in enumerate(shape) if keepdims or i not in gone)


def broadcast_shapes(shape1: Any, shape2: Any) -> list[Any]:
    """The shape of two together; a size that is unknown stays so beside 1 or another unknown one.

    Raises:
        ValueError: They do not fit.
    """
    rank = max(len(shape1), len(shape2))
    pairs = zip(*((1,) * (rank - len(s)) + tuple(s) for s in (shape1, shape2)), strict=True)
    found: list[Any] = []
    for a, b in pairs:
        if a == 1 or (a is None and b != 1):
            found.append(b)
        elif b in (1, None, a):
            found.append(a)
        else:
            raise ValueError(
                f"Cannot broadcast shape, the failure dim has value {a}, which cannot be broadcast "
                f"to {b}. Input shapes are: {shape1} and {shape2}."
            )
    return found


def to_tuple_or_list(value: Any) -> Any:
    """Tuples, lists and None as they are, anything else as the only element of a tuple."""
    return value if value is None or isinstance(value, tuple | list) else (value,)


def standardize_padding(value: Any, allow_causal: bool = False) -> Any:
    """A padding's name in lower case; lists and tuples as they are.

    Raises:
        ValueError: There is no such padding.
    """
    if isinstance(value, list | tuple):
        return value
    known = ("valid", "same", "causal") if allow_causal else ("valid", "same")
    if value.lower() not in known:
        raise ValueError(
            f"The `padding` argument must be a list/tuple or one of {known}. Received: {value}"
        )
    return value.lower()


def obtain_input_shape(
    input_shape: Any, default_size: int, min_size: int, data_format: Any = None,
    require_flatten: bool = True, weights: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """The shape of a network's images, without batch axis.

    Args:
        input_shape: That was asked for, None for the default one.
        default_size: Height and width of the images of the published weights.
        min_size: The smallest height and width.
        data_format: The configured one by default; another is not supported.
        require_flatten: Whether the network ends in a classifier of one size.
        weights: "imagenet" for those of 3 channels.

    Raises:
        ValueError: The shape does not go with the rest.
    """
    request = Request(require_flatten, weights, None, input_shape, None, 1000, None, None)
    return image_shape(request, default_size, min_size)
