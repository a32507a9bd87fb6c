"""The compiled loss and metrics of a `train_step` as tf.keras 2.2 to 2.15 had it."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...training.step import batch_size_of

__all__ = ["compiled_loss", "compiled_metrics"]


class _CompiledLoss:
    """`model.compiled_loss(y, y_pred, regularization_losses=self.losses)`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Any:
        """The loss, with penalties; the mean that logs show as `loss` takes it in."""
        model = self._model
        parts = list(regularization_losses or ())
        if model._compile_loss is not None:
            parts = [model._compile_loss(y_true, y_pred, sample_weight), *parts]
        total = parts[0] if parts else ops.zeros(())
        for part in parts[1:]:
            total = total + part
        model._loss_tracker.update_state(total, sample_weight=batch_size_of(y_pred))
        return total

    @property
    def metrics(self) -> list[Any]:
        """The mean of the loss."""
        return [self._model._loss_tracker]


class _CompiledMetrics:
    """`model.compiled_metrics.update_state(y, y_pred)`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Let the metrics take in a batch."""
        if self._model._compile_metrics is not None:
            self._model._compile_metrics.update_state(y_true, y_pred, sample_weight)

    @property
    def metrics(self) -> list[Any]:
        """Those given to `compile`."""
        held = self._model._compile_metrics
        return [] if held is None else list(held.metrics)

    def reset_state(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset_state()


@property
def compiled_loss(self: Any) -> _CompiledLoss:
    """The loss given to `compile`, as a function."""
    return _CompiledLoss(self)


@property
def compiled_metrics(self: Any) -> _CompiledMetrics:
    """The metrics given to `compile`, as one."""
    return _CompiledMetrics(self)
