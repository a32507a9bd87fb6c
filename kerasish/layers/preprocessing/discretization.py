"""Numbers as the index of the range that they fall into."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ... import ops
from ...config import floatx
from ...ops.symbolic import KerasTensor
from ...serialization import builtin
from .data_layer import DataLayer, batches, is_array, refuse_sparse
from .encoding import encode, encoded_shape

__all__ = ["Discretization"]


@builtin("keras.layers")
class Discretization(DataLayer):
    """The number of boundaries at or below `x`.

    Args:
        bin_boundaries: Boundaries in ascending order; n of them make n + 1 bins.
        num_bins: Learn this many bins by `adapt` instead, of about equal numbers of samples.
        epsilon: How inexact the quantiles that `adapt` learns may be.
        output_mode: "int": the index; "one_hot", "multi_hot", "count": see `CategoryEncoding`.
        sparse: Not supported.

    Raises:
        ValueError: Both or neither of `bin_boundaries` and `num_bins` are given, `num_bins` is
            negative, the mode is unknown, or `sparse` is set.

    >>> from kerasish import layers
    >>> import numpy as np
    >>> layers.Discretization([0.0, 1.0])(np.array([[-1.0, 0.5, 7.0]])).numpy().tolist()
    [[0, 1, 2]]

    Source: https://keras.io/api/layers/preprocessing_layers/numerical/discretization/
    """

    def __init__(
        self, bin_boundaries: Any = None, num_bins: int | None = None, epsilon: float = 0.01,
        output_mode: str = "int", sparse: bool = False, dtype: Any = None, name: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        if sparse and output_mode == "int":
            raise ValueError(
                "`sparse=True` may only be used if `output_mode` is `'one_hot'`, `'multi_hot'`, or "
                f"`'count'`. Received: sparse={sparse} and output_mode={output_mode}"
            )
        refuse_sparse("Discretization", sparse)
        if output_mode not in ("int", "one_hot", "multi_hot", "count"):
            raise ValueError(
                f"Unknown value for `output_mode` argument of layer Discretization. Expected one "
                f"of 'int', 'one_hot', 'multi_hot', 'count'. Received: {output_mode}"
            )
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`"
            )
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set. Received: "
                f"`num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries, self.num_bins, self.epsilon = bin_boundaries, num_bins, epsilon
        self.output_mode, self.sparse = output_mode, False
        # Quantiles seen so far and the number of samples that each stands for.
        self.summary = None if bin_boundaries else _nothing()

    @property
    def input_dtype(self) -> Any:
        return floatx()

    @property
    def output_dtype(self) -> Any:
        """The dtype of the result."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    # -- learning
    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn boundaries between bins of about equal numbers of samples.

        Args:
            data: An array, or an iterable of batches.
            steps: How many batches to take.

        Raises:
            ValueError: The layer has boundaries already.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with "
                "`bin_boundaries`, use `num_bins` instead."
            )
        self.reset_state()
        for batch in [data] if is_array(data) else batches(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Add samples to what was seen."""
        new = _summary(np.array(data).astype("float32"), self.epsilon)
        both = np.concatenate((new, self.summary), axis=1)
        order = np.argsort(both[0])
        self.summary = _compressed(both[:, order], self.epsilon)

    def finalize_state(self) -> None:
        """Make boundaries of what was seen."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget what was seen."""
        if self.num_bins is not None:
            self.summary = _nothing()

    def load_own_variables(self, store: Any) -> None:
        """Boundaries are in the config; older files hold a summary."""
        if len(store) == 1:
            self.summary = np.asarray(store["0"])

    # -- running
    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or "
                "call `adapt(dataset)` before you can start using the `Discretization` layer."
            )
        indices = ops.digitize(core.convert(inputs), np.asarray(self.bin_boundaries, "float32"))
        depth = len(self.bin_boundaries) + 1
        return encode(indices, self.output_mode, depth, self.output_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        edges = self.bin_boundaries
        depth = self.num_bins if edges is None else len(edges) + 1
        return encoded_shape(input_shape, self.output_mode, depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), self.output_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "bin_boundaries": self.bin_boundaries, "num_bins": self.num_bins,
            "epsilon": self.epsilon, "output_mode": self.output_mode, "sparse": self.sparse,
            "name": self.name, "dtype": self.dtype,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A layer of a config; one that learned its boundaries keeps them."""
        config = dict(config)
        learned = None
        if config.get("num_bins") is not None:
            learned = config.pop("bin_boundaries", None)
        layer = cls(**config)
        if learned is not None:
            layer.bin_boundaries = learned
        return layer


def _nothing() -> Any:
    return np.zeros((2, 0), "float32")


def _summary(values: Any, epsilon: float) -> Any:
    """Every so many-th of the sorted samples, and how many each stands for."""
    values = np.sort(values.reshape(-1))
    step = max(values.size / (1.0 / epsilon), 1)
    edges = values[int(step - 1) :: int(step)]
    return np.stack([edges, np.full_like(edges, step)])


def _compressed(summary: Any, epsilon: float) -> Any:
    """At most `1 / epsilon` quantiles of a sorted summary, by linear interpolation."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = np.cumsum(summary[1])
    reached = weights / weights[-1]
    edges = np.interp(shares, reached, summary[0])
    weights = np.interp(shares, reached, weights)
    return np.stack((edges, np.diff(weights, prepend=0))).astype("float32")
