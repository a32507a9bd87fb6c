"""Layers that act in training only, and penalties."""

from __future__ import annotations

from typing import Any

from ... import ops, random, regularizers
from ...config import standardize_data_format
from ...serialization import builtin
from ..base import Layer
from ..input_spec import InputSpec

__all__ = ["ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
           "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]  # fmt: skip


class _Random(Layer):
    """Draws with a generator of its own, unless `strength` is 0 and nothing is ever drawn."""

    def __init__(
        self, strength: float, seed: Any = None, name: Any = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.seed = seed
        if strength > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def _rate(rate: Any) -> float:
    if not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
            f"Received: rate={rate}"
        )
    return float(rate) if isinstance(rate, float) else rate


@builtin("keras.layers")
class Dropout(_Random):
    """In training, elements are 0 with probability `rate`, others scaled by `1 / (1 - rate)`.

    Args:
        rate: Between 0 and 1.
        noise_shape: Shape of the mask; 1 shares it along an axis, None means the input's size.
        seed: An int, or None.

    Source: N. Srivastava et al., JMLR 15 (2014).
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(_rate(rate), seed, **kwargs)
        self.rate = _rate(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training and self.rate > 0:
            return random.dropout(inputs, self.rate, self.noise_shape, self.seed_generator)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    rank = 1

    def __init__(self, rate: float, seed: Any = None, name: Any = None, dtype: Any = None) -> None:
        super().__init__(rate, None, seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _shape(self, shape: Any) -> Any:
        return (shape[0], *(1,) * (len(shape) - 2), shape[-1])

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training and self.rate > 0:
            return random.dropout(inputs, self.rate, self._shape(inputs.shape), self.seed_generator)
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        policy = self.dtype_policy
        if policy.name == policy.variable_dtype:  # a plain one, which Keras writes by its name
            config["dtype"] = policy.name
        return {k: config[k] for k in ("rate", "seed", "name", "dtype")}


@builtin("keras.layers")
class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole features over time (Tompson et al. 2015)."""


class _SpatialDropoutND(_SpatialDropout):
    def __init__(self, rate: float, data_format: Any = None, seed: Any = None, name: Any = None,
                 dtype: Any = None) -> None:  # fmt: skip
        super().__init__(rate, seed, name, dtype)
        self.data_format = standardize_data_format(data_format)

    def _shape(self, shape: Any) -> Any:
        if self.data_format == "channels_first":
            return (*shape[:2], *(1,) * (len(shape) - 2))
        return super()._shape(shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@builtin("keras.layers")
class SpatialDropout2D(_SpatialDropoutND):
    """Dropout of whole channels of images."""

    rank = 2


@builtin("keras.layers")
class SpatialDropout3D(_SpatialDropoutND):
    """Dropout of whole channels of volumes."""

    rank = 3


@builtin("keras.layers")
class GaussianNoise(_Random):
    """Adds normal noise in training."""

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        if not 0 <= stddev <= 1:
            raise ValueError(
                f"Invalid value received for argument `stddev`. Expected a float value between 0 "
                f"and 1. Received: stddev={stddev}"
            )
        super().__init__(stddev, seed, **kwargs)
        self.stddev = stddev

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training and self.stddev > 0:
            return inputs + random.normal(
                inputs.shape, 0.0, self.stddev, self.compute_dtype, self.seed_generator
            )
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


@builtin("keras.layers")
class GaussianDropout(_Random):
    """Multiplies by normal noise of mean 1 and variance `rate / (1 - rate)` in training."""

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(_rate(rate), seed, **kwargs)
        self.rate = _rate(rate)

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training and self.rate > 0:
            spread = (self.rate / (1.0 - self.rate)) ** 0.5
            return inputs * random.normal(
                inputs.shape, 1.0, spread, self.compute_dtype, self.seed_generator
            )
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


@builtin("keras.layers")
class AlphaDropout(_Random):
    """Dropout that keeps mean and variance of self-normalizing networks (Klambauer et al. 2017)."""

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(_rate(rate), seed, **kwargs)
        self.rate, self.noise_shape = _rate(rate), noise_shape

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or self.rate <= 0:
            return inputs
        low = -1.7580993408473766
        shape = inputs.shape
        if self.noise_shape is not None:  # None stands for the size of the input
            pairs = zip(self.noise_shape, shape, strict=True)
            shape = tuple(n if wanted is None else wanted for wanted, n in pairs)
        kept = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        a = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        return a * ops.where(kept, inputs, low) - a * low * self.rate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


@builtin("keras.layers")
class ActivityRegularization(Layer):
    """Adds `l1 * sum(|x|) + l2 * sum(x**2)` to the losses."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
