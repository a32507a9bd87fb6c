"""Muon."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from .base import Optimizer

__all__ = ["Muon"]

ops = core.ops


@builtin("keras.optimizers")
class Muon(Optimizer):
    """Momentum made orthogonal for matrices; AdamW for everything else.

    For matrices `m = momentum m + g`, `w -= lr scale NS(g + momentum m)` (or `NS(m)` without
    Nesterov), NS being Newton-Schulz steps towards the nearest orthogonal matrix and
    `scale = rms_rate sqrt(max(rows, columns))`, or 1 if `rms_rate` is None.

    Args:
        learning_rate: lr; see `Optimizer`.
        adam_beta_1: b1 of `Adam`.
        adam_beta_2: b2 of `Adam`.
        adam_weight_decay: Weight decay where Adam is used.
        epsilon: Of `Adam`.
        weight_decay: Weight decay of the matrices.
        exclude_layers: Patterns of paths for which Adam is used.
        exclude_embeddings: Whether Adam is used for embeddings.
        muon_a: First coefficient of the Newton-Schulz polynomial.
        muon_b: Second coefficient.
        muon_c: Third coefficient.
        adam_lr_ratio: Adam's learning rate over lr.
        momentum: Of the matrices.
        ns_steps: Number of Newton-Schulz steps.
        nesterov: Whether to look ahead.
        rms_rate: Makes the size of a step that of Adam's.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Jordan et al. (2024), Muon; Liu et al. (2025), arXiv:2502.16982, eq. 2 to 4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-07,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Any = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor,
            gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = exclude_layers or [], exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov = momentum, ns_steps, nesterov
        self.rms_rate = rms_rate

    def _should_use_adamw(self, variable: Any) -> bool:
        if len(variable.shape) != 2:
            return True
        path = variable.path
        if self.exclude_embeddings and "embedding" in path:
            return True
        return any(re.search(pattern, path) for pattern in self.exclude_layers)

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self.adam_momentums: list[Any] = []
        self.adam_velocities: list[Any] = []
        self.muon_momentums: list[Any] = []
        self._uses_adam: list[bool] = []
        for variable in var_list:
            adam = self._should_use_adamw(variable)
            slot = self.add_variable_from_reference(variable, name="momentum")
            velocity = self.add_variable_from_reference(variable, name="velocity") if adam else None
            self._uses_adam.append(adam)
            self.adam_momentums.append(slot if adam else None)
            self.adam_velocities.append(velocity)
            self.muon_momentums.append(None if adam else slot)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        i = self._get_variable_index(variable)
        if self._uses_adam[i]:
            self._adam_step(i, gradient, variable, learning_rate)
        else:
            self._muon_step(i, gradient, variable, learning_rate)

    def _muon_step(self, i: int, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value = variable.value
        gradient = ops.cast(gradient, value.dtype)
        m = self.muon_momentums[i].value * self.momentum + gradient
        self.muon_momentums[i].assign(m)
        direction = gradient + m * self.momentum if self.nesterov else m
        step = self.lr_adjust(self.zeropower_via_newtonschulz5(direction, self.ns_steps))
        variable.assign(value - step * self._rate(learning_rate, value.dtype))

    def _adam_rate(self, learning_rate: Any, dtype: Any) -> Any:
        step, rate = self._step(dtype), self._rate(learning_rate, dtype) * self.adam_lr_ratio
        root = ops.sqrt(1.0 - ops.power(self.adam_beta_2, step))
        return rate * root / (1.0 - ops.power(self.adam_beta_1, step))

    def _adam_step(self, i: int, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value = variable.value
        gradient = ops.cast(gradient, value.dtype)
        rate = self._once(
            ("adam", id(learning_rate), value.dtype),
            lambda: self._adam_rate(learning_rate, value.dtype),
        )
        m, v = self.adam_momentums[i].value, self.adam_velocities[i].value
        m = m + (gradient - m) * (1.0 - self.adam_beta_1)
        v = v + (ops.square(gradient) - v) * (1.0 - self.adam_beta_2)
        self.adam_momentums[i].assign(m)
        self.adam_velocities[i].assign(v)
        variable.assign(value - m * rate / (ops.sqrt(v) + self.epsilon))

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        for variable in variables:
            adam = self._uses_adam[self._get_variable_index(variable)]
            decay = self.adam_weight_decay if adam else self.weight_decay
            if not decay or not self._use_weight_decay(variable):
                continue
            value = variable.value
            rate = self._rate(self._current_rate(), value.dtype)
            variable.assign(value - value * (rate * decay))

    def transpose_last_axis(self, X: Any) -> Any:
        """The matrix with its last two axes exchanged."""
        return ops.swapaxes(X, -1, -2)

    def lr_adjust(self, x: Any) -> Any:
        """A step scaled to the size of its matrix."""
        if self.rms_rate is None:
            return x
        return x * (self.rms_rate * math.sqrt(max(x.shape[-2:])))

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Newton-Schulz steps `X = a X + (b X X' + c (X X')**2) X` towards an orthogonal X.

        Args:
            x: A matrix.
            steps: Number of steps.
        """
        x = core.convert(x)
        tall = x.shape[-2] > x.shape[-1]
        if tall:
            x = self.transpose_last_axis(x)
        norm = ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True))
        x = x / (norm + 1e-7)
        for _ in range(steps):
            gram = ops.matmul(x, self.transpose_last_axis(x))
            mixed = gram * self.muon_b + ops.matmul(gram, gram) * self.muon_c
            x = x * self.muon_a + ops.matmul(mixed, x)
        return self.transpose_last_axis(x) if tall else x

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "exclude_embeddings": self.exclude_embeddings,
            "adam_weight_decay": self.adam_weight_decay,
            "rms_rate": self.rms_rate,
        }
