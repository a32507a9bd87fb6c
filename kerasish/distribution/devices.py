"""Which devices there are, over all processes."""

from __future__ import annotations

import os
from typing import Any

import kerasish_core as core

from .mpi import connect

__all__ = ["get_device_count", "initialize", "list_devices"]


def list_devices(device_type: str | None = None) -> list[str]:
    """The names of the devices that can train together.

    Of several processes each has one; one alone has all GPUs of its machine.

    Args:
        device_type: "cpu" or "gpu"; by default that of the current device.

    Raises:
        RuntimeError: There is no such device.
    """
    current = core.current_device().partition(":")[0]
    kind = current if device_type is None else device_type.lower()
    if kind != current and kind != "cpu":
        raise RuntimeError(
            f"Unknown backend: '{kind}' requested, but new arrays are made on '{current}'. Set "
            "KERASISH_DEVICE=gpu, with CuPy installed."
        )
    size = connect().size
    count = core.gpu_count() if kind == "gpu" and size == 1 else size
    return [f"{kind}:{i}" for i in range(count)]


def get_device_count(device_type: str | None = None) -> int:
    """The number of devices of all processes; arguments as of `list_devices`."""
    return len(list_devices(device_type))


def initialize(
    job_addresses: str | None = None, num_processes: int | None = None,
    process_id: int | None = None,
) -> None:  # fmt: skip
    """Connect the processes that train together.

    `mpirun -n 4 python train.py` starts them, so no argument is needed, and `DataParallel()`
    connects them by itself. What is given (or stands in `KERAS_DISTRIBUTION_NUM_PROCESSES` and
    `KERAS_DISTRIBUTION_PROCESS_ID`) is compared with what MPI says.

    Args:
        job_addresses: Accepted as in Keras: MPI knows where the processes are.
        num_processes: How many there are.
        process_id: The number of this one.

    Raises:
        RuntimeError: MPI says otherwise.
        ImportError: There are several, and mpi4py is missing.
    """
    found = connect()
    for name, given, real in (
        ("num_processes", num_processes, found.size), ("process_id", process_id, found.rank)
    ):  # fmt: skip
        value: Any = given
        if value is None:
            value = os.environ.get(f"KERAS_DISTRIBUTION_{name.upper()}")
        if value is not None and int(value) != real:
            raise RuntimeError(
                f"initialize: {name} is {value}, but MPI says {real}. Start the processes "
                f"together: `mpirun -n {num_processes or 2} python train.py`."
            )
