"""Checkpoints of Orbax, which needs JAX."""

from __future__ import annotations

from typing import Any

from .callback import Monitor

__all__ = ["OrbaxCheckpoint"]


class OrbaxCheckpoint(Monitor):
    """Not to be had: Orbax writes JAX's arrays.

    Args:
        directory, monitor, verbose, save_best_only, mode, save_freq, initial_value_threshold,
        max_to_keep, save_on_background, save_weights_only: As in Keras.

    Raises:
        ImportError: Always; it names what to use instead.
    """

    def __init__(
        self, directory: Any, monitor: str = "val_loss", verbose: int = 0,
        save_best_only: bool = False, mode: str = "auto", save_freq: Any = "epoch",
        initial_value_threshold: float | None = None, max_to_keep: int | None = 1,
        save_on_background: bool = True, save_weights_only: bool = False,
    ) -> None:  # fmt: skip
        raise ImportError(
            "OrbaxCheckpoint writes through the package `orbax-checkpoint`, which is built on JAX; "
            "kerasish has no JAX underneath. Use `ModelCheckpoint` for model or weight files, or "
            f"`BackupAndRestore` to go on after an interruption. Received: directory={directory!r}"
        )

    @property
    def is_multihost_enabled(self) -> bool:
        """Whether several hosts save together: never."""
        return False

    @property
    def is_primary_host(self) -> bool:
        """Whether this is the first of several hosts: always."""
        return True

    def wait_until_finished(self) -> None:
        """Wait for saves in the background: there are none."""
