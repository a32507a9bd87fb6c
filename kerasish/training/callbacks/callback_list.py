"""All callbacks of a run. A hook that nobody overrides costs nothing."""

from __future__ import annotations

from typing import Any

from .callback import HOOKS, Callback
from .history import History

__all__ = ["CallbackList"]


class CallbackList:
    """Callbacks as one.

    Args:
        callbacks: A list, one callback, or None.
        model: The model.
        history: Whether to add a `History`.
        **params: What `callback.params` holds.
    """

    def __init__(self, callbacks: Any = None, model: Any = None, history: bool = True,
                 **params: Any) -> None:  # fmt: skip
        given = [] if callbacks is None else (
            list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
        )
        for each in given:
            if not hasattr(each, "set_model"):
                raise TypeError(
                    f"callbacks must be Callback objects, got {each!r}. "
                    "Make an instance: callbacks=[EarlyStopping()]."
                )
        if history and not any(isinstance(c, History) for c in given):
            given.append(History())
        self.callbacks = given
        self._hooks = {name: [c for c in given if _overrides(c, name)] for name in HOOKS}
        for c in given:
            c.set_params(dict(params))
            c.set_model(model)
        if history and model is not None:
            model.history = next(c for c in given if isinstance(c, History))

    @property
    def wants_train_batches(self) -> bool:
        return bool(self._hooks["on_train_batch_end"])

    @property
    def wants_test_batches(self) -> bool:
        return bool(self._hooks["on_test_batch_end"])

    @property
    def wants_predict_batches(self) -> bool:
        return bool(self._hooks["on_predict_batch_end"])

    def initial_epoch(self, epoch: int) -> int:
        """The first epoch to run: later if a callback restored a run."""
        return max([epoch, *(getattr(c, "restored_epoch", 0) or 0 for c in self.callbacks)])

    def __getattr__(self, name: str) -> Any:
        hooks = self.__dict__.get("_hooks", {})
        if name not in hooks:
            raise AttributeError(name)

        def call(*args: Any) -> None:
            for c in hooks[name]:
                getattr(c, name)(*args)

        return call


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
