"""Kullback-Leibler divergences in closed form."""

from __future__ import annotations

from typing import Any

from .. import ops
from .base import kl_divergence, register_kl, sum_last
from .compound import Independent, TransformedDistribution
from .continuous import Beta, Gamma, MultivariateNormalDiag, Normal, Uniform
from .discrete import Bernoulli, Categorical, Poisson
from .special import digamma, lgamma


@register_kl(Normal, Normal)
def _normal(a: Any, b: Any) -> Any:
    ratio = ops.square(a.scale / b.scale)
    apart = ops.square((a.loc - b.loc) / b.scale)
    return 0.5 * (ratio + apart - 1 - ops.log(ratio))


@register_kl(MultivariateNormalDiag, MultivariateNormalDiag)
def _normal_vector(a: Any, b: Any) -> Any:
    return ops.sum(_normal(a.components(), b.components()), axis=-1)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(a: Any, b: Any) -> Any:
    p, x, y = a.probs, a.logits, b.logits
    # log p = -softplus(-x), log(1 - p) = -softplus(x)
    ones = ops.where(p > 0, p * (ops.softplus(-y) - ops.softplus(-x)), 0.0)
    return ones + ops.where(p < 1, (1 - p) * (ops.softplus(y) - ops.softplus(x)), 0.0)


@register_kl(Categorical, Categorical)
def _categorical(a: Any, b: Any) -> Any:
    p = a.probs
    apart = a.log_probs() - b.log_probs()
    return ops.sum(ops.where(p > 0, p * ops.where(p > 0, apart, 0.0), 0.0), axis=-1)


@register_kl(Poisson, Poisson)
def _poisson(a: Any, b: Any) -> Any:
    return a.rate * (ops.log(a.rate) - ops.log(b.rate)) - a.rate + b.rate


@register_kl(Gamma, Gamma)
def _gamma(a: Any, b: Any) -> Any:
    c, d = a.concentration, b.concentration
    return (
        (c - d) * digamma(c) - lgamma(c) + lgamma(d)
        + d * (ops.log(a.rate) - ops.log(b.rate)) + c * (b.rate / a.rate - 1)
    )  # fmt: skip


@register_kl(Beta, Beta)
def _beta(a: Any, b: Any) -> Any:
    a1, a0, b1, b0 = a.concentration1, a.concentration0, b.concentration1, b.concentration0
    normal = lgamma(b1) + lgamma(b0) - lgamma(b1 + b0) - lgamma(a1) - lgamma(a0) + lgamma(a1 + a0)
    return (
        normal + (a1 - b1) * digamma(a1) + (a0 - b0) * digamma(a0)
        + (b1 - a1 + b0 - a0) * digamma(a1 + a0)
    )  # fmt: skip


@register_kl(Uniform, Uniform)
def _uniform(a: Any, b: Any) -> Any:
    inside = ops.logical_and(a.low >= b.low, a.high <= b.high)
    return ops.where(inside, ops.log(b.high - b.low) - ops.log(a.high - a.low), float("inf"))


@register_kl(Independent, Independent)
def _independent(a: Any, b: Any) -> Any:
    axes = a.reinterpreted_batch_ndims
    if axes != b.reinterpreted_batch_ndims:
        raise ValueError(
            f"kl_divergence: events of {axes} and {b.reinterpreted_batch_ndims} axes; they must "
            "be equally many."
        )
    return sum_last(kl_divergence(a.distribution, b.distribution), axes)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(a: Any, b: Any) -> Any:
    """Of one bijector, which both densities are divided by."""
    x, y = a.bijector, b.bijector
    same = type(x) is type(y) and all(getattr(x, n) is getattr(y, n) for n in x._tensors)
    if not same:
        raise NotImplementedError(
            "kl_divergence: the two distributions are transformed by different bijectors; use one "
            "bijector object for both, or estimate the divergence from draws."
        )
    return kl_divergence(a.distribution, b.distribution)
