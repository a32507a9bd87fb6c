"""`model(x)` as one compiled program, where that can't be told from running layer by layer."""

from __future__ import annotations

import weakref
from typing import Any

import kerasish_core as core

from ..layers import Lambda
from ..layers.call_context import state

__all__ = ["DirectCall"]

# A program pays from the third call with inputs of one shape on.
_CALLS_BEFORE = 2


class _MaskedError(Exception):
    """The outputs have masks, which a program does not hand out."""


class _Direct:
    """The program of a model's call.

    Attributes:
        step: The compiled step, or None if the model may not run as one.
        calls: How often each kind of input was seen.
    """

    def __init__(self, model: Any) -> None:
        held = weakref.ref(model)

        def call(inputs: Any) -> Any:
            found = held()(inputs)
            for t in core.tree.flatten(found):
                if t.mask is not None:
                    raise _MaskedError
            return found

        allowed = model._jit is not False and all(map(_is_plain, model._flatten_layers()))
        self.step = core.compile_step(call, name="call", key=model._key) if allowed else None
        self.calls: dict[Any, int] = {}


class DirectCall:
    """Calls on plain arrays and tensors outside tapes run as a program from the third on.

    Only models made of built-in layers do, without `Lambda`, `add_loss` and activity regularizers:
    what a user writes runs eagerly, as in Keras.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and state.context is None:
            found = self._call_directly(args[0])
            if found is not None:
                return found
        return super().__call__(*args, **kwargs)

    def _call_directly(self, inputs: Any) -> Any:
        steps = self.__dict__.get("_steps")
        direct = None if steps is None else steps.get("call")
        if direct is None:
            if steps is not None and self.built:
                steps["call"] = _Direct(self)
            return None
        step = direct.step
        if step is None or self._eager or core.is_recording():
            return None
        found = step.call_known(inputs)
        if found is not None:
            return found
        kind = core.quick_key((inputs,))
        if kind is None:
            return None
        seen = direct.calls.get(kind[0], 0)
        if seen < _CALLS_BEFORE:
            if len(direct.calls) < 64:
                direct.calls[kind[0]] = seen + 1
            return None
        try:
            return step(inputs)
        except (core.TraceError, _MaskedError):
            direct.step = None
            return None


def _is_plain(layer: Any) -> bool:
    """Whether nobody can tell when, and how often, the layer runs."""
    own = type(layer).__module__.startswith("kerasish.")
    return (
        own and not layer._on_host and not isinstance(layer, Lambda)
        and layer.activity_regularizer is None and not layer._losses
    )  # fmt: skip
