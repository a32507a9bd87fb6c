"""Random initializers. An initializer with a seed gives the same values each time."""

from __future__ import annotations

import math
from typing import Any

import kerasish_core as core
import numpy as np

from .. import random
from ..config import floatx
from ..random.seed_generator import make_default_seed
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .base import Initializer

__all__ = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "Orthogonal", "RandomInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "VarianceScaling",
]  # fmt: skip


class RandomInitializer(Initializer):
    """Keeps the seed: an int, a `SeedGenerator`, or None for one drawn at creation."""

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if not isinstance(seed, int | np.integer | random.SeedGenerator):
            raise ValueError(
                "`seed` argument should be an instance of `SeedGenerator` or an integer. "
                f"Received: seed={seed!r}"
            )
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": serialize_keras_object(self._init_seed)}


@builtin("keras.initializers")
class RandomNormal(RandomInitializer):
    """Normal distribution."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@builtin("keras.initializers")
class TruncatedNormal(RandomNormal):
    """Normal distribution within two standard deviations."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


@builtin("keras.initializers")
class RandomUniform(RandomInitializer):
    """Uniform distribution in `[minval, maxval)`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


def compute_fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Number of inputs and outputs of a weight: `(size, size)` of kernels times channels."""
    shape = tuple(shape)
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return int(size), int(size)
    field = math.prod(shape[:-2])
    return int(shape[-2] * field), int(shape[-1] * field)


@builtin("keras.initializers")
class VarianceScaling(RandomInitializer):
    """Variance `scale / n`, n being the number of inputs, outputs, or their mean.

    Args:
        scale: Positive factor.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: See `RandomInitializer`.
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
        seed: Any = None,
    ) -> None:  # fmt: skip
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
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        fan_in, fan_out = compute_fans(shape)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        scale = self.scale / max(1.0, count)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * scale)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(scale), dtype, self.seed)
        # The standard deviation of a normal variable cut at two of its own.
        deviation = math.sqrt(scale) / 0.87962566103423978
        return random.truncated_normal(shape, 0.0, deviation, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale, "mode": self.mode, "distribution": self.distribution,
            **super().get_config(),
        }  # fmt: skip


def _scaled(name: str, scale: float, mode: str, distribution: str, doc: str) -> Any:
    def __init__(self: Any, seed: Any = None) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    def get_config(self: Any) -> dict[str, Any]:
        return RandomInitializer.get_config(self)

    body = {"__init__": __init__, "get_config": get_config, "__doc__": doc, "__module__": __name__}
    return builtin("keras.initializers")(type(name, (VarianceScaling,), body))


GlorotUniform = _scaled(
    "GlorotUniform", 1.0, "fan_avg", "uniform",
    "Uniform within `sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010).",
)  # fmt: skip
GlorotNormal = _scaled(
    "GlorotNormal", 1.0, "fan_avg", "truncated_normal",
    "Truncated normal of variance `2 / (fan_in + fan_out)` (Glorot and Bengio 2010).",
)  # fmt: skip
HeUniform = _scaled(
    "HeUniform", 2.0, "fan_in", "uniform", "Uniform within `sqrt(6 / fan_in)` (He et al. 2015)."
)
HeNormal = _scaled(
    "HeNormal", 2.0, "fan_in", "truncated_normal",
    "Truncated normal of variance `2 / fan_in` (He et al. 2015).",
)  # fmt: skip
LecunUniform = _scaled(
    "LecunUniform", 1.0, "fan_in", "uniform", "Uniform within `sqrt(3 / fan_in)` (LeCun 1998)."
)
LecunNormal = _scaled(
    "LecunNormal", 1.0, "fan_in", "truncated_normal",
    "Truncated normal of variance `1 / fan_in` (LeCun 1998).",
)  # fmt: skip


@builtin("keras.initializers")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix times `gain` (Saxe et al. 2013); leading axes are merged."""

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. Received: "
                f"shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(np.asarray(random.normal(size, dtype="float64", seed=self.seed)))
        # With positive diagonals of r, q is uniform over the orthogonal matrices.
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        q = q.T if rows < columns else q
        values = np.ascontiguousarray(self.gain * q.reshape(shape))
        return core.convert(values, dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, **super().get_config()}
