"""Processes started by `mpirun`, connected by MPI."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import numpy as np

import kerasish_core as core

__all__ = ["Processes", "connect", "launched"]

# What launchers tell each process: how many there are.
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "MV2_COMM_WORLD_SIZE", "PALS_SIZE")


def launched() -> int:
    """How many processes a launcher started, as it says itself; 1 without one."""
    for name in _SIZES:
        with contextlib.suppress(ValueError):
            return max(int(os.environ.get(name, "")), 1)
    return 1


class Processes:
    """The processes of MPI's world.

    Args:
        world: mpi4py's communicator.
    """

    def __init__(self, world: Any) -> None:
        self._world = world
        self.rank, self.size = world.Get_rank(), world.Get_size()
        self._on_device: dict[str, Any] = {}

    def on_device(self) -> Any:
        """Sums on the current GPUs of all processes, connected at the first call; or None."""
        name = core.current_device()
        if name not in self._on_device:
            self._on_device[name] = core.connect_gpus(self)
        return self._on_device[name]

    def all_reduce(self, array: Any) -> Any:
        """The sum over all processes."""
        given = np.asarray(array, order="C")
        found = np.empty_like(given)
        self._world.Allreduce(given, found)
        return found

    def broadcast(self, array: Any) -> Any:
        """The first process's array."""
        found = np.array(array, order="C")
        self._world.Bcast(found.reshape(-1).view(np.uint8), root=0)  # MPI knows no bfloat16
        return found

    def all_gather(self, value: Any) -> list[Any]:
        """The values of all processes."""
        return list(self._world.allgather(value))

    def abort_together(self) -> None:
        """Let an exception that ends this process end the others too: they would wait for it."""
        show = sys.excepthook

        def hook(kind: Any, error: Any, trace: Any) -> None:
            show(kind, error, trace)
            sys.stderr.flush()
            self._world.Abort(1)

        sys.excepthook = hook


def connect() -> Any:
    """Connect with the processes that `mpirun` started, once; the communicator.

    Raises:
        ImportError: There are several, and mpi4py is missing.
    """
    if core.communicator().size > 1 or launched() == 1:
        return core.communicator()
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            f"{launched()} processes were started by mpirun, but mpi4py is not installed. Install "
            "the extra: pip install 'kerasish[mpi]'."
        ) from error
    processes = Processes(MPI.COMM_WORLD)
    if processes.size != launched():
        raise RuntimeError(
            f"The launcher says that it started {launched()} processes, mpi4py finds "
            f"{processes.size}: mpirun and mpi4py belong to different MPI libraries. Start with "
            "the mpirun of the library that mpi4py uses."
        )
    core.connect(processes)
    if processes.size > 1:
        processes.abort_together()
        processes.on_device()
    return processes
