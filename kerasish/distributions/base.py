"""What distributions share: shapes, sampling, probabilities, and how models hand them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

import kerasish_core as core

from .. import ops
from ..settings import floatx

__all__ = [
    "Distribution",
    "as_tensor",
    "broadcast_shape",
    "full_shape",
    "kl_divergence",
    "parameter",
    "parameters",
    "register_kl",
    "sum_last",
]


class Distribution:
    """A batch of probability distributions whose parameters are tensors.

    The parameters broadcast to `batch_shape`; one draw has `event_shape`. A distribution is a node
    of `kerasish.tree`, whose leaves are its parameters: models return distributions, compiled steps
    take and give them, and gradients flow through them.

    A subclass names its tensors in `_tensors` and other attributes in `_static`, and defines
    `_sample`, `_log_prob` and what it can of the rest.

    Attributes:
        reparameterized: Whether gradients flow from draws to the parameters.

    Source: the interface follows J. Dillon et al., "TensorFlow Distributions", 2017.
    """

    _tensors: ClassVar[tuple[str, ...]] = ()
    _static: ClassVar[tuple[str, ...]] = ()
    reparameterized = False
    # What `as_tensor` takes: a method's name, or a function of the distribution.
    convert_to_tensor_fn: Any = "sample"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        core.tree.register_tree_node_class(cls)

    # -- as a node of a structure
    def tree_flatten(self) -> tuple[list[Any], Any]:
        """The parameters, and what is no tensor."""
        static = {name: getattr(self, name) for name in self._static}
        static["convert_to_tensor_fn"] = self.convert_to_tensor_fn
        return [getattr(self, name) for name in self._tensors], static

    @classmethod
    def tree_unflatten(cls, metadata: Any, children: Any) -> Any:
        """A distribution of parameters as they are, unchecked."""
        made = cls.__new__(cls)
        made.__dict__.update(zip(cls._tensors, children, strict=True))
        made.__dict__.update(metadata)
        return made

    # -- shapes
    @property
    def batch_shape(self) -> tuple[Any, ...]:
        """The shape of the batch of distributions."""
        return broadcast_shape(*[getattr(self, name).shape for name in self._tensors])

    @property
    def event_shape(self) -> tuple[Any, ...]:
        """The shape of one draw."""
        return ()

    @property
    def dtype(self) -> str:
        """The dtype of the parameters."""
        first = core.tree.flatten(self)[0]
        return ops.dtype(first)

    # -- draws
    def sample(self, sample_shape: Any = (), seed: Any = None) -> Any:
        """Draws of shape `(*sample_shape, *batch_shape, *event_shape)`.

        Args:
            sample_shape: An int or a shape.
            seed: An int (the same draws each time), a `SeedGenerator`, or None for the global one.
        """
        shape = (sample_shape,) if isinstance(sample_shape, int) else tuple(sample_shape)
        drawn = self._sample(shape, seed)
        return drawn if self.reparameterized else ops.stop_gradient(drawn)

    def _sample(self, shape: tuple[int, ...], seed: Any) -> Any:
        self._missing("sample")

    # -- probabilities
    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density, or of the probability, of each value.

        Args:
            value: Broadcasts with `(*batch_shape, *event_shape)`.

        Returns:
            A tensor of the shape of the values without the event's axes.
        """
        return self._log_prob(parameter(value, self.dtype))

    def prob(self, value: Any) -> Any:
        """The density, or the probability, of each value."""
        return ops.exp(self.log_prob(value))

    def cdf(self, value: Any) -> Any:
        """The probability of a draw up to each value."""
        return self._cdf(parameter(value, self.dtype))

    def log_cdf(self, value: Any) -> Any:
        """The logarithm of `cdf`."""
        return ops.log(self.cdf(value))

    def survival_function(self, value: Any) -> Any:
        """The probability of a draw beyond each value."""
        return 1 - self.cdf(value)

    def _log_prob(self, value: Any) -> Any:
        self._missing("log_prob")

    def _cdf(self, value: Any) -> Any:
        self._missing("cdf")

    # -- moments
    def mean(self) -> Any:
        """The expectation."""
        self._missing("mean")

    def variance(self) -> Any:
        """The variance of each component."""
        self._missing("variance")

    def stddev(self) -> Any:
        """The square root of the variance."""
        return ops.sqrt(self.variance())

    def mode(self) -> Any:
        """The most probable value."""
        self._missing("mode")

    def entropy(self) -> Any:
        """The expectation of `-log_prob`, in nats."""
        self._missing("entropy")

    def kl_divergence(self, other: Any) -> Any:
        """`KL(self || other)`, the expectation under self of the difference of the log-densities.

        Raises:
            NotImplementedError: No formula is known for the two kinds.
        """
        return kl_divergence(self, other)

    def as_tensor(self) -> Any:
        """The draw, mean or other value that stands for the distribution where arrays are asked.

        `predict`, metrics and loss functions that want a tensor get it. Which it is says
        `convert_to_tensor_fn`: "sample", "mean", "mode", or a function of the distribution.
        """
        fn = self.convert_to_tensor_fn
        return getattr(self, fn)() if isinstance(fn, str) else fn(self)

    def _missing(self, what: str) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} has no {what}: there is no closed form. Estimate it from "
            "draws, `d.sample(n)`."
        )

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} batch_shape={self.batch_shape} "
            f"event_shape={self.event_shape} dtype={self.dtype}>"
        )


