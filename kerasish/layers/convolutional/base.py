"""What all convolution layers share."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import activations, constraints, initializers, ops, regularizers
from ...config import standardize_data_format
from ..base import Layer
from ..input_spec import InputSpec
from ..quantization.low_rank import LowRank, main_weight

__all__ = ["AdaptableConv", "BaseConv", "check_positive", "standardize_tuple"]


def standardize_tuple(
    value: Any, rank: int, name: str, allow_zero: bool = False
) -> tuple[int, ...]:
    """One number, or one for each axis, as a tuple.

    Raises:
        ValueError: It is neither, or a number is too small.
    """
    try:
        found = (int(value),) * rank if not hasattr(value, "__len__") else tuple(map(int, value))
    except (TypeError, ValueError):
        found = ()
    if len(found) != rank or any(v < (0 if allow_zero else 1) for v in found):
        raise ValueError(
            f"The `{name}` argument must be a tuple of {rank} "
            f"{'non-negative' if allow_zero else 'positive'} integers. Received {name}={value}"
        )
    return found


def check_positive(name: str, value: Any) -> None:
    """Refuse a count below 1.

    Raises:
        ValueError: It is.
    """
    if value is not None and value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. Received "
            f"{name}={value}."
        )


class BaseConv(Layer):
    """A convolution over `rank` axes, then a bias and an activation."""

    def __init__(
        self, rank: int, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = 1, groups: int = 1, activation: Any = None,
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.rank, self.filters, self.groups = rank, filters, groups
        self.kernel_size = standardize_tuple(kernel_size, rank, "kernel_size")
        self.strides = standardize_tuple(strides, rank, "strides")
        self.dilation_rate = standardize_tuple(dilation_rate, rank, "dilation_rate")
        self.padding = str(padding).lower()
        allowed = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
        if self.padding not in allowed:
            raise ValueError(
                f"The `padding` argument must be one of {allowed}. Received: padding={padding}"
            )
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=rank + 2)
        if filters is not None and (filters <= 0 or filters % groups):
            raise ValueError(
                f"`filters` must be positive and evenly divisible by the number of groups. "
                f"Received: filters={filters}, groups={groups}."
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                "The channel dimension of the inputs should be defined. Received "
                f"input_shape={input_shape}, axis {axis} of which is None."
            )
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels."
            )
        return channels

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels // self.groups, self.filters)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        self.kernel = self.add_weight(
            self._kernel_shape(channels), self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self._add_bias(self.filters)
        self.built = True

    def _add_bias(self, size: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (size,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def convolve(self, inputs: Any) -> Any:
        """The convolution alone."""
        return core.ops.conv(
            inputs, self.kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate, self.groups,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        x = self.convolve(inputs)
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, -1, *(1,) * self.rank))
            x = ops.add(x, bias)
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class AdaptableConv(LowRank, BaseConv):
    """A convolution whose kernel may be held fixed and get a low-rank update."""

    kernel = main_weight("kernel")

    def __init__(
        self, *args: Any, lora_rank: int | None = None, lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self._set_lora(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if self.lora_rank:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def convolve(self, inputs: Any) -> Any:
        return self.convolution_op(inputs, self._main_value())

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution of some inputs with some kernel, as this layer does it."""
        return core.ops.conv(
            inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate,
            self.groups,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._lora_config()}
