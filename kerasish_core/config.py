"""Every environment variable the project reads: typed, validated, listed here and nowhere else.

| variable | values | meaning |
| --- | --- | --- |
| `KERASISH_DEVICE` | `cpu`, `gpu`, `gpu:N` | the default; unset: the GPU, if CuPy finds one |
| `KERASISH_NATIVE` | `0`, `1` | `0` keeps to the reference executor |
| `KERASISH_SHADOW` | `0`, `1` | `1` runs the reference beside every compiled program |
| `KERASISH_THREADS` | 1 or more | threads of the native pool |

Launchers of several processes set one of `OMPI_COMM_WORLD_LOCAL_RANK`, `MPI_LOCALRANKID`,
`MV2_COMM_WORLD_LOCAL_RANK`, `PALS_LOCAL_RANKID` and `SLURM_LOCALID`: which of its machine's
processes this one is. It takes the GPU of that number.
"""

from __future__ import annotations

import os
import re

__all__ = [
    "EnvironmentVariableError", "device", "local_rank", "native", "set_tensor_float_32", "shadow",
    "tensor_float_32", "threads",
]  # fmt: skip

_LOCAL_RANKS = (
    "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK",
    "PALS_LOCAL_RANKID", "SLURM_LOCALID",
)  # fmt: skip


class EnvironmentVariableError(ValueError):
    """An environment variable of kerasish with a value that it cannot have."""


def _flag(name: str, default: bool) -> bool:
    text = os.environ.get(name, "")
    if text in ("", "0", "1"):
        return default if text == "" else text == "1"
    raise EnvironmentVariableError(f"{name}={text!r}: expected 0 or 1. Unset it or set it to one.")


def device() -> str:
    """The device named by `KERASISH_DEVICE`, or an empty string."""
    text = os.environ.get("KERASISH_DEVICE", "")
    if text and not re.fullmatch(r"cpu|gpu(:\d+)?", text):
        raise EnvironmentVariableError(f"KERASISH_DEVICE={text!r}: expected cpu, gpu or gpu:N.")
    return text


def local_rank() -> int:
    """The number of this process among those that a launcher started on this machine; else 0."""
    found = [os.environ.get(name, "") for name in _LOCAL_RANKS]
    return next((int(text) for text in found if text.isdigit()), 0)


_tensor_float_32 = False


def tensor_float_32() -> bool:
    """Whether GPUs may round float32 operands of matrix products to TF32 (10 bits)."""
    return _tensor_float_32


def set_tensor_float_32(enabled: bool) -> None:
    """Let programs that are made from now on do so, or not."""
    global _tensor_float_32
    _tensor_float_32 = bool(enabled)


def native() -> bool:
    """Whether the native library may be used."""
    return _flag("KERASISH_NATIVE", True)


def shadow() -> bool:
    """Whether every compiled program is compared with the reference as it runs."""
    return _flag("KERASISH_SHADOW", False)


def threads() -> int:
    """Threads of the native pool: `KERASISH_THREADS`, else the processors this process may use."""
    text = os.environ.get("KERASISH_THREADS", "")
    if not text:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if not text.isdigit() or int(text) < 1:
        raise EnvironmentVariableError(
            f"KERASISH_THREADS={text!r}: expected a whole number from 1."
        )
    return int(text)
