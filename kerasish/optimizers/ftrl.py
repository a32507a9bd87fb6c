"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from .. import initializers
from ..serialization import builtin
from .base import Optimizer

__all__ = ["Ftrl"]

ops = core.ops


@builtin("keras.optimizers")
class Ftrl(Optimizer):
    """Follow the (proximally) regularized leader: sparse weights for linear models.

    `n' = n + g**2`, `z += g + 2 shrinkage w - (n'**-p - n**-p) / lr * w`,
    `w = (clip(z, -l1, l1) - z) / (n'**-p / lr + 2 l2 + beta / lr)`, p the learning rate power.

    Args:
        learning_rate: lr; see `Optimizer`.
        learning_rate_power: p, at most 0.
        initial_accumulator_value: First value of n.
        l1_regularization_strength: l1.
        l2_regularization_strength: l2.
        l2_shrinkage_regularization_strength: Penalty that only acts through the gradient.
        beta: Added to the denominator over lr.
        **kwargs: The other arguments are those of `Optimizer`.

    Raises:
        ValueError: A number has the wrong sign.

    Source: McMahan et al. (2013), Ad Click Prediction, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        for given, value in {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }.items():
            if value < 0.0:
                raise ValueError(
                    f"`{given}` needs to be positive or zero. Received: {given}={value}."
                )
        if learning_rate_power > 0.0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={learning_rate_power}."
            )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        initial = initializers.Constant(self.initial_accumulator_value)
        self._accumulators, self._linears = self.add_optimizer_variables(
            var_list, ["accumulator", "linear"], initializer=[initial, "zeros"]
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        rate, power = self._rate(learning_rate, value.dtype), -self.learning_rate_power
        gradient = ops.cast(gradient, value.dtype)
        before = self._accumulators[i].value
        after = before + ops.square(gradient)
        self._accumulators[i].assign(after)
        if self.l2_shrinkage_regularization_strength > 0:
            gradient = gradient + value * (2.0 * self.l2_shrinkage_regularization_strength)
        scaled = _power(after, power) / rate
        linear = self._linears[i].value + gradient
        linear = linear - (scaled - _power(before, power) / rate) * value
        self._linears[i].assign(linear)
        denominator = scaled + (2.0 * self.l2_regularization_strength + self.beta / rate)
        l1 = self.l1_regularization_strength
        variable.assign((ops.clip(linear, -l1, l1) - linear) / denominator)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }


def _power(x: Any, power: float) -> Any:
    return ops.sqrt(x) if power == 0.5 else ops.power(x, power)
