"""Settings of the methods that look at sample data."""

from __future__ import annotations

from typing import Any

from ..serialization import builtin
from .config import QuantizationConfig

__all__ = ["AWQConfig", "GPTQConfig"]


def _check_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value <= 0:
            raise ValueError(f"{name} must be a positive integer. Received: {name}={value}")


class _Calibrated(QuantizationConfig):
    """What both methods share."""

    _fields: tuple[str, ...] = ()

    def __init__(self, dataset: Any, tokenizer: Any, group_size: int, **settings: Any) -> None:
        super().__init__()
        if group_size < -1 or group_size == 0:
            raise ValueError(
                "Invalid group_size. Supported values are -1 (whole-tensor) or a positive "
                f"integer, but got {group_size}."
            )
        self.dataset, self.tokenizer, self.group_size = dataset, tokenizer, group_size
        for name, value in settings.items():
            setattr(self, name, value)

    def dtype_policy_string(self) -> str:
        """The mode of the policy, such as `gptq/4/128`."""
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        """The arguments but those needed only once: data, and layers.

        A layer's config has these settings in it, so that layers here would have no end.
        """
        once = {"dataset": None, "tokenizer": None, "quantization_layer_structure": None}
        return {n: getattr(self, n) for n in self._fields} | once

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The settings of a config."""
        return cls(**config)


@builtin("keras.quantizers")
class GPTQConfig(_Calibrated):
    """Settings of GPTQ: columns are rounded one by one, and the others make up for the error.

    Args:
        dataset: Samples: strings, or arrays of token numbers.
        tokenizer: Turns strings into token numbers.
        weight_bits: 2, 3, 4 or 8.
        num_samples: How many samples are used.
        per_channel: Whether each output has a scale of its own.
        sequence_length: Tokens of a sample.
        hessian_damping: Share of the mean diagonal that is added to it.
        group_size: How many inputs share a scale; -1 is all.
        symmetric: Whether the range is symmetric about 0.
        activation_order: Whether the most active inputs come first.
        quantization_layer_structure: Dictionary of `"pre_block_layers"` and
            `"sequential_blocks"`.

    Raises:
        ValueError: A number is out of range.

    Source: Frantar et al. (2022), GPTQ.
    """

    _fields = (
        "weight_bits", "num_samples", "per_channel", "sequence_length", "hessian_damping",
        "group_size", "symmetric", "activation_order", "quantization_layer_structure",
    )  # fmt: skip

    def __init__(
        self, dataset: Any, tokenizer: Any, *, weight_bits: int = 4, num_samples: int = 128,
        per_channel: bool = True, sequence_length: int = 512, hessian_damping: float = 0.01,
        group_size: int = 128, symmetric: bool = False, activation_order: bool = False,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        if weight_bits not in (2, 3, 4, 8):
            raise ValueError(
                f"Unsupported weight_bits {weight_bits}. Supported values are 2, 3, 4, and 8."
            )
        _check_positive(num_samples=num_samples, sequence_length=sequence_length)
        if not 0 <= hessian_damping <= 1:
            raise ValueError(
                f"hessian_damping must be between 0 and 1. Received: {hessian_damping}"
            )
        super().__init__(
            dataset, tokenizer, group_size, weight_bits=weight_bits, num_samples=num_samples,
            per_channel=per_channel, sequence_length=sequence_length,
            hessian_damping=hessian_damping, symmetric=symmetric,
            activation_order=activation_order,
            quantization_layer_structure=quantization_layer_structure,
        )  # fmt: skip

    @property
    def mode(self) -> str:
        """`"gptq"`."""
        return "gptq"


@builtin("keras.quantizers")
class AWQConfig(_Calibrated):
    """Settings of AWQ: inputs of large activations are scaled up before rounding.

    Args:
        dataset: Samples: strings, or arrays of token numbers.
        tokenizer: Turns strings into token numbers.
        weight_bits: 4.
        num_samples: How many samples are used.
        sequence_length: Tokens of a sample.
        group_size: How many inputs share a scale; -1 is all.
        num_grid_points: How many scales are tried.
        quantization_layer_structure: Dictionary of `"pre_block_layers"` and
            `"sequential_blocks"`.

    Raises:
        ValueError: A number is out of range.

    Source: Lin et al. (2023), AWQ.
    """

    _fields = (
        "weight_bits", "num_samples", "sequence_length", "group_size", "num_grid_points",
        "quantization_layer_structure",
    )  # fmt: skip

    def __init__(
        self, dataset: Any, tokenizer: Any, *, weight_bits: int = 4, num_samples: int = 128,
        sequence_length: int = 512, group_size: int = 128, num_grid_points: int = 20,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        if weight_bits != 4:
            raise ValueError(
                f"AWQ only supports 4-bit quantization. Received weight_bits={weight_bits}."
            )
        _check_positive(
            num_samples=num_samples, sequence_length=sequence_length,
            num_grid_points=num_grid_points,
        )  # fmt: skip
        super().__init__(
            dataset, tokenizer, group_size, weight_bits=weight_bits, num_samples=num_samples,
            sequence_length=sequence_length, num_grid_points=num_grid_points,
            quantization_layer_structure=quantization_layer_structure,
        )  # fmt: skip

    @property
    def mode(self) -> str:
        """`"awq"`."""
        return "awq"
