"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from .. import initializers
from ..serialization import builtin
from .base import Optimizer

__all__ = ["Adagrad"]

ops = core.ops


@builtin("keras.optimizers")
class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares.

    `a = a + g**2`, `w -= lr g / sqrt(a + epsilon)`.

    Args:
        learning_rate: lr; see `Optimizer`.
        initial_accumulator_value: First value of a.
        epsilon: Keeps the root from 0.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Duchi et al. (2011), Adaptive Subgradient Methods, section 1.1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        initial = initializers.Constant(self.initial_accumulator_value)
        self._accumulators = self.add_optimizer_variables(
            var_list, "accumulator", initializer=initial
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value = variable.value
        gradient = ops.cast(gradient, value.dtype)
        slot = self._accumulators[self._get_variable_index(variable)]
        total = slot.value + ops.square(gradient)
        slot.assign(total)
        rate = self._rate(learning_rate, value.dtype)
        variable.assign(value - gradient * rate / ops.sqrt(total + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }
