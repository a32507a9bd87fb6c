"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["ScheduleFreeAdamW"]

ops = core.ops


@builtin("keras.optimizers")
class ScheduleFreeAdamW(Optimizer):
    """AdamW without a schedule: steps are taken by z, the average x of all z is what is learned.

    The variables hold `y = (1 - b1) z + b1 x`, where gradients are taken. With
    `v = b2 v + (1 - b2) g**2`, `lr_t = lr min(1, t / warmup_steps)`:
    `z -= lr_t g / (sqrt(v / (1 - b2**t)) + epsilon)`, `x += (z - x) / t`.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: b1.
        beta_2: b2.
        epsilon: Keeps the denominator from 0.
        warmup_steps: Number of steps in which lr rises.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Defazio et al. (2024), The Road Less Scheduled, arXiv:2405.15682, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        warmup_steps: int = 0,
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
        self.warmup_steps = warmup_steps

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ["momentum", "velocity"]
        )
        with core.eager_scope():
            for variable, z in zip(var_list, self._momentums, strict=True):
                if z is not None:
                    z.assign(variable.value)

    def _shared(self, learning_rate: Any, dtype: Any) -> tuple[Any, Any, Any]:
        step, rate = self._step(dtype), self._rate(learning_rate, dtype)
        if self.warmup_steps:
            rate = rate * ops.minimum(step / self.warmup_steps, 1.0)
        return rate, 1.0 / (1.0 - ops.power(self.beta_2, step)), 1.0 / step

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        y, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, y.dtype)
        rate, unbias, share = self._once(
            ("shared", id(learning_rate), y.dtype), lambda: self._shared(learning_rate, y.dtype)
        )
        z, v = self._momentums[i].value, self._velocities[i].value
        v = v + (ops.square(gradient) - v) * (1.0 - self.beta_2)
        self._velocities[i].assign(v)
        # x need not be stored: it follows from y and z.
        x = (y - z * (1.0 - self.beta_1)) / self.beta_1
        z = z - gradient * rate / (ops.sqrt(v * unbias) + self.epsilon)
        self._momentums[i].assign(z)
        x = x + (z - x) * share
        variable.assign(x + (z - x) * (1.0 - self.beta_1))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
