"""Layers whose outputs are probability distributions.

The loss receives the distribution as it is; `predict` and metrics get the tensor that stands for it
(`convert_to_tensor_fn`). Not part of Keras.

Source: the interface follows TensorFlow Probability's layers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import distributions as kd
from .. import ops
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .base import Layer
from .core.simple import Lambda

__all__ = [
    "DistributionLambda", "IndependentBernoulli", "IndependentLogistic", "IndependentNormal",
    "IndependentPoisson", "MixtureLogistic", "MixtureNormal", "OneHotCategorical", "TanhNormal",
]  # fmt: skip


def _standing_in(distribution: Any, convert_to_tensor_fn: Any, name: str) -> Any:
    """The distribution with its stand-in set.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(distribution, kd.Distribution):
        raise TypeError(
            f"Layer {name!r}: the function must return a distribution of kerasish.distributions, "
            f"got {type(distribution).__name__}. Use a Lambda layer for tensors."
        )
    distribution = copy.copy(distribution)
    distribution.convert_to_tensor_fn = convert_to_tensor_fn
    return distribution


@builtin("kerasish.layers")
class DistributionLambda(Lambda):
    """A function from tensors to a distribution, as a layer.

    >>> layer = DistributionLambda(lambda t: kd.Normal(t[..., :1], ops.softplus(t[..., 1:])))

    Args:
        make_distribution_fn: Of the inputs, to a `kerasish.distributions.Distribution`.
        convert_to_tensor_fn: What stands for the distribution where arrays are asked for:
            "sample", "mean", "mode", or a function of the distribution.
        **kwargs: As of `Lambda`.

    Raises:
        TypeError: When called, if the function returns no distribution.
    """

    def __init__(
        self, make_distribution_fn: Callable[..., Any], convert_to_tensor_fn: Any = "sample",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(make_distribution_fn, **kwargs)
        self.convert_to_tensor_fn = convert_to_tensor_fn

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        made = super().call(inputs, mask=mask, training=training)
        return _standing_in(made, self.convert_to_tensor_fn, self.name)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["make_distribution_fn"] = config.pop("function")
        config["convert_to_tensor_fn"] = serialize_keras_object(self.convert_to_tensor_fn)
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: Any = None
    ) -> Any:
        config = dict(config)
        for key in ("make_distribution_fn", "convert_to_tensor_fn"):
            if isinstance(config.get(key), dict):
                config[key] = deserialize_keras_object(
                    config[key], custom_objects, safe_mode is not False
                )
        return super().from_config(config, custom_objects, safe_mode)


class _Output(Layer):
    """A layer whose result is a distribution."""

    def __init__(self, convert_to_tensor_fn: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convert_to_tensor_fn = convert_to_tensor_fn
        self.built = True

    def _finish(self, made: Any) -> Any:
        return _standing_in(made, self.convert_to_tensor_fn, self.name)

    def _check_size(self, inputs: Any, size: int, hint: str) -> None:
        if inputs.shape[-1] != size:
            raise ValueError(
                f"Layer {self.name!r}: the last axis of the input has {inputs.shape[-1]} entries, "
                f"but {hint} needs {size}: give the layer before it "
                f"{type(self).__name__}.params_size(...) units."
            )

    def get_config(self) -> dict[str, Any]:
        fn = serialize_keras_object(self.convert_to_tensor_fn)
        return {**super().get_config(), "convert_to_tensor_fn": fn}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: Any = None
    ) -> Any:
        config = dict(config)
        if isinstance(config.get("convert_to_tensor_fn"), dict):
            config["convert_to_tensor_fn"] = deserialize_keras_object(
                config["convert_to_tensor_fn"], custom_objects, safe_mode is not False
            )
        return cls(**config)