_FORMULAS: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}


def register_kl(first: type, second: type) -> Callable[[Any], Any]:
    """Decorator: the function of two distributions gives `KL(a || b)` for these classes."""

    def register(function: Any) -> Any:
        _FORMULAS[first, second] = function
        return function

    return register


def kl_divergence(a: Any, b: Any) -> Any:
    """`KL(a || b)`, the expectation under `a` of `log a(x) - log b(x)`, in nats.

    Raises:
        NotImplementedError: No formula is registered for the two classes or bases of them.
    """
    for first in type(a).__mro__:
        for second in type(b).__mro__:
            found = _FORMULAS.get((first, second))
            if found is not None:
                return found(a, b)
    raise NotImplementedError(
        f"kl_divergence: no closed form is known from {type(a).__name__} to {type(b).__name__}. "
        "Estimate it: ops.mean(a.log_prob(x) - b.log_prob(x)) over x = a.sample(n); or give a "
        "formula by kerasish.distributions.register_kl."
    )


def as_tensor(structure: Any) -> Any:
    """Distributions in outputs as tensors; everything else stays."""
    if isinstance(structure, Distribution):
        return structure.as_tensor()
    if isinstance(structure, dict):
        return type(structure)((k, as_tensor(v)) for k, v in structure.items())
    if isinstance(structure, list | tuple):
        items = [as_tensor(v) for v in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    return structure


def parameter(value: Any, dtype: Any = None) -> Any:
    """A tensor of floats; symbolic tensors stay."""
    if isinstance(value, ops.KerasTensor):
        return value
    given = getattr(value, "dtype", None)
    if dtype is None:
        floating = given is not None and core.dtypes.is_float(core.dtypes.as_dtype(given))
        dtype = None if floating else floatx()
    return ops.convert_to_tensor(value, dtype=dtype)


def parameters(*values: Any) -> list[Any]:
    """Parameters of one dtype: that of the first array of floats among them."""
    for v in values:
        given = getattr(v, "dtype", None)
        if given is not None and core.dtypes.is_float(core.dtypes.as_dtype(given)):
            return [parameter(x, core.dtypes.name_of(given)) for x in values]
    return [parameter(v) for v in values]


def broadcast_shape(*shapes: Any) -> tuple[Any, ...]:
    """The shape to which shapes broadcast, None (unknown) among the sizes."""
    known = [tuple(-1 if n is None else n for n in shape) for shape in shapes]
    found: list[Any] = []
    for sizes in zip(*_padded(known), strict=True):
        large = [n for n in sizes if n != 1]
        if len(set(large)) > 1 and -1 not in large:
            raise ValueError(f"The parameters' shapes {list(shapes)} do not broadcast.")
        fixed = [n for n in large if n != -1]
        found.append(fixed[0] if fixed else None if large else 1)
    return tuple(found)


def _padded(shapes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    rank = max((len(s) for s in shapes), default=0)
    return [(1,) * (rank - len(s)) + s for s in shapes]


def full_shape(sample_shape: Any, *tensors: Any) -> tuple[int, ...]:
    """`sample_shape` before the shape to which tensors broadcast."""
    return (*sample_shape, *np.broadcast_shapes(*[tuple(t.shape) for t in tensors]))


def sum_last(x: Any, axes: int) -> Any:
    """The sum over the last axes."""
    return ops.sum(x, axis=tuple(range(-axes, 0))) if axes else x
