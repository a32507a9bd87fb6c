"""Policies of layers whose weights are quantized."""

from __future__ import annotations

from typing import Any

from ..serialization import builtin
from .policy import DTypePolicy, dtype_policy, parse

__all__ = [
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QUANTIZATION_MODES",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "is_quantized",
    "quantized",
]

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


@builtin("keras.dtype_policies")
class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a layer whose weights are quantized.

    Args:
        mode: One of `QUANTIZATION_MODES`.
        source_name: The policy's name before quantization; that in force if None.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        kind = mode.split("/")[0] if isinstance(mode, str) else mode
        self._check_mode(kind)
        source = dtype_policy().name if source_name is None else source_name
        self._compute_dtype, self._variable_dtype = parse(source)
        if kind in ("int8", "int4", "gptq", "awq") and self._compute_dtype == "float16":
            raise ValueError(
                f"Quantization mode='{kind}' doesn't work well with compute_dtype='float16'."
            )
        self._name = f"{mode}_from_{source}"
        self._source_name = source
        self._quantization_mode = kind
        self._full_mode = mode

    def _check_mode(self, mode: Any) -> None:
        if mode not in QUANTIZATION_MODES:
            raise ValueError(
                f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. "
                f"Received: mode={mode}"
            )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {"mode": self._full_mode, "source_name": self._source_name}


@builtin("keras.dtype_policies")
class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Training in float8 with scales from the history of largest absolute values.

    Args:
        mode: `"float8"`.
        source_name: The policy's name before quantization.
        amax_history_length: How many steps the history holds.
    """

    default_amax_history_length = 1024

    def __init__(
        self, mode: str, source_name: str | None = None, amax_history_length: int = 1024
    ) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "`amax_history_length` must be an integer. "
                f"Received: amax_history_length={amax_history_length}"
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """How many steps the history of largest absolute values holds."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return {**super().get_config(), "amax_history_length": self._amax_history_length}


def _mode_numbers(cls: type, mode: str, kind: str, fields: tuple[str, ...]) -> list[int]:
    """The numbers in a mode such as `gptq/4/128`."""
    form = "/".join([kind, *(f"<{f}>" for f in fields)])
    parts = mode.split("/")
    problem = f"Invalid mode for {cls.__name__}. "
    if parts[0] != kind or len(parts) != len(fields) + 1:
        raise ValueError(f"{problem}Expected format '{form}', but got '{mode}'.")
    try:
        return [int(p) for p in parts[1:]]
    except ValueError:
        names = " and ".join(f"<{f}>" for f in fields)
        raise ValueError(
            f"{problem}{names} must be integers. Expected format '{form}', but got '{mode}'."
        ) from None


def _check_group(mode: str, name: str, size: int) -> None:
    if size < -1 or size == 0:
        raise ValueError(
            f"Invalid {name} in mode. Supported values are -1 (per-channel) or a positive integer "
            f"(sub-channel), but got {size} from '{mode}'."
        )


@builtin("keras.dtype_policies")
class Int4DTypePolicy(QuantizedDTypePolicy):
    """4-bit weights with one scale per block.

    Args:
        mode: `"int4/<block_size>"`; a block size of -1 means one scale per channel.
        source_name: The policy's name before quantization.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        (block_size,) = _mode_numbers(type(self), mode, "int4", ("block_size",))
        _check_group(mode, "block_size", block_size)
        super().__init__(mode, source_name)
        self.mode = "int4"
        self.block_size = block_size


@builtin("keras.dtype_policies")
class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Weights quantized by GPTQ.

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`.
        source_name: The policy's name before quantization.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        bits, group = _mode_numbers(type(self), mode, "gptq", ("weight_bits", "group_size"))
        if bits not in (2, 3, 4, 8):
            raise ValueError(
                "Invalid weight_bits in mode. Supported values are 2, 3, 4, and 8, "
                f"but got {bits} from '{mode}'."
            )
        _check_group(mode, "group_size", group)
        super().__init__(mode, source_name)
        self.mode, self.weight_bits, self.group_size = "gptq", bits, group


@builtin("keras.dtype_policies")
class AWQDTypePolicy(QuantizedDTypePolicy):
    """Weights quantized by activation-aware scaling (AWQ).

    Args:
        mode: `"awq/4/<group_size>"`.
        source_name: The policy's name before quantization.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        bits, group = _mode_numbers(type(self), mode, "awq", ("weight_bits", "group_size"))
        if bits != 4:
            raise ValueError(
                "Invalid weight_bits in mode. AWQ only supports 4-bit quantization, "
                f"but got {bits} from '{mode}'."
            )
        _check_group(mode, "group_size", group)
        super().__init__(mode, source_name)
        self.mode, self.weight_bits, self.group_size = "awq", bits, group


def is_quantized(name: Any) -> bool:
    """Whether it is the name of such a policy."""
    return isinstance(name, str) and name.startswith(QUANTIZATION_MODES)


def quantized(policy: str) -> QuantizedDTypePolicy:
    """The policy of a name such as `int8_from_float32`."""
    mode, separator, source = policy.partition("_from_")
    if not separator:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to instantiate "
            f"`QuantizedDTypePolicy`. Received: policy={policy}. Expected e.g. 'int8_from_float32'."
        )
    if mode.startswith("gptq"):
        return GPTQDTypePolicy(mode, source)
    if mode.startswith("awq"):
        return AWQDTypePolicy(mode, source)
    if mode.startswith("int4/"):
        return Int4DTypePolicy(mode, source)
    if mode == "float8":
        return QuantizedFloat8DTypePolicy(mode, source)
    return QuantizedDTypePolicy(mode, source)
