"""CuDNNLSTM and CuDNNGRU: the recurrent layers in the one form that cuDNN knows."""

from __future__ import annotations

from typing import Any

from ... import layers
from ...serialization import builtin

__all__ = ["CuDNNGRU", "CuDNNLSTM"]


@builtin("keras.layers")
class CuDNNLSTM(layers.LSTM):
    """`LSTM` with tanh and sigmoid, on any device."""

    def __init__(
        self, units: int, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None,
        return_sequences: bool = False, return_state: bool = False, stateful: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            units, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias, kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
            return_sequences=return_sequences, return_state=return_state, stateful=stateful,
            **{**kwargs, "activation": "tanh", "recurrent_activation": "sigmoid"},
        )  # fmt: skip


@builtin("keras.layers")
class CuDNNGRU(layers.GRU):
    """`GRU` with tanh and sigmoid whose reset gate comes after the product, on any device."""

    def __init__(
        self, units: int, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, return_sequences: bool = False, return_state: bool = False,
        stateful: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        fixed = {"activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True}
        super().__init__(
            units, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint, return_sequences=return_sequences,
            return_state=return_state, stateful=stateful, **{**kwargs, **fixed},
        )  # fmt: skip
