"""Layers that arrange elements."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...config import standardize_data_format
from ...ops.symbolic import KerasTensor
from ...serialization import builtin
from ..base import Layer
from ..convolutional.base import standardize_tuple
from ..input_spec import InputSpec

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector",
           "Reshape", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D",
           "ZeroPadding2D", "ZeroPadding3D"]  # fmt: skip


@builtin("keras.layers")
class Flatten(Layer):
    """All axes but the batch's in one."""

    def __init__(self, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._channels_first = self.data_format == "channels_first"

    def call(self, inputs: Any) -> Any:
        if self._channels_first and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@builtin("keras.layers")
class Reshape(Layer):
    """Another shape of all axes but the batch's; one size may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.reshape(inputs, (inputs.shape[0], *self.target_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *sizes = input_shape
        if None not in sizes:
            return super().compute_output_shape(input_shape)
        return (batch, *(None if n == -1 else n for n in self.target_shape))

    def compute_output_spec(self, inputs: Any) -> Any:
        if None not in inputs.shape[1:]:
            return super().compute_output_spec(inputs)
        # What is not known may well be what the shape asks for.
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


@builtin("keras.layers")
class Permute(Layer):
    """Axes in another order, numbered from 1 without the batch."""

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in "
                f"`dims` must be consecutive and start from 1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


@builtin("keras.layers")
class RepeatVector(Layer):
    """`(batch, features)` to `(batch, n, features)`."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


def _pairs(name: str, value: Any, count: int) -> tuple[tuple[int, int], ...]:
    if isinstance(value, int):
        return ((value, value),) * count
    value = tuple(value)
    if count == 1 and len(value) == 2 and all(isinstance(v, int) for v in value):
        return (value,)
    if len(value) != count:
        raise ValueError(f"`{name}` should have {count} elements. Received: {name}={value}.")
    return tuple((v, v) if isinstance(v, int) else tuple(v) for v in value)


class _Spatial(Layer):
    """Acts on spatial axes in either layout."""

    rank = 1

    def __init__(self, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Layers of one axis have no `data_format`, but for ZeroPadding1D.
        self.data_format = data_format or "channels_last"
        if self.rank > 1:
            self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes(self) -> list[int]:
        first = 2 if self.data_format == "channels_first" else 1
        return list(range(first, first + self.rank))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


class _ZeroPadding(_Spatial):
    def __init__(self, padding: Any = 1, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding: Any = _pairs("padding", padding, self.rank)
        if self.rank == 1:
            self.padding = self.padding[0]

    def call(self, inputs: Any) -> Any:
        widths = [(0, 0)] * len(inputs.shape)
        for axis, pair in zip(self._axes(), (self.padding,) if self.rank == 1 else self.padding):
            widths[axis] = pair
        return ops.pad(inputs, widths)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


@builtin("keras.layers")
class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the time axis."""

    def __init__(self, padding: Any = 1, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(padding, standardize_data_format(data_format), **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@builtin("keras.layers")
class ZeroPadding2D(_ZeroPadding):
    """Zeros around images."""

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


@builtin("keras.layers")
class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes."""

    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class _Cropping(_Spatial):
    def __init__(self, cropping: Any = 1, data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping: Any = _pairs("cropping", cropping, self.rank)
        if self.rank == 1:
            self.cropping = self.cropping[0]

    def call(self, inputs: Any) -> Any:
        key: list[Any] = [slice(None)] * len(inputs.shape)
        for axis, (a, b) in zip(
            self._axes(), (self.cropping,) if self.rank == 1 else self.cropping
        ):
            if a + b >= inputs.shape[axis]:
                raise ValueError(
                    f"`cropping` leaves nothing of axis {axis}: the input has shape "
                    f"{inputs.shape}, cropping={self.cropping}."
                )
            key[axis] = slice(a, inputs.shape[axis] - b)
        return inputs[tuple(key)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping}


@builtin("keras.layers")
class Cropping1D(_Cropping):
    """Cuts time steps off both ends."""

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)


@builtin("keras.layers")
class Cropping2D(_Cropping):
    """Cuts a border off images."""

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@builtin("keras.layers")
class Cropping3D(_Cropping):
    """Cuts a border off volumes."""

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@builtin("keras.layers")
class UpSampling1D(_Spatial):
    """Each time step repeated `size` times."""

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = int(size)

    def call(self, inputs: Any) -> Any:
        return ops.repeat(inputs, self.size, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@builtin("keras.layers")
class UpSampling2D(_Spatial):
    """Rows and columns repeated, or interpolated as `ops.image.resize` does it.

    Args:
        size: How often rows and columns are repeated.
        data_format: "channels_last" or "channels_first"; the configured one by default.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """

    rank = 2

    def __init__(self, size: Any = (2, 2), data_format: Any = None, interpolation: str = "nearest",
                 **kwargs: Any) -> None:  # fmt: skip
        super().__init__(data_format, **kwargs)
        self.size = standardize_tuple(size, 2, "size")
        self.interpolation = interpolation.lower()
        if self.interpolation not in _INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` argument should be one of {_INTERPOLATIONS}. "
                f"Received: interpolation={interpolation}"
            )

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            for axis, n in zip(self._axes(), self.size):
                inputs = ops.repeat(inputs, n, axis=axis)
            return inputs
        size = [inputs.shape[axis] * n for axis, n in zip(self._axes(), self.size)]
        return ops.image.resize(inputs, size, self.interpolation, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


@builtin("keras.layers")
class UpSampling3D(_Spatial):
    """Each element of volumes repeated along the three axes."""

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: Any = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = standardize_tuple(size, 3, "size")

    def call(self, inputs: Any) -> Any:
        for axis, n in zip(self._axes(), self.size):
            inputs = ops.repeat(inputs, n, axis=axis)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
