"""Nadam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from ..variable import Variable
from .base import Optimizer

__all__ = ["Nadam"]

ops = core.ops


@builtin("keras.optimizers")
class Nadam(Optimizer):
    """Adam with Nesterov's momentum.

    `u_t = b1 (1 - 0.96**t / 2)`, `U_t` the product of all u up to t; with m and v as in `Adam`
    `w -= lr (u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t))
    / (sqrt(v / (1 - b2**t)) + epsilon)`.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: b1.
        beta_2: b2.
        epsilon: Keeps the denominator from 0.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Dozat (2015), Incorporating Nesterov Momentum into Adam, algorithm 8.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        dtype = var_list[0].dtype if len(var_list) else None
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ["momentum", "velocity"]
        )
        with core.eager_scope():
            self._u_product = Variable(1.0, dtype=dtype, trainable=False)

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        # The product advances once a step, before all variables.
        product = self._u_product.value
        u_t = self._u(self._step(product.dtype))
        self._u_product.assign(product * u_t)
        super()._update(grads, variables)

    def _u(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step))

    def _factors(self, learning_rate: Any, dtype: Any) -> tuple[Any, Any, Any]:
        step, rate = self._step(dtype), self._rate(learning_rate, dtype)
        u_t, u_next = self._u(step), self._u(step + 1.0)
        product = ops.cast(self._u_product.value, dtype)
        of_mean = rate * u_next / (1.0 - product * u_next)
        of_gradient = rate * (1.0 - u_t) / (1.0 - product)
        return of_mean, of_gradient, 1.0 / (1.0 - ops.power(self.beta_2, step))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, value.dtype)
        of_mean, of_gradient, unbias = self._once(
            ("factors", id(learning_rate), value.dtype),
            lambda: self._factors(learning_rate, value.dtype),
        )
        m, v = self._momentums[i].value, self._velocities[i].value
        m = m + (gradient - m) * (1.0 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        self._momentums[i].assign(m)
        self._velocities[i].assign(v)
        step = m * of_mean + gradient * of_gradient
        variable.assign(value - step / (ops.sqrt(v * unbias) + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
