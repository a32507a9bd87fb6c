"""`keras.utils.conv_utils`: sizes and arguments of convolutions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ...config import standardize_data_format

__all__ = [
    "conv_input_length", "conv_output_length", "convert_data_format", "convert_kernel",
    "deconv_length", "deconv_output_length", "normalize_data_format", "normalize_padding",
    "normalize_tuple",
]  # fmt: skip

normalize_data_format = standardize_data_format


def normalize_tuple(value: Any, n: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """An integer, or n of them, as a tuple of n.

    Args:
        value: The integer, or a sequence.
        n: How many.
        name: Of the argument, for the error.
        allow_zero: Whether 0 is one of them.

    Raises:
        ValueError: It is neither.

    >>> normalize_tuple(3, 2, "kernel_size")
    (3, 3)
    """
    try:
        found = (operator.index(value),) * n
    except TypeError:
        found = tuple(value) if isinstance(value, tuple | list | np.ndarray) else ()
    try:
        found = tuple(operator.index(v) for v in found)
    except TypeError:
        found = ()
    if len(found) != n or min(found) < (0 if allow_zero else 1):
        least = "0 or more" if allow_zero else "1 or more"
        raise ValueError(
            f"The `{name}` argument must be a tuple of {n} integers, each {least}. "
            f"Received: {value}"
        )
    return found


def normalize_padding(value: Any) -> Any:
    """A padding's name in lower case; lists and tuples as they are.

    Raises:
        ValueError: There is no such padding.
    """
    if isinstance(value, list | tuple):
        return value
    if value.lower() not in ("valid", "same", "causal", "full"):
        raise ValueError(
            'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", '
            f"only for `Conv1D`). Received: {value}"
        )
    return value.lower()


def convert_data_format(data_format: str, ndim: int) -> str:
    """A data format as letters: N for samples, C for channels, W, H and D for the axes of space.

    Raises:
        ValueError: Another rank than 3, 4 or 5, or an unknown format.
    """
    if ndim not in (3, 4, 5):
        raise ValueError(f"Input rank not supported: {ndim}. Expected values are [3, 4, 5]")
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f"Invalid data_format: {data_format}. "
            'Expected values are ["channels_first", "channels_last"]'
        )
    space = "DHW"[5 - ndim :]
    return f"N{space}C" if data_format == "channels_last" else f"NC{space}"


def convert_kernel(kernel: Any) -> Any:
    """A kernel turned over in space: from correlation to convolution and back, as Theano had it.

    Args:
        kernel: `(width, in, out)`, `(height, width, in, out)` or `(depth, height, width, in, out)`.

    Raises:
        ValueError: Another rank.
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"Invalid kernel shape: {kernel.shape}; expected rank 3, 4 or 5.")
    return np.copy(np.flip(kernel, tuple(range(kernel.ndim - 2))))


_PADDINGS = ("same", "valid", "full", "causal")


def _check_padding(padding: str, known: tuple[str, ...] = _PADDINGS) -> None:
    if padding not in known:
        raise ValueError(f"padding={padding!r}: expected one of {', '.join(known)}.")


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """The length that a convolution gives; None for an unknown one.

    `ceil(L / stride)` with L = n for "same" and "causal", `n - k + 1` for "valid" and `n + k - 1`
    for "full", where k is the dilated filter's size.
    """
    _check_padding(padding)
    if input_length is None:
        return None
    reach = (filter_size - 1) * dilation
    full = input_length + {"valid": -reach, "full": reach}.get(padding, 0)
    return -(-full // stride)


def conv_input_length(
    output_length: int | None, filter_size: int, padding: str, stride: int
) -> int | None:
    """The smallest length from which a convolution gives this one; None for an unknown one."""
    _check_padding(padding, _PADDINGS[:3])
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_output_length(
    input_length: int | None, filter_size: int, padding: str, output_padding: int | None = None,
    stride: int = 0, dilation: int = 1,
) -> int | None:  # fmt: skip
    """The length that a transposed convolution gives; None for an unknown one.

    Args:
        input_length, filter_size, stride, dilation: As they say.
        padding: "same", "valid" or "full".
        output_padding: What is added at the end; None for what undoes the convolution.
    """
    _check_padding(padding, _PADDINGS[:3])
    if input_length is None:
        return None
    size = (filter_size - 1) * dilation + 1
    if output_padding is not None:
        pad = {"same": size // 2, "valid": 0, "full": size - 1}[padding]
        return (input_length - 1) * stride + size - 2 * pad + output_padding
    more = {"same": 0, "valid": max(size - stride, 0), "full": 2 - stride - size}[padding]
    return input_length * stride + more


def deconv_length(
    dim_size: int | None, stride_size: int, kernel_size: int, padding: str,
    output_padding: int | None = None, dilation: int = 1,
) -> int | None:  # fmt: skip
    """`deconv_output_length` with its arguments in the order of Keras 2.0 to 2.3."""
    return deconv_output_length(
        dim_size, kernel_size, padding, output_padding, stride_size, dilation
    )
