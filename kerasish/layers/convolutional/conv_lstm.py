"""LSTMs whose products are convolutions."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import activations, constraints, initializers, ops, random, regularizers
from ...config import standardize_data_format
from ...serialization import builtin
from ..base import Layer
from ..input_spec import InputSpec
from ..rnn import RNN
from .base import check_positive, standardize_tuple

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


@builtin("keras.src.layers.rnn.conv_lstm")
class ConvLSTMCell(Layer):
    """One step: gates `conv(x, kernel) + conv(h, recurrent_kernel) + bias` in the order input,
    forget, candidate, output; then as in an LSTM.

    Args:
        rank: Number of spatial axes.
        Others: See `ConvLSTM2D`.
    """

    def __init__(
        self, rank: int, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = 1, activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True,
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        check_positive("filters", filters)
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed=seed)
        self.rank, self.filters = rank, filters
        self.kernel_size = standardize_tuple(kernel_size, rank, "kernel_size")
        self.strides = standardize_tuple(strides, rank, "strides")
        self.dilation_rate = standardize_tuple(dilation_rate, rank, "dilation_rate")
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f"The `padding` argument must be one of ('valid', 'same'). Received: {padding}"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self._masks: Any = (None, None)
        self.input_spec = InputSpec(ndim=rank + 2)
        self.state_size: Any = -1  # known when built

    # -- weights
    def build(self, inputs_shape: Any) -> None:
        first = self.data_format == "channels_first"
        axis = 1 if first else -1
        channels = inputs_shape[axis]
        if channels is None:
            raise ValueError(
                "The channel dimension of the inputs (last axis) should be defined. Found None. "
                f"Full input shape received: input_shape={inputs_shape}"
            )
        size = self.shape_of_states(inputs_shape)
        if None in size:
            raise ValueError(
                "ConvLSTM layers need spatial axes of known size, since their states have it. "
                f"Received: input_shape={inputs_shape}"
            )
        self.state_size = [size, size]
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, 4 * self.filters), self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (*self.kernel_size, self.filters, 4 * self.filters), self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (4 * self.filters,), self._first_bias, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.built = True

    def _windows(self) -> tuple[Any, Any, Any]:
        return self.kernel_size, self.strides, self.dilation_rate

    def shape_of_states(self, inputs_shape: Any) -> tuple[int | None, ...]:
        """Without the batch; unknown sizes stay so."""
        first = self.data_format == "channels_first"
        space = inputs_shape[2:] if first else inputs_shape[1:-1]
        sizes = tuple(self._size(*x) for x in zip(space, *self._windows(), strict=True))
        return (self.filters, *sizes) if first else (*sizes, self.filters)

    def _size(self, n: int | None, window: int, step: int, dilation: int) -> int | None:
        if n is None:
            return None
        n = n if self.padding == "same" else n - (window - 1) * dilation
        return (n + step - 1) // step

    def _first_bias(self, shape: Any, dtype: Any = None) -> Any:
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        n = self.filters
        return ops.concatenate(
            [self.bias_initializer((n,), dtype=dtype), ops.ones((n,), dtype),
             self.bias_initializer((2 * n,), dtype=dtype)]
        )  # fmt: skip

    # -- steps
    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Zeros for a batch."""
        return [ops.zeros((batch_size, *size), self.compute_dtype) for size in self.state_size]

    def prepare_dropout(self, x: Any, training: Any) -> None:
        """Draw the masks that all steps of a sequence share; `x` is one step's input."""
        self._masks = (None, None)
        if not training:
            return
        shapes = (tuple(x.shape), (x.shape[0], *self.state_size[0]))
        self._masks = tuple(
            random.dropout(ops.ones(shape, x.dtype), rate, seed=self.seed_generator)
            if rate
            else None
            for shape, rate in zip(shapes, (self.dropout, self.recurrent_dropout), strict=True)
        )

    def call(self, inputs: Any, states: Any, training: Any = False) -> Any:
        h, c = states
        of_input, of_state = self._masks
        x = inputs if of_input is None else inputs * of_input
        before = h if of_state is None else h * of_state
        layout = self.data_format
        z = core.ops.conv(
            x, self.kernel, self.strides, self.padding, layout, self.dilation_rate
        ) + core.ops.conv(before, self.recurrent_kernel, 1, "same", layout, 1)
        axis = 1 if layout == "channels_first" else -1
        if self.bias is not None:
            shape = (-1, *(1,) * self.rank) if axis == 1 else (-1,)
            z = z + ops.reshape(self.bias, shape)
        i, f, candidate, o = ops.split(z, 4, axis=axis)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(candidate)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "unit_forget_bias": self.unit_forget_bias,
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


class _ConvLSTM(RNN):
    """An RNN around a `ConvLSTMCell` made of the layer's own arguments."""

    rank = 1

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = 1, activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True,
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        seed: Any = None, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate,
            activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer,
            bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, trainable=kwargs.get("trainable", True),
            dtype=kwargs.get("dtype"), name="conv_lstm_cell",
        )  # fmt: skip
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state,
            go_backwards=go_backwards, stateful=stateful,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shape of the outputs, and of the last states if they are returned."""
        batch = sequences_shape[0]
        size = self.cell.shape_of_states((batch, *sequences_shape[2:]))
        shape = (batch, sequences_shape[1], *size) if self.return_sequences else (batch, *size)
        return (shape, (batch, *size), (batch, *size)) if self.return_state else shape

    def get_config(self) -> dict[str, Any]:
        own = self.cell.get_config()
        config = super().get_config()
        for key in ("name", "trainable", "dtype"):
            del own[key]
        del config["cell"]
        config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**config, **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return Layer.from_config.__func__(cls, config)


def _of_cell(name: str) -> property:
    return property(lambda self: getattr(self.cell, name), doc=f"The cell's `{name}`.")


for _name in (
    "activation", "bias_constraint", "bias_initializer", "bias_regularizer", "data_format",
    "dilation_rate", "dropout", "filters", "kernel_constraint", "kernel_initializer",
    "kernel_regularizer", "kernel_size", "padding", "recurrent_activation",
    "recurrent_constraint", "recurrent_dropout", "recurrent_initializer", "recurrent_regularizer",
    "strides", "unit_forget_bias", "use_bias",
):  # fmt: skip
    setattr(_ConvLSTM, _name, _of_cell(_name))


@builtin("keras.layers")
class ConvLSTM1D(_ConvLSTM):
    """Convolutional LSTM over `(batch, time, steps, channels)`; see `ConvLSTM2D`."""


@builtin("keras.layers")
class ConvLSTM2D(_ConvLSTM):
    """Convolutional LSTM over `(batch, time, rows, columns, channels)` (Shi et al. 2015).

    Args:
        filters: Channels of the output.
        kernel_size: Of both convolutions.
        strides, padding, data_format, dilation_rate: Of the input's convolution.
        activation, recurrent_activation: Of candidate and output, and of the gates.
        use_bias: Whether there is a bias.
        unit_forget_bias: Whether that of the forget gate starts at 1.
        kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
        recurrent_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
        recurrent_constraint, bias_constraint: See their modules.
        dropout, recurrent_dropout: Rates of dropout of inputs and states.
        seed: Of dropout.
        return_sequences, return_state, go_backwards, stateful: See `RNN`.

    Source: https://keras.io/api/layers/recurrent_layers/conv_lstm2d/
    """

    rank = 2


@builtin("keras.layers")
class ConvLSTM3D(_ConvLSTM):
    """Convolutional LSTM over volumes; see `ConvLSTM2D`."""

    rank = 3
