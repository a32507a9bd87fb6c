"""Adafactor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin
from ..variable import Variable
from .base import Optimizer

__all__ = ["Adafactor"]

ops = core.ops


@builtin("keras.optimizers")
class Adafactor(Optimizer):
    """Steps by the gradient's square mean, kept as row and column means for matrices.

    `v = b v + (1 - b)(g**2 + e1)` with `b = 1 - t**beta_2_decay`; of variables with two or more
    axes only means over rows r and columns c are kept, `v = r c / mean(r)`.
    `u = g / sqrt(v)`, `w -= max(e2, rms(w)) lr_t u / max(1, rms(u) / clip_threshold)`, with
    `lr_t = min(lr, 1 / sqrt(t))` if `relative_step`.

    Args:
        learning_rate: lr; see `Optimizer`.
        beta_2_decay: Exponent of the decay, below 0.
        epsilon_1: e1.
        epsilon_2: e2.
        clip_threshold: Largest root mean square of a step.
        relative_step: Whether a constant lr falls with t.
        **kwargs: The other arguments are those of `Optimizer`.

    Source: Shazeer and Stern (2018), Adafactor, arXiv:1804.04235, algorithms 4 to 6.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1, self.epsilon_2 = epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._r: list[Any] = []
        self._c: list[Any] = []
        self._v: list[Any] = []
        for variable in var_list:
            # Names, places and the placeholders are Keras's, so that files can be exchanged.
            shape = tuple(variable.shape)
            if len(shape) < 2:
                with core.eager_scope():
                    for slots in (self._r, self._c):
                        slots.append(Variable(0, name=variable.name, trainable=False))
                        self._track(slots[-1])
            else:
                self._r.append(self.add_variable(shape[:-1], name=variable.name))
                self._c.append(self.add_variable(shape[:-2] + shape[-1:], name=variable.name))
            self._v.append(self.add_variable_from_reference(variable, name="velocity"))

    def _shared(self, learning_rate: Any, dtype: Any) -> tuple[Any, Any]:
        step, rate = self._step(dtype), self._rate(learning_rate, dtype)
        if self.relative_step and isinstance(self._learning_rate, core.Variable):
            rate = ops.minimum(rate, ops.rsqrt(step))
        return rate, ops.power(step, self.beta_2_decay)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        value, i = variable.value, self._get_variable_index(variable)
        gradient = ops.cast(gradient, value.dtype)
        rate, fresh = self._once(
            ("shared", id(learning_rate), value.dtype),
            lambda: self._shared(learning_rate, value.dtype),
        )
        squares = ops.square(gradient) + self.epsilon_1
        if len(variable.shape) >= 2:
            r, c = self._r[i].value, self._c[i].value
            r = r + (ops.mean(squares, axis=-1) - r) * fresh
            c = c + (ops.mean(squares, axis=-2) - c) * fresh
            self._r[i].assign(r)
            self._c[i].assign(c)
            share = r / ops.mean(r, axis=-1, keepdims=True)
            v = ops.expand_dims(share, -1) * ops.expand_dims(c, -2)
        else:
            v = self._v[i].value
            v = v + (squares - v) * fresh
        self._v[i].assign(v)
        u = gradient * ops.rsqrt(v)
        limit = ops.maximum(_rms(u) / self.clip_threshold, 1.0)
        size = ops.maximum(_rms(value), self.epsilon_2) * rate
        variable.assign(value - u * (size / limit))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x: Any) -> Any:
    return ops.sqrt(ops.mean(ops.square(x)))
