"""The base of all optimizers: everything but the formula.

`apply` prepares gradients (unscaling, clipping, accumulation), decays weights, calls the
subclass's `update_step` once per variable, and keeps averages. It branches on no value, so a
training step can be compiled: what happens only at some steps is selected by `where`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import kerasish_core as core

from ..naming import auto_name, name_scope
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..shard import with_gradients_of_all
from ..variable import Variable
from .averages import MovingAverages, check_ema
from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from .decay import WeightDecay
from .schedules import LearningRateSchedule
from .state import OptimizerState

__all__ = ["Optimizer"]

ops = core.ops


@builtin("keras.optimizers")
class Optimizer(OptimizerState, WeightDecay, MovingAverages):
    """Base class of optimizers.

    A subclass makes its slots in `build(variables)` (after `super().build(variables)`) and
    changes one variable in `update_step(gradient, variable, learning_rate)`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: If set, variables shrink by `learning_rate * weight_decay` of themselves
            before each update (decoupled decay, Loshchilov and Hutter 2019).
        clipnorm: Largest norm of each gradient.
        clipvalue: Largest absolute value of an entry of a gradient.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether to keep the moving averages of the variables.
        ema_momentum: m in `average = m average + (1 - m) variable`.
        ema_overwrite_frequency: Every so many steps averages overwrite the variables.
        loss_scale_factor: Number by which the loss was multiplied.
        gradient_accumulation_steps: Update only every so many steps, by the mean gradient.
        name: Name of the optimizer.

    Raises:
        ValueError: An argument is unknown or out of range.

    Source: https://keras.io/api/optimizers/
    """

    def __init__(
        self,
        learning_rate: Any,
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
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "Argument `decay` is no longer supported and will be ignored.", stacklevel=3
            )
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        self._variables: list[Any] = []
        self._once_values: dict[Any, Any] | None = None
        self.built = False
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema = use_ema
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        if gradient_accumulation_steps and not gradient_accumulation_steps >= 2:
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. "
                f"Received: gradient_accumulation_steps={gradient_accumulation_steps}"
            )
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        if use_ema:
            check_ema(ema_momentum, ema_overwrite_frequency)
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        with core.eager_scope(), name_scope(self.name):
            self._iterations = Variable(0, name="iteration", dtype="int32", trainable=False)
            self._learning_rate = self._make_learning_rate(learning_rate)

    # -- learning rate and counters

    def _make_learning_rate(self, learning_rate: Any) -> Any:
        if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate):
            return learning_rate
        if isinstance(learning_rate, str) or not (
            isinstance(learning_rate, int | float) or hasattr(learning_rate, "__array__")
        ):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of "
                "LearningRateSchedule, or a callable (that takes no argument and returns the "
                f"learning rate). Received instead: learning_rate={learning_rate}"
            )
        rate = core.convert(learning_rate, "float32")
        return Variable(rate, name="learning_rate", dtype="float32", trainable=False)

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a variable, or the value of the schedule at this step."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        if isinstance(rate, core.Variable):
            return rate
        return rate() if callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        before = self._learning_rate
        if isinstance(learning_rate, LearningRateSchedule):
            if isinstance(before, core.Variable):
                self._variables = [v for v in self._variables if v is not before]
            self._learning_rate = learning_rate
            return
        if isinstance(before, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its "
                "`learning_rate` constructor argument, hence its learning rate is not settable. "
                "If you need the learning rate to be settable, you should instantiate the "
                "optimizer with a float `learning_rate` argument."
            )
        if isinstance(before, core.Variable):
            before.assign(learning_rate)
        else:
            self._learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        """Number of updates so far."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations.value, self.gradient_accumulation_steps)
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        if self.built:
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been "
                f"created. Here it is attempting to set `iterations` to {variable}."
            )
        self._variables = [v for v in self._variables if v is not self._iterations]
        self._iterations = variable

    # -- building

    def build(self, variables: Sequence[Any]) -> None:
        """Make the state for a list of variables."""
        variables = list(variables)
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(
                variables, "average"
            )
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(v, name="gradient_accumulator") for v in variables
            ]
        self._trainable_variables = list(variables)
        self._trainable_variables_indices = {id(v): i for i, v in enumerate(variables)}
        self.built = True

    def _get_variable_index(self, variable: Any) -> int:
        """The place of a model variable in the lists of slots."""
        return self._trainable_variables_indices[id(variable)]

    # -- updating

    def apply_gradients(self, grads_and_vars: Any) -> Any:
        """`apply` for pairs of a gradient and a variable; returns the iteration count."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(list(grads), list(variables))
        return self._iterations

    @with_gradients_of_all
    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Update variables by their gradients.

        Args:
            grads: One gradient, or None, per variable.
            trainable_variables: The variables; those of `build` if None.

        Raises:
            ValueError: Numbers differ, all gradients are None, or a variable is unknown.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._check(grads, trainable_variables)
        grads, variables = self._without_gaps(grads, variables)
        scale = self.loss_scale_factor
        if scale is not None:
            grads = [ops.true_divide(g, scale) for g in grads]
        grads, variables = self._overwrite_directly(grads, variables)
        with self._memo():
            if self.gradient_accumulation_steps:
                self._accumulate_and_update(grads, variables)
            else:
                self._update(grads, variables)
            if self.use_ema:
                self._update_averages()
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                variable.assign(constraint(variable))
        self._iterations.assign_add(1)

    def _check(self, grads: list[Any], trainable_variables: Any) -> list[Any]:
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must already be "
                    "built on a list of variables. Call `optimizer.build(trainable_variables)` "
                    "first."
                )
            if len(grads) != len(self._trainable_variables):
                raise ValueError(
                    "When passing `grads` as a list of gradient tensors, the gradients must match "
                    "`optimizer.variables` one-to-on. Received a list of "
                    f"{len(grads)} gradients, but the optimizer is tracking "
                    f"{len(self._trainable_variables)} trainable variables."
                )
            return list(self._trainable_variables)
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"apply: {len(grads)} gradients were given for {len(variables)} variables; one "
                "gradient (or None) per variable is needed."
            )
        if not self.built:
            self.build(variables)
            self.built = True
        for variable in variables:
            if id(variable) not in self._trainable_variables_indices:
                raise ValueError(
                    f"Unknown variable: {variable}. This optimizer can only be called for the "
                    "variables it was originally built with. When working with a new set of "
                    "variables, you should recreate a new optimizer instance."
                )
        return variables

    def _without_gaps(self, grads: list[Any], variables: list[Any]) -> tuple[list[Any], list[Any]]:
        kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        if not kept:
            raise ValueError("No gradients provided for any variable.")
        if len(kept) < len(grads):
            missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If "
                "using `model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=3,
            )
        return [core.convert(g) for g, _ in kept], [v for _, v in kept]

    def _overwrite_directly(
        self, grads: list[Any], variables: list[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Assign gradients to the variables that take them as values, and drop these."""
        rest: tuple[list[Any], list[Any]] = [], []
        for gradient, variable in zip(grads, variables, strict=True):
            if getattr(variable, "overwrite_with_gradient", False):
                variable.assign(gradient)
            else:
                rest[0].append(gradient)
                rest[1].append(variable)
        return rest

    def _update(self, grads: list[Any], variables: list[Any]) -> None:
        grads = self._clip_gradients(grads)
        self._apply_weight_decay(variables)
        learning_rate = self._current_rate()
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def _accumulate_and_update(self, grads: list[Any], variables: list[Any]) -> None:
        """Update by the mean gradient at every n-th step; otherwise only add up gradients.

        The update is computed in any case, and what it changed is kept or put back by `where`.
        """
        steps = self.gradient_accumulation_steps or 1
        due = ops.equal(ops.mod(self._iterations.value + 1, steps), 0)
        sums = [self._accumulated_gradients[self._get_variable_index(v)] for v in variables]
        totals = [ops.add(s.value, g) for s, g in zip(sums, grads, strict=True)]
        skipped = {id(s) for s in self._accumulated_gradients} | {id(self._iterations)}
        skipped |= {id(v) for v in getattr(self, "_model_variables_moving_average", ())}
        state = [v for v in self._variables if id(v) not in skipped] + variables
        with self._undone_unless(due, state):
            self._update([ops.true_divide(t, steps) for t in totals], variables)
        for accumulator, total in zip(sums, totals, strict=True):
            accumulator.assign(ops.where(due, ops.zeros_like(total), total))

    @contextlib.contextmanager
    def _undone_unless(self, condition: Any, variables: list[Any]) -> Iterator[None]:
        """Assignments in the block to these variables only hold where the condition does."""
        before = [v.value for v in variables]
        yield
        for variable, value in zip(variables, before, strict=True):
            after = variable.value
            if after is not value:
                variable.assign(ops.where(condition, after, value))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change one variable by its gradient; to be written by subclasses.

        Args:
            gradient: A tensor of the variable's shape.
            variable: A model variable.
            learning_rate: The learning rate at this step.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define update_step(gradient, variable, learning_rate)."
        )

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm and self.clipnorm > 0:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return [clip_by_value(g, self.clipvalue) for g in grads]
        return grads

    # -- values that all variables share, such as bias corrections

    @contextlib.contextmanager
    def _memo(self) -> Iterator[None]:
        self._once_values = {}
        try:
            yield
        finally:
            self._once_values = None

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """What `compute` returns, computed once in this `apply` for all variables."""
        values = self._once_values
        if values is None:
            return compute()
        if key not in values:
            values[key] = compute()
        return values[key]

    def _rate(self, learning_rate: Any, dtype: Any) -> Any:
        """A learning rate as a tensor of a dtype."""
        # The rate itself is kept too: as long as it lives its id is its own.
        key = ("rate", id(learning_rate), dtype)
        return self._once(key, lambda: (core.convert(learning_rate, dtype), learning_rate))[0]

    def _current_rate(self) -> Any:
        """`learning_rate`, computed once per update."""
        return self._once("learning_rate", lambda: self.learning_rate)

    def _step(self, dtype: Any) -> Any:
        """The number of this update, from 1, as a tensor of a dtype."""
        return self._once(("step", dtype), lambda: core.convert(self.iterations, dtype) + 1.0)

    # -- loss scaling

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, if that is set."""
        if self.loss_scale_factor is not None:
            return loss * self.loss_scale_factor
        return loss

    # -- config

    def get_config(self) -> dict[str, Any]:
        """Arguments that rebuild the optimizer."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            shown: Any = serialize_keras_object(rate)
        elif isinstance(rate, core.Variable):
            shown = float(rate.numpy())
        elif callable(rate):
            shown = serialize_keras_object(rate)
        else:
            shown = float(rate)
        return {
            "name": self.name,
            "learning_rate": shown,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """An optimizer from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)
