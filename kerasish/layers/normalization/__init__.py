"""Normalization layers."""

from __future__ import annotations

from typing import Any

from ... import constraints, initializers, ops, regularizers
from ... import older as _older
from ...serialization import builtin
from ...shard import current_shard, whole_sum
from ..base import Layer
from ..input_spec import InputSpec

__all__ = ["BatchNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


@builtin("keras.layers")
class BatchNormalization(Layer):
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta` for each channel.

    In training the moments are those of the batch, and moving averages follow them; otherwise, or
    if `trainable` is False, the moving averages are used.

    Source: S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015.
    """

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True,
        scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
        gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
        renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        if renorm:
            raise ValueError(
                "BatchNormalization(renorm=True) is not available: batch renormalization is not "
                "implemented. Use renorm=False."
            )
        self.renorm, self.renorm_clipping = renorm, renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.axis = int(axis[0] if isinstance(axis, list | tuple) else axis)
        self.momentum, self.epsilon = float(momentum), float(epsilon)
        self.center, self.scale, self.synchronized = center, scale, synchronized
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        size = input_shape[self.axis]
        if size is None:
            raise ValueError(
                f"BatchNormalization: axis {self.axis} of the input must be defined. Received: "
                f"input_shape={input_shape}"
            )
        if self.scale:
            self.gamma = self.add_weight(
                (size,), self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, autocast=False, name="gamma",
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                (size,), self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, autocast=False, name="beta",
            )  # fmt: skip
        self.moving_mean = self.add_weight(
            (size,), self.moving_mean_initializer, trainable=False, autocast=False,
            name="moving_mean",
        )  # fmt: skip
        self.moving_variance = self.add_weight(
            (size,), self.moving_variance_initializer, trainable=False, autocast=False,
            name="moving_variance",
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        half = ops.dtype(inputs) in ("float16", "bfloat16")
        x = ops.cast(inputs, "float32") if half else inputs
        if training and self.trainable:
            mean, variance = self._moments(x, mask)
            m = self.momentum
            self.moving_mean.assign(self.moving_mean * m + mean * (1.0 - m))
            self.moving_variance.assign(self.moving_variance * m + variance * (1.0 - m))
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        y = ops.batch_normalization(
            x, mean, variance, self.axis, None if self.beta is None else self.beta.value,
            None if self.gamma is None else self.gamma.value, self.epsilon,
        )  # fmt: skip
        return ops.cast(y, inputs.dtype)

    def _moments(self, x: Any, mask: Any) -> Any:
        axes = [i for i in range(len(x.shape)) if i != self.axis % len(x.shape)]
        if mask is None and current_shard() is None:
            return ops.moments(x, axes)
        # As in Keras the moments are those of the whole batch, however it is spread.
        mask = ops.ones(x.shape[:1], x.dtype) if mask is None else mask
        weight = ops.cast(mask, x.dtype)
        weight = ops.reshape(
            weight, tuple(weight.shape) + (1,) * (len(x.shape) - len(weight.shape))
        )
        full = ops.broadcast_to(weight, x.shape)
        count = ops.maximum(whole_sum(ops.sum(full, axes)), 1e-7)
        mean = whole_sum(ops.sum(x * full, axes)) / count
        view = [1] * len(x.shape)
        view[self.axis] = x.shape[self.axis]
        centred = x - ops.reshape(mean, view)
        return mean, whole_sum(ops.sum(full * ops.square(centred), axes)) / count

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
            "synchronized": self.synchronized,
        }


@builtin("keras.layers")
class LayerNormalization(Layer):
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta` over axes of each sample.

    Source: J. L. Ba et al., "Layer normalization" (2016).
    """

    def __init__(
        self, axis: Any = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
        beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
        gamma_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        # Keras no longer names it, but reads and writes it.
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, list | tuple) else axis
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = self.beta = None

    def build(self, input_shape: Any) -> None:
        # In order, as Keras writes them once the layer is built.
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        shape = tuple(input_shape[a] for a in self.axis)
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint, autocast=False, name="gamma",
            )  # fmt: skip
        if self.center and not self.rms_scaling:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer,
                constraint=self.beta_constraint, autocast=False, name="beta",
            )  # fmt: skip
        self.built = True

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        axes = [a % rank for a in (self.axis if isinstance(self.axis, list) else [self.axis])]
        view = [inputs.shape[a] if a in axes else 1 for a in range(rank)]
        last = axes == list(range(rank - len(axes), rank))  # then weights broadcast as they are

        def spread(v: Any) -> Any:
            return None if v is None else v.value if last else ops.reshape(v.value, view)

        if self.rms_scaling:  # as Keras: scaled by the deviation, not centred
            x = ops.cast(inputs, "float32") if inputs.dtype != "float64" else inputs
            y = x * ops.rsqrt(ops.var(x, tuple(axes), keepdims=True) + self.epsilon)
            gamma = spread(self.gamma)
            return ops.cast(y if gamma is None else y * gamma, inputs.dtype)
        return ops.layer_normalization(
            inputs, spread(self.gamma), spread(self.beta), tuple(axes), self.epsilon
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "rms_scaling": self.rms_scaling,
        }


@builtin("keras.layers")
class RMSNormalization(Layer):
    """`x / sqrt(mean(x**2) + epsilon) * scale` (Zhang and Sennrich 2019).

    Args:
        axis: The axis, or a list of axes, that the mean goes over and that `scale` has.
        epsilon: Keeps the denominator from 0.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape: Any) -> None:
        several = isinstance(self.axis, list | tuple)
        self.axis = sorted(self.axis) if several else [self.axis]
        shape = tuple(input_shape[axis] for axis in self.axis)
        self.scale = self.add_weight(shape, "ones", name="scale")
        self.built = True

    def call(self, inputs: Any) -> Any:
        rank, axes = len(inputs.shape), list(self.axis)
        scale = self.scale
        if [axis % rank for axis in axes] != list(range(rank - len(axes), rank)):
            view = [1] * rank
            for axis in axes:
                view[axis] = inputs.shape[axis]
            scale = ops.reshape(scale, view)
        return ops.rms_normalization(inputs, scale, axes, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


@builtin("keras.layers")
class UnitNormalization(Layer):
    """Norms of 1 along an axis."""

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


__getattr__ = _older.names(__name__)
