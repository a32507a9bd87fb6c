"""Poisson and binomial counts, each element a function of the seed, its place and its parameters.

Small means are inverted from one uniform number; others are drawn by transformed rejection, the
r-th try of element i reading the Philox block of counter i in stream r. So an element's draw
depends neither on the others nor on how the work is split.

Sources: W. Hörmann, "The transformed rejection method for generating Poisson random variables",
Insurance: Mathematics and Economics 12 (1993), PTRS; W. Hörmann, "The generation of binomial
random variates", Journal of Statistical Computation and Simulation 46 (1993), BTRS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .philox import philox_block
from .special import lgamma_positive

__all__ = ["binomial_counts", "poisson_counts"]

# From this mean on, rejection is used; below, inversion takes at most `_STEPS` steps, beyond
# which the probability is less than 1e-60.
_LARGE = 10.0
_STEPS = 120
# A try is accepted with probability above 0.7, so that all of them fail less than once in 1e33.
_TRIES = 64
# Few blocks, since each repeats late tries of a few elements, yet within the cache.
_BLOCK = 1 << 15


def _uniforms(xp: Any, seed: Any, places: Any, stream: int) -> tuple[Any, Any]:
    """Two numbers in (0, 1) for each place, of 53 bits."""
    words = philox_block(xp, seed, places, stream)
    found = []
    for high, low in (words[:2], words[2:]):
        whole = (high << xp.uint64(21)) | (low >> xp.uint64(11))
        found.append((whole.astype("float64") + 0.5) * 2.0**-53)
    return found[0], found[1]


def _invert(xp: Any, u: Any, first: Any, ratio: Callable[[int], Any]) -> Any:
    """The smallest k whose cumulated probability reaches u, where p[k] = p[k-1] * ratio(k)."""
    k, p = xp.zeros_like(u), first + xp.zeros_like(u)
    rest = u - p
    for i in range(1, _STEPS):
        p = p * ratio(i)
        # Where p vanishes beside u, only rounding is left of the rest.
        more = (rest > 0) & (p > 0) & ((p > 1e-17) | (rest > 1e-15))
        if not more.any():
            break
        k = k + more
        rest = xp.where(more, rest - p, -1)
    return k


def _reject(
    xp: Any, seed: Any, places: Any, start: Any, parameters: tuple[Any, ...],
    propose: Callable[..., Any], log_density: Callable[..., Any],
) -> Any:  # fmt: skip
    """Try until accepted.

    Args:
        start: What an element keeps if all its tries fail.
        propose: `(u, v, *parameters)` to counts, which of them are good without more ado, which
            may be, and the number whose logarithm must then not exceed the density's.
        log_density: `(counts, *parameters)`, but for a constant.
    """
    result, pending = start, xp.arange(places.size)
    for stream in range(1, _TRIES + 1):
        u, v = _uniforms(xp, seed, places[pending], stream)
        tried = [p[pending] for p in parameters]
        k, good, possible, height = propose(u - 0.5, v, *tried)
        (open_,) = xp.nonzero(possible & ~good)
        density = log_density(k[open_], *(p[open_] for p in tried))
        good[open_] = xp.log(height[open_]) <= density
        result[pending[good]] = k[good]
        pending = pending[~good]
        if not pending.size:
            break
    return result


def _poisson_small(xp: Any, u: Any, rate: Any) -> Any:
    return _invert(xp, u, xp.exp(-rate), lambda k: rate / k)


def _poisson_large(xp: Any, seed: Any, places: Any, rate: Any) -> Any:
    def propose(u: Any, v: Any, rate: Any) -> Any:
        b = 0.931 + 2.53 * xp.sqrt(rate)
        a = -0.059 + 0.02483 * b
        scale = 1.1239 + 1.1328 / (b - 3.4)
        inner = 0.5 - xp.abs(u)
        k = xp.floor((2 * a / inner + b) * u + rate + 0.43)
        sure = (inner >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
        possible = (k >= 0) & ((inner >= 0.013) | (v <= inner))
        return k, sure, possible, v * scale / (a / (inner * inner) + b)

    def log_density(k: Any, rate: Any) -> Any:
        return k * xp.log(rate) - rate - lgamma_positive(xp, k + 1)

    return _reject(xp, seed, places, xp.floor(rate), (rate,), propose, log_density)


def _binomial_small(xp: Any, u: Any, n: Any, p: Any) -> Any:
    odds = p / (1 - p)
    first = xp.exp(n * xp.log1p(-p))
    return _invert(xp, u, first, lambda k: xp.maximum(n - (k - 1), 0) / k * odds)


def _binomial_large(xp: Any, seed: Any, places: Any, n: Any, p: Any) -> Any:
    def propose(u: Any, v: Any, n: Any, p: Any) -> Any:
        spread = xp.sqrt(n * p * (1 - p))
        b = 1.15 + 2.53 * spread
        a = -0.0873 + 0.0248 * b + 0.01 * p
        scale = (2.83 + 5.1 / b) * spread
        inner = 0.5 - xp.abs(u)
        k = xp.floor((2 * a / inner + b) * u + n * p + 0.5)
        possible = (k >= 0) & (k <= n)
        sure = possible & (inner >= 0.07) & (v <= 0.92 - 4.2 / b)
        return k, sure, possible, v * scale / (a / (inner * inner) + b)

    def log_density(k: Any, n: Any, p: Any) -> Any:
        mode = xp.floor((n + 1) * p)
        of_mode = lgamma_positive(xp, mode + 1) + lgamma_positive(xp, n - mode + 1)
        of_k = lgamma_positive(xp, k + 1) + lgamma_positive(xp, n - k + 1)
        return of_mode - of_k + (k - mode) * xp.log(p / (1 - p))

    return _reject(xp, seed, places, xp.floor(n * p), (n, p), propose, log_density)


def _by_size(
    xp: Any, seed: Any, parameters: tuple[Any, ...], mean: Any, small: Any, large: Any
) -> Any:
    """Counts by the way that suits each element's mean; NaN where the mean is NaN."""
    result = xp.full(mean.shape, xp.nan)
    for first in range(0, mean.size, _BLOCK):
        part = slice(first, first + _BLOCK)
        for chosen, large_ones in ((mean[part] < _LARGE, False), (mean[part] >= _LARGE, True)):
            (places,) = xp.nonzero(chosen)
            if not places.size:
                continue
            places = places + first
            values = [p[places] for p in parameters]
            counter = places.astype("uint64")
            if large_ones:
                found = large(xp, seed, counter, *values)
            else:
                found = small(xp, _uniforms(xp, seed, counter, 0)[0], *values)
            result[places] = found
    return result


