"""A layer's main weight in integers of 8 or 4 bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import dtype_policies, ops
from ...dtype_policies.quantized import Int4DTypePolicy
from ...quantizers.config import Int4QuantizationConfig, QuantizationConfig
from ...quantizers.int4 import pack_int4, unpack_int4
from ...quantizers.quantizer import (
    AbsMaxQuantizer,
    abs_max_quantize_grouped_with_zero_point,
    dequantize_groups,
)
from .float8 import Float8
from .low_rank import LowRank
from .quantizing import checked

__all__ = ["QuantizedMatrix", "straight_through"]


def straight_through(x: Any, quantizer: Any, axis: Any) -> Any:
    """`x` rounded as the quantizer does it; gradients pass as if it were not."""
    q, scale = quantizer(x, axis=axis)
    rounded = ops.divide(ops.cast(q, x.dtype), scale)
    return ops.add(x, ops.stop_gradient(ops.subtract(rounded, x)))


def block_size_of(layer: Any, config: Any) -> int | None:
    """How many inputs share a scale; None: all of them."""
    found = None
    if isinstance(config, Int4QuantizationConfig):
        found = config.block_size
    elif isinstance(policy := layer._own_policy(), Int4DTypePolicy):
        found = policy.block_size
    return None if found == -1 else found


class QuantizedMatrix(Float8, LowRank):
    """A layer with one main weight that can be quantized.

    Subclasses say how the weight lies: `_axis` is that over which one scale holds when it is seen
    as the matrix `_matrix_shape()`, which is packed in pairs along its last axis.
    """

    _axis = 0
    _modes: tuple[str, ...] = ("int8", "int4", "float8")
    quantization_config: Any
    inputs_quantizer: Any

    # -- how the weight lies
    def _matrix_shape(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return shape

    def _reduced_axes(self) -> Any:
        """The axes of the weight over which a scale of int8 holds."""
        return self._axis

    def _scale_as_stored(self, scale: Any) -> Any:
        """A scale of int8 with its axes kept, as it is stored."""
        return ops.squeeze(scale, axis=self._axis)

    def _scale_as_kept(self, scale: Any) -> Any:
        """The inverse."""
        return ops.expand_dims(scale, self._axis)

    # -- variables
    def quantized_build(self, shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of a quantized layer.

        Args:
            shape: Of the main weight.
            mode: "int8", "int4" or "float8".
            config: A `QuantizationConfig`.

        Raises:
            NotImplementedError: The layer has no such form.
        """
        if mode not in self._modes:
            raise self._mode_error(mode, self._modes)
        shape = tuple(shape)
        self._original_shape = shape
        if mode == "float8":
            self._build_float8()
        else:
            default = AbsMaxQuantizer() if mode == "int8" else None
            self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(
                config, default
            )
            if mode == "int8":
                self._build_int8(shape)
            else:
                self._build_int4(shape, config)
        self._is_quantized = True

    def _frozen(self, name: str, shape: Any, dtype: Any = None, initializer: Any = "ones") -> Any:
        return self.add_weight(
            name=name, shape=shape, dtype=dtype, initializer=initializer, trainable=False
        )

    def _build_int8(self, shape: tuple[int, ...]) -> None:
        main = self._main
        setattr(self, f"_{main}", self._frozen(main, shape, "int8", "zeros"))
        kept = np.ones([1 if i in _tuple(self._reduced_axes(), len(shape)) else n
                        for i, n in enumerate(shape)], "bool")  # fmt: skip
        stored = tuple(self._scale_as_stored(kept).shape)
        setattr(self, f"{main}_scale", self._frozen(f"{main}_scale", stored))

    def _build_int4(self, shape: tuple[int, ...], config: Any) -> None:
        main, size = self._main, block_size_of(self, config)
        matrix = self._matrix_shape(shape)
        packed = (matrix[0], (matrix[1] + 1) // 2)
        setattr(self, f"_{main}", self._frozen(main, packed, "int8", "zeros"))
        reduced, others = matrix[self._axis], matrix[1 - self._axis]
        scales: tuple[int, ...] = (others,)
        if size is not None:
            blocks = math.ceil(reduced / size)
            scales = (blocks, others) if self._axis == 0 else (others, blocks)
        self._int4_block_size = size
        setattr(self, f"{main}_scale", self._frozen(f"{main}_scale", scales))
        if size is not None:
            zero = self._frozen(f"{main}_zero", scales, "int8", "zeros")
            setattr(self, f"{main}_zero", zero)
            self.g_idx = self._frozen("g_idx", (reduced,), "float32", "zeros")
            self.g_idx.assign(np.floor_divide(np.arange(reduced, dtype="float32"), size))

    # -- values
    def _encode(self, value: Any, mode: str, config: Any) -> dict[str, Any]:
        """A weight as the values of the variables that hold it."""
        main = self._main
        value = ops.convert_to_tensor(value)
        if mode == "int8":
            quantizer = QuantizationConfig.weight_quantizer_or_default(
                config, AbsMaxQuantizer(axis=self._reduced_axes())
            )
            q, scale = quantizer(value, to_numpy=True)
            return {main: q, f"{main}_scale": self._scale_as_stored(scale)}
        matrix, size = (
            ops.reshape(value, self._matrix_shape(value.shape)),
            block_size_of(self, config),
        )
        if size is None:
            quantizer = QuantizationConfig.weight_quantizer_or_default(
                config, AbsMaxQuantizer(axis=self._axis, value_range=(-8, 7))
            )
            q, scale = quantizer(matrix, to_numpy=True)
            found = {f"{main}_scale": ops.squeeze(scale, axis=self._axis)}
        else:
            parts = abs_max_quantize_grouped_with_zero_point(
                matrix if self._axis == 0 else ops.transpose(matrix), size, to_numpy=True
            )
            q, scale, zero = parts if self._axis == 0 else map(ops.transpose, parts)
            found = {f"{main}_scale": scale, f"{main}_zero": zero}
        return {main: pack_int4(q, axis=-1)[0], **found}

    def _decode(self, stored: Any, scale: Any, zero: Any = None) -> Any:
        """The weight, or whole rows of it, from what is stored."""
        compute = self.compute_dtype
        if self.quantization_mode == "int8":
            return ops.divide(ops.cast(stored, compute), scale)
        q = unpack_int4(stored, self._matrix_shape(self._original_shape)[1], axis=-1)
        if zero is None:
            return ops.divide(ops.cast(q, compute), scale)
        # Places on the reduced axis, counted from the end: there may be axes of a batch before.
        axis = self._axis - 2
        return ops.cast(dequantize_groups(q, scale, zero, self.g_idx, axis), compute)

    def _plain_weight(self) -> Any:
        """The weight in the compute dtype, without its low-rank update."""
        main = self._main
        stored = self._main_variable().value
        scale = getattr(self, f"{main}_scale").value
        zero = getattr(self, f"{main}_zero", None)
        if self.quantization_mode == "int8":
            return self._decode(stored, self._scale_as_kept(scale))
        if zero is None:
            return self._shaped(self._decode(stored, ops.expand_dims(scale, self._axis)))
        return self._shaped(self._decode(stored, scale, zero.value))

    def _shaped(self, matrix: Any) -> Any:
        return ops.reshape(matrix, self._original_shape)

    def _main_shape(self) -> tuple[int, ...]:
        return self._original_shape if self._is_quantized else super()._main_shape()

    def _main_value(self) -> Any:
        if not self._is_quantized or self.quantization_mode == "float8":
            return super()._main_value()
        # As in Keras: the integers, plus the update if there is one.
        weight: Any = self._main_variable()
        if self.quantization_mode == "int4":
            columns = self._matrix_shape(self._original_shape)[1]
            weight = self._shaped(unpack_int4(weight, columns, axis=-1))
        if not self.lora_enabled:
            return weight
        return ops.cast(ops.add(weight, self._update()), self.compute_dtype)

    # -- computing
    def _quantized_inputs(self, inputs: Any) -> Any:
        if self.inputs_quantizer is None:
            return inputs
        return straight_through(inputs, self.inputs_quantizer, self._inputs_axis())

    def _inputs_axis(self) -> Any:
        """The axes of the inputs over which one scale holds."""
        return -1

    def _product(self, inputs: Any, weight: Any) -> Any:
        """The layer's product of inputs and weight."""
        raise NotImplementedError

    def _low_rank_product(self, inputs: Any) -> Any:
        return self._product(inputs, self._update())

    def quantized_call(self, inputs: Any, training: Any = None) -> Any:
        """The computation with quantized weights."""
        bias = self.bias
        if self.quantization_mode == "float8":
            x = self._float8_product(inputs, training, self._product)
            bias = None if bias is None else self._float8_bias(bias)
        else:
            x = self._product(self._quantized_inputs(inputs), self._plain_weight())
            if self.lora_enabled:
                x = ops.cast(ops.add(x, self._low_rank_product(inputs)), self.compute_dtype)
        x = x if bias is None else ops.add(x, bias)
        return self.activation(x)

    # -- quantizing
    @checked
    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Put the layer's weights into few bits; see `Layer.quantize`."""
        kind = self._quantizable
        if type_check and type(self) is not kind:
            raise self._without("quantize")
        if mode not in self._modes:
            raise self._mode_error(mode, self._modes)
        self.quantization_config = config
        shape = self._main_variable().shape
        if mode == "float8":
            self.quantized_build(shape, mode)
        else:
            values = self._encoded_weights(mode, config)
            for name in self._replaced():
                delattr(self, name)
            self.quantized_build(shape, mode, config)
            for name, value in values.items():
                own = self._main_variable() if name == self._main else getattr(self, name)
                own.assign(value)
        if self._dtype_policy.quantization_mode is None:
            name = mode
            if mode == "int4":
                name = f"int4/{block_size_of(self, config) or -1}"
            policy = dtype_policies.get(f"{name}_from_{self._dtype_policy.name}")
            self.dtype_policy = policy

    def _replaced(self) -> list[str]:
        """The attributes of variables that quantized ones replace."""
        return [f"_{self._main}"]

    def _encoded_weights(self, mode: str, config: Any) -> dict[str, Any]:
        return self._encode(self._main_variable(), mode, config)

    # -- files
    @property
    def variable_serialization_spec(self) -> dict[Any, list[str]]:
        """Quantization mode to the names of variables, in the order in which files hold them."""
        main = self._main
        plain = [main] if main == "embeddings" else [main, "bias"]
        spec = {
            None: plain,
            "int8": [*plain, f"{main}_scale"],
            "int4": [*plain, f"{main}_scale", f"{main}_zero", "g_idx"],
        }
        if "float8" in self._modes:
            spec["float8"] = [*plain, *self._float8_names()]
        return spec

    def _stored(self) -> dict[str, Any]:
        if not self._is_quantized or self.quantization_mode == "float8":
            return super()._stored()
        if not self.lora_enabled:
            return {self._main: self._main_variable()}
        merged = ops.add(self._plain_weight(), self._update())
        config = self.quantization_config
        return self._encode(merged, self.quantization_mode, _blocks_only(config))


def _tuple(axes: Any, ndim: int) -> tuple[int, ...]:
    axes = (axes,) if isinstance(axes, int) else axes
    return tuple(a % ndim for a in axes)


def _blocks_only(config: Any) -> Any:
    """The settings without quantizers: files hold merged weights quantized by the default ones."""
    if isinstance(config, Int4QuantizationConfig):
        return Int4QuantizationConfig(block_size=config.block_size)
    return None
