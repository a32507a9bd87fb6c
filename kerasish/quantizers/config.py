"""Settings of `layer.quantize` and `model.quantize`."""

from __future__ import annotations

from typing import Any

from ..dtype_policies.quantized import QUANTIZATION_MODES
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from .quantizer import AbsMaxQuantizer

__all__ = [
    "Float8QuantizationConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "resolve",
]


@builtin("keras.quantizers")
class QuantizationConfig:
    """How weights and inputs are quantized. Subclasses define `mode`.

    Args:
        weight_quantizer: Of weights; None for the mode's own.
        activation_quantizer: Of inputs; None to leave them as they are.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None) -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    @property
    def mode(self) -> str:
        """One of the quantization modes."""
        raise NotImplementedError(
            "Subclasses must implement this property. Do not instantiate QuantizationConfig "
            "directly."
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {
            "weight_quantizer": serialize_keras_object(self.weight_quantizer),
            "activation_quantizer": serialize_keras_object(self.activation_quantizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The settings of a config."""
        return cls(**{k: deserialize_keras_object(v) for k, v in config.items()})

    @staticmethod
    def weight_quantizer_or_default(config: Any, default: Any) -> Any:
        """The quantizer of weights that a config names, if it does."""
        named = None if config is None else config.weight_quantizer
        return default if named is None else named

    @staticmethod
    def activation_quantizer_or_default(config: Any, default: Any) -> Any:
        """The quantizer of inputs of a config, which may be None; `default` without a config."""
        return default if config is None else config.activation_quantizer


def _require(config: QuantizationConfig, name: str, value: Any) -> None:
    """Refuse a quantizer of weights with another setting."""
    quantizer = config.weight_quantizer
    if quantizer is None:
        return
    found = getattr(quantizer, name, None)
    found = tuple(found) if isinstance(found, list) else found
    if found != value:
        raise ValueError(
            f"{type(config).__name__} requires a weight_quantizer with {name}={value!r}. "
            f"Received: {name}={found}"
        )


@builtin("keras.quantizers")
class Int8QuantizationConfig(QuantizationConfig):
    """Weights, and inputs at each call, in 8-bit integers.

    Args:
        weight_quantizer: To `"int8"`.
        activation_quantizer: "default" is `AbsMaxQuantizer()`; None leaves inputs as they are.

    Raises:
        ValueError: `weight_quantizer` gives another type.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default") -> None:
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)
        _require(self, "output_dtype", "int8")

    @property
    def mode(self) -> str:
        """`"int8"`."""
        return "int8"


@builtin("keras.quantizers")
class Int4QuantizationConfig(QuantizationConfig):
    """Weights in 4-bit integers, two to a byte.

    Args:
        weight_quantizer: To values from -8 to 7.
        activation_quantizer: "default" and None leave inputs as they are.
        block_size: How many inputs share a scale; None or -1: all of them.

    Raises:
        ValueError: `block_size` is no such number, a quantizer is given besides it, or
            `weight_quantizer` has another range.
    """

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default",
        block_size: int | None = 128,
    ) -> None:  # fmt: skip
        if isinstance(activation_quantizer, str) and activation_quantizer == "default":
            activation_quantizer = None
        super().__init__(weight_quantizer, activation_quantizer)
        if block_size is not None and block_size != -1 and block_size <= 0:
            raise ValueError(
                "block_size must be None, -1, or a positive integer. "
                f"Received: block_size={block_size}"
            )
        self.block_size = block_size
        if (block_size or -1) > 0 and (weight_quantizer, activation_quantizer) != (None, None):
            raise ValueError(
                "Int4 sub-channel quantization (block_size > 0) does not support custom "
                "quantizers. Either set block_size to None or -1 for per-channel quantization, or "
                f"remove the custom quantizer arguments. Received: block_size={block_size}"
            )
        _require(self, "value_range", (-8, 7))
        _require(self, "output_dtype", "int8")

    @property
    def mode(self) -> str:
        """`"int4"`."""
        return "int4"

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "block_size": self.block_size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The settings of a config; older ones know no blocks."""
        return super().from_config({"block_size": None, **config})


@builtin("keras.quantizers")
class Float8QuantizationConfig(QuantizationConfig):
    """Training with products in 8-bit floats."""

    def __init__(self) -> None:
        super().__init__()

    @property
    def mode(self) -> str:
        """`"float8"`."""
        return "float8"

    def get_config(self) -> dict[str, Any]:
        """No arguments."""
        return {}


_DEFAULTS = {
    "int8": Int8QuantizationConfig,
    "int4": Int4QuantizationConfig,
    "float8": Float8QuantizationConfig,
}


def resolve(mode: str | None, config: Any) -> QuantizationConfig:
    """The settings that `quantize(mode, config)` means.

    Raises:
        ValueError: Neither is given, they contradict each other, or a mode is unknown or needs
            more than its name.
    """
    if isinstance(config, str):
        mode, config = config, None
    for each in (mode, getattr(config, "mode", None)):
        if each is not None and each not in QUANTIZATION_MODES:
            raise ValueError(
                f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. "
                f"Received: mode={each}"
            )
    if config is None:
        if mode is None:
            raise ValueError("You must provide either `mode` or `config` to `quantize`.")
        if mode not in _DEFAULTS:
            name = mode.upper()
            raise ValueError(
                f"For {name}, you must pass a `{name}Config` object in the `config` argument."
            )
        return _DEFAULTS[mode]()
    if not isinstance(config, QuantizationConfig):
        raise ValueError(
            "Argument `config` must be an instance of `QuantizationConfig`. "
            f"Received: config={config} (of type {type(config)})"
        )
    if mode is not None and config.mode != mode:
        raise ValueError(f"Contradictory arguments: mode='{mode}' but config.mode='{config.mode}'")
    return config
