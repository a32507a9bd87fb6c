"""LocallyConnected1D and LocallyConnected2D: convolutions whose kernel differs at each place."""

from __future__ import annotations

from typing import Any

from ... import activations, constraints, initializers, layers, ops, regularizers
from ...layers.convolutional.base import standardize_tuple
from ...serialization import builtin
from ...settings import standardize_data_format

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]


class _LocallyConnected(layers.Layer):
    """`y[p] = patch(x, p) K[p] + b[p]` for each place p.

    Args:
        filters: Channels of the output.
        kernel_size, strides: Of the window.
        padding: "valid" only.
        implementation: Accepted as in Keras 2; there is one here.
        Others: As of the convolution layers.
    """

    rank = 1

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, implementation: int = 1, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if str(padding).lower() != "valid":
            raise ValueError(
                f"Invalid border mode for {type(self).__name__}: only 'valid' is supported. "
                f"Received: padding={padding}"
            )
        self.filters, self.use_bias, self.implementation = filters, use_bias, implementation
        self.kernel_size = standardize_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = standardize_tuple(strides, self.rank, "strides")
        self.padding, self.data_format = "valid", standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _places(self, sizes: Any) -> tuple[int, ...]:
        return tuple(
            (n - k) // s + 1 for n, k, s in zip(sizes, self.kernel_size, self.strides, strict=True)
        )

    def _sizes(self, shape: Any) -> Any:
        return shape[1:-1] if self.data_format == "channels_last" else shape[2:]

    def build(self, input_shape: Any) -> None:
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        sizes = self._sizes(input_shape)
        if None in (*sizes, channels):
            raise ValueError(
                f"{type(self).__name__} has a kernel for each place, so all sizes of its input "
                f"must be known. Received: input_shape={input_shape}"
            )
        self._output_sizes = self._places(sizes)
        count, window = 1, channels
        for n, k in zip(self._output_sizes, self.kernel_size, strict=True):
            count, window = count * n, window * k
        self.kernel = self.add_weight(
            shape=(count, window, self.filters), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(*self._output_sizes, self.filters), initializer=self.bias_initializer,
                regularizer=self.bias_regularizer, constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        x = ops.moveaxis(inputs, 1, -1) if first else inputs
        x = x if self.rank == 2 else ops.expand_dims(x, 1)
        window = self.kernel_size if self.rank == 2 else (1, *self.kernel_size)
        steps = self.strides if self.rank == 2 else (1, *self.strides)
        patches = ops.image.extract_patches(x, window, steps, data_format="channels_last")
        flat = ops.reshape(patches, (x.shape[0], -1, patches.shape[-1]))
        y = ops.einsum("bpk,pkf->bpf", flat, self.kernel)
        y = ops.reshape(y, (x.shape[0], *self._output_sizes, self.filters))
        if self.bias is not None:
            y = y + self.bias
        return self.activation(ops.moveaxis(y, -1, 1) if first else y)

    def compute_output_shape(self, input_shape: Any) -> Any:
        places = self._places(self._sizes(input_shape))
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *places)
        return (input_shape[0], *places, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size,
            "strides": self.strides, "padding": self.padding, "data_format": self.data_format,
            "activation": activations.serialize(self.activation), "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "implementation": self.implementation,
        }  # fmt: skip


@builtin("keras.layers")
class LocallyConnected1D(_LocallyConnected):
    __doc__ = f"Over time: `(batch, steps, channels)`. {_LocallyConnected.__doc__}"


@builtin("keras.layers")
class LocallyConnected2D(_LocallyConnected):
    __doc__ = f"Over images. {_LocallyConnected.__doc__}"
    rank = 2
