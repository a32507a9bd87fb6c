"""Probability distributions whose parameters are tensors, as outputs of models and on their own."""

from . import bijectors as bijectors
from . import divergence as divergence
from .base import Distribution, as_tensor, kl_divergence, register_kl
from .compound import Independent, Mixture, MixtureSameFamily, TransformedDistribution
from .continuous import Beta, Gamma, Logistic, MultivariateNormalDiag, Normal, Uniform
from .discrete import Bernoulli, Categorical, OneHotCategorical, Poisson

__all__ = [
    "Bernoulli", "Beta", "Categorical", "Distribution", "Gamma", "Independent", "Logistic",
    "Mixture", "MixtureSameFamily", "MultivariateNormalDiag", "Normal", "OneHotCategorical",
    "Poisson", "TransformedDistribution", "Uniform", "as_tensor", "kl_divergence", "register_kl",
]  # fmt: skip
