"""Products in 8-bit floats, scaled by the history of largest absolute values.

Inputs and weights are rounded to `float8_e4m3fn`, gradients of outputs to `float8_e5m2`. The
gradients of scales and histories are their new values, which optimizers assign.

Source: Micikevicius et al. (2022), FP8 Formats for Deep Learning.
"""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ... import ops
from ...dtype_policies.quantized import QuantizedFloat8DTypePolicy
from ...quantizers.float8 import (
    compute_float8_amax_history,
    compute_float8_scale,
    largest,
    quantize_and_dequantize,
)

__all__ = ["Float8"]

_FORWARD, _BACKWARD = "float8_e4m3fn", "float8_e5m2"


class Float8:
    """The float8 half of a layer with a quantizable matrix."""

    _main: str

    def _parts(self) -> tuple[str, str, str]:
        return "inputs", self._main, "outputs_grad"

    def _float8_names(self) -> list[str]:
        return [f"{p}_{kind}" for p in self._parts() for kind in ("scale", "amax_history")]

    def _build_float8(self) -> None:
        length = getattr(
            self._own_policy(),
            "amax_history_length",
            QuantizedFloat8DTypePolicy.default_amax_history_length,
        )
        for name in self._float8_names():
            history = name.endswith("history")
            weight = self.add_weight(
                name=name, shape=(length,) if history else (), dtype="float32", autocast=False,
                initializer="zeros" if history else "ones", overwrite_with_gradient=True,
            )  # fmt: skip
            setattr(self, name, weight)

    def _rounded(self, x: Any, part: str, training: Any) -> Any:
        """An operand of the product, rounded."""
        compute = self.compute_dtype

        @core.custom_gradient
        def run(x: Any, scale: Any, history: Any) -> Any:
            new = (None, None)
            if training:
                most = core.convert(largest(_FORWARD), "float32")
                new = (
                    compute_float8_scale(ops.max(history, axis=0), scale, most),
                    compute_float8_amax_history(x, history),
                )
            return quantize_and_dequantize(x, scale, _FORWARD, compute), lambda g: (g, *new)

        return run(ops.convert_to_tensor(x), *self._state(part))

    def _with_rounded_gradient(self, y: Any) -> Any:
        """The product, unchanged; its gradient is rounded."""
        compute = self.compute_dtype

        @core.custom_gradient
        def run(y: Any, scale: Any, history: Any) -> Any:
            def gradient(g: Any) -> Any:
                most = core.convert(largest(_BACKWARD), "float32")
                return (
                    quantize_and_dequantize(g, scale, _BACKWARD, compute),
                    compute_float8_scale(ops.max(history, axis=0), scale, most),
                    compute_float8_amax_history(g, history),
                )

            return y, gradient

        return run(y, *self._state("outputs_grad"))

    def _state(self, part: str) -> tuple[Any, Any]:
        return getattr(self, f"{part}_scale").value, getattr(self, f"{part}_amax_history").value

    def _float8_product(self, inputs: Any, training: Any, product: Any) -> Any:
        """`product(inputs, weight)` in 8-bit floats.

        Raises:
            NotImplementedError: The weight has a low-rank update.
        """
        if self.lora_enabled:
            raise NotImplementedError("Currently, float8 layers don't support LoRA.")
        x = self._rounded(inputs, "inputs", training)
        weight = self._rounded(self._main_variable().value, self._main, training)
        return self._with_rounded_gradient(product(x, weight))

    def _float8_bias(self, bias: Any) -> Any:
        """The bias, which is kept to the bits of bfloat16 where it is added to a float32."""
        if self.compute_dtype != "float32":
            return bias
        return ops.cast(ops.cast(bias, "bfloat16"), "float32")
