"""The base of all callbacks."""

from __future__ import annotations

import warnings
from typing import Any

from ... import older

__all__ = ["Callback", "Monitor"]

HOOKS = (
    "on_batch_begin", "on_batch_end", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin",
    "on_train_batch_end", "on_test_batch_begin", "on_test_batch_end", "on_predict_batch_begin",
    "on_predict_batch_end", "on_train_begin", "on_train_end", "on_test_begin", "on_test_end",
    "on_predict_begin", "on_predict_end",
)  # fmt: skip


class Callback:
    """Override the hooks that you need; `self.model` is the model, `self.params` its settings."""

    __getattr__ = older.attribute

    def __init__(self) -> None:
        self.params: Any = None
        self._model: Any = None

    @property
    def model(self) -> Any:
        return getattr(self, "_model", None)

    def set_params(self, params: Any) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """As `on_train_batch_begin` (Keras 2's name)."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """As `on_train_batch_end` (Keras 2's name)."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch, numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch; `logs` holds the figures and may be changed."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a training step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a training step."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before an evaluation step."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """After an evaluation step."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a prediction step."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a prediction step."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before training."""

    def on_train_end(self, logs: Any = None) -> None:
        """After training."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Any = None) -> None:
        """After an evaluation."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Any = None) -> None:
        """After a prediction."""


class Monitor(Callback):
    """Compares a figure of the logs from epoch to epoch.

    Args:
        monitor: Its log name.
        mode: "min", "max" or "auto": the direction that the metric of that name has.
        min_delta: The least change that counts as an improvement.

    Raises:
        ValueError: At the first comparison: the direction is "auto" and can't be known.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        if mode not in ("min", "max", "auto"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown: 'auto' is used.", stacklevel=3
            )
            self.mode = "auto"

    def is_better(self, value: float, best: float | None) -> bool:
        """Whether `value` improves on `best` by more than `min_delta`."""
        larger = self.check_mode()  # refuses at once what it does not know
        if best is None:
            return True
        if larger:
            return value - self.min_delta > best
        return value + self.min_delta < best

    def check_mode(self) -> bool:
        """Whether larger is better.

        Raises:
            ValueError: The direction is "auto" and can't be known.
        """
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        given = getattr(self.model, "_compile_metrics", None)
        found = [m for m in ([] if given is None else given.metrics) if m.name == name]
        # The last one whose direction is known; of the loss it is known in any case.
        known = [d for m in found if (d := getattr(m, "_direction", None)) is not None]
        if known:
            return known[-1] == "up"
        if name == "loss":
            return False
        raise ValueError(
            f"{type(self).__name__} callback received monitor={self.monitor}, but it can't be "
            "known whether that metric should be maximized or minimized. Pass `mode='max'` in "
            "order to monitor based on the highest metric value, or pass `mode='min'` in order to "
            "use the lowest value."
        )

    def value_of(self, logs: Any) -> float | None:
        """The figure, or None with a warning that names those that exist."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} is conditioned on metric `{self.monitor}` which is not "
                f"available. Available metrics are: {','.join(logs or {})}",
                stacklevel=3,
            )
        return value
