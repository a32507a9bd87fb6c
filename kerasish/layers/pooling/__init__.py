"""Pooling layers."""

from __future__ import annotations

from typing import Any

from ... import older as _older
from ... import ops
from ...config import standardize_data_format
from ...serialization import builtin
from ..base import Layer
from ..convolutional.base import standardize_tuple
from ..input_spec import InputSpec
from .adaptive import *
from .adaptive import __all__ as _adaptive

__all__ = [
    f"{kind}{what}Pooling{n}D" for n in (1, 2, 3) for kind in ("", "Global")
    for what in ("Max", "Average")
] + _adaptive  # fmt: skip


class _Pooling(Layer):
    """Windows of `pool_size` at steps of `strides` (the window's size by default)."""

    rank, mode = 1, "max"

    def __init__(self, pool_size: Any, strides: Any = None, padding: str = "valid",
                 data_format: Any = None, name: Any = None, **kwargs: Any) -> None:  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.pool_size = standardize_tuple(pool_size, self.rank, "pool_size")
        steps = self.pool_size if strides is None else strides
        self.strides = standardize_tuple(steps, self.rank, "strides")
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f"The `padding` argument must be 'valid' or 'same'. Received: padding={padding}"
            )
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        pool = ops.max_pool if self.mode == "max" else ops.average_pool
        return pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "pool_size": self.pool_size, "padding": self.padding,
            "strides": self.strides, "data_format": self.data_format,
        }  # fmt: skip


class _GlobalPooling(Layer):
    """The maximum or mean over all spatial axes."""

    rank, mode = 1, "max"

    def __init__(self, data_format: Any = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.supports_masking = False
        self.built = True

    def _axes(self) -> list[int]:
        first = 1 if self.data_format == "channels_last" else 2
        return list(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        reduce = ops.max if self.mode == "max" else ops.mean
        return reduce(inputs, axis=self._axes(), keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


def _make(base: Any, prefix: str, rank: int, mode: str) -> Any:
    what = "Max" if mode == "max" else "Average"
    word = "maximum" if mode == "max" else "mean"
    where = "all spatial axes" if prefix else "windows"
    body = {
        "rank": rank, "mode": mode, "__module__": __name__,
        "__doc__": f"The {word} over {where} of inputs with {rank} spatial axes.",
    }  # fmt: skip
    return builtin("keras.layers")(type(f"{prefix}{what}Pooling{rank}D", (base,), body))


def _with_default(size: Any) -> Any:
    """A pooling whose window has a default size."""

    def __init__(self, pool_size: Any = size, strides: Any = None, padding: str = "valid",
                 data_format: Any = None, name: Any = None, **kwargs: Any) -> None:  # fmt: skip
        _Pooling.__init__(self, pool_size, strides, padding, data_format, name, **kwargs)

    return type("_Pooling", (_Pooling,), {"__init__": __init__, "__module__": __name__})


MaxPooling1D = _make(_with_default(2), "", 1, "max")
MaxPooling2D = _make(_with_default((2, 2)), "", 2, "max")
MaxPooling3D = _make(_with_default((2, 2, 2)), "", 3, "max")
AveragePooling1D = _make(_Pooling, "", 1, "average")
AveragePooling2D = _make(_Pooling, "", 2, "average")
AveragePooling3D = _make(_Pooling, "", 3, "average")
GlobalMaxPooling1D = _make(_GlobalPooling, "Global", 1, "max")
GlobalMaxPooling2D = _make(_GlobalPooling, "Global", 2, "max")
GlobalMaxPooling3D = _make(_GlobalPooling, "Global", 3, "max")
GlobalAveragePooling2D = _make(_GlobalPooling, "Global", 2, "average")
GlobalAveragePooling3D = _make(_GlobalPooling, "Global", 3, "average")


@builtin("keras.layers")
class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over time, masked steps not counted."""

    mode = "average"

    def __init__(self, data_format: Any = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        axis = self._axes()[0]
        if mask is None:
            return ops.mean(inputs, axis=axis, keepdims=self.keepdims)
        mask = ops.expand_dims(ops.cast(mask, inputs.dtype), 2 if axis == 1 else 1)
        total = ops.sum(inputs * mask, axis=axis, keepdims=self.keepdims)
        return total / ops.sum(mask, axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


__getattr__ = _older.names(__name__)
