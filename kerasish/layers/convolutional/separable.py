"""Separable convolutions: each channel by itself, then all of them at each place."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import constraints, initializers, regularizers
from ...serialization import builtin
from ..input_spec import InputSpec
from .base import BaseConv, check_positive

__all__ = ["SeparableConv1D", "SeparableConv2D"]


class _Separable(BaseConv):
    """A depthwise convolution, then one of size 1; see `SeparableConv2D` for the arguments."""

    def __init__(
        self, rank: int, depth_multiplier: int, filters: int, kernel_size: Any, strides: Any,
        padding: str, data_format: Any, dilation_rate: Any, activation: Any, use_bias: bool,
        depthwise: tuple[Any, Any, Any], pointwise: tuple[Any, Any, Any], **kwargs: Any,
    ) -> None:  # fmt: skip
        check_positive("filters", filters)
        check_positive("depth_multiplier", depth_multiplier)
        super().__init__(rank, filters, kernel_size, strides, padding, data_format, dilation_rate,
                         1, activation, use_bias, **kwargs)  # fmt: skip
        if self.padding == "causal":
            raise ValueError(
                "The `padding` argument must be one of ('valid', 'same'). Received: padding=causal"
            )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise[0])
        self.depthwise_regularizer = regularizers.get(depthwise[1])
        self.depthwise_constraint = constraints.get(depthwise[2])
        self.pointwise_initializer = initializers.get(pointwise[0])
        self.pointwise_regularizer = regularizers.get(pointwise[1])
        self.pointwise_constraint = constraints.get(pointwise[2])

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier), self.depthwise_initializer,
            regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint,
            name="depthwise_kernel",
        )  # fmt: skip
        self.pointwise_kernel = self.add_weight(
            (*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer, regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint, name="pointwise_kernel",
        )  # fmt: skip
        self._add_bias(self.filters)
        self.built = True

    def convolve(self, inputs: Any) -> Any:
        deep = core.ops.depthwise_conv(
            inputs, self.depthwise_kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        return core.ops.conv(deep, self.pointwise_kernel, 1, "valid", self.data_format, 1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for key in ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"):
            del config[key]
        return {
            **config,
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }


@builtin("keras.layers")
class SeparableConv1D(_Separable):
    """Separable convolution over time; see `SeparableConv2D` for the arguments."""

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = 1, depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, pointwise_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            1, depth_multiplier, filters, kernel_size, strides, padding, data_format,
            dilation_rate, activation, use_bias,
            (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            (pointwise_initializer, pointwise_regularizer, pointwise_constraint),
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip


@builtin("keras.layers")
class SeparableConv2D(_Separable):
    """Each channel convolved with kernels of its own, then all mixed by a convolution of size 1.

    Args:
        filters: Channels of the output.
        kernel_size: Of the first convolution.
        strides, padding, data_format, dilation_rate: See `Conv2D`.
        depth_multiplier: How many kernels each channel has.
        activation: Name or function.
        use_bias: Whether there is a bias.
        depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer,
        pointwise_regularizer, bias_regularizer, activity_regularizer, depthwise_constraint,
        pointwise_constraint, bias_constraint: See their modules.

    Source: F. Chollet, "Xception: Deep learning with depthwise separable convolutions", 2017.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = (1, 1), depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, pointwise_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            2, depth_multiplier, filters, kernel_size, strides, padding, data_format,
            dilation_rate, activation, use_bias,
            (depthwise_initializer, depthwise_regularizer, depthwise_constraint),
            (pointwise_initializer, pointwise_regularizer, pointwise_constraint),
            bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
