"""Distributions made of others."""

from __future__ import annotations

from typing import Any

from .. import ops, random
from .base import Distribution, parameter, sum_last

__all__ = ["Independent", "Mixture", "MixtureSameFamily", "TransformedDistribution"]


class Independent(Distribution):
    """Takes the last batch axes of a distribution as axes of one event.

    Args:
        distribution: A distribution.
        reinterpreted_batch_ndims: How many axes; all but the first if None.
    """

    _tensors = ("distribution",)
    _static = ("reinterpreted_batch_ndims",)

    def __init__(self, distribution: Any, reinterpreted_batch_ndims: int | None = None) -> None:
        rank = len(distribution.batch_shape)
        axes = max(rank - 1, 0) if reinterpreted_batch_ndims is None else reinterpreted_batch_ndims
        if not 0 <= axes <= rank:
            raise ValueError(
                f"Independent: reinterpreted_batch_ndims={axes}; the distribution has batch_shape "
                f"{distribution.batch_shape}, so at most {rank} axes can be taken."
            )
        self.distribution, self.reinterpreted_batch_ndims = distribution, int(axes)

    @property
    def reparameterized(self) -> bool:
        return self.distribution.reparameterized

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        shape = self.distribution.batch_shape
        return shape[: len(shape) - self.reinterpreted_batch_ndims]

    @property
    def event_shape(self) -> tuple[Any, ...]:
        shape = self.distribution.batch_shape
        taken = shape[len(shape) - self.reinterpreted_batch_ndims :]
        return (*taken, *self.distribution.event_shape)

    def _sample(self, shape: Any, seed: Any) -> Any:
        return self.distribution._sample(shape, seed)

    def log_prob(self, value: Any) -> Any:
        return sum_last(self.distribution.log_prob(value), self.reinterpreted_batch_ndims)

    def mean(self) -> Any:
        return self.distribution.mean()

    def variance(self) -> Any:
        return self.distribution.variance()

    def stddev(self) -> Any:
        return self.distribution.stddev()

    def mode(self) -> Any:
        return self.distribution.mode()

    def entropy(self) -> Any:
        return sum_last(self.distribution.entropy(), self.reinterpreted_batch_ndims)


class _AnyMixture(Distribution):
    """`p(x) = sum over k of cat.probs[k] p_k(x)`, the components stacked in a new last batch axis.

    A subclass tells `_stacked(method, *args)`: the results of the components, stacked at
    `-1 - len(event_shape)`.
    """

    cat: Any

    def _parts(self, method: str, of_event: bool, value: Any = None) -> Any:
        raise NotImplementedError

    def _weighted(self, parts: Any) -> Any:
        probs = self.cat.probs
        for _ in self.event_shape:
            probs = ops.expand_dims(probs, -1)
        return ops.sum(parts * probs, axis=-1 - len(self.event_shape))

    def log_prob(self, value: Any) -> Any:
        logs = self._parts("log_prob", False, parameter(value, self.dtype))
        return ops.logsumexp(logs + self.cat.log_probs(), axis=-1)

    def cdf(self, value: Any) -> Any:
        found = self._parts("cdf", False, parameter(value, self.dtype))
        return ops.sum(found * self.cat.probs, axis=-1)

    def mean(self) -> Any:
        return self._weighted(self._parts("mean", True))

    def variance(self) -> Any:
        """By the law of total variance."""
        means = self._parts("mean", True)
        apart = means - ops.expand_dims(self._weighted(means), -1 - len(self.event_shape))
        return self._weighted(self._parts("variance", True) + ops.square(apart))


class MixtureSameFamily(_AnyMixture):
    """A mixture whose components are one batch of distributions.

    Args:
        mixture_distribution: A `Categorical` over k components.
        components_distribution: Distributions, whose last batch axis has size k.
    """

    _tensors = ("cat", "components_distribution")

    def __init__(self, mixture_distribution: Any, components_distribution: Any) -> None:
        shape = components_distribution.batch_shape
        if not shape or shape[-1] != mixture_distribution.num_categories:
            raise ValueError(
                f"MixtureSameFamily: the components have batch_shape {shape}, whose last axis must "
                f"be the number of categories, {mixture_distribution.num_categories}."
            )
        self.cat, self.components_distribution = mixture_distribution, components_distribution

    @property
    def mixture_distribution(self) -> Any:
        """The distribution over the components."""
        return self.cat

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        return self.components_distribution.batch_shape[:-1]

    @property
    def event_shape(self) -> tuple[Any, ...]:
        return self.components_distribution.event_shape

    def _parts(self, method: str, of_event: bool, value: Any = None) -> Any:
        if value is None:
            return getattr(self.components_distribution, method)()
        value = ops.expand_dims(value, -1 - len(self.event_shape))
        return getattr(self.components_distribution, method)(value)

    def _sample(self, shape: Any, seed: Any) -> Any:
        first, second = _two_seeds(seed)
        axis = -1 - len(self.event_shape)
        chosen = ops.one_hot(
            self.cat.sample(shape, first), self.cat.num_categories, dtype=self.dtype
        )
        for _ in self.event_shape:
            chosen = ops.expand_dims(chosen, -1)
        drawn = self.components_distribution.sample(shape, second)
        return ops.sum(ops.where(chosen > 0, drawn, ops.zeros_like(drawn)), axis=axis)


