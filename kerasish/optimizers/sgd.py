"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["SGD"]

ops = core.ops


@builtin("keras.optimizers")
class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    Without momentum `w -= lr g`. With momentum `v = momentum v - lr g`, then `w += v`, or with
    Nesterov's look-ahead `w += momentum v - lr g`.

    Args:
        learning_rate: lr; see `Optimizer`.
        momentum: In [0, 1].
        nesterov: Whether to look ahead.
        **kwargs: The other arguments are those of `Optimizer`.

    Raises:
        ValueError: `momentum` is out of range.

    Source: Sutskever et al. (2013), On the Importance of Initialization and Momentum, eq. 1 to 4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        if not isinstance(momentum, int | float) or not 0 <= momentum <= 1:
            raise ValueError(
                f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}"
            )
        self.momentum, self.nesterov = momentum, nesterov

    def build(self, variables: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums: list[Any] = []
        if self.momentum != 0:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value = variable.value
        step = ops.cast(gradient, value.dtype) * self._rate(learning_rate, value.dtype)
        if not self.momentum:
            variable.assign(value - step)
            return
        slot = self.momentums[self._get_variable_index(variable)]
        velocity = slot.value * self.momentum - step
        slot.assign(velocity)
        if self.nesterov:
            variable.assign(value + (velocity * self.momentum - step))
        else:
            variable.assign(value + velocity)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
        }
