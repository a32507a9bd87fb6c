"""What tf.keras had under `experimental`, where it has become of age or gone."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import activations, initializers, layers, models, ops
from ..serialization import builtin
from . import gone

__all__ = [
    "LinearModel", "RandomFourierFeatures", "SyncBatchNormalization", "WideDeepModel",
    "disable_tf_random_generator", "enable_tf_random_generator", "is_tf_random_generator_enabled",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in gone.WHY:
        return getattr(gone, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def enable_tf_random_generator() -> None:
    """Without effect: all draws come from seeded generators."""


disable_tf_random_generator = enable_tf_random_generator


def is_tf_random_generator_enabled() -> bool:
    """Whether draws come from seeded generators: always."""
    return True


class SyncBatchNormalization(layers.BatchNormalization):
    """`BatchNormalization`: on one device the statistics are those of the whole batch."""


@builtin("keras.experimental")
class LinearModel(models.Model):
    """A bias and a linear map of each input, added up.

    Args:
        units: Size of the output.
        activation: Applied to the sum.
        use_bias: Whether there is a bias.
        kernel_initializer, bias_initializer: First values.
        kernel_regularizer, bias_regularizer: Penalties.
    """

    def __init__(
        self, units: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "zeros", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        self._kernel = {"kernel_initializer": kernel_initializer,
                        "kernel_regularizer": kernel_regularizer}  # fmt: skip
        self._bias = {"initializer": bias_initializer, "regularizer": bias_regularizer}

    def build(self, input_shape: Any) -> None:
        several = isinstance(input_shape, dict) or isinstance(input_shape[0], list | tuple)
        shapes = input_shape.values() if isinstance(input_shape, dict) else input_shape
        self.dense_layers = [
            layers.Dense(self.units, use_bias=False, **self._kernel)
            for _ in (shapes if several else [input_shape])
        ]
        for layer, shape in zip(
            self.dense_layers, shapes if several else [input_shape], strict=True
        ):
            layer.build(shape)
        self.bias = (
            self.add_weight(shape=(self.units,), name="bias", **self._bias)
            if self.use_bias
            else None
        )

    def call(self, inputs: Any) -> Any:
        parts = list(inputs.values()) if isinstance(inputs, dict) else inputs
        parts = parts if isinstance(parts, list | tuple) else [parts]
        total = sum(layer(x) for layer, x in zip(self.dense_layers, parts, strict=True))
        return self.activation(total if self.bias is None else total + self.bias)


@builtin("keras.experimental")
class WideDeepModel(models.Model):
    """The sum of a linear model and a deep one, each with an optimizer of its own if two are given.

    Args:
        linear_model, dnn_model: The two, which get the same inputs, or one each of a pair.
        activation: Applied to the sum.
    """

    def __init__(
        self, linear_model: Any, dnn_model: Any, activation: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.linear_model, self.dnn_model = linear_model, dnn_model
        self.activation = activations.get(activation)

    def call(self, inputs: Any, training: Any = None) -> Any:
        pair = isinstance(inputs, list | tuple) and len(inputs) == 2
        wide, deep = inputs if pair else (inputs, inputs)
        total = self.linear_model(wide) + self.dnn_model(deep, training=training)
        return self.activation(total)


@builtin("keras.layers")
class RandomFourierFeatures(layers.Layer):
    """`cos(x W + b)` whose products approximate those of a kernel (Rahimi and Recht, 2007).

    Args:
        output_dim: Number of features.
        kernel_initializer: "gaussian" or "laplacian": the kernel approximated.
        scale: Width of the kernel; sqrt(inputs / 2) or 1 by default.
        trainable: Whether the width is trained.
    """

    def __init__(
        self, output_dim: int, kernel_initializer: Any = "gaussian", scale: Any = None,
        trainable: bool = False, name: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(trainable=trainable, name=name, **kwargs)
        self.output_dim, self.kernel_initializer, self.scale = output_dim, kernel_initializer, scale

    def _first_kernel(self, shape: tuple[int, int]) -> Any:
        if self.kernel_initializer == "gaussian":
            return initializers.RandomNormal(stddev=1.0)
        if self.kernel_initializer == "laplacian":
            draws = np.random.default_rng().standard_cauchy(shape)
            return lambda shape, dtype=None: ops.convert_to_tensor(draws, dtype)
        return initializers.get(self.kernel_initializer)

    def build(self, input_shape: Any) -> None:
        size = int(input_shape[-1])
        shape = (size, self.output_dim)
        scale = self.scale
        if scale is None:
            scale = (size / 2.0) ** 0.5 if self.kernel_initializer == "gaussian" else 1.0
        self.unscaled_kernel = self.add_weight(
            shape=shape, initializer=self._first_kernel(shape), trainable=False, name="kernel"
        )
        self.bias = self.add_weight(
            shape=(self.output_dim,), initializer=initializers.RandomUniform(0.0, 2 * np.pi),
            trainable=False, name="bias",
        )  # fmt: skip
        self.kernel_scale = self.add_weight(
            shape=(1,), initializer=initializers.Constant(scale), trainable=self.trainable,
            constraint="non_neg", name="kernel_scale",
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        kernel = (1.0 / self.kernel_scale) * self.unscaled_kernel
        return ops.cos(ops.matmul(inputs, kernel) + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "output_dim": self.output_dim,
            "kernel_initializer": self.kernel_initializer, "scale": self.scale,
        }  # fmt: skip
