"""Combinations of features as the number of a bin that their hash falls into."""

from __future__ import annotations

from typing import Any

import numpy as np

import kerasish_core as core

from ...ops.symbolic import KerasTensor
from ...serialization import builtin
from ...text_arrays import is_text
from .data_layer import refuse_sparse
from .encoding import encode_now
from .hashes import concatenate, fingerprint
from .hashing import written
from .host import HostLayer, values_of

__all__ = ["HashedCrossing"]

# Where TensorFlow's crossed hashes begin.
_START = np.uint64(0xDECAFCAFFE)


@builtin("keras.layers")
class HashedCrossing(HostLayer):
    """Each combination of the values of two or more features as one of `num_bins` categories.

    Args:
        num_bins: Number of bins.
        output_mode: "int" or "one_hot".
        sparse: Not supported.

    Call takes a list of text or integers of shape `()`, `(batch,)` or `(batch, 1)`.

    Raises:
        ValueError: The mode is unknown, or `sparse` is set.

    >>> from kerasish import layers
    >>> layers.HashedCrossing(5)((["A", "B", "A"], [101, 101, 102])).numpy().tolist()
    [1, 4, 3]

    Source: https://keras.io/api/layers/preprocessing_layers/categorical/hashed_crossing/
    """

    def __init__(
        self, num_bins: int, output_mode: str = "int", sparse: bool = False,
        name: str | None = None, dtype: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype)
        refuse_sparse("HashedCrossing", sparse)
        if output_mode not in ("int", "one_hot"):
            raise ValueError(
                "Unknown value for `output_mode` argument of HashedCrossing. Allowed values are: "
                f"('int', 'one_hot'). Received: output_mode={output_mode}"
            )
        self.num_bins, self.output_mode, self.sparse = num_bins, output_mode, False

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple):
            raise ValueError(
                "`HashedCrossing` should be called on a list or tuple of inputs. Received: "
                f"inputs={inputs}"
            )
        if len(inputs) < 2:
            raise ValueError(
                "`HashedCrossing` should be called on at least two inputs. Received: "
                f"inputs={inputs}"
            )
        features = [values_of(x) for x in inputs]
        shape = features[0].shape
        self._check(features, shape)
        total = np.full(features[0].size, _START)
        for x in features:
            own = fingerprint(written(x)) if is_text(x) else _as_words(x)
            total = concatenate(total, own)
        found = (total % np.uint64(self.num_bins)).astype("int64").reshape(shape)
        return core.constant(encode_now(found, self.output_mode, self.num_bins, self.dtype))

    def _check(self, features: list[Any], shape: Any) -> None:
        if len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
            raise ValueError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or "
                f"`(batch_size, 1)`. Received: inputs={features}"
            )
        if any(x.shape != shape for x in features):
            raise ValueError(
                f"All `HashedCrossing` inputs should have equal shape. Received: inputs={features}"
            )
        if not all(is_text(x) or x.dtype.kind in "iu" for x in features):
            raise ValueError(
                "All `HashedCrossing` inputs should have an integer or string dtype. Received: "
                f"inputs={features}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [tuple(s) for s in input_shape if isinstance(s, list | tuple)]
        if len(shapes) < 2:
            raise ValueError(
                f"Expected as input a list/tuple of 2 tensors. Received input_shape={input_shape}"
            )
        if any(s[-1:] != shapes[0][-1:] for s in shapes):
            raise ValueError(
                "Expected the two input tensors to have identical shapes. Received "
                f"input_shape={input_shape}"
            )
        shape = shapes[0]
        if self.output_mode == "int":
            return shape
        return (*(shape[:-1] if shape and shape[-1] == 1 else shape), self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = self.compute_output_shape([x.shape for x in inputs])
        return KerasTensor(shape, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse,
            "name": self.name, "dtype": self.dtype,
        }  # fmt: skip


def _as_words(x: Any) -> Any:
    """Integers as the 64 bits that stand for them."""
    return x.astype("int64").reshape(-1).view("uint64")