def _check(*parameters: Any) -> None:
    if any(p.dtype != "float64" or p.shape != parameters[0].shape for p in parameters):
        raise ValueError("parameters in float64 of one shape are needed")


def poisson_counts(xp: Any, seed: Any, rate: Any) -> Any:
    """Counts of the given rates, as float64; NaN where a rate is negative or NaN."""
    _check(rate)
    flat = rate.reshape(-1)
    infinite = xp.isinf(flat) & (flat > 0)
    usable = xp.where((flat >= 0) & ~infinite, flat, xp.nan)
    found = _by_size(xp, seed, (usable,), usable, _poisson_small, _poisson_large)
    return xp.where(infinite, xp.inf, found).reshape(rate.shape)


def binomial_counts(xp: Any, seed: Any, counts: Any, probability: Any) -> Any:
    """Successes in `counts` trials, as float64; NaN where a parameter makes no sense."""
    _check(counts, probability)
    n, p = xp.floor(counts.reshape(-1)), probability.reshape(-1)
    usable = (n >= 0) & (p >= 0) & (p <= 1)
    n, p = xp.where(usable, n, xp.nan), xp.where(usable, p, xp.nan)
    # Failures are counted where they are the rarer ones.
    rare = xp.minimum(p, 1 - p)
    found = _by_size(xp, seed, (n, rare), n * rare, _binomial_small, _binomial_large)
    return xp.where(p > 0.5, n - found, found).reshape(counts.shape)
