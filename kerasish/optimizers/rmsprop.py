"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["RMSprop"]

ops = core.ops


@builtin("keras.optimizers")
class RMSprop(Optimizer):
    """Gradients divided by a running root of their mean square.

    `v = rho v + (1 - rho) g**2`, `d = lr g / sqrt(v + epsilon)`, `w -= d`. With `centered` the
    square of the mean gradient is taken off `v`; with momentum `u = momentum u + d`, `w -= u`.

    Args:
        learning_rate: lr; see `Optimizer`.
        rho: Decay of the mean square.
        momentum: In [0, 1].
        epsilon: Keeps the root from 0.
        centered: Whether to divide by the variance instead.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Tieleman and Hinton (2012), Lecture 6.5; Graves (2013), arXiv:1308.0850, eq. 38 to 45.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
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
        self.rho, self.momentum, self.epsilon = rho, momentum, epsilon
        self.centered = centered

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._velocities = self.add_optimizer_variables(var_list, "velocity")
        self._momentums: list[Any] = []
        self._average_gradients: list[Any] = []
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(var_list, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(var_list, "average_gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, value.dtype)
        velocity = self._velocities[i].value
        velocity = velocity * self.rho + ops.square(gradient) * (1.0 - self.rho)
        self._velocities[i].assign(velocity)
        if self.centered:
            mean = self._average_gradients[i].value
            mean = mean * self.rho + gradient * (1.0 - self.rho)
            self._average_gradients[i].assign(mean)
            velocity = velocity - ops.square(mean)
        step = gradient * self._rate(learning_rate, value.dtype)
        step = step * ops.rsqrt(velocity + self.epsilon)
        if self.momentum > 0:
            step = self._momentums[i].value * self.momentum + step
            self._momentums[i].assign(step)
        variable.assign(value - step)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
