"""Methods and attributes that optimizers had."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from ..optimizers import gradients_of, updates_of

__all__ = ["decay", "get_gradients", "get_updates", "lr", "updates", "weights"]


def _get_rate(self: Any) -> Any:
    own = self.__dict__.get("lr")
    return self.learning_rate if own is None else own


def _set_rate(self: Any, value: Any) -> None:
    # An optimizer of the program's own makes a variable of this name in its constructor.
    if isinstance(value, core.Variable) or "_learning_rate" not in self.__dict__:
        self.__dict__["lr"] = value
        if isinstance(value, core.Variable):
            self._track(value)
            self._learning_rate = value
    else:
        self.learning_rate = value


lr = property(_get_rate, _set_rate, doc="The learning rate.")


@property
def decay(self: Any) -> Any:
    """How fast the learning rate falls: it does not."""
    return core.convert(0.0, "float32")


@property
def weights(self: Any) -> Any:
    """The optimizer's variables."""
    return self.variables


@property
def updates(self: Any) -> list[Any]:
    """What `get_updates` collects."""
    found: list[Any] = self.__dict__.setdefault("updates", [])
    return found


def get_gradients(self: Any, loss: Any, params: Any) -> list[Any]:
    """The gradients of a loss, clipped as the optimizer says."""
    return gradients_of(self, loss, params)


def get_updates(self: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """Updates of variables by the gradients of a symbolic loss, for `K.function`.

    Args:
        self: The optimizer.
        *args: `(loss, params)`; or `(params, loss)` and `(params, constraints, loss)` of Keras 1.
        **kwargs: The same by their names.
    """
    return updates_of(self, *args, **kwargs)
