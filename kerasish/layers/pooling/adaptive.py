"""Pooling to an output of given size."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...config import standardize_data_format
from ...serialization import builtin
from ..base import Layer

__all__ = [f"Adaptive{what}Pooling{n}D" for n in (1, 2, 3) for what in ("Average", "Max")]

_NAMES = {2: "(height, width)", 3: "(depth, height, width)"}


class _Adaptive(Layer):
    """Each axis cut into `output_size` nearly equal, perhaps overlapping windows."""

    rank, mode = 1, "max"

    def __init__(self, output_size: Any, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        sizes = (output_size,) * self.rank if isinstance(output_size, int) else output_size
        if not isinstance(sizes, tuple | list) or len(sizes) != self.rank:
            what = f"an integer or {_NAMES[self.rank]} tuple" if self.rank > 1 else "an integer"
            raise TypeError(
                f"`output_size` must be {what}. Received: {output_size} of type {type(output_size)}"
            )
        self.output_size = tuple(sizes)

    def call(self, inputs: Any) -> Any:
        pool = ops.adaptive_max_pool if self.mode == "max" else ops.adaptive_average_pool
        return pool(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.data_format == "channels_first":
            return (*input_shape[:2], *self.output_size)
        return (input_shape[0], *self.output_size, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "data_format": self.data_format,
        }


def _make(what: str, rank: int, mode: str) -> Any:
    word = "maximum" if mode == "max" else "mean"
    body = {
        "rank": rank, "mode": mode, "__module__": __name__,
        "__doc__": f"The {word} over windows that give an output of a wanted size.",
    }  # fmt: skip
    return builtin("keras.layers")(type(f"Adaptive{what}Pooling{rank}D", (_Adaptive,), body))


AdaptiveAveragePooling1D = _make("Average", 1, "average")
AdaptiveAveragePooling2D = _make("Average", 2, "average")
AdaptiveAveragePooling3D = _make("Average", 3, "average")
AdaptiveMaxPooling1D = _make("Max", 1, "max")
AdaptiveMaxPooling2D = _make("Max", 2, "max")
AdaptiveMaxPooling3D = _make("Max", 3, "max")
