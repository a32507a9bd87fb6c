"""The functions of `keras.random`. `seed` is None, an int, or a `SeedGenerator`."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..config import floatx
from .seed_generator import draw_seed

__all__ = [
    "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip

_random = core.ops.random


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normal distribution."""
    return _random.normal(draw_seed(seed), shape, mean, stddev, dtype or floatx())


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Uniform distribution in `[minval, maxval)`; of integers if the dtype is one."""
    dtype = core.dtypes.as_dtype(dtype or floatx())
    if core.dtypes.is_integer(dtype):
        raise ValueError(
            "`keras.random.uniform` requires a floating point dtype. "
            f"Received: dtype={dtype.name}. Use randint for integers."
        )
    return _random.uniform(draw_seed(seed), shape, minval, maxval, dtype)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal distribution within two standard deviations."""
    return _random.truncated_normal(draw_seed(seed), shape, mean, stddev, dtype or floatx())


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Uniform integers in `[minval, maxval)`."""
    return _random.randint(draw_seed(seed), shape, minval, maxval, dtype)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Classes drawn by `logits` of shape `(batch, classes)`."""
    return _random.categorical(draw_seed(seed), logits, num_samples, dtype)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Gamma distribution of shape `alpha` and scale 1."""
    return _random.gamma(draw_seed(seed), shape, alpha, dtype or floatx())


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Beta distribution."""
    return _random.beta(draw_seed(seed), shape, alpha, beta, dtype or floatx())


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Binomial distribution."""
    return _random.binomial(draw_seed(seed), shape, counts, probabilities, dtype or floatx())


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """The slices along an axis in random order."""
    return _random.shuffle(draw_seed(seed), x, axis)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Elements set to 0 with probability `rate`, the others scaled by `1 / (1 - rate)`.

    Source: N. Srivastava et al., "Dropout", JMLR 15 (2014).
    """
    ops = core.ops
    x = core.convert(inputs)
    shape = x.shape if noise_shape is None else tuple(
        n if s is None else s for n, s in zip(x.shape, noise_shape, strict=True)
    )
    keep = 1.0 - float(rate)
    kept = ops.less(_random.uniform(draw_seed(seed), shape, dtype="float32"), keep)
    return ops.where(kept, x / keep if keep else x, 0)
