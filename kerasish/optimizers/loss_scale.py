"""Loss scaling that finds its factor by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kerasish_core as core

from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..shard import with_gradients_of_all
from .base import Optimizer

__all__ = ["LossScaleOptimizer"]

ops = core.ops

_OF_THE_INNER = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None,
    "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    "loss_scale_factor": None, "gradient_accumulation_steps": None,
}  # fmt: skip


@builtin("keras.optimizers")
class LossScaleOptimizer(Optimizer):
    """Scales the loss as high as gradients in half precision allow.

    Gradients of the scaled loss are divided by the scale. If any is not finite, the step is
    skipped and the scale halved; after `dynamic_growth_steps` finite steps in a row it doubles.

    Args:
        inner_optimizer: The optimizer that does the steps.
        initial_scale: The first scale.
        dynamic_growth_steps: Number of finite steps after which the scale doubles.
        name: Name of the optimizer.

    Raises:
        ValueError: An argument is unknown.

    Source: Micikevicius et al. (2018), Mixed Precision Training, section 3.2.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set "
                "`loss_scale_factor` directly on the `inner_optimizer`."
            )
        # Files of other versions hold these; they are the inner optimizer's to have.
        for key in [k for k in kwargs if k in _OF_THE_INNER]:
            value = kwargs.pop(key)
            if value != _OF_THE_INNER[key]:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{key}`. Instead, set `{key}` on the "
                    f"`inner_optimizer`. Received: {key}={value}"
                )
        if kwargs:
            raise ValueError(f"LossScaleOptimizer does not support arguments: `{sorted(kwargs)}`.")
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                "Argument `inner_optimizer` must be an optimizer. Received: "
                f"inner_optimizer={inner_optimizer}"
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # or gradients would be unscaled twice

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), "ones", "float32", name="dynamic_scale")
        with core.eager_scope():
            self.dynamic_scale.assign(self.initial_scale)
        self.inner_optimizer.build(var_list)
        super().build(var_list)

    @property
    def variables(self) -> list[Any]:
        """Own state, then that of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """Number of updates that were not skipped."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Whether every entry of every gradient is finite."""
        finite: Any = None
        for gradient in grads:
            if gradient is not None:
                here = ops.all(ops.isfinite(gradient))
                finite = here if finite is None else ops.logical_and(finite, here)
        return core.convert(True) if finite is None else finite

    @with_gradients_of_all
    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Update variables by gradients of the scaled loss, unless one is not finite."""
        grads = list(grads)
        if not grads:
            return
        variables = self._check(grads, trainable_variables)
        scale = self.dynamic_scale.value
        finite = self.check_finite(grads)
        # What is to be written over a variable is a value, not a gradient of the scaled loss.
        unscaled = [
            g
            if g is None or getattr(v, "overwrite_with_gradient", False)
            else self._unscale(g, scale, finite)
            for g, v in zip(grads, variables, strict=True)
        ]
        inner = self.inner_optimizer
        with self._undone_unless(finite, [*variables, *inner.variables]):
            inner.apply(unscaled, variables)
        steps = self.step_counter.value + 1
        grown = ops.greater_equal(steps, self.dynamic_growth_steps)
        larger = ops.where(grown, scale * 2.0, scale)
        self.dynamic_scale.assign(ops.where(finite, larger, scale * 0.5))
        going_on = ops.logical_and(finite, ops.logical_not(grown))
        self.step_counter.assign(ops.where(going_on, steps, 0))

    def _unscale(self, gradient: Any, scale: Any, finite: Any) -> Any:
        gradient = core.convert(gradient)
        # Zero in a step to be skipped: what is thrown away need not be NaN on the way.
        gradient = ops.where(finite, gradient, ops.zeros_like(gradient))
        return ops.true_divide(gradient, ops.cast(scale, gradient.dtype))

    def finalize_variable_values(self, var_list: Any) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the present scale."""
        return loss * (self.dynamic_scale.value if self.built else self.initial_scale)

    def set_weights(self, weights: Sequence[Any]) -> None:
        own = len(self._variables)
        if not self.built or len(weights) < own:
            super().set_weights(weights)
        for variable, weight in zip(self._variables, weights[:own], strict=True):
            variable.assign(weight)
        self.inner_optimizer.set_weights(weights[own:])

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        inner = deserialize_keras_object(
            config.pop("inner_optimizer"), custom_objects=custom_objects
        )
        return cls(inner, **config)