class Mixture(_AnyMixture):
    """A mixture of distributions of any kinds, of equal batch and event shapes.

    Args:
        cat: A `Categorical` over the components.
        components: A list of distributions.
    """

    _tensors = ("cat", "components")

    def __init__(self, cat: Any, components: Any) -> None:
        components = list(components)
        if cat.num_categories != len(components):
            raise ValueError(
                f"Mixture: cat has {cat.num_categories} categories, but there are "
                f"{len(components)} components; their numbers must be equal."
            )
        self.cat, self.components = cat, components

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        return self.components[0].batch_shape

    @property
    def event_shape(self) -> tuple[Any, ...]:
        return self.components[0].event_shape

    def _parts(self, method: str, of_event: bool, value: Any = None) -> Any:
        given = () if value is None else (value,)
        found = [getattr(c, method)(*given) for c in self.components]
        return ops.stack(found, axis=-1 - (len(self.event_shape) if of_event else 0))

    def _sample(self, shape: Any, seed: Any) -> Any:
        seeds = _two_seeds(seed)
        chosen = ops.one_hot(
            self.cat.sample(shape, seeds[0]), len(self.components), dtype=self.dtype
        )
        total: Any = None
        for i, component in enumerate(self.components):
            pick = chosen[..., i]
            for _ in self.event_shape:
                pick = ops.expand_dims(pick, -1)
            own = None if seeds[1] is None else seeds[1] + i
            part = ops.where(pick > 0, ops.cast(component.sample(shape, own), self.dtype), 0.0)
            total = part if total is None else total + part
        return total


class TransformedDistribution(Distribution):
    """The distribution of `bijector.forward(x)`.

    `log p(y) = log p(x) - log |df/dx|` with x the inverse of y. A `Normal` with `Tanh` gives
    actions in (-1, 1).

    Args:
        distribution: Of x.
        bijector: See `bijectors`.
    """

    _tensors = ("distribution", "bijector")

    def __init__(self, distribution: Any, bijector: Any) -> None:
        self.distribution, self.bijector = distribution, bijector

    @property
    def reparameterized(self) -> bool:
        return self.distribution.reparameterized

    @property
    def batch_shape(self) -> tuple[Any, ...]:
        return self.distribution.batch_shape

    @property
    def event_shape(self) -> tuple[Any, ...]:
        return self.distribution.event_shape

    def _sample(self, shape: Any, seed: Any) -> Any:
        return self.bijector.forward(self.distribution._sample(shape, seed))

    def sample_and_log_prob(self, sample_shape: Any = (), seed: Any = None) -> tuple[Any, Any]:
        """Draws with their log-densities, without inverting the bijector, which loses digits."""
        x = self.distribution.sample(sample_shape, seed)
        return self.bijector.forward(x), self.distribution.log_prob(x) - self._slope(x)

    def _slope(self, x: Any) -> Any:
        return sum_last(self.bijector.forward_log_det_jacobian(x), len(self.event_shape))

    def log_prob(self, value: Any) -> Any:
        x = self.bijector.inverse(parameter(value, self.dtype))
        return self.distribution.log_prob(x) - self._slope(x)

    def cdf(self, value: Any) -> Any:
        found = self.distribution.cdf(self.bijector.inverse(parameter(value, self.dtype)))
        rising = self.bijector.increasing()
        return found if rising is True else ops.where(rising, found, 1 - found)

    def mode(self) -> Any:
        """The image of the mode: a value to act by, though not the transformed density's peak."""
        return self.bijector.forward(self.distribution.mode())

    def quantile(self, value: Any) -> Any:
        """The value up to which a draw lies with the given probability, f rising."""
        return self.bijector.forward(self.distribution.quantile(value))


def _two_seeds(seed: Any) -> tuple[Any, Any]:
    """Seeds for two independent draws."""
    if seed is None or isinstance(seed, random.SeedGenerator):
        return seed, seed
    return int(seed), int(seed) + 1_000_003
