"""Calls with the arguments of earlier releases, put into today's form by rows of tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .. import older
from . import generation
from .row import Row
from .tables import rows
from .warning import warn_once

__all__ = ["after", "call"]


def call(function: Callable[..., Any], owner: type | None, args: Any, kwargs: Any) -> Any:
    """Run a call of a program for an earlier generation."""
    row = rows().get(_key(function, owner))
    if row is None:
        return function(*args, **kwargs)
    run = _instead(row, args, kwargs)
    if run is not None:
        return run()
    form = _Form(row, _key(function, owner), owner is not None, args, kwargs)
    form.adapt(older.state.generation or older.MODERN)
    return form.run(function)


def after(
    error: Exception, function: Callable[..., Any], owner: type | None, args: Any, kwargs: Any
) -> Callable[[], Any] | None:
    """The same call in today's form, where it was refused for its older arguments.

    Returns:
        What runs it; None if there is nothing old in it, so that the error stands.
    """
    row = rows().get(_key(function, owner))
    if row is None:
        return None
    run = _instead(row, args, kwargs)
    if run is not None or (function.__name__ in _RUNS and _began(error, function)):
        return run
    form = _Form(row, _key(function, owner), owner is not None, args, kwargs)
    first = not row.first.keys().isdisjoint(kwargs)
    if first:
        generation.seen(1)
    form.adapt(1 if first else 2)
    return (lambda: form.run(function)) if form.changed else None


def _instead(row: Row, args: Any, kwargs: Any) -> Callable[[], Any] | None:
    return None if row.instead is None else row.instead(*args, **kwargs)


# What they do is not done twice: an error within may be the program's own.
_RUNS = ("evaluate", "fit", "predict", "save_weights", "test_on_batch", "train_on_batch")


def _began(error: Exception, function: Callable[..., Any]) -> bool:
    """Whether the error came from what the function called, not from its look at the arguments."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code is code:
            return place.tb_next is not None
        place = place.tb_next
    return False


# How programs know the owners of methods and functions.
_SHOWN = {
    "Functional": "Model", "LossTracking": "layer", "Stateful": "layer", "Trainer": "model",
    "model": "Model", "models": "model", "nn": "K",
}  # fmt: skip


def _shown(key: str) -> str:
    """A call as a program spells it: "model.fit" for "Trainer.fit"."""
    owner, _, name = key.partition(".")
    owner = _SHOWN.get(owner, owner)
    return f"{owner}.{name}" if name and name != "__new__" else owner


def _key(function: Callable[..., Any], owner: type | None) -> str:
    name = function.__name__
    if owner is None:
        return f"{function.__module__.rpartition('.')[2]}.{name}"
    return owner.__name__ if name == "__init__" else f"{owner.__name__}.{name}"


class _Form:
    """One call on its way to today's form."""

    def __init__(self, row: Row, name: str, method: bool, args: Any, kwargs: Any) -> None:
        self.row, self.name = row, _shown(name)
        self.own, self.args = (args[:1], args[1:]) if method else ((), args)
        self.kwargs = dict(kwargs)
        self.changed = False
        self._finish: Callable[[Any], None] | None = None

    def adapt(self, of: int) -> None:
        """Put arguments in the form of a generation into today's."""
        given, before = self.args, dict(self.kwargs)
        named = self.row.order.get(of, self.row.order.get(2, ""))
        order = (named(given) if callable(named) else named).split()
        if order and len(given) <= len(order):
            self.kwargs = {**dict(zip(order, given, strict=False)), **self.kwargs}
            self.args = ()
        for old, new in (*self.row.first.items(), *self.row.second.items()):
            if old in self.kwargs:
                # What comes first came first then too: `Dense(10)` is of all generations.
                self._rename(old, new, quietly=bool(given and order and old == order[0]))
        if self.row.change is not None:
            self._finish = self.row.change(self.kwargs)
        self.changed = (
            self._finish is not None
            or len(self.args) != len(given)
            or self.kwargs.keys() != before.keys()
            or any(self.kwargs[k] is not before[k] for k in before)
        )

    def _rename(self, old: str, new: Any, quietly: bool) -> None:
        value = self.kwargs.pop(old)
        if isinstance(new, tuple):
            new, convert = new
            value = convert(value)
        if not quietly:
            warn_once(
                f"{self.name}({old}=...)",
                None if new is None else f"{self.name}({new}=...)",
                "" if new else "It has no effect.",
            )
        if new is not None:
            self.kwargs[new] = value

    def run(self, function: Callable[..., Any]) -> Any:
        result = function(*self.own, *self.args, **self.kwargs)
        if self._finish is not None:
            self._finish(self.own[0] if self.own else result)
        return result