class _OfParameters(_Output):
    """A layer that reads the last axis of its input as the parameters of a distribution.

    Args:
        event_shape: The shape of one draw, an int or a tuple.
        convert_to_tensor_fn: See `DistributionLambda`.
    """

    # How many numbers each component of an event needs.
    _each = 1

    def __init__(
        self, event_shape: Any = (), convert_to_tensor_fn: Any = "sample", **kwargs: Any
    ) -> None:
        super().__init__(convert_to_tensor_fn, **kwargs)
        self.event_shape = _shape(event_shape)

    @classmethod
    def params_size(cls, event_shape: Any = ()) -> int:
        """How many numbers the last axis of the input must hold."""
        return cls._each * math.prod(_shape(event_shape))

    def _make(self, *parameters: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        size = self.params_size(self.event_shape)
        self._check_size(inputs, size, f"event_shape={self.event_shape}")
        shape = (*inputs.shape[:-1], *self.event_shape)
        parts = [ops.reshape(p, shape) for p in ops.split(inputs, self._each, axis=-1)]
        return self._finish(kd.Independent(self._make(*parts), len(self.event_shape)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "event_shape": self.event_shape}


@builtin("kerasish.layers")
class IndependentNormal(_OfParameters):
    """Normal components: the input's halves are means and, by softplus, standard deviations."""

    _each = 2

    def _make(self, loc: Any, scale: Any) -> Any:
        return kd.Normal(loc, ops.softplus(scale))


@builtin("kerasish.layers")
class TanhNormal(_OfParameters):
    """Components in (-1, 1): the hyperbolic tangent of normal ones, as bounded actions need."""

    _each = 2

    def _make(self, loc: Any, scale: Any) -> Any:
        normal = kd.Normal(loc, ops.softplus(scale))
        return kd.TransformedDistribution(normal, kd.bijectors.Tanh())


@builtin("kerasish.layers")
class IndependentLogistic(_OfParameters):
    """Logistic components: the input's halves are means and, by softplus, scales."""

    _each = 2

    def _make(self, loc: Any, scale: Any) -> Any:
        return kd.Logistic(loc, ops.softplus(scale))


@builtin("kerasish.layers")
class IndependentBernoulli(_OfParameters):
    """Components of 0 and 1: the input is the logits."""

    def _make(self, logits: Any) -> Any:
        return kd.Bernoulli(logits=logits)


@builtin("kerasish.layers")
class IndependentPoisson(_OfParameters):
    """Counts: the input is the logarithms of the rates."""

    def _make(self, log_rate: Any) -> Any:
        return kd.Poisson(log_rate=log_rate)


@builtin("kerasish.layers")
class OneHotCategorical(_Output):
    """One-hot vectors: the input is the logits.

    Args:
        event_size: How many categories there are.
        convert_to_tensor_fn: See `DistributionLambda`.
    """

    def __init__(
        self, event_size: int, convert_to_tensor_fn: Any = "sample", **kwargs: Any
    ) -> None:
        super().__init__(convert_to_tensor_fn, **kwargs)
        self.event_size = int(event_size)

    @staticmethod
    def params_size(event_size: int) -> int:
        """How many numbers the last axis of the input must hold."""
        return event_size

    def call(self, inputs: Any) -> Any:
        self._check_size(inputs, self.event_size, f"event_size={self.event_size}")
        return self._finish(kd.OneHotCategorical(logits=inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "event_size": self.event_size}


class _MixtureOfParameters(_OfParameters):
    """A mixture of independent components: logits of the parts, then the parameters of each.

    Args:
        num_components: How many distributions are mixed.
        event_shape: The shape of one draw, an int or a tuple.
        convert_to_tensor_fn: See `DistributionLambda`.
    """

    _part: Any = None

    def __init__(
        self, num_components: int, event_shape: Any = (), convert_to_tensor_fn: Any = "sample",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(event_shape, convert_to_tensor_fn, **kwargs)
        self.num_components = int(num_components)

    @classmethod
    def params_size(cls, num_components: int, event_shape: Any = ()) -> int:
        """How many numbers the last axis of the input must hold."""
        return num_components * (1 + 2 * math.prod(_shape(event_shape)))

    def call(self, inputs: Any) -> Any:
        count, size = self.num_components, self.params_size(self.num_components, self.event_shape)
        self._check_size(inputs, size, f"{count} components of event_shape={self.event_shape}")
        logits, rest = inputs[..., :count], inputs[..., count:]
        loc, scale = ops.split(
            ops.reshape(rest, (*inputs.shape[:-1], count, 2, *self.event_shape)), 2,
            axis=-1 - len(self.event_shape),
        )  # fmt: skip
        at = -1 - len(self.event_shape)
        parts = self._part(ops.squeeze(loc, at), ops.softplus(ops.squeeze(scale, at)))
        cat = kd.Categorical(logits=logits)
        return self._finish(kd.MixtureSameFamily(cat, kd.Independent(parts, len(self.event_shape))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_components": self.num_components}


@builtin("kerasish.layers")
class MixtureNormal(_MixtureOfParameters):
    """A mixture of `num_components` normal distributions: a mixture density network's last layer.

    Source: C. Bishop, "Mixture Density Networks", 1994.
    """

    _part = kd.Normal


@builtin("kerasish.layers")
class MixtureLogistic(_MixtureOfParameters):
    """A mixture of `num_components` logistic distributions."""

    _part = kd.Logistic


def _shape(event_shape: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.atleast_1d(np.asarray(event_shape, dtype=int)))
