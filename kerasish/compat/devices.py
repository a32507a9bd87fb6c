"""`multi_gpu_model`."""

from __future__ import annotations

from typing import Any

__all__ = ["multi_gpu_model"]


def multi_gpu_model(
    model: Any, gpus: Any = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> Any:
    """The model itself where it runs on one device; an error where several are asked for.

    Raises:
        ValueError: `gpus` asks for several devices.
    """
    count = len(gpus) if isinstance(gpus, list | tuple) else gpus
    if count is not None and count > 1:
        raise ValueError(
            f"multi_gpu_model: {gpus} devices were asked for, and kerasish runs a model on one. "
            "Leave the call out: the results are the same, with the whole batch on one device."
        )
    return model
