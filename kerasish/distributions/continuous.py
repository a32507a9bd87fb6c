"""Continuous distributions of one number, and the normal one of a vector."""

from __future__ import annotations

import math
from typing import Any

from .. import ops, random
from .base import Distribution, full_shape, parameters
from .special import betainc, digamma, gammainc, lgamma

__all__ = ["Beta", "Gamma", "Logistic", "MultivariateNormalDiag", "Normal", "Uniform"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Normal(Distribution):
    """The normal distribution, `log p(x) = -((x - loc) / scale)^2 / 2 - log(scale sqrt(2 pi))`.

    Args:
        loc: Means.
        scale: Standard deviations, positive; both broadcast.
    """

    _tensors = ("loc", "scale")
    reparameterized = True

    def __init__(self, loc: Any, scale: Any) -> None:
        self.loc, self.scale = parameters(loc, scale)

    def _sample(self, shape: Any, seed: Any) -> Any:
        noise = random.normal(full_shape(shape, self.loc, self.scale), dtype=self.dtype, seed=seed)
        return self.loc + self.scale * noise

    def _z(self, value: Any) -> Any:
        return (value - self.loc) / self.scale

    def _log_prob(self, value: Any) -> Any:
        return -0.5 * ops.square(self._z(value)) - ops.log(self.scale) - _HALF_LOG_2PI

    def _cdf(self, value: Any) -> Any:
        return 0.5 * ops.erfc(-self._z(value) / math.sqrt(2.0))

    def quantile(self, value: Any) -> Any:
        """The value up to which a draw lies with the given probability."""
        return self.loc + self.scale * math.sqrt(2.0) * ops.erfinv(2 * value - 1)

    def mean(self) -> Any:
        return self.loc + ops.zeros_like(self.scale)

    def variance(self) -> Any:
        return ops.square(self.scale) + ops.zeros_like(self.loc)

    def stddev(self) -> Any:
        return self.scale + ops.zeros_like(self.loc)

    def mode(self) -> Any:
        return self.mean()

    def entropy(self) -> Any:
        return ops.log(self.scale) + (_HALF_LOG_2PI + 0.5) + ops.zeros_like(self.loc)


class MultivariateNormalDiag(Distribution):
    """Vectors of independent normal components.

    Args:
        loc: Means, shape `(..., n)`.
        scale_diag: Standard deviations, shape `(..., n)`.
    """

    _tensors = ("loc", "scale_diag")
    reparameterized = True

    def __init__(self, loc: Any, scale_diag: Any = 1.0) -> None:
        self.loc, self.scale_diag = parameters(loc, scale_diag)
        if not len(super().batch_shape):
            raise ValueError("MultivariateNormalDiag: loc must be a vector or a batch of vectors.")

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        return super().batch_shape[:-1]

    @property
    def event_shape(self) -> tuple[Any, ...]:
        return super().batch_shape[-1:]

    def components(self) -> Normal:
        """The components, as a batch of normal distributions."""
        return Normal(self.loc, self.scale_diag)

    def _sample(self, shape: Any, seed: Any) -> Any:
        return self.components()._sample(shape, seed)

    def _log_prob(self, value: Any) -> Any:
        return ops.sum(self.components()._log_prob(value), axis=-1)

    def mean(self) -> Any:
        return self.components().mean()

    def variance(self) -> Any:
        return self.components().variance()

    def stddev(self) -> Any:
        return self.components().stddev()

    def mode(self) -> Any:
        return self.mean()

    def entropy(self) -> Any:
        return ops.sum(self.components().entropy(), axis=-1)


class Logistic(Distribution):
    """The logistic distribution, whose `cdf(x) = sigmoid((x - loc) / scale)`.

    Args:
        loc: Means.
        scale: Positive scales; the standard deviation is `scale pi / sqrt(3)`.
    """

    _tensors = ("loc", "scale")
    reparameterized = True

    def __init__(self, loc: Any, scale: Any) -> None:
        self.loc, self.scale = parameters(loc, scale)

    def _sample(self, shape: Any, seed: Any) -> Any:
        u = _open_uniform(full_shape(shape, self.loc, self.scale), self.dtype, seed)
        return self.loc + self.scale * (ops.log(u) - ops.log1p(-u))

    def _z(self, value: Any) -> Any:
        return (value - self.loc) / self.scale

    def _log_prob(self, value: Any) -> Any:
        z = self._z(value)
        return -z - 2 * ops.softplus(-z) - ops.log(self.scale)

    def _cdf(self, value: Any) -> Any:
        return ops.sigmoid(self._z(value))

    def quantile(self, value: Any) -> Any:
        """The value up to which a draw lies with the given probability."""
        return self.loc + self.scale * (ops.log(value) - ops.log1p(-value))

    def mean(self) -> Any:
        return self.loc + ops.zeros_like(self.scale)

    def variance(self) -> Any:
        return ops.square(self.scale) * (math.pi**2 / 3) + ops.zeros_like(self.loc)

    def mode(self) -> Any:
        return self.mean()

    def entropy(self) -> Any:
        return ops.log(self.scale) + 2 + ops.zeros_like(self.loc)


class Uniform(Distribution):
    """The uniform distribution on `[low, high)`.

    Args:
        low, high: The ends.
    """

    _tensors = ("low", "high")
    reparameterized = True

    def __init__(self, low: Any = 0.0, high: Any = 1.0) -> None:
        self.low, self.high = parameters(low, high)

    def _sample(self, shape: Any, seed: Any) -> Any:
        u = random.uniform(full_shape(shape, self.low, self.high), dtype=self.dtype, seed=seed)
        return self.low + (self.high - self.low) * u

    def _log_prob(self, value: Any) -> Any:
        inside = ops.logical_and(value >= self.low, value < self.high)
        return ops.where(inside, -ops.log(self.high - self.low), -math.inf)

    def _cdf(self, value: Any) -> Any:
        return ops.clip((value - self.low) / (self.high - self.low), 0.0, 1.0)

    def mean(self) -> Any:
        return (self.low + self.high) / 2

    def variance(self) -> Any:
        return ops.square(self.high - self.low) / 12

    def entropy(self) -> Any:
        return ops.log(self.high - self.low)


class Gamma(Distribution):
    """The gamma distribution, `p(x) = rate^c x^(c - 1) exp(-rate x) / Gamma(c)`.

    Draws carry gradients by both parameters (implicit reparameterization).

    Args:
        concentration: Positive shapes c.
        rate: Positive rates; the mean is `concentration / rate`.
    """

    _tensors = ("concentration", "rate")
    reparameterized = True

    def __init__(self, concentration: Any, rate: Any = 1.0) -> None:
        self.concentration, self.rate = parameters(concentration, rate)

    def _sample(self, shape: Any, seed: Any) -> Any:
        full = full_shape(shape, self.concentration, self.rate)
        return random.gamma(full, self.concentration, dtype=self.dtype, seed=seed) / self.rate

    def _log_prob(self, value: Any) -> Any:
        c, rate = self.concentration, self.rate
        return c * ops.log(rate) + (c - 1) * ops.log(value) - rate * value - lgamma(c)

    def _cdf(self, value: Any) -> Any:
        return gammainc(self.concentration, self.rate * value)

    def mean(self) -> Any:
        return self.concentration / self.rate

    def variance(self) -> Any:
        return self.concentration / ops.square(self.rate)

    def mode(self) -> Any:
        return ops.maximum(self.concentration - 1, 0.0) / self.rate

    def entropy(self) -> Any:
        c = self.concentration
        return c - ops.log(self.rate) + lgamma(c) + (1 - c) * digamma(c)


class Beta(Distribution):
    """The beta distribution, `p(x) = x^(a - 1) (1 - x)^(b - 1) / B(a, b)` on (0, 1).

    Args:
        concentration1: Positive a.
        concentration0: Positive b; the mean is `a / (a + b)`.
    """

    _tensors = ("concentration1", "concentration0")
    reparameterized = True

    def __init__(self, concentration1: Any, concentration0: Any) -> None:
        self.concentration1, self.concentration0 = parameters(concentration1, concentration0)

    def _sample(self, shape: Any, seed: Any) -> Any:
        full = full_shape(shape, self.concentration1, self.concentration0)
        return random.beta(
            full, self.concentration1, self.concentration0, dtype=self.dtype, seed=seed
        )

    def _log_prob(self, value: Any) -> Any:
        a, b = self.concentration1, self.concentration0
        return (a - 1) * ops.log(value) + (b - 1) * ops.log1p(-value) - _log_beta(a, b)

    def _cdf(self, value: Any) -> Any:
        return betainc(self.concentration1, self.concentration0, value)

    def mean(self) -> Any:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    def variance(self) -> Any:
        a, b = self.concentration1, self.concentration0
        return a * b / (ops.square(a + b) * (a + b + 1))

    def mode(self) -> Any:
        """`(a - 1) / (a + b - 2)`; NaN where a or b is at most 1, as there is no inner mode."""
        a, b = self.concentration1, self.concentration0
        inner = ops.logical_and(a > 1, b > 1)
        return ops.where(inner, (a - 1) / ops.where(inner, a + b - 2, 1.0), math.nan)

    def entropy(self) -> Any:
        a, b = self.concentration1, self.concentration0
        return (
            _log_beta(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b)
            + (a + b - 2) * digamma(a + b)
        )  # fmt: skip


def _log_beta(a: Any, b: Any) -> Any:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _open_uniform(shape: Any, dtype: Any, seed: Any) -> Any:
    """Uniform draws without the ends 0 and 1, at which logarithms are infinite."""
    tiny = 1e-7 if dtype != "float64" else 1e-15
    return random.uniform(shape, minval=tiny, maxval=1.0 - tiny, dtype=dtype, seed=seed)
