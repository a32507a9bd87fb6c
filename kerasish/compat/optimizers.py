"""Optimizers in the style of Keras 2: `decay`, and `get_updates`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import kerasish_core as core

from .. import backend, ops
from ..ops.symbolic import KerasTensor, Operation

__all__ = ["apply", "build", "clip_norm", "gradients_of", "updates_of", "with_decay"]


def clip_norm(g: Any, c: Any, n: Any) -> Any:
    """`g`, scaled down to norm `c` where its norm `n` is larger; as it is where `c` is not
    positive."""
    return g if c <= 0 else ops.where(n >= c, g * c / n, g)


# -- decay


def with_decay(optimizer: Any, decay: float) -> None:
    """Let the learning rate fall with the number of updates t: `lr / (1 + decay * t)`.

    The variable of the learning rate stays, so that it can be read and set as ever.
    """
    plain = object.__setattr__
    plain(optimizer, "decay", core.convert(decay, "float32"))
    plain(optimizer, "_current_rate", functools.partial(_decayed_rate, optimizer))


def _decayed_rate(optimizer: Any) -> Any:
    def compute() -> Any:
        steps = core.convert(optimizer.iterations, "float32")
        return core.convert(optimizer.learning_rate, "float32") / (1.0 + optimizer.decay * steps)

    return optimizer._once("learning_rate", compute)


# -- updates for K.function


class ApplyGradients(Operation):
    """An update by an optimizer, as an operation of a graph; gives the number of updates.

    Args:
        optimizer: Built for the variables.
        variables: Those that it changes, one for each gradient.
    """

    def __init__(self, optimizer: Any, variables: list[Any]) -> None:
        super().__init__()
        self._optimizer, self._variables = optimizer, variables

    def call(self, *gradients: Any) -> Any:
        self._optimizer.apply(list(gradients), self._variables)
        return core.convert(self._optimizer.iterations)

    def compute_output_spec(self, *gradients: Any) -> Any:
        return KerasTensor((), "int32")


def gradients_of(optimizer: Any, loss: Any, params: Any) -> list[Any]:
    """The gradients of a loss, clipped as the optimizer says; those of the step that is running,
    if the optimizer's own `get_updates` asks for them."""
    pending = optimizer.__dict__.get("_pending")
    found = backend.gradients(loss, list(params)) if pending is None else list(pending)
    if None in [None if g is None else 0 for g in found]:
        raise ValueError(
            "An operation has `None` for gradient: the loss does not depend on each of the "
            "variables that are trained."
        )
    return optimizer._clip_gradients(found)


def updates_of(optimizer: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """What `K.function(updates=...)` does for a built-in optimizer."""
    loss, params = _loss_and_params(args, kwargs)
    gradients = backend.gradients(loss, list(params))
    pairs = [(g, v) for g, v in zip(gradients, params, strict=True) if g is not None]
    if not optimizer.built:
        optimizer.build(list(params))
    operation = ApplyGradients(optimizer, [v for _, v in pairs])
    return [operation(*[g for g, _ in pairs])]


def _loss_and_params(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Keras 2's `(loss, params)`; Keras 1's `(params, constraints, loss)`."""
    given = list(args)
    if given and isinstance(given[0], list | tuple):
        return kwargs.get("loss", given[-1] if len(given) > 1 else None), given[0]
    loss = kwargs.get("loss", given[0] if given else None)
    return loss, kwargs.get("params", given[1] if len(given) > 1 else None)


# -- optimizers of the program's own with get_updates


def _has_updates(optimizer: Any) -> bool:
    for cls in type(optimizer).__mro__:
        if "get_updates" in cls.__dict__:
            return not cls.__module__.startswith("kerasish")
    return False


def build(before: Callable[..., Any], self: Any, variables: Any) -> None:
    """Make the state; that of `get_updates` is what it makes when it runs for the first time."""
    before(self, variables)
    if _has_updates(self) and "_made" not in self.__dict__:
        object.__setattr__(self, "_made", [])
        specs = [core.Spec(tuple(v.shape), core.dtypes.as_dtype(v.dtype)) for v in variables]
        core.eval_spec(lambda *g: _run_updates(self, g, list(variables)), *specs)


def apply(
    before: Callable[..., Any], self: Any, grads: Any, trainable_variables: Any = None
) -> Any:
    """Update variables; by `get_updates` where the program's own class has it."""
    if not _has_updates(self):
        return before(self, grads, trainable_variables)
    variables = list(trainable_variables or self._trainable_variables)
    if not self.built:
        self.build(variables)
    pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
    _run_updates(self, [g for g, _ in pairs], [v for _, v in pairs])
    return None


def _run_updates(optimizer: Any, gradients: Any, variables: list[Any]) -> Any:
    """Run `get_updates` on the gradients of this step: its updates are done as they are made."""
    object.__setattr__(optimizer, "_pending", gradients)
    object.__setattr__(optimizer, "updates", [])
    try:
        with _same_variables(optimizer):
            updates = optimizer.get_updates(loss=None, params=variables)
    finally:
        object.__setattr__(optimizer, "_pending", None)
        object.__setattr__(optimizer, "updates", [])
    for each in updates or ():
        if isinstance(each, tuple) and len(each) == 2:
            each[0].assign(each[1])
    return core.convert(0)


# Functions of `K` that make a variable.
_MAKERS = ("variable", "zeros", "ones", "eye", "random_uniform_variable", "random_normal_variable")


@contextlib.contextmanager
def _same_variables(optimizer: Any) -> Iterator[None]:
    """In the block, the variables that `K` makes are those of the first run, in their order.

    Keras 2 ran `get_updates` once, to make a graph; here it runs with each step that is traced.
    """
    made, place = optimizer._made, iter(range(1 << 30))
    makers = {name: getattr(backend, name) for name in _MAKERS}

    def again(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        index = next(place)
        if index == len(made):
            with core.eager_scope():
                made.append(make(*args, **kwargs))
            optimizer._track(made[index])
        return made[index]

    for name, make in makers.items():
        setattr(backend, name, functools.partial(again, make))
    try:
        yield
    finally:
        for name, make in makers.items():
            setattr(backend, name, make)
