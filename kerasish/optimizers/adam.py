"""Adam and AMSGrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["Adam"]

ops = core.ops


@builtin("keras.optimizers")
class Adam(Optimizer):
    """Steps by running means of the gradient and its square.

    `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g**2`,
    `w -= lr sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + epsilon)`, t the step from 1.
    AMSGrad divides by the root of the largest v so far.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: b1.
        beta_2: b2.
        epsilon: Keeps the denominator from 0.
        amsgrad: Whether to use the largest v.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Kingma and Ba (2015), arXiv:1412.6980, end of section 2 (epsilon hat); Reddi et al.
    (2018), On the Convergence of Adam and Beyond.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
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
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.amsgrad = amsgrad

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(var_list, "velocity_hat")

    def _corrected_rate(self, learning_rate: Any, dtype: Any) -> Any:
        step, rate = self._step(dtype), self._rate(learning_rate, dtype)
        root = ops.sqrt(1.0 - ops.power(self.beta_2, step))
        return rate * root / (1.0 - ops.power(self.beta_1, step))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, value.dtype)
        rate = self._once(
            ("corrected", id(learning_rate), value.dtype),
            lambda: self._corrected_rate(learning_rate, value.dtype),
        )
        m, v = self._momentums[i].value, self._velocities[i].value
        m = m + (gradient - m) * (1.0 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        self._momentums[i].assign(m)
        self._velocities[i].assign(v)
        if self.amsgrad:
            v = ops.maximum(self._velocity_hats[i].value, v)
            self._velocity_hats[i].assign(v)
        variable.assign(value - m * rate / (ops.sqrt(v) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
