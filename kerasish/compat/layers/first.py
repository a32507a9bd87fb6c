"""Layers that only Keras 1 had."""

from __future__ import annotations

from typing import Any

from ... import activations, backend, constraints, initializers, layers, ops, regularizers
from ...serialization import builtin, serialize_keras_object

__all__ = [
    "Highway",
    "MaxoutDense",
    "ParametricSoftplus",
    "SReLU",
    "TimeDistributedDense",
    "time_distributed_dense",
]


class _Weighted(layers.Layer):
    """A layer with a kernel and a bias, in today's arguments."""

    def __init__(
        self, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, use_bias: bool = True,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _kernel(self, shape: Any, name: str = "kernel") -> Any:
        return self.add_weight(
            shape, initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name=name,
        )  # fmt: skip

    def _bias(self, shape: Any, initializer: Any = None, name: str = "bias") -> Any:
        if not self.use_bias:
            return 0.0
        return self.add_weight(
            shape, initializer=initializer or self.bias_initializer, name=name,
            regularizer=self.bias_regularizer, constraint=self.bias_constraint,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        parts = (
            "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
            "kernel_constraint", "bias_constraint",
        )  # fmt: skip
        found = {name: serialize_keras_object(getattr(self, name)) for name in parts}
        return {**super().get_config(), "use_bias": self.use_bias, **found}


@builtin("keras.layers")
class MaxoutDense(_Weighted):
    """The largest of several dense layers: `max_k (x @ W_k + b_k)`.

    Args:
        units: Size of the output.
        nb_feature: How many dense layers.
        **kwargs: Initializers, regularizers and constraints, as of `Dense`.

    Source: Goodfellow et al., Maxout networks (2013), equation 1.
    """

    def __init__(self, units: int, nb_feature: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.nb_feature = int(units), int(nb_feature)

    def build(self, input_shape: Any) -> None:
        self.kernel = self._kernel((self.nb_feature, input_shape[-1], self.units))
        self.bias = self._bias((self.nb_feature, self.units))

    def call(self, inputs: Any) -> Any:
        return ops.max(ops.einsum("bi,kio->bko", inputs, self.kernel) + self.bias, axis=1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "nb_feature": self.nb_feature}


@builtin("keras.layers")
class Highway(_Weighted):
    """A dense layer that lets a part of its input pass: `t * f(x @ W + b) + (1 - t) * x` with
    `t = sigmoid(x @ W_carry + b_carry)`; `b_carry` begins at -2, so that most passes.

    Args:
        activation: The f.
        **kwargs: Initializers, regularizers and constraints, as of `Dense`.

    Source: Srivastava et al., Highway networks (2015), equation 3.
    """

    def __init__(self, activation: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        self.kernel = self._kernel((size, size))
        self.carry_kernel = self._kernel((size, size), "carry_kernel")
        self.bias = self._bias((size,))
        self.carry_bias = self._bias((size,), initializers.Constant(-2.0), "carry_bias")

    def call(self, inputs: Any) -> Any:
        gate = ops.sigmoid(ops.matmul(inputs, self.carry_kernel) + self.carry_bias)
        changed = self.activation(ops.matmul(inputs, self.kernel) + self.bias)
        return gate * changed + (1 - gate) * inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        activation = activations.serialize(self.activation)
        return {**super().get_config(), "activation": activation}


@builtin("keras.layers")
class TimeDistributedDense(layers.Dense):
    """`Dense`, which acts on the last axis of sequences anyway."""


def time_distributed_dense(
    x: Any, w: Any, b: Any = None, dropout: Any = None, input_dim: Any = None,
    output_dim: Any = None, timesteps: Any = None,
) -> Any:  # fmt: skip
    """`x @ w + b` for each step of sequences; sizes are accepted as in Keras 1.

    Args:
        x: `(samples, steps, features)`.
        w, b: Kernel, and bias or None.
        dropout: The share of features to drop in training, the same in all steps.
    """
    if dropout is not None and 0 < dropout < 1:
        kept = backend.dropout(ops.ones_like(x[:, :1]), dropout)
        x = backend.in_train_phase(x * kept, x)
    x = ops.matmul(x, w)
    return x if b is None else x + b


class _PerElement(layers.Layer):
    """An activation with parameters for each element of a sample.

    Args:
        shared_axes: Axes along which parameters are shared.
    """

    def __init__(self, shared_axes: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def _parameter(self, input_shape: Any, name: str, initializer: Any) -> Any:
        shared = self.shared_axes or []
        shape = [1 if i in shared else n for i, n in enumerate(input_shape)][1:]
        return self.add_weight(shape, initializer=initializers.get(initializer), name=name)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shared_axes": self.shared_axes}


@builtin("keras.layers")
class ParametricSoftplus(_PerElement):
    """`alpha * log(1 + exp(beta * x))`, both learned.

    Args:
        alpha_init, beta_init: Where they begin.
        shared_axes: Axes along which parameters are shared.
        weights: Both, instead.
    """

    def __init__(
        self, alpha_init: float = 0.2, beta_init: float = 5.0, shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(shared_axes, **kwargs)
        self.alpha_init, self.beta_init = float(alpha_init), float(beta_init)

    def build(self, input_shape: Any) -> None:
        constant = initializers.Constant
        self.alpha = self._parameter(input_shape, "alpha", constant(self.alpha_init))
        self.beta = self._parameter(input_shape, "beta", constant(self.beta_init))

    def call(self, inputs: Any) -> Any:
        return self.alpha * ops.softplus(self.beta * inputs)

    def get_config(self) -> dict[str, Any]:
        own = {"alpha_init": self.alpha_init, "beta_init": self.beta_init}
        return {**super().get_config(), **own}


@builtin("keras.layers")
class SReLU(_PerElement):
    """Linear in the middle, with learned slopes outside of learned bounds.

    `t_r + a_r (x - t_r)` above t_r, `t_l + a_l (x - t_l)` below t_l, x between, with
    `t_r = t_l + |t|`.

    Args:
        t_left_init, a_left_init, t_right_init, a_right_init: Initializers.
        shared_axes: Axes along which parameters are shared.

    Source: Jin et al., Deep learning with S-shaped rectified linear activation units (2015).
    """

    def __init__(
        self, t_left_init: Any = "zeros", a_left_init: Any = "glorot_uniform",
        t_right_init: Any = "glorot_uniform", a_right_init: Any = "ones",
        shared_axes: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(shared_axes, **kwargs)
        self.inits = {
            "t_left": t_left_init, "a_left": a_left_init, "t_right": t_right_init,
            "a_right": a_right_init,
        }  # fmt: skip

    def build(self, input_shape: Any) -> None:
        for name, initializer in self.inits.items():
            setattr(self, name, self._parameter(input_shape, name, initializer))

    def call(self, inputs: Any) -> Any:
        left, right = self.t_left, self.t_left + ops.abs(self.t_right)
        below = left + self.a_left * (inputs - left)
        above = right + self.a_right * (inputs - right)
        middle = ops.where(inputs < left, below, inputs)
        return ops.where(inputs > right, above, middle)

    def get_config(self) -> dict[str, Any]:
        own = {f"{name}_init": value for name, value in self.inits.items()}
        return {**super().get_config(), **own}
