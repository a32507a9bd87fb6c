"""Callbacks that earlier releases had."""

from __future__ import annotations

from typing import Any

from ..callbacks import Callback

__all__ = ["BaseLogger"]


class BaseLogger(Callback):
    """Replaces the figures of an epoch by the means of those of its batches.

    Args:
        stateful_metrics: Names of figures that are means already.
    """

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen, self.totals = 0, {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen, self.totals = 0, {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        logs = logs or {}
        size = logs.get("size", 1)
        self.seen += size
        for name, value in logs.items():
            mean = name in self.stateful_metrics
            self.totals[name] = value if mean else self.totals.get(name, 0.0) + value * size

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name in (self.params or {}).get("metrics", list(self.totals)):
            if logs is not None and name in self.totals:
                mean = name in self.stateful_metrics
                logs[name] = self.totals[name] if mean else self.totals[name] / self.seen
