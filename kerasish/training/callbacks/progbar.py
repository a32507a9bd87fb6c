"""Progress as a callback."""

from __future__ import annotations

from typing import Any

from ... import older
from ..progress import Progress, choose_verbose
from .callback import Callback

__all__ = ["ProgbarLogger"]


@older.classes
class ProgbarLogger(Callback):
    """Shows what `fit` shows by itself; where it is among the callbacks, `fit` leaves it to it."""

    def __init__(self) -> None:
        super().__init__()
        self.verbose, self.epochs = 1, 1
        self.target: int | None = None
        self._line: Any = None
        self._in_fit = False

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        self.verbose = choose_verbose(params["verbose"])
        self.epochs, self.target = params["epochs"], params["steps"]

    def _begin(self, title: str | None) -> None:
        self._line = Progress(title, self.target, self.verbose)

    def _end(self, logs: Any) -> None:
        if self._line is not None:
            self._line.close(logs or {})
            self._line = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begin(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._line.update(batch + 1, logs or {})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._end(logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._in_fit:  # the line of an epoch shows what its validation found
            self._begin(None)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._in_fit:
            self._line.update(batch + 1, logs or {})

    def on_test_end(self, logs: Any = None) -> None:
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._begin(None)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._line.update(batch + 1, {})

    def on_predict_end(self, logs: Any = None) -> None:
        self._end({})
