"""What an optimizer keeps: its variables, their names and order, and their way to files."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import kerasish_core as core

from .. import initializers, older
from ..naming import name_scope
from ..variable import Variable

__all__ = ["OptimizerState"]


class OptimizerState:
    """The part of `Optimizer` that holds variables."""

    name: str
    built: bool
    _variables: list[Any]
    _trainable_variables: list[Any]
    apply: Any

    __getattr__ = older.attribute

    def __setattr__(self, name: str, value: Any) -> None:
        # Variables held as attributes belong to the state, as in Keras.
        if isinstance(value, core.Variable):
            self._track(value)
        super().__setattr__(name, value)

    def __setstate__(self, values: dict[str, Any]) -> None:
        # Variables are known by identity, which is another one in a copy.
        self.__dict__.update(values)
        if "_trainable_variables_indices" in values:
            before = list(values["_trainable_variables_indices"])
            own = self._trainable_variables
            self._trainable_variables_indices = {id(v): i for i, v in enumerate(own)}
            if values.get("_excluded"):
                places = [before.index(i) for i in values["_excluded"] if i in before]
                self._excluded = {id(own[i]) for i in places}

    def _track(self, variable: Any) -> None:
        variables = self.__dict__.get("_variables")
        if variables is None:
            raise RuntimeError(
                "You forgot to call `super().__init__()` in the `__init__()` method of "
                f"{type(self).__name__}. Go add it!"
            )
        if not any(variable is v for v in variables):
            variables.append(variable)

    @property
    def variables(self) -> list[Any]:
        """The state: iteration count, learning rate, averages, accumulators, slots."""
        return list(self._variables)

    @contextlib.contextmanager
    def _making(self) -> Iterator[None]:
        """Variables made in the block are real, whatever is being traced, and named after us."""
        with core.eager_scope(), name_scope(self.name):
            yield

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

    def assign(self, variable: Any, value: Any) -> None:
        """`variable.assign(value)`, cast to its dtype."""
        variable.assign(core.convert(value, variable.dtype))

    def assign_add(self, variable: Any, value: Any) -> None:
        """`variable.assign_add(value)`, cast to its dtype."""
        variable.assign_add(core.convert(value, variable.dtype))

    def assign_sub(self, variable: Any, value: Any) -> None:
        """`variable.assign_sub(value)`, cast to its dtype."""
        variable.assign_sub(core.convert(value, variable.dtype))

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
            if not self.built:
                message += "This is likely because the optimizer has not been called/built yet."
            warnings.warn(message, stacklevel=2)
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

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
