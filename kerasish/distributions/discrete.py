"""Discrete distributions."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .. import ops, random
from .base import Distribution, full_shape, parameter, parameters
from .special import gammainc, lgamma

__all__ = ["Bernoulli", "Categorical", "OneHotCategorical", "Poisson"]


class _LogitsOrProbs(Distribution):
    """Distributions given by logits or by probabilities: the tensor that was given is kept."""

    _tensors = ("_given",)
    _static = ("_by_logits",)

    def __init__(self, logits: Any = None, probs: Any = None) -> None:
        if (logits is None) == (probs is None):
            raise ValueError(f"{type(self).__name__}: give either logits or probs, not both.")
        self._by_logits = probs is None
        self._given = parameter(logits if self._by_logits else probs)


class Bernoulli(_LogitsOrProbs):
    """1 with probability `probs`, else 0.

    Args:
        logits: `log(p / (1 - p))`.
        probs: p; one of both is given.
    """

    @property
    def logits(self) -> Any:
        """The logarithm of the odds."""
        if self._by_logits:
            return self._given
        return ops.log(self._given) - ops.log1p(-self._given)

    @property
    def probs(self) -> Any:
        """The probability of 1."""
        return ops.sigmoid(self._given) if self._by_logits else self._given

    def _sample(self, shape: Any, seed: Any) -> Any:
        probs = self.probs
        u = random.uniform(full_shape(shape, probs), dtype=self.dtype, seed=seed)
        return ops.cast(u < probs, self.dtype)

    def _log_prob(self, value: Any) -> Any:
        if self._by_logits:
            return value * self._given - ops.softplus(self._given)
        p = self._given
        return _times_log(value, p) + _times_log(1 - value, 1 - p)

    def _cdf(self, value: Any) -> Any:
        below = ops.where(value < 0, 0.0, 1 - self.probs)
        return ops.where(value >= 1, 1.0, below)

    def mean(self) -> Any:
        return self.probs

    def variance(self) -> Any:
        p = self.probs
        return p * (1 - p)

    def mode(self) -> Any:
        return ops.cast(self.probs > 0.5, self.dtype)

    def entropy(self) -> Any:
        if self._by_logits:
            return ops.softplus(self._given) - ops.sigmoid(self._given) * self._given
        p = self._given
        return -_times_log(p, p) - _times_log(1 - p, 1 - p)


class Categorical(_LogitsOrProbs):
    """An index `0 .. n - 1`.

    Args:
        logits: Unnormalized log-probabilities, shape `(..., n)`.
        probs: Probabilities, shape `(..., n)`; one of both is given.
        dtype: Of the draws.
    """

    _static = ("_by_logits", "_draws")

    def __init__(self, logits: Any = None, probs: Any = None, dtype: Any = "int32") -> None:
        super().__init__(logits, probs)
        self._draws = dtype
        if not len(self._given.shape):
            raise ValueError("Categorical: the last axis of logits or probs holds the categories.")

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        return tuple(self._given.shape[:-1])

    @property
    def num_categories(self) -> Any:
        """How many categories there are."""
        return self._given.shape[-1]

    @property
    def logits(self) -> Any:
        """Logits as given, or the logarithms of the probabilities."""
        return self._given if self._by_logits else ops.log(self._given)

    @property
    def probs(self) -> Any:
        """The probabilities."""
        if self._by_logits:
            return ops.softmax(self._given, axis=-1)
        return self._given / ops.sum(self._given, axis=-1, keepdims=True)

    def log_probs(self) -> Any:
        """The logarithms of the probabilities of all categories, shape `(..., n)`."""
        if self._by_logits:
            return ops.log_softmax(self._given, axis=-1)
        return ops.log(self.probs)

    def _indices(self, shape: tuple[int, ...], seed: Any) -> Any:
        logits = self.logits
        # The largest of logits plus Gumbel noise is a draw from the softmax (E. Gumbel, 1954).
        u = random.uniform(
            (*shape, *logits.shape), minval=1e-20, maxval=1.0, dtype=self.dtype, seed=seed
        )
        return ops.argmax(logits - ops.log(-ops.log(u)), axis=-1)

    def _sample(self, shape: Any, seed: Any) -> Any:
        return ops.cast(self._indices(shape, seed), self._draws)

    def log_prob(self, value: Any) -> Any:
        value = ops.cast(value, "int32")
        logs = self.log_probs()
        if tuple(value.shape) == tuple(logs.shape[:-1]):
            return ops.squeeze(ops.take_along_axis(logs, ops.expand_dims(value, -1), axis=-1), -1)
        return _where_positive(ops.one_hot(value, self.num_categories, dtype=self.dtype), logs)

    def cdf(self, value: Any) -> Any:
        value = ops.expand_dims(parameter(value, self.dtype), -1)
        places = ops.arange(self.num_categories, dtype=self.dtype)
        return ops.sum(ops.where(places <= value, self.probs, 0.0), axis=-1)

    def mode(self) -> Any:
        return ops.cast(ops.argmax(self._given, axis=-1), self._draws)

    def mean(self) -> Any:
        places = ops.arange(self.num_categories, dtype=self.dtype)
        return ops.sum(self.probs * places, axis=-1)

    def variance(self) -> Any:
        places = ops.arange(self.num_categories, dtype=self.dtype)
        apart = places - ops.expand_dims(self.mean(), -1)
        return ops.sum(self.probs * ops.square(apart), axis=-1)

    def entropy(self) -> Any:
        return -_where_positive(self.probs, self.log_probs())


class OneHotCategorical(Categorical):
    """A vector with a 1 in one place and 0 elsewhere.

    Args:
        logits: Unnormalized log-probabilities, shape `(..., n)`.
        probs: Probabilities, shape `(..., n)`; one of both is given.
        dtype: Of the draws; that of the parameters if None.
    """

    def __init__(self, logits: Any = None, probs: Any = None, dtype: Any = None) -> None:
        super().__init__(logits, probs)
        self._draws = dtype or self.dtype

    @property
    def event_shape(self) -> tuple[Any, ...]:
        return tuple(self._given.shape[-1:])

    def _sample(self, shape: Any, seed: Any) -> Any:
        return ops.one_hot(self._indices(shape, seed), self.num_categories, dtype=self._draws)

    def log_prob(self, value: Any) -> Any:
        return _where_positive(parameter(value, self.dtype), self.log_probs())

    def cdf(self, value: Any) -> Any:
        self._missing("cdf")

    def mode(self) -> Any:
        place = ops.argmax(self._given, axis=-1)
        return ops.one_hot(place, self.num_categories, dtype=self._draws)

    def mean(self) -> Any:
        return self.probs

    def variance(self) -> Any:
        p = self.probs
        return p * (1 - p)


class Poisson(Distribution):
    """Counts, `P(k) = rate^k exp(-rate) / k!`.

    Args:
        rate: Positive means.
        log_rate: Their logarithms; one of both is given.
    """

    _tensors = ("rate",)

    def __init__(self, rate: Any = None, log_rate: Any = None) -> None:
        if (rate is None) == (log_rate is None):
            raise ValueError("Poisson: give either rate or log_rate, not both.")
        (given,) = parameters(log_rate if rate is None else rate)
        self.rate = ops.exp(given) if rate is None else given

    def _sample(self, shape: Any, seed: Any) -> Any:
        full = full_shape(shape, self.rate)
        seed = random.draw_seed(seed)
        return core.ops.random.poisson(seed, full, self.rate, core.dtypes.as_dtype(self.dtype))

    def _log_prob(self, value: Any) -> Any:
        return _times_log(value, self.rate) - self.rate - lgamma(value + 1)

    def _cdf(self, value: Any) -> Any:
        count = ops.floor(value)
        found = 1 - gammainc(ops.maximum(count, 0.0) + 1, self.rate + ops.zeros_like(count))
        return ops.where(value < 0, 0.0, found)

    def mean(self) -> Any:
        return self.rate

    def variance(self) -> Any:
        return self.rate

    def mode(self) -> Any:
        return ops.floor(self.rate)


def _times_log(x: Any, y: Any) -> Any:
    """`x log y`, 0 where x is 0."""
    used = ops.logical_not(ops.equal(x, 0))
    return ops.where(used, x * ops.log(ops.where(used, y, 1.0)), 0.0)


def _where_positive(weights: Any, logs: Any) -> Any:
    """The sum of `weights * logs` over the last axis, without what has no weight."""
    used = ops.logical_not(ops.equal(weights, 0))
    return ops.sum(ops.where(used, weights * ops.where(used, logs, 0.0), 0.0), axis=-1)
