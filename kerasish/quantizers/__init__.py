"""Numbers in few bits: quantizers, packing, and the settings of `model.quantize`."""

from __future__ import annotations

import inspect
from typing import Any

from ..serialization import deserialize_keras_object, serialize_keras_object
from .calibrated import AWQConfig, GPTQConfig
from .config import (
    Float8QuantizationConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)
from .fake import fake_quant_with_min_max_vars
from .float8 import compute_float8_amax_history, compute_float8_scale, quantize_and_dequantize
from .int4 import pack_int4, unpack_int4
from .quantizer import (
    AbsMaxQuantizer,
    Quantizer,
    abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point,
)

__all__ = [
    "AWQConfig",
    "AbsMaxQuantizer",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]

_CLASSES = (
    Quantizer, AbsMaxQuantizer, QuantizationConfig, Int8QuantizationConfig, Int4QuantizationConfig,
    Float8QuantizationConfig, GPTQConfig, AWQConfig,
)  # fmt: skip
_BY_NAME = {cls.__name__: cls for cls in _CLASSES}
_BY_NAME |= {"quantizer": Quantizer, "abs_max_quantizer": AbsMaxQuantizer}


def serialize(initializer: Any) -> Any:
    """A quantizer as a config."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The quantizer of a config."""
    return deserialize_keras_object(config, module_objects=_BY_NAME, custom_objects=custom_objects)


def get(identifier: Any, **kwargs: Any) -> Any:
    """The quantizer meant.

    Args:
        identifier: A name such as `"abs_max_quantizer"`, a config, a class, a quantizer, or None.
        **kwargs: For a name or class: arguments of the quantizer.

    Raises:
        ValueError: It means none.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = _BY_NAME.get(identifier)
    if inspect.isclass(found):
        return found(**kwargs)
    if not callable(found):
        raise ValueError(f"Could not interpret quantizer identifier: {identifier}")
    return found
