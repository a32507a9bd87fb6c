"""RandomHeight and RandomWidth: images stretched along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import layers, ops, random
from ...serialization import builtin

__all__ = ["RandomHeight", "RandomWidth"]


class _Stretch(layers.Layer):
    """Resizes one axis by a random factor in training; elsewhere images stay as they are.

    Args:
        factor: The largest share by which it grows and shrinks, or a pair `(least, most)`.
        interpolation: As in `ops.image.resize`.
        seed: Of the draws.
    """

    _axis = 0
    _on_host = True  # each batch has a size of its own

    def __init__(
        self, factor: Any, interpolation: str = "bilinear", seed: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.factor, self.interpolation, self.seed = factor, interpolation, seed
        self._least, self._most = factor if hasattr(factor, "__len__") else (-factor, factor)
        if self._most < self._least or self._least < -1:
            raise ValueError(f"factor must be a pair from least to most, above -1: {factor}")
        self._generator = random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = True) -> Any:
        if not training:
            return inputs
        draw = random.uniform((), self._least, self._most, seed=self._generator)
        sizes = list(inputs.shape[-3:-1])
        grown = sizes[self._axis] * (1.0 + float(np.asarray(draw)))
        sizes[self._axis] = max(int(grown), 1)
        return ops.image.resize(inputs, tuple(sizes), interpolation=self.interpolation)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = list(input_shape)
        shape[-3 + self._axis] = None
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "factor": self.factor, "interpolation": self.interpolation,
            "seed": self.seed,
        }  # fmt: skip


@builtin("keras.layers")
class RandomHeight(_Stretch):
    __doc__ = f"{_Stretch.__doc__}The axis is that of the rows."


@builtin("keras.layers")
class RandomWidth(_Stretch):
    __doc__ = f"{_Stretch.__doc__}The axis is that of the columns."
    _axis = 1
