"""Adamax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["Adamax"]

ops = core.ops


@builtin("keras.optimizers")
class Adamax(Optimizer):
    """Adam with the infinity norm in place of the mean square.

    `m = b1 m + (1 - b1) g`, `u = max(b2 u, |g|)`, `w -= lr / (1 - b1**t) * m / (u + epsilon)`.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: b1.
        beta_2: b2.
        epsilon: Keeps the denominator from 0.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Kingma and Ba (2015), arXiv:1412.6980, section 7.1.
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
        self._m, self._u = self.add_optimizer_variables(var_list, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        dtype = value.dtype
        gradient = ops.cast(gradient, dtype)
        rate = self._once(
            ("corrected", id(learning_rate), dtype),
            lambda: (
                self._rate(learning_rate, dtype) / (1.0 - ops.power(self.beta_1, self._step(dtype)))
            ),
        )
        m, u = self._m[i].value, self._u[i].value
        m = m + (gradient - m) * (1.0 - self.beta_1)
        u = ops.maximum(u * self.beta_2, ops.absolute(gradient))
        self._m[i].assign(m)
        self._u[i].assign(u)
        variable.assign(value - m * rate / (u + self.epsilon))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
