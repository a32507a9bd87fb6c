"""AbstractRNNCell."""

from __future__ import annotations

from typing import Any

from ... import layers, ops

__all__ = ["AbstractRNNCell"]


class AbstractRNNCell(layers.Layer):
    """What a cell for `RNN` is: `call(inputs, states)` gives the output and the new states.

    Subclasses also have `state_size` and `output_size`.
    """

    def call(self, inputs: Any, states: Any) -> Any:
        raise NotImplementedError("A cell must define call(inputs, states).")

    @property
    def state_size(self) -> Any:
        raise NotImplementedError("A cell must define state_size.")

    @property
    def output_size(self) -> Any:
        raise NotImplementedError("A cell must define output_size.")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None):
        """Zeros of the states' sizes."""
        size = inputs.shape[0] if batch_size is None else batch_size
        sizes = self.state_size if isinstance(self.state_size, list | tuple) else [self.state_size]
        return [ops.zeros((size, n), dtype=dtype or self.compute_dtype) for n in sizes]
