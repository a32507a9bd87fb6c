"""Layers that compute their inner values again for the gradient instead of keeping them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import kerasish_core as core

from ..ops.symbolic import Operation
from ..variable import autocast_scope, get_autocast_dtype
from .call_context import CallContext, state

__all__ = ["Rematerializing", "remat"]


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that computes its inner values again for its gradient instead of keeping them.

    Peak memory falls by what the function would have kept; its forward part runs twice.

    Args:
        f: A function or a layer, of tensors. It may read variables and draw random numbers: the
            second run sees the same values.

    Returns:
        A function with the same results and gradients.

    Source: https://keras.io/api/utils/rematerialization/

    >>> from kerasish import ops, remat
    >>> block = remat(lambda x: ops.tanh(ops.tanh(x)))
    >>> float(block(ops.zeros(())))
    0.0
    """

    @functools.wraps(f, updated=())
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return core.remat(_as_now(f))(*args, **kwargs)

    return wrapper


def _as_now(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function under the call context and dtype that hold now, whenever it runs."""
    context, dtype = state.context, get_autocast_dtype()
    training = None if context is None else context.training

    def run(*args: Any, **kwargs: Any) -> Any:
        before = state.context
        if context is not None:
            state.context = CallContext(context.entry)
            state.context.training = training
        try:
            with autocast_scope(dtype):
                return f(*args, **kwargs)
        finally:
            state.context = before

    return run


class Rematerializing(Operation):
    """What a layer knows of `RematScope`. `Layer` is the only heir."""

    _flatten_layers: Any

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer_call`, or what computes its inner values twice if the layer's scope says so.

        Args:
            layer_call: The layer's `call`.
            *args, **kwargs: What it will be called with.
        """
        mode = self._remat_mode
        if mode is None:
            return layer_call
        if mode.mode == "activations":
            return self._with_activation_twice(layer_call)
        if mode.mode == "list_of_layers" and self.name in mode.layer_names:
            return self._twice(layer_call)
        return super().rematerialized_call(layer_call, *args, **kwargs)

    def _with_activation_twice(self, layer_call: Any) -> Any:
        activation = self.__dict__.get("activation")  # recurrent layers have that of their cell
        if activation is None:
            return layer_call

        @functools.wraps(layer_call)
        def call(*args: Any, **kwargs: Any) -> Any:
            plain = object.__setattr__  # no part of the layer
            plain(self, "activation", remat(activation))
            try:
                return layer_call(*args, **kwargs)
            finally:
                plain(self, "activation", activation)

        return call

    def _without_losses(self, layer_call: Any) -> Any:
        """The call as a function that also returns what it would have added to `losses`."""

        def run(*args: Any, **kwargs: Any) -> Any:
            layers = self._flatten_layers()
            before = [len(layer._losses) for layer in layers]
            result = layer_call(*args, **kwargs)
            added = [layer._losses[n:] for layer, n in zip(layers, before, strict=True)]
            for layer, n in zip(layers, before, strict=True):
                del layer._losses[n:]
            return result, added

        return run

    def _output_size(self, layer_call: Any, args: Any, kwargs: Any) -> int:
        run = self._without_losses(layer_call)
        return super()._output_size(lambda *a, **k: run(*a, **k)[0], args, kwargs)

    def _twice(self, layer_call: Any) -> Any:
        """The call, whose `add_loss` counts once and has a gradient."""

        @functools.wraps(layer_call)
        def call(*args: Any, **kwargs: Any) -> Any:
            result, added = remat(self._without_losses(layer_call))(*args, **kwargs)
            for layer, losses in zip(self._flatten_layers(), added, strict=True):
                layer._losses.extend(losses)
            return result

        return call
