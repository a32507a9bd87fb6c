"""What every layer knows of quantization."""

from __future__ import annotations

from typing import Any

from ...dtype_policies.choice import DTypePolicyMap
from ...dtype_policies.quantized import QUANTIZATION_MODES
from ...quantizers.config import resolve

__all__ = ["Quantizing", "checked"]


class Quantizing:
    """`Layer` is the only heir. Layers that can be quantized override these methods."""

    name: str
    built: bool
    _dtype_policy: Any
    _is_quantized = False

    def _own_policy(self) -> Any:
        policy, path = self._dtype_policy, self.path
        return policy[path] if isinstance(policy, DTypePolicyMap) and path else policy

    @property
    def quantization_mode(self) -> str | None:
        """`"int8"` and the like; None if the layer is not quantized."""
        return self._own_policy().quantization_mode

    def quantized_build(self, input_shape: Any, mode: str) -> None:
        """Make the variables of a quantized layer."""
        raise self._without("quantized_build")

    def quantize(self, mode: str | None = None, type_check: bool = True, config: Any = None) -> Any:
        """Put the layer's weights into few bits.

        Args:
            mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`; that of `config` if None.
            type_check: Whether subclasses of the layer are refused.
            config: A `QuantizationConfig`.

        Raises:
            NotImplementedError: The layer has no such form.
            ValueError: The layer is not built, or quantized already, or the arguments are wrong.
        """
        raise self._without("quantize")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation with quantized weights."""
        raise self._without("quantized_call")

    def _without(self, method: str) -> NotImplementedError:
        return NotImplementedError(
            f"Layer {type(self).__name__} does not have a `{method}` method implemented."
        )

    def _mode_error(self, mode: Any, modes: Any = QUANTIZATION_MODES) -> NotImplementedError:
        return NotImplementedError(
            f"Invalid quantization mode. Expected one of {modes}. "
            f"Received: quantization_mode={mode}"
        )

    def _check_quantize(self, mode: str) -> None:
        kind = type(self).__name__
        if not self.built:
            raise ValueError(
                f"Cannot quantize a layer that isn't yet built. Layer '{self.name}' (of type "
                f"'{kind}') is not built yet."
            )
        if self._is_quantized:
            raise ValueError(
                f"Layer '{self.name}' is already quantized with "
                f"dtype_policy='{self._dtype_policy.name}'. Received: mode={mode}"
            )
        compute = self._own_policy().compute_dtype
        if mode == "int8" and compute == "float16":
            raise ValueError(
                f"Quantization mode='{mode}' doesn't work well with compute_dtype='float16'. "
                "Consider loading model/layer with another dtype policy such as 'mixed_bfloat16' "
                "or 'mixed_float16' before calling `quantize()`."
            )


def checked(quantize: Any) -> Any:
    """`quantize` with its arguments checked, able to add variables to the built layer."""

    def wrapped(self: Any, mode: Any = None, type_check: bool = True, config: Any = None) -> Any:
        config = resolve(mode, config)
        self._check_quantize(config.mode)
        self._tracker.locked = False
        try:
            return quantize(self, config.mode, type_check=type_check, config=config)
        finally:
            self._tracker.locked = self._locks

    wrapped.__doc__, wrapped.__name__ = quantize.__doc__, "quantize"
    return wrapped
