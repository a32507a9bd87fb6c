"""Losses of a layer: those added in its call, and the penalties of its weights and outputs."""

from __future__ import annotations

from typing import Any

import kerasish_core as core

from .. import older
from ..ops.symbolic import KerasTensor
from ..scopes import current_stateless_scope

__all__ = ["LossTracking"]

_TENSORS = (core.Tensor, KerasTensor)


@older.classes
class LossTracking:
    """What a layer knows of losses. `Layer` is the only heir."""

    activity_regularizer: Any
    trainable_weights: list[Any]
    _layers: list[Any]
    _losses: list[Any]
    _flatten_layers: Any

    def add_loss(self, loss: Any) -> None:
        """Add scalar tensors to `losses` from within `call` or `build`.

        Raises:
            ValueError: It is no tensor.
        """
        for each in core.tree.flatten(loss):
            if isinstance(each, core.Variable):
                each = each.value
            if not isinstance(each, _TENSORS):
                raise ValueError(
                    "`add_loss()` can only be called from inside `build()` or `call()`, on a "
                    f"tensor input. Received invalid value: {each}"
                )
            scope = current_stateless_scope()
            if scope is None:
                self._losses.append(each)
            elif scope.collect_losses:
                scope.add_loss(each, self)

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` and activity regularizers gave in the last call, then the penalties
        of the trainable weights' regularizers."""
        scope, layers = current_stateless_scope(), self._flatten_layers()
        if scope is not None:
            found = [x for each in layers for x in scope.losses_of(each)]
        else:
            # Those left by a compiled step belong to its trace, which has ended.
            found = [x for each in layers for x in each._losses if not _is_stale(x)]
        for v in self.trainable_weights:
            if v.regularizer is not None:
                found.append(v.regularizer(v.value))
        return found

    def _clear_losses(self) -> None:
        scope = current_stateless_scope()
        if scope is not None:
            scope.clear_losses(self)
        if self._losses:
            self._losses.clear()
        for layer in self._layers:
            layer._clear_losses()

    def _add_activity_losses(self, outputs: Any) -> None:
        for y in core.tree.flatten(outputs):
            if isinstance(y, core.Tensor):
                loss = core.convert(self.activity_regularizer(y))
                self.add_loss(loss / max(y.shape[0], 1) if y.ndim else loss)


def _is_stale(x: Any) -> bool:
    return type(x) is not core.Tensor and getattr(getattr(x, "trace", None), "closed", False)
