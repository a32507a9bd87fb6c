"""Features shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np

from ... import ops
from ...config import epsilon
from ...serialization import builtin
from .data_layer import DataLayer, batches, is_array

__all__ = ["Normalization"]


@builtin("keras.layers")
class Normalization(DataLayer):
    """`(x - mean) / max(sqrt(variance), epsilon)`, or back again.

    Args:
        axis: The axes along which each index has a mean and variance of its own; None for one
            mean and variance of everything.
        mean, variance: The values, instead of learning them by `adapt`; broadcast to the sizes of
            the axes.
        invert: Compute `mean + x * max(sqrt(variance), epsilon)` instead.

    Raises:
        ValueError: Only one of `mean` and `variance` is given, or their shapes differ or do not
            fit `axis`.

    >>> import numpy as np
    >>> from kerasish import layers
    >>> layer = layers.Normalization()
    >>> layer.adapt(np.array([[1.0], [2.0], [3.0]]))
    >>> layer(np.array([[2.0]])).numpy().tolist()
    [[0.0]]

    Source: https://keras.io/api/layers/preprocessing_layers/numerical/normalization/
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self.supports_masking = True
        self._built_for: Any = None
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. "
                f"Received: mean={mean} and variance={variance}"
            )
        if mean is None:
            return
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the same shape. "
                f"Received: mean shape {np.shape(mean)} and variance shape {np.shape(variance)}"
            )
        if np.ndim(mean) > len(self.axis):
            raise ValueError(
                "The rank of `mean` must be less than or equal to the number of axes "
                f"({len(self.axis)}). Received: mean shape {np.shape(mean)} for axis {self.axis}"
            )

    def build(self, input_shape: Any = None) -> None:
        if input_shape is None:
            return
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={rank}, while axis={self.axis}"
            )
        self._keep_axis = tuple(sorted(a % rank for a in self.axis))
        for a in self._keep_axis:
            if input_shape[a] is None:
                raise ValueError(
                    "All `axis` values to be kept must have a known shape. Received "
                    f"axis={self.axis}, inputs.shape={input_shape}, with unknown axis at index {a}"
                )
        self._built_for = tuple(input_shape)
        self._reduce_axis = tuple(a for a in range(rank) if a not in self._keep_axis)
        self._broadcast = tuple(input_shape[a] if a in self._keep_axis else 1 for a in range(rank))
        if self.input_mean is None:
            shape = tuple(input_shape[a] for a in self._keep_axis)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            # Nothing counts with it: older files have it.
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
            return
        self._mean = self._spread(self.input_mean)
        self._variance = self._spread(self.input_variance)

    def _spread(self, values: Any) -> Any:
        """Given values at their axes: aligned to the kept axes from the right."""
        values = np.asarray(values)
        shape = [1] * len(self._broadcast)
        for i in range(1, values.ndim + 1):
            shape[self._keep_axis[-i]] = values.shape[-i]
        return np.broadcast_to(values.reshape(shape), self._broadcast).astype(self.compute_dtype)

    @property
    def mean(self) -> Any:
        """The mean, of a shape that broadcasts against inputs; None before building."""
        return self._value("_mean", "adapt_mean")

    @property
    def variance(self) -> Any:
        """The variance likewise."""
        return self._value("_variance", "adapt_variance")

    def _value(self, given: str, weight: str) -> Any:
        if self._built_for is None:
            return None
        if self.input_mean is not None:
            return ops.convert_to_tensor(getattr(self, given))
        # Read anew each time: compiled programs then see what a later `adapt` learns.
        value = ops.reshape(getattr(self, weight), self._broadcast)
        return ops.cast(value, self.compute_dtype)

    # -- learning
    def adapt(self, data: Any) -> None:
        """Learn mean and variance.

        Args:
            data: An array with all samples, or a generator, `PyDataset` or list of batches.

        Raises:
            ValueError: There is no batch, or a shape differs from what the layer was built for.
        """
        if is_array(data):
            data = np.asarray(data)
            self._prepare(data.shape)
            mean, variance = data.mean(self._reduce_axis), data.var(self._reduce_axis)
        elif hasattr(data, "__iter__") or hasattr(data, "__getitem__"):
            mean, variance = self._of_batches(batches(data))
        else:
            raise TypeError(
                f"Unsupported data type: {type(data)}. `adapt` takes an array, a PyDataset, or an "
                "iterable of batches (e.g. list, generator)."
            )
        if self.input_mean is None:
            self.adapt_mean.assign(mean)
            self.adapt_variance.assign(variance)

    def finalize_state(self) -> None:
        """Nothing to do: mean and variance are read from the weights at each call."""

    def _prepare(self, shape: Any) -> None:
        if self._built_for is None:
            self.build(tuple(shape))
        elif any(shape[a] != self._built_for[a] for a in self._keep_axis):
            raise ValueError(
                f"The layer was built with input_shape={self._built_for}, but adapt() is being "
                f"called with data with an incompatible shape, data.shape={tuple(shape)}"
            )

    def _of_batches(self, source: Any) -> tuple[Any, Any]:
        """Mean and variance of all batches together.

        Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance" (1983),
        equation 2.1.
        """
        first = next(source, None)
        if first is None:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Expected at least one batch: "
                "pass layer.adapt([x]) or a generator of arrays."
            )
        if not hasattr(first, "shape"):
            raise TypeError(
                "adapt() expects an iterable that yields arrays or tensors with a `.shape` "
                f"attribute. Got an element of type {type(first).__name__}. Make the data one "
                "array: np.array(data)."
            )
        self._prepare(first.shape)
        total, mean, moment = 0, np.float64(0), np.float64(0)
        for batch in chain([first], source):
            x = np.asarray(batch, "float64")
            self._prepare(x.shape)
            count = math.prod(x.shape[a] for a in self._reduce_axis)
            difference = x.mean(self._reduce_axis) - mean
            moment = moment + x.var(self._reduce_axis) * count
            moment = moment + difference**2 * (total * count / (total + count))
            total += count
            mean = mean + difference * (count / total)
        return mean, moment / total

    # -- running
    def call(self, inputs: Any) -> Any:
        mean = self.mean
        if mean is None:
            raise ValueError("You must call `.build(input_shape)` on the layer before using it.")
        x = ops.cast(ops.convert_to_tensor(inputs), self.compute_dtype)
        scale = ops.maximum(ops.sqrt(self.variance), epsilon())
        return mean + x * scale if self.invert else (x - mean) / scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "axis": self.axis, "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }  # fmt: skip
