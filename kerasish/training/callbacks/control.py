"""Callbacks that end training."""

from __future__ import annotations

import math
from typing import Any

from ... import older
from ...messages import write
from .callback import Callback, Monitor

__all__ = ["EarlyStopping", "TerminateOnNaN"]


@older.classes
class EarlyStopping(Monitor):
    """Stop when a figure no longer improves.

    Args:
        monitor: Log name.
        min_delta: The least improvement.
        patience: Epochs without improvement before stopping.
        verbose: 1 prints the reason.
        mode: "min", "max" or "auto".
        baseline: A value to reach first.
        restore_best_weights: Whether to go back to the best epoch's weights.
        start_from_epoch: Epochs to wait at first.
    """

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0,
                 verbose: int = 0, mode: str = "auto", baseline: float | None = None,
                 restore_best_weights: bool = False,
                 start_from_epoch: int = 0) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: Any = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.check_mode()  # of a figure that nobody knows it must be told
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def get_monitor_value(self, logs: Any) -> float | None:
        """The figure, or None with a warning that names those that exist."""
        return self.value_of(logs)

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            write(f"Epoch {self.stopped_epoch + 1}: early stopping\n")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                write(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}.\n"
                )
            self.model.set_weights(self.best_weights)


class TerminateOnNaN(Callback):
    """Stop when the loss is NaN or infinite.

    Args:
        raise_error: Whether to stop by an error, so that no callback acts as after a finished run.

    Raises:
        RuntimeError: With `raise_error`, at such a loss.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating "
                "training immediately."
            )
        write(f"Batch {batch}: Invalid loss, terminating training\n")
        self.model.stop_training = True
