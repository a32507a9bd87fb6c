"""Lamb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["Lamb"]

ops = core.ops


@builtin("keras.optimizers")
class Lamb(Optimizer):
    """Adam's direction, scaled for each variable to the variable's norm.

    With m and v as in `Adam` and `u = m / (1 - b1**t) / (sqrt(v / (1 - b2**t)) + epsilon)`:
    `w -= lr |w| / |u| u`, the ratio being 1 where a norm is 0.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: b1.
        beta_2: b2.
        epsilon: Keeps the denominator from 0.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: You et al. (2020), Large Batch Optimization, arXiv:1904.00962, algorithm 2.
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
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ["momentum", "velocity"]
        )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, value.dtype)
        unbias = self._once(("unbias", value.dtype), lambda: self._unbias(value.dtype))
        m, v = self._momentums[i].value, self._velocities[i].value
        m = m + (gradient - m) * (1.0 - self.beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        self._momentums[i].assign(m)
        self._velocities[i].assign(v)
        u = m * unbias[0] / (ops.sqrt(v * unbias[1]) + self.epsilon)
        size, length = _norm(value), _norm(u)
        fine = ops.logical_and(ops.greater(size, 0.0), ops.greater(length, 0.0))
        ratio = ops.where(fine, size / ops.where(fine, length, 1.0), 1.0)
        variable.assign(value - u * (ratio * self._rate(learning_rate, value.dtype)))

    def _unbias(self, dtype: Any) -> tuple[Any, Any]:
        step = self._step(dtype)
        return tuple(1.0 / (1.0 - ops.power(b, step)) for b in (self.beta_1, self.beta_2))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


def _norm(x: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(x)))
