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

    With `renorm`, what is normalized in training becomes `x * r + d`, where `r = std / renorm_std`
    and `d = (mean - renorm_mean) / renorm_std` undo what the batch differs from averages of its
    own momentum, `renorm_momentum`; no gradient flows through them.

    Args:
        renorm_clipping: `{"rmin", "rmax", "dmax"}`, each optional: limits of `r` and of `|d|`.

    Source: S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015; S. Ioffe, "Batch
    renormalization", NeurIPS 2017, algorithm 1.
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
        if synchronized:
            raise ValueError(
                "BatchNormalization: synchronized=True needs several devices, which are not "
                "supported. Leave it out: the statistics of one device are those of the batch."
            )
        if renorm:
            renorm_clipping = _checked_clipping(renorm_clipping or {})
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
        self.moving_mean = self._average(size, "moving_mean", self.moving_mean_initializer)
        variance = self.moving_variance_initializer
        self.moving_variance = self._average(size, "moving_variance", variance)
        if self.renorm:

            def deviation(shape: Any, dtype: Any = None) -> Any:
                return ops.sqrt(variance(shape, dtype=dtype))

            # Inference keeps to an average of the deviation too, as in the paper.
            self.moving_stddev = self._average(size, "moving_stddev", deviation)
            self.renorm_mean = self._average(size, "renorm_mean", self.moving_mean_initializer)
            self.renorm_stddev = self._average(size, "renorm_stddev", deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})
        self.built = True

    def _average(self, size: int, name: str, initializer: Any) -> Any:
        return self.add_weight((size,), initializer, trainable=False, autocast=False, name=name)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                "BatchNormalization: the mask must have one axis less than the inputs. Received: "
                f"mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}."
            )
        half = ops.dtype(inputs) in ("float16", "bfloat16")
        x = ops.cast(inputs, "float32") if half else inputs
        beta, gamma = (None if v is None else v.value for v in (self.beta, self.gamma))
        if training and self.trainable:
            mean, variance = self._moments(x, mask)
            if self.renorm:
                beta, gamma = self._corrected(mean, variance, beta, gamma)
                self._follow_deviation(mean, variance)
            else:
                _follow(self.moving_mean, mean, self.momentum)
                _follow(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        y = ops.batch_normalization(x, mean, variance, self.axis, beta, gamma, self.epsilon)
        return ops.cast(y, inputs.dtype)

    def _corrected(self, mean: Any, variance: Any, beta: Any, gamma: Any) -> tuple[Any, Any]:
        """Offset and scale of `(x * r + d) * gamma + beta`."""
        usual = ops.maximum(self.renorm_stddev.value, self.epsilon**0.5)
        r = ops.stop_gradient(ops.sqrt(variance + self.epsilon) / usual)
        d = ops.stop_gradient((mean - self.renorm_mean.value) / usual)
        limits = self.renorm_clipping
        if limits.get("rmin") is not None:
            r = ops.maximum(r, limits["rmin"])
        if limits.get("rmax") is not None:
            r = ops.minimum(r, limits["rmax"])
        if limits.get("dmax") is not None:
            d = ops.clip(d, -limits["dmax"], limits["dmax"])
        if gamma is not None:
            r, d = r * gamma, d * gamma
        return (d if beta is None else d + beta), r

    def _follow_deviation(self, mean: Any, variance: Any) -> None:
        deviation = ops.sqrt(variance + self.epsilon)
        _follow(self.renorm_mean, mean, self.renorm_momentum)
        _follow(self.renorm_stddev, deviation, self.renorm_momentum)
        _follow(self.moving_mean, mean, self.momentum)
        after = _follow(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(ops.relu(after * after - self.epsilon))

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


def _follow(average: Any, value: Any, momentum: float) -> Any:
    """Move a running average towards a value; returns it."""
    after = average * momentum + value * (1.0 - momentum)
    average.assign(after)
    return after


def _checked_clipping(limits: Any) -> Any:
    unknown = set(limits) - {"rmin", "rmax", "dmax"}
    if unknown:
        raise ValueError(
            f"BatchNormalization: renorm_clipping has the unknown keys {sorted(unknown)}; known "
            "are 'rmin', 'rmax' and 'dmax'."
        )
    low, high, far = (limits.get(key) for key in ("rmin", "rmax", "dmax"))
    if low is not None and high is not None and high < low:
        raise ValueError(f"BatchNormalization: rmax={high} must not be less than rmin={low}.")
    if far is not None and far < 0:
        raise ValueError(f"BatchNormalization: dmax={far} must not be negative.")
    return limits


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
        self.axis = list(axis) if isinstance(axis, list | tuple) else axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        # In order, as Keras writes them once the layer is built.
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        self.scale = self.add_weight(tuple(input_shape[a] for a in self.axis), "ones", name="scale")
        self.built = True

    def call(self, x: Any) -> Any:
        rank = len(x.shape)
        axes = [a % rank for a in self.axis]
        scale = self.scale
        if axes != list(range(rank - len(axes), rank)):
            scale = ops.reshape(scale, [n if a in axes else 1 for a, n in enumerate(x.shape)])
        return ops.rms_normalization(x, scale, tuple(axes), self.epsilon)

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
