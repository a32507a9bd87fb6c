"""Losses as functions of a model's state."""

from __future__ import annotations

import inspect
from typing import Any

import kerasish_core as core

from ..scopes import StatelessScope

__all__ = ["StatelessLoss"]


class StatelessLoss:
    """The loss with values in place of variables. `Steps` is the only heir."""

    trainable_variables: list[Any]
    non_trainable_variables: list[Any]
    metrics_variables: list[Any]
    optimizer: Any
    stateless_call: Any
    compute_loss: Any
    _signature: Any

    def stateless_compute_loss(
        self, trainable_variables: Any, non_trainable_variables: Any, metrics_variables: Any,
        x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Any:  # fmt: skip
        """`compute_loss` with values in place of the variables; nothing is written.

        Args:
            trainable_variables, non_trainable_variables, metrics_variables: A value for each
                variable of that name.
            x, y, y_pred, sample_weight, training: As of `compute_loss`.

        Returns:
            The loss, and the three lists of values after it.
        """
        mine = self._state_of(trainable_variables, non_trainable_variables, metrics_variables)
        with StatelessScope(mine) as scope:
            loss = self._loss_of(x, y, y_pred, sample_weight, training)
        return loss, (
            trainable_variables,
            [scope.get_current_value(v) for v in self.non_trainable_variables],
            [scope.get_current_value(v) for v in self.metrics_variables],
        )

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """`compute_loss`, also a user's that was written before it took `training`."""
        kwargs = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if "training" in inspect.signature(self.compute_loss).parameters:
            kwargs["training"] = training
        return self.compute_loss(**kwargs)

    def _state_of(self, *values: Any) -> list[tuple[Any, Any]]:
        groups = self.trainable_variables, self.non_trainable_variables, self.metrics_variables
        return [
            pair
            for variables, given in zip(groups, values, strict=True)
            for pair in zip(variables, given, strict=True)
        ]

    def compute_loss_and_updates(
        self, trainable_variables: Any, non_trainable_variables: Any, metrics_variables: Any,
        x: Any, y: Any, sample_weight: Any, training: bool = False,
        optimizer_variables: Any = None,
    ) -> Any:  # fmt: skip
        """Forward pass and loss as a function of the state: what a gradient is taken of.

        Args:
            trainable_variables, non_trainable_variables, metrics_variables: A value for each
                variable of that name.
            x, y, sample_weight: A batch.
            training: Whether to train.
            optimizer_variables: A value for each of the optimizer's variables, in training.

        Returns:
            The loss as the optimizer scales it, and a tuple: the loss before that, the outputs,
            and the values of `non_trainable_variables` and `metrics_variables` afterwards.
        """
        kwargs = {"training": training} if self._signature.training else {}
        state = self._state_of(trainable_variables, non_trainable_variables, metrics_variables)
        with StatelessScope(state, collect_losses=True) as scope:
            y_pred = self(x, **kwargs)
            loss = self._loss_of(x, y, y_pred, sample_weight, training)
        after = [
            [scope.get_current_value(v) for v in variables]
            for variables in (self.non_trainable_variables, self.metrics_variables)
        ]
        scaled = loss
        if training and self.optimizer is not None:
            slots = zip(self.optimizer.variables, optimizer_variables or (), strict=True)
            with core.StatelessScope(slots):
                scaled = self.optimizer.scale_loss(loss)
        return scaled, (loss, y_pred, *after)

    def jax_state_sync(self) -> None:
        """Nothing to do: Keras on JAX keeps the state elsewhere while it trains, here variables
        have their values after every step."""
