"""History and functions as callbacks."""

from __future__ import annotations

from typing import Any

from .callback import HOOKS, Callback

__all__ = ["History", "LambdaCallback"]


class History(Callback):
    """Keeps the logs of all epochs: `history` maps names to lists of floats, `epoch` counts."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)


class LambdaCallback(Callback):
    """Functions as hooks: `LambdaCallback(on_epoch_end=lambda epoch, logs: ...)`."""

    def __init__(self, **hooks: Any) -> None:
        super().__init__()
        for name, function in hooks.items():
            if name not in HOOKS:
                raise ValueError(f"LambdaCallback has no hook {name!r}; there are {', '.join(HOOKS)}.")
            if function is not None:
                setattr(self, name, function)
