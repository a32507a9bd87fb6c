"""Lion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["Lion"]

ops = core.ops


@builtin("keras.optimizers")
class Lion(Optimizer):
    """Steps of one size: the sign of a mean of momentum and gradient.

    `w -= lr sign(b1 m + (1 - b1) g)`, then `m = b2 m + (1 - b2) g`.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_1: b1, above 0.
        beta_2: b2.
        **kwargs: The other arguments are those of `Optimizer`.

    Raises:
        ValueError: `beta_1` is not in (0, 1].

    Source: Chen et al. (2023), Symbolic Discovery of Optimization Algorithms, program 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer "
                f"degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums = self.add_optimizer_variables(var_list, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value = variable.value
        gradient = ops.cast(gradient, value.dtype)
        slot = self._momentums[self._get_variable_index(variable)]
        m = slot.value
        direction = ops.sign(m * self.beta_1 + gradient * (1.0 - self.beta_1))
        variable.assign(value - direction * self._rate(learning_rate, value.dtype))
        slot.assign(m * self.beta_2 + gradient * (1.0 - self.beta_2))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }
