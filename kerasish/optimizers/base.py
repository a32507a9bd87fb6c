"""The base of all optimizers: everything but the formula.

`apply` prepares gradients (unscaling, clipping, accumulation), decays weights, calls the
subclass's `update_step` once per variable, and keeps averages. It branches on no value, so a
training step can be compiled: what happens only at some steps is selected by `where`.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import kerasish_core as core

from .. import initializers
from ..naming import auto_name, name_scope
from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..variable import Variable
from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from .schedules import LearningRateSchedule

__all__ = ["Optimizer"]

ops = core.ops


@builtin("keras.optimizers")
class Optimizer:
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
            _check_ema(ema_momentum, ema_overwrite_frequency)
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        with core.eager_scope(), name_scope(self.name):
            self._iterations = Variable(0, name="iteration", dtype="int32", trainable=False)
            self._learning_rate = self._make_learning_rate(learning_rate)

    def __setattr__(self, name: str, value: Any) -> None:
        # Variables held as attributes belong to the state, as in Keras.
        if isinstance(value, core.Variable):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, variable: Any) -> None:
        variables = self.__dict__.get("_variables")
        if variables is None:
            raise RuntimeError(
                "You forgot to call `super().__init__()` in the `__init__()` method of "
                f"{type(self).__name__}. Go add it!"
            )
        if not any(variable is v for v in variables):
            variables.append(variable)

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

    # -- state

    @property
    def variables(self) -> list[Any]:
        """The state: iteration count, learning rate, averages, accumulators, slots."""
        return list(self._variables)

    def build(self, variables: Sequence[Any]) -> None:
        """Make the state for a list of variables."""
        with self._making():
            self._build(list(variables))

    @contextlib.contextmanager
    def _making(self) -> Iterator[None]:
        """Variables made in the block are real, whatever is being traced, and named after us."""
        with core.eager_scope(), name_scope(self.name):
            yield

    def _build(self, variables: list[Any]) -> None:
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

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable of the state.

        Args:
            shape: Its shape.
            initializer: An initializer or its name.
            dtype: Its dtype, `floatx()` if None.
            aggregation: How replicas are combined.
            layout: Not used on one device.
            name: Its name.
        """
        with self._making():
            variable = Variable(
                initializer=initializers.get(initializer),
                shape=tuple(shape),
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a slot: a variable of the shape and dtype of a model variable.

        Args:
            reference_variable: The model variable.
            name: What it is, such as `"momentum"`; the variable's path comes first in the name.
            initializer: An initializer or its name.
        """
        name = name or "var"
        path = getattr(reference_variable, "path", None) or reference_variable.name
        return self.add_variable(
            reference_variable.shape,
            initializer=initializer,
            dtype=reference_variable.dtype,
            name=f"{path}_{name}".replace("/", "_"),
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Any], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make slots of one or several kinds for each variable.

        Args:
            trainable_variables: Model variables.
            name: Name of the kind, or a list of names.
            initializer: One initializer for all kinds, or a list.

        Returns:
            A list with one slot per variable; for several names a tuple of such lists. A
            variable that takes its gradient as its value has None instead of a slot.
        """
        one = isinstance(name, str)
        names = [name] if one else list(name)
        many = isinstance(initializer, list | tuple)
        kinds = list(initializer) if many else [initializer] * len(names)
        if len(names) != len(kinds):
            raise ValueError(
                "The number of provided names must match the number of provided initializers. "
                f"Received name='{name}', initializer='{initializer}'"
            )
        slots: tuple[list[Any], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for of_kind, kind_name, kind in zip(slots, names, kinds, strict=True):
                skip = getattr(variable, "overwrite_with_gradient", False)
                of_kind.append(
                    None if skip else self.add_variable_from_reference(variable, kind_name, kind)
                )
        return slots[0] if one else slots

    def _get_variable_index(self, variable: Any) -> int:
        """The place of a model variable in the lists of slots."""
        return self._trainable_variables_indices[id(variable)]

    # -- updating

    def apply_gradients(self, grads_and_vars: Any) -> Any:
        """`apply` for pairs of a gradient and a variable; returns the iteration count."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(list(grads), list(variables))
        return self._iterations

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

    # -- weight decay

    def exclude_from_weight_decay(
        self, var_list: Any = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Name variables that weight decay leaves alone; to be called before `build`.

        Args:
            var_list: Variables.
            var_names: Regular expressions to be found in the names.

        Raises:
            ValueError: The optimizer is built.
        """
        if self.__dict__.get("built"):
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configured before the optimizer is "
                "built."
            )
        self._excluded = {id(v) for v in var_list or ()}
        self._excluded_patterns = [re.compile(p) for p in var_names or ()]

    def _use_weight_decay(self, variable: Any) -> bool:
        if id(variable) in getattr(self, "_excluded", ()):
            return False
        patterns = getattr(self, "_excluded_patterns", ())
        return not any(p.search(variable.name) for p in patterns)

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                value = variable.value
                rate = self._rate(self._current_rate(), value.dtype)
                variable.assign(value - value * (rate * self.weight_decay))

    # -- moving averages

    def _update_averages(self) -> None:
        iterations = core.convert(self.iterations)
        # The first average is the variable itself.
        momentum = self.ema_momentum * ops.cast(ops.not_equal(iterations, 0), "float32")
        frequency = self.ema_overwrite_frequency
        due = None
        if frequency:
            due = ops.equal(ops.mod(iterations + 1, frequency), 0)
        pairs = zip(self._trainable_variables, self._model_variables_moving_average, strict=True)
        for variable, average in pairs:
            if average is None:
                continue
            value, before = variable.value, average.value
            after = value + (before - value) * ops.cast(momentum, value.dtype)
            average.assign(after)
            if due is not None:
                variable.assign(ops.where(due, after, value))

    def finalize_variable_values(self, var_list: Any) -> None:
        """Write the averages into the variables, if `use_ema` is set.

        Raises:
            ValueError: A number of variables other than that of `build` is given.
        """
        if not self.use_ema:
            return
        variables = list(var_list)
        if len(variables) != len(self._model_variables_moving_average):
            raise ValueError(
                f"The number of model variables ({len(variables)}) does not match the number of "
                f"moving averages ({len(self._model_variables_moving_average)})."
            )
        for variable, average in zip(variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                variable.assign(average.value)

    # -- loss scaling, and the same without side effects

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, if that is set."""
        if self.loss_scale_factor is not None:
            return loss * self.loss_scale_factor
        return loss

    def stateless_apply(
        self, optimizer_variables: Any, grads: Any, trainable_variables: Any
    ) -> tuple[list[Any], list[Any]]:
        """`apply` on given values.

        Args:
            optimizer_variables: Values of `variables`.
            grads: Gradients.
            trainable_variables: Values of the variables of `build`.

        Returns:
            The new values of the trainable variables and of the optimizer's.

        Raises:
            ValueError: The optimizer is not built, or a number of values is wrong.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its "
                "variables must have been created). You can build it via "
                "`optimizer.build(trainable_variables)`."
            )
        own, model = self.variables, self._trainable_variables
        if len(optimizer_variables) != len(own):
            raise ValueError(
                "Argument `optimizer_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length "
                f"{len(optimizer_variables)}, but expected {len(own)} variables."
            )
        if len(trainable_variables) != len(model):
            raise ValueError(
                "Argument `trainable_variables` must be a list of tensors corresponding 1:1 to "
                f"the trainable variables list that the optimizer was built with. Received "
                f"{len(trainable_variables)}, expected {len(model)}."
            )
        mapping = [
            *zip(model, trainable_variables, strict=True),
            *zip(own, optimizer_variables, strict=True),
        ]
        with core.StatelessScope(mapping):
            self.apply(grads)
            return [v.value for v in model], [v.value for v in own]

    def assign(self, variable: Any, value: Any) -> None:
        """`variable.assign(value)`, cast to its dtype."""
        variable.assign(core.convert(value, variable.dtype))

    def assign_add(self, variable: Any, value: Any) -> None:
        """`variable.assign_add(value)`, cast to its dtype."""
        variable.assign_add(core.convert(value, variable.dtype))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """`variable.assign_sub(value)`, cast to its dtype."""
        variable.assign_sub(core.convert(value, variable.dtype))

    # -- files and config

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign arrays to `variables`, in their order.

        Raises:
            ValueError: The optimizer is not built, or a shape differs.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. "
                "Please call `optimizer.build(trainable_variables)` to create the optimizer "
                "weights before calling `set_weights()`."
            )
        if len(weights) != len(self._variables):
            raise ValueError(
                f"Optimizer {self.name} has {len(self._variables)} variables; received "
                f"{len(weights)} weights."
            )
        for variable, weight in zip(self._variables, weights, strict=True):
            if tuple(variable.shape) != tuple(weight.shape):
                raise ValueError(
                    f"Optimizer variable {variable.path} has shape {variable.shape} not "
                    f"compatible with provided weight shape {tuple(weight.shape)}."
                )
            variable.assign(weight)

    def get_weights(self) -> list[Any]:
        """Copies of the values of `variables`, as NumPy arrays."""
        return [v.numpy() for v in self.variables]

    def save_own_variables(self, store: Any) -> None:
        """Write the state into a mapping, under `"0"`, `"1"`, ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the state from a mapping that `save_own_variables` wrote."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            message = (
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(variables)} variables whereas the saved optimizer has "
                f"{len(store.keys())} variables. "
            )
            if not variables:
                message += "This is likely because the optimizer has not been called/built yet."
            warnings.warn(message, stacklevel=2)
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

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


def _check_ema(momentum: float, frequency: Any) -> None:
    if not 0 <= momentum <= 1:
        raise ValueError(
            f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={momentum}"
        )
    if frequency and (not isinstance(frequency, int) or frequency < 1):
        raise ValueError(
            "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
            f"ema_overwrite_frequency={frequency}"
        )
