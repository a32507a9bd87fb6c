"""Convolution over 1, 2 or 3 spatial axes.

Three primitives close under differentiation: the convolution, its gradient by the input and its
gradient by the kernel. Arrays are channels-last inside.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dispatch import apply
from ..errors import ShapeError
from ..op import Spec, define_op, same_dtype
from ..tensor import Tensor
from ._args import promote
from .shape import moveaxis, reshape
from .windows import Pads, output_size, pad_spatial, positions, resolve_padding, spatial, view

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]


def _wide(x: Any) -> Any:
    return x.astype("float32") if x.dtype.itemsize < 4 else x


def _out(shape: Any, kernel: Any, strides: Any, pads: Pads, dilation: Any) -> tuple[int, ...]:
    sizes = zip(shape[1:-1], kernel, strides, dilation, pads)
    return tuple(output_size(n, k, s, d, p) for n, k, s, d, p in sizes)


def _conv_spec(x: Spec, kernel: Spec, strides: Any, pads: Pads, dilation: Any, groups: int) -> Spec:
    if len(x.shape) != len(kernel.shape) or len(x.shape) < 3:
        raise ShapeError(
            f"conv: x is {x}, kernel is {kernel}; (batch, *spatial, channels) and "
            "(*window, channels / groups, filters) of equal rank are needed."
        )
    if x.shape[-1] != kernel.shape[-2] * groups or kernel.shape[-1] % groups:
        raise ShapeError(
            f"conv: x is {x}, kernel is {kernel}, groups={groups}; x's channels ({x.shape[-1]}) "
            f"must be kernel.shape[-2] * groups ({kernel.shape[-2] * groups}) and the filters a "
            "multiple of the groups."
        )
    out = _out(x.shape, kernel.shape[:-2], strides, pads, dilation)
    if 0 in out and 0 not in x.shape:
        raise ShapeError(
            f"conv: x is {x}; the kernel {kernel} does not fit into it (strides={strides}, "
            f"dilation={dilation}). Use padding='same' or a smaller kernel."
        )
    return Spec((x.shape[0], *out, kernel.shape[-1]), same_dtype("conv", (x, kernel)))


def _columns(xp: Any, x: Any, window: Any, strides: Any, pads: Pads, dilation: Any) -> Any:
    """All windows as rows: `(n * out, window * channels)`, and the shape of `out`."""
    windows = view(xp, pad_spatial(xp, x, pads), window, strides, dilation)
    out = windows.shape[: len(window) + 1]
    return windows.reshape(math.prod(out), math.prod(window), x.shape[-1]), out


def _conv_kernel(
    xp: Any, x: Any, kernel: Any, strides: Any, pads: Pads, dilation: Any, groups: int
) -> Any:
    if x.ndim != kernel.ndim or x.dtype != kernel.dtype:
        raise ValueError("an input and a kernel of one rank and dtype are needed")
    dtype, x, kernel = x.dtype, _wide(x), _wide(kernel)
    window, filters = kernel.shape[:-2], kernel.shape[-1]
    columns, out = _columns(xp, x, window, strides, pads, dilation)
    if groups == 1:
        rows = columns.reshape(columns.shape[0], math.prod(window) * x.shape[-1])
        result = rows @ kernel.reshape(-1, filters)
    else:
        depth, places = kernel.shape[-2], math.prod(window)
        grouped = columns.reshape(*columns.shape[:2], groups, depth).transpose(2, 0, 1, 3)
        grouped = grouped.reshape(groups, columns.shape[0], places * depth)
        weights = kernel.reshape(places, depth, groups, filters // groups)
        weights = weights.transpose(2, 0, 1, 3).reshape(groups, places * depth, filters // groups)
        result = (grouped @ weights).transpose(1, 0, 2)
    return result.reshape(*out, filters).astype(dtype, copy=False)


def _input_grad_spec(
    g: Spec, kernel: Spec, shape: Any, strides: Any, pads: Pads, dilation: Any, groups: int
) -> Spec:
    return Spec(shape, same_dtype("conv_input_grad", (g, kernel)))


def _input_grad_kernel(
    xp: Any, g: Any, kernel: Any, shape: Any, strides: Any, pads: Pads, dilation: Any, groups: int
) -> Any:
    if g.dtype != kernel.dtype:
        raise TypeError("operands of one dtype are needed")
    dtype, g, kernel = g.dtype, _wide(g), _wide(kernel)
    window = kernel.shape[:-2]
    padded = (shape[0], *(n + a + b for n, (a, b) in zip(shape[1:-1], pads)), shape[-1])
    total = xp.zeros(padded, g.dtype)
    rows = g.reshape(-1, groups, g.shape[-1] // groups).transpose(1, 0, 2)
    for index, place in positions(window, strides, dilation, g.shape[1:-1]):
        weights = kernel[index].reshape(-1, groups, g.shape[-1] // groups).transpose(1, 2, 0)
        part = (rows @ weights).transpose(1, 0, 2)
        total[place] += part.reshape(*g.shape[:-1], shape[-1])
    inner = (slice(None), *(slice(a, a + n) for n, (a, _) in zip(shape[1:-1], pads)))
    return xp.ascontiguousarray(total[inner]).astype(dtype, copy=False)


def _kernel_grad_spec(
    x: Spec, g: Spec, shape: Any, strides: Any, pads: Pads, dilation: Any, groups: int
) -> Spec:
    return Spec(shape, same_dtype("conv_kernel_grad", (x, g)))


def _kernel_grad_kernel(
    xp: Any, x: Any, g: Any, shape: Any, strides: Any, pads: Pads, dilation: Any, groups: int
) -> Any:
    if x.dtype != g.dtype:
        raise TypeError("operands of one dtype are needed")
    dtype, x, g = x.dtype, _wide(x), _wide(g)
    window, filters = shape[:-2], shape[-1]
    columns, _ = _columns(xp, x, window, strides, pads, dilation)
    rows = g.reshape(columns.shape[0], groups, filters // groups)
    if groups == 1:
        flat = columns.reshape(columns.shape[0], math.prod(window) * x.shape[-1])
        return (flat.T @ rows[:, 0]).reshape(shape).astype(dtype, copy=False)
    grouped = columns.reshape(*columns.shape[:2], groups, -1).transpose(2, 1, 3, 0)
    grouped = grouped.reshape(groups, -1, columns.shape[0])
    found = grouped @ rows.transpose(1, 0, 2)
    found = found.reshape(groups, math.prod(window), -1, filters // groups).transpose(1, 2, 0, 3)
    return found.reshape(shape).astype(dtype, copy=False)


def _samples(rng: np.random.Generator) -> Any:
    one = {"strides": (1,), "pads": ((1, 0),), "dilation": (2,), "groups": 1}
    two = {"strides": (2, 1), "pads": ((0, 1), (1, 1)), "dilation": (1, 1), "groups": 2}
    return [
        ([rng.normal(size=(2, 6, 2)), rng.normal(size=(2, 2, 3))], one),
        ([rng.normal(size=(2, 4, 3, 4)), rng.normal(size=(3, 2, 2, 2))], two),
    ]


def _grad_samples(which: str) -> Any:
    def samples(rng: np.random.Generator) -> Any:
        found = []
        for (x, kernel), attrs in _samples(rng):
            y = rng.normal(size=_conv_kernel(np, x, kernel, **attrs).shape)
            if which == "input":
                found.append(([y, kernel], {**attrs, "shape": x.shape}))
            else:
                found.append(([x, y], {**attrs, "shape": kernel.shape}))
        return found

    return samples


def _conv_rule(g: Any, x: Any, kernel: Any, needs: Any, strides: Any, pads: Any, dilation: Any,
               groups: int) -> Any:  # fmt: skip
    how = {"strides": strides, "pads": pads, "dilation": dilation, "groups": groups}
    return (
        apply(_INPUT_GRAD, g, kernel, shape=x.shape, **how) if needs[0] else None,
        apply(_KERNEL_GRAD, x, g, shape=kernel.shape, **how) if needs[1] else None,
    )


def _input_grad_rule(u: Any, g: Any, kernel: Any, needs: Any, strides: Any, pads: Any,
                     dilation: Any, groups: int) -> Any:  # fmt: skip
    how = {"strides": strides, "pads": pads, "dilation": dilation, "groups": groups}
    return (
        apply(_CONV, u, kernel, **how) if needs[0] else None,
        apply(_KERNEL_GRAD, u, g, shape=kernel.shape, **how) if needs[1] else None,
    )


def _kernel_grad_rule(u: Any, x: Any, g: Any, needs: Any, strides: Any, pads: Any, dilation: Any,
                      groups: int) -> Any:  # fmt: skip
    how = {"strides": strides, "pads": pads, "dilation": dilation, "groups": groups}
    return (
        apply(_INPUT_GRAD, g, u, shape=x.shape, **how) if needs[0] else None,
        apply(_CONV, x, u, **how) if needs[1] else None,
    )


_CONV = define_op(
    "conv", "contraction", "x kernel", native=True,
    infer=_conv_spec, kernel=_conv_kernel, vjp=_conv_rule,
    samples=_samples,
)  # fmt: skip
_INPUT_GRAD = define_op(
    "conv_input_grad", "contraction", "g kernel", native=True, infer=_input_grad_spec,
    kernel=_input_grad_kernel, vjp=_input_grad_rule, samples=_grad_samples("input"),
)  # fmt: skip
_KERNEL_GRAD = define_op(
    "conv_kernel_grad", "contraction", "x g", native=True,
    infer=_kernel_grad_spec, kernel=_kernel_grad_kernel,
    vjp=_kernel_grad_rule, samples=_grad_samples("kernel"),
)  # fmt: skip


def channels_last(x: Tensor, data_format: str) -> Tensor:
    """The tensor with its channels last."""
    if data_format == "channels_last":
        return x
    if data_format != "channels_first":
        raise ValueError(
            f"data_format={data_format!r}; expected 'channels_last' or 'channels_first'."
        )
    return moveaxis(x, 1, -1)


def channels_back(x: Tensor, data_format: str) -> Tensor:
    """The channels where the layout wants them."""
    return x if data_format == "channels_last" else moveaxis(x, -1, 1)


def conv(
    x: Any, kernel: Any, strides: Any = 1, padding: Any = "valid",
    data_format: str = "channels_last", dilation_rate: Any = 1, groups: int | None = None,
) -> Tensor:  # fmt: skip
    """Cross-correlation `y[p, o] = sum_{w, c} x[p * stride + w * dilation, c] kernel[w, c, o]`.

    Args:
        x: `(batch, *spatial, channels)` or, channels first, `(batch, channels, *spatial)`.
        kernel: `(*window, channels / groups, filters)`.
        strides, dilation_rate: A number, or one for each spatial axis.
        padding: "valid", "same", "causal", or pairs of numbers.
        data_format: "channels_last" or "channels_first".
        groups: Found from the channels by default.

    Raises:
        ShapeError: Channels or rank do not fit.
    """
    a, b = promote(x, kernel)
    a = channels_last(a, data_format)
    rank = a.ndim - 2
    if b.ndim != a.ndim:
        raise ShapeError(f"conv: x is {a.spec}, kernel is {b.spec}; ranks must be equal.")
    steps = spatial("conv", strides, rank, "strides")
    holes = spatial("conv", dilation_rate, rank, "dilation_rate")
    pads = resolve_padding("conv", padding, a.shape[1:-1], b.shape[:-2], steps, holes)
    if groups is None:
        groups = max(a.shape[-1] // b.shape[-2], 1) if b.shape[-2] else 1
    _conv_spec(a.spec, b.spec, steps, pads, holes, groups)  # kernels let some misfits pass
    result = apply(_CONV, a, b, strides=steps, pads=pads, dilation=holes, groups=groups)
    return channels_back(result, data_format)


def depthwise_conv(
    x: Any, kernel: Any, strides: Any = 1, padding: Any = "valid",
    data_format: str = "channels_last", dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """Each channel by its own kernels `(*window, channels, multiplier)`."""
    a, b = promote(x, kernel)
    channels = b.shape[-2]
    flat = reshape(b, (*b.shape[:-2], 1, channels * b.shape[-1]))
    return conv(a, flat, strides, padding, data_format, dilation_rate, channels)


def separable_conv(
    x: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: Any = "valid",
    data_format: str = "channels_last", dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """A depthwise convolution, then one whose windows hold one element."""
    deep = depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(deep, pointwise_kernel, 1, "valid", data_format)


def conv_transpose(
    x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: str = "channels_last", dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """The gradient of a convolution by its input, as an upsampling layer.

    Args:
        x: `(batch, *spatial, channels)` or channels first.
        kernel: `(*window, filters, channels)`.
        strides, dilation_rate: A number, or one for each spatial axis.
        padding: "valid" or "same".
        output_padding: What is added to the output's size, to choose among those possible.
        data_format: "channels_last" or "channels_first".
    """
    a, b = promote(x, kernel)
    a = channels_last(a, data_format)
    rank = a.ndim - 2
    if b.ndim != a.ndim or rank < 1 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"conv_transpose: x is {a.spec}, channels last, kernel is {b.spec}; equal ranks "
            f"and kernel.shape[-1] == {a.shape[-1]}, the channels of x, are needed."
        )
    steps = spatial("conv_transpose", strides, rank, "strides")
    holes = spatial("conv_transpose", dilation_rate, rank, "dilation_rate")
    extra: Any = (None,) * rank
    if output_padding is not None:
        given = output_padding
        extra = (given,) * rank if isinstance(given, int) else tuple(given)
    sizes, pads = [], []
    for n, k, s, d, more in zip(a.shape[1:-1], b.shape[:-2], steps, holes, extra):
        reach = (k - 1) * d + 1
        if padding == "valid":
            size = n * s + max(reach - s, 0) if more is None else (n - 1) * s + reach + more
            before = 0
        elif more is None:
            size = n * s
            before = max(reach - s, 0) // 2
        else:
            size = (n - 1) * s + reach - 2 * (reach // 2) + more
            before = max(2 * (reach // 2) - more, 0) // 2
        after = (n - 1) * s + reach - size - before
        sizes.append(size)
        pads.append((before, max(after, 0)))
    shape = (a.shape[0], *sizes, b.shape[-2])
    found = apply(
        _INPUT_GRAD, a, b, shape=shape, strides=steps, pads=tuple(pads), dilation=holes, groups=1
    )
    return channels_back(found, data_format)
