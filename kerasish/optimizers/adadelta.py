"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["Adadelta"]

ops = core.ops


@builtin("keras.optimizers")
class Adadelta(Optimizer):
    """Steps in the units of the variables: running roots of steps over those of gradients.

    `a = rho a + (1 - rho) g**2`, `d = g sqrt(s + epsilon) / sqrt(a + epsilon)`,
    `s = rho s + (1 - rho) d**2`, `w -= lr d`.

    Args:
        learning_rate: lr; see `Optimizer`.
        rho: Decay of the means.
        epsilon: Keeps the roots from 0.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Zeiler (2012), ADADELTA, arXiv:1212.5701, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-07,
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
        self.rho, self.epsilon = rho, epsilon

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            var_list, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, value.dtype)
        squares = self._accumulated_grads[i].value
        squares = squares * self.rho + ops.square(gradient) * (1.0 - self.rho)
        self._accumulated_grads[i].assign(squares)
        steps = self._accumulated_delta_vars[i].value
        delta = gradient * ops.sqrt((steps + self.epsilon) / (squares + self.epsilon))
        steps = steps * self.rho + ops.square(delta) * (1.0 - self.rho)
        self._accumulated_delta_vars[i].assign(steps)
        variable.assign(value - delta * self._rate(learning_rate, value.dtype))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "epsilon": self.epsilon,
        }
