"""Callbacks that set the learning rate."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ... import older
from ...messages import write
from .callback import Callback, Monitor

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


def _rates_of(model: Any) -> dict[str, Any]:
    """Log names and optimizers: several of them where each has its own variables."""
    several = getattr(model.optimizer, "optimizers", None)
    if several is None:
        return {"learning_rate": model.optimizer}
    return {f"learning_rate_{o.name}": o for o in several}


def _rate_of(model: Any) -> float:
    if not hasattr(model.optimizer, "learning_rate"):
        raise ValueError('Optimizer must have a "learning_rate" attribute.')
    return float(model.optimizer.learning_rate)


@older.classes
class LearningRateScheduler(Callback):
    """`schedule(epoch, rate)` (or `schedule(epoch)`) gives each epoch's learning rate."""

    def __init__(self, schedule: Any, verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = _rate_of(self.model)
        parameters = [
            p for p in inspect.signature(self.schedule).parameters.values() if p.default is p.empty
        ]
        found = self.schedule(epoch, rate) if len(parameters) > 1 else self.schedule(epoch)
        try:
            found = float(found)
        except (TypeError, ValueError):
            raise ValueError(
                f"The output of the `schedule` function should be a float. Got: {found!r}"
            ) from None
        self.model.optimizer.learning_rate = found
        if self.verbose:
            write(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {found}.\n")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = _rate_of(self.model)


@older.classes
class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` when a figure no longer improves.

    Args:
        monitor: Log name.
        factor: Below 1.
        patience: Epochs without improvement before reducing.
        verbose: 1 prints reductions.
        mode: "min", "max" or "auto".
        min_delta: The least improvement.
        cooldown: Epochs to wait after a reduction.
        min_lr: Lower bound of the rate.
    """

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10,
                 verbose: int = 0, mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0,
                 min_lr: float = 0.0, **kwargs: Any) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"
            )
        if kwargs:
            raise ValueError(f"Arguments not recognized: {sorted(kwargs)}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        optimizers = _rates_of(self.model)
        if logs is not None:
            logs.update({name: float(o.learning_rate) for name, o in optimizers.items()})
        self.check_mode()  # of a figure that nobody knows it must be told
        value = self.value_of(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                several = len(optimizers) > 1
                reduced = [self._reduce(epoch, o, several) for o in optimizers.values()]
                if any(reduced):
                    self.cooldown_counter, self.wait = self.cooldown, 0

    def in_cooldown(self) -> bool:
        """Whether epochs pass that do not count."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int, optimizer: Any, named: bool) -> bool:
        old = float(optimizer.learning_rate)
        if old <= np.float32(self.min_lr):
            return False
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose:
            name = f" {optimizer.name}" if named else ""
            write(
                f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{name} learning rate to {new}.\n"
            )
        return True
