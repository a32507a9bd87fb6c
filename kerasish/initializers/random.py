"""Random initializers. One with a seed gives the same values each time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import kerasish_core as core

from .. import random
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..settings import floatx
from .base import Initializer

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "compute_fans",
]

# The standard deviation of the standard normal distribution cut off at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """Keeps the seed.

    Args:
        seed: An int; a `SeedGenerator`, for other values at each call; or None for a seed drawn
            from Python's generator when the initializer is made.

    Raises:
        ValueError: The seed is none of these.
    """

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if seed is None:
            seed = random.make_default_seed()
        elif isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if not isinstance(seed, int | np.integer | random.SeedGenerator):
            raise ValueError(
                "`seed` argument should be an instance of `keras.random.SeedGenerator()` or an "
                f"integer. Received: seed={seed}"
            )
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"seed": serialize_keras_object(self._init_seed)}


@builtin("keras.initializers")
class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: Of the distribution.
        stddev: Of the distribution.
        seed: See `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@builtin("keras.initializers")
class TruncatedNormal(RandomInitializer):
    """Normal distribution, cut off at two standard deviations.

    Args:
        mean: Of the distribution before that.
        stddev: Of the distribution before that.
        seed: See `RandomInitializer`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@builtin("keras.initializers")
class RandomUniform(RandomInitializer):
    """Uniform distribution over `[minval, maxval)`.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: See `RandomInitializer`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """The number of inputs of an output of a weight, and of outputs of an input.

    Without axes, the last two are inputs and outputs, and all before them are the extent of a
    kernel, which multiplies both.

    Args:
        shape: Of the weight.
        input_axes: Axes of the inputs; only together with the other.
        output_axes: Axes of the outputs.
    """
    shape = tuple(int(n) for n in shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[i] for i in input_axes), math.prod(shape[i] for i in output_axes)
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    extent = math.prod(shape[:-2])
    return shape[-2] * extent, shape[-1] * extent


@builtin("keras.initializers")
class VarianceScaling(RandomInitializer):
    """A distribution of mean 0 and variance `scale / n`, n counting inputs or outputs.

    Args:
        scale: Positive factor.
        mode: What n counts: `"fan_in"`, `"fan_out"` or `"fan_avg"`, the mean of both.
        distribution: `"truncated_normal"` (or `"normal"`), `"untruncated_normal"` or `"uniform"`.
        seed: See `RandomInitializer`.
        input_axes: See `compute_fans`.
        output_axes: See `compute_fans`.

    Raises:
        ValueError: An argument is out of its domain.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        modes = ("fan_in", "fan_out", "fan_avg")
        if mode not in modes:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of {modes}")
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        known = ("uniform", "truncated_normal", "untruncated_normal")
        if distribution not in known:
            raise ValueError(
                f"Invalid `distribution` argument: {distribution}. Please use one of {known}"
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, count)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
        return random.truncated_normal(shape, 0.0, stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Scaled(VarianceScaling):
    """`VarianceScaling` with everything but seed and axes settled by the class."""

    settled: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self.settled, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        config = super().get_config()
        return {k: config[k] for k in ("seed", "input_axes", "output_axes")}


@builtin("keras.initializers")
class GlorotUniform(_Scaled):
    """Uniform within `sqrt(6 / (fan_in + fan_out))` of 0.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, eq. 16.
    """

    settled = 1.0, "fan_avg", "uniform"


@builtin("keras.initializers")
class GlorotNormal(_Scaled):
    """Truncated normal of variance `2 / (fan_in + fan_out)`.

    Source: Glorot and Bengio, AISTATS 2010, eq. 12.
    """

    settled = 1.0, "fan_avg", "truncated_normal"


@builtin("keras.initializers")
class HeUniform(_Scaled):
    """Uniform within `sqrt(6 / fan_in)` of 0.

    Source: He et al., "Delving deep into rectifiers", ICCV 2015.
    """

    settled = 2.0, "fan_in", "uniform"


@builtin("keras.initializers")
class HeNormal(_Scaled):
    """Truncated normal of variance `2 / fan_in`.

    Source: He et al., "Delving deep into rectifiers", ICCV 2015, eq. 10.
    """

    settled = 2.0, "fan_in", "truncated_normal"


@builtin("keras.initializers")
class LecunUniform(_Scaled):
    """Uniform within `sqrt(3 / fan_in)` of 0.

    Source: LeCun et al., "Efficient BackProp", 1998, section 4.6.
    """

    settled = 1.0, "fan_in", "uniform"


@builtin("keras.initializers")
class LecunNormal(_Scaled):
    """Truncated normal of variance `1 / fan_in`.

    Source: LeCun et al., "Efficient BackProp", 1998, section 4.6.
    """

    settled = 1.0, "fan_in", "truncated_normal"


@builtin("keras.initializers")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix times `gain`.

    All axes but the last are merged into rows; of the shorter side, the vectors are orthonormal.

    Args:
        gain: Factor.
        seed: See `RandomInitializer`.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks", ICLR 2014.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = tuple(shape)
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. Received: "
                f"shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = max(rows, columns), min(rows, columns)
        # In float64: orthogonality then holds to the precision of the wanted dtype.
        q, r = np.linalg.qr(np.asarray(random.normal(size, dtype="float64", seed=self.seed)))
        # With positive diagonals of r, q is uniform over the orthogonal matrices.
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        q = q.T if rows < columns else q
        values = np.ascontiguousarray(self.gain * q.reshape(shape))
        return core.convert(values, floatx() if dtype is None else dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "gain": self.gain}
