"""An embedding that also maps vectors back to scores of the integers."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import ops
from ...quantizers import (
    AbsMaxQuantizer,
    QuantizationConfig,
    abs_max_quantize_grouped_with_zero_point,
    pack_int4,
    unpack_int4,
)
from ...quantizers.quantizer import dequantize_groups
from ...serialization import builtin
from ..quantization.matrix import block_size_of
from .embedding import Embedding

__all__ = ["ReversibleEmbedding"]


@builtin("keras.layers")
class ReversibleEmbedding(Embedding):
    """`Embedding`, and with `reverse=True` the product of vectors with its matrix transposed.

    Args:
        input_dim: Number of rows: the largest integer plus 1.
        output_dim: Size of each vector.
        tie_weights: Whether both directions share one matrix.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: See their modules.
        mask_zero: Whether 0 is padding: the output's mask leaves it out.
        reverse_dtype: In which the product is computed; the compute dtype by default.
        logit_soft_cap: The largest size that scores approach, `cap * tanh(score / cap)`.
    """

    def __init__(
        self, input_dim: int, output_dim: int, tie_weights: bool = True,
        embeddings_initializer: Any = "uniform", embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None, mask_zero: bool = False, reverse_dtype: Any = None,
        logit_soft_cap: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            input_dim, output_dim, embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint, mask_zero=mask_zero, **kwargs,
        )  # fmt: skip
        self.tie_weights, self.reverse_dtype = tie_weights, reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights and self.quantization_mode is None:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer,
                name="reverse_embeddings",
            )  # fmt: skip

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        if self._is_quantized:
            return self._capped(ops.matmul(self._quantized_inputs(inputs), self._reverse_kernel()))
        kernel = (
            ops.transpose(self._main_value()) if self.tie_weights else self.reverse_embeddings.value
        )
        if self.reverse_dtype is not None:
            inputs, kernel = (ops.cast(x, self.reverse_dtype) for x in (inputs, kernel))
        # By default in the type of the weights: logits of half precision are coarse.
        return self._capped(ops.matmul(inputs, kernel))

    def _capped(self, logits: Any) -> Any:
        if self.logit_soft_cap is None:
            return logits
        return ops.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap

    # -- the second matrix, quantized
    def quantized_build(self, shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of a quantized layer; see `Embedding`."""
        super().quantized_build(shape, mode, config)
        self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(
            config, AbsMaxQuantizer(axis=-1)
        )
        if self.tie_weights:
            return
        rows, name, size = self.output_dim, "reverse_embeddings", None
        if mode == "int4":
            rows, size = (rows + 1) // 2, block_size_of(self, config)
        blocks = () if size is None else (-(-self.output_dim // size),)
        scales = (*blocks, self.input_dim)
        self.reverse_embeddings = self._frozen(name, (rows, self.input_dim), "int8", "zeros")
        self.reverse_embeddings_scale = self._frozen(f"{name}_scale", scales)
        if size is not None:
            self.reverse_embeddings_zero = self._frozen(f"{name}_zero", scales, None, "zeros")

    def _replaced(self) -> list[str]:
        return [*super()._replaced(), *([] if self.tie_weights else ["reverse_embeddings"])]

    def _encoded_weights(self, mode: str, config: Any) -> dict[str, Any]:
        found = super()._encoded_weights(mode, config)
        if self.tie_weights:
            return found
        name, value, size = "reverse_embeddings", self.reverse_embeddings.value, None
        if mode == "int4":
            size = block_size_of(self, config)
        if size is not None:
            q, scale, zero = abs_max_quantize_grouped_with_zero_point(value, size, to_numpy=True)
            found[f"{name}_zero"] = zero
        else:
            span = (-8, 7) if mode == "int4" else (-127, 127)
            quantizer = QuantizationConfig.weight_quantizer_or_default(
                config, AbsMaxQuantizer(axis=0, value_range=span)
            )
            q, scale = quantizer(value, to_numpy=True)
            scale = ops.squeeze(scale, axis=0)
        found[name] = pack_int4(q, axis=0)[0] if mode == "int4" else q
        found[f"{name}_scale"] = scale
        return found

    def _reverse_kernel(self) -> Any:
        """The matrix of scores, dequantized."""
        if self.tie_weights:
            return ops.transpose(self._plain_weight())
        q, scale = self.reverse_embeddings.value, self.reverse_embeddings_scale.value
        if self.quantization_mode == "int4":
            q = unpack_int4(q, self.output_dim, axis=0)
        zero = getattr(self, "reverse_embeddings_zero", None)
        if zero is not None:
            return dequantize_groups(q, scale, zero.value, self.g_idx, 0)
        return ops.divide(ops.cast(q, self.compute_dtype), scale)

    @property
    def variable_serialization_spec(self) -> dict[Any, list[str]]:
        """Quantization mode to the names of variables, in the order in which files hold them."""
        spec = super().variable_serialization_spec
        if self.tie_weights:
            return spec
        name = "reverse_embeddings"
        more = [name, f"{name}_scale", f"{name}_zero"]
        return {
            mode: [*names, *more[: {None: 1, "int8": 2, "int4": 3}[mode]]]
            for mode, names in spec.items()
        }

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """That of the integers; scores have none."""
        is_float = core.dtypes.is_float(core.dtypes.as_dtype(ops.dtype(inputs)))
        return None if is_float else super().compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return super().compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }


ReversibleEmbedding._quantizable = ReversibleEmbedding
