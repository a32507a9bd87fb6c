"""The base of layers that also run in data pipelines."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..base import Layer

__all__ = ["DataLayer", "batches", "input_of", "is_array", "refuse_sparse"]


class DataLayer(Layer):
    """A layer of one input that may be called on batches before they reach a model.

    Here every layer may, on arrays and tensors alike; the class exists for Keras's name.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allow_non_tensor_positional_args = True

    def convert_weight(self, weight: Any) -> Any:
        """A weight as a tensor: there is one backend."""
        return weight


def refuse_sparse(layer: str, sparse: bool) -> None:
    """Sparse tensors do not exist here.

    Raises:
        ValueError: `sparse` is set.
    """
    if sparse:
        raise ValueError(
            f"{layer}: `sparse=True` is not supported: kerasish has no sparse tensors. Leave it "
            "out; the output is then a dense tensor of the same values."
        )


def input_of(batch: Any) -> Any:
    """`x` of a batch that may be `(x, y)` or `(x, y, sample_weight)`."""
    return batch[0] if isinstance(batch, tuple) else batch


def batches(data: Any, steps: int | None = None) -> Any:
    """The inputs of each batch of a PyDataset, generator or other iterable.

    Args:
        data: The data set. One that can be indexed and has a number of batches, as a
            `keras.utils.PyDataset`, is read by number.
        steps: How many batches to take; all by default.
    """
    count = getattr(data, "num_batches", None)
    source = iter(data) if count is None else (data[i] for i in range(count))
    for i, batch in enumerate(source):
        if steps is not None and i >= steps:
            return
        yield input_of(batch)


def is_array(data: Any) -> bool:
    """Whether it is one array, not an iterable of batches."""
    return isinstance(data, core.Tensor | core.Variable) or (
        hasattr(data, "__array__") and not hasattr(data, "__next__")
    )
