"""All callbacks of a run. A hook that nobody overrides costs nothing."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .callback import HOOKS, Callback
from .control import TerminateOnNaN
from .history import History, LambdaCallback
from .progbar import ProgbarLogger
from .rates import LearningRateScheduler

__all__ = ["CallbackList"]


tree = core.tree


class CallbackList(Callback):
    """Callbacks as one: `callback_list.on_epoch_end(epoch, logs)` calls that hook of each.

    Args:
        callbacks: A list, one callback, or None.
        add_history: Whether to add a `History` if there is none.
        add_progbar: Whether to add a `ProgbarLogger` if there is none.
        model: The model.
        **params: What `callback.params` holds.

    Raises:
        TypeError: Something that is no callback.
    """

    def __init__(self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False,
                 model: Any = None, **params: Any) -> None:  # fmt: skip
        given = list(tree.flatten(callbacks)) if callbacks is not None else []
        for each in given:
            if isinstance(each, type) or not hasattr(each, "set_model"):
                raise TypeError(
                    f"callbacks must be Callback objects, got {each!r}. "
                    "Make an instance: callbacks=[EarlyStopping()]."
                )
        if add_history and not any(isinstance(c, History) for c in given):
            given.append(History())
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in given):
            given.append(ProgbarLogger())
        self.callbacks: list[Any] = []
        self._hooks: dict[str, list[Any]] = {name: [] for name in HOOKS}
        super().__init__()
        for each in given:
            self.append(each)
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    @classmethod
    def of(cls, callbacks: Any, model: Any, history: bool, **params: Any) -> CallbackList:
        """The callbacks of a run; a list that the user made stays as it is."""
        if isinstance(callbacks, cls):
            return callbacks
        return cls(callbacks, add_history=history, model=model, **params)

    def append(self, callback: Any) -> None:
        """Add a callback."""
        self.callbacks.append(callback)
        for name, hooks in self._hooks.items():
            if _overrides(callback, name):
                hooks.append(callback)

    def set_params(self, params: Any) -> None:
        """Give every callback the settings of the run."""
        self.params = dict(params)
        for c in self.callbacks:
            c.set_params(dict(params))

    def set_model(self, model: Any) -> None:
        """Give every callback the model, and the model its history."""
        self._model = model
        for c in self.callbacks:
            if isinstance(c, History):
                model.history = c
            c.set_model(model)

    def wants(self, hook: str) -> bool:
        """Whether a callback overrides a hook."""
        return bool(self._hooks[hook])

    @property
    def built_in(self) -> bool:
        """Whether no hook, and nothing that a hook calls, is the user's own."""
        own = __name__.partition(".")[0]
        return not any(
            type(c).__module__.partition(".")[0] != own
            or isinstance(c, LambdaCallback | LearningRateScheduler)
            or not vars(c).keys().isdisjoint(HOOKS)
            for c in self.callbacks
        )

    @property
    def watched(self) -> str | None:
        """What only `TerminateOnNaN` wants to see of batches: programs look at it themselves.

        Steps then run in chunks that end where it is no number, when the hook is due. None if there
        is no such callback, or if others want every batch as well.
        """
        hooked = self._hooks["on_train_batch_end"]
        alone = bool(hooked) and all(type(c) is TerminateOnNaN for c in hooked)
        return "loss" if alone else None

    def initial_epoch(self, epoch: int) -> int:
        """The first epoch to run: later if a callback restored a run."""
        return max([epoch, *(getattr(c, "restored_epoch", 0) or 0 for c in self.callbacks)])

    def shows_progress(self) -> bool:
        """Whether one of the callbacks does what `fit` does otherwise."""
        return any(isinstance(c, ProgbarLogger) for c in self.callbacks)


def _hook(name: str) -> Any:
    """The method that calls a hook of all callbacks which override it."""

    def run(callbacks: CallbackList, *arguments: Any) -> None:
        # Each call has a dictionary of its own: what one callback adds, those after it see, no
        # later hook does.
        *number, logs = arguments
        logs = dict(logs or {})
        for c in callbacks._hooks[name]:
            getattr(c, name)(*number, logs)

    def of_batch(self: CallbackList, batch: int, logs: Any = None) -> None:
        run(self, batch, logs)

    def of_epoch(self: CallbackList, epoch: int, logs: Any = None) -> None:
        run(self, epoch, logs)

    def of_run(self: CallbackList, logs: Any = None) -> None:
        run(self, logs)

    method: Any = of_batch if "batch" in name else of_epoch if "epoch" in name else of_run
    method.__name__ = name
    method.__doc__ = f"Call `{name}` of every callback that has one."
    return method


for _name in HOOKS:
    setattr(CallbackList, _name, _hook(_name))


def _overrides(callback: Any, name: str) -> bool:
    found = getattr(callback, name, None)
    if found is None:
        return False
    if not isinstance(callback, Callback):
        return True
    own = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
    names = [name, own[name]] if name in own else [name]
    return any(
        n in vars(callback) or getattr(type(callback), n) is not getattr(Callback, n) for n in names
    )
