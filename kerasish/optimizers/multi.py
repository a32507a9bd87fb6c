"""Different optimizers for different variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from ..serialization import builtin, deserialize_keras_object, serialize_keras_object
from ..shard import with_gradients_of_all
from .base import Optimizer

__all__ = ["MultiOptimizer", "OptimizerMap"]


@builtin("keras.optimizers")
class OptimizerMap(MutableMapping):
    """A mapping from patterns of variable paths to optimizers.

    Looking up a path gives the optimizer whose pattern matches the whole path, or the default.

    Args:
        default_optimizer: The optimizer of all other variables.
        optimizer_map: Patterns (regular expressions) to optimizers.

    Raises:
        TypeError: `default_optimizer` is no optimizer.
        ValueError: A key is no string, is given twice, or a value is no optimizer.
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                "default_optimizer must be a Keras Optimizer instance. "
                f"Received: {default_optimizer}"
            )
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Any] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    @property
    def default_optimizer(self) -> Any:
        """The optimizer of variables that no pattern matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Any:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        found = [o for p, o in self._optimizer_map.items() if re.fullmatch(p, key)]
        if len(found) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {key}.")
        return found[0] if found else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key}")
        if not isinstance(optimizer, Optimizer):
            raise ValueError(f"optimizer must be a Keras Optimizer instance. Received: {optimizer}")
        if key in self._optimizer_map:
            raise ValueError(
                f"{key!r} already exists in the OptimizerMap with value "
                f"{self._optimizer_map[key]}. Please make sure to not use duplicated keys."
            )
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def get_config(self) -> dict[str, Any]:
        """Arguments that rebuild the map."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": {k: serialize_keras_object(v) for k, v in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A map from what `get_config` returned."""

        def made(item: Any) -> Any:
            return deserialize_keras_object(item, custom_objects=custom_objects)

        return cls(
            made(config["default_optimizer"]),
            {k: made(v) for k, v in (config.get("optimizer_map") or {}).items()},
        )


@builtin("keras.optimizers")
class MultiOptimizer(Optimizer):
    """Hands each variable to an optimizer of its own choice.

    Args:
        optimizer_map: An `OptimizerMap`, or a function from a variable to its optimizer.
        loss_scale_factor: Number by which the loss is multiplied.
        name: Name of the optimizer.
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Any],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self._optimizers: list[Any] = []
        if isinstance(optimizer_map, OptimizerMap):
            self._optimizers = _unique([*optimizer_map._optimizer_map.values(),
                                        optimizer_map.default_optimizer])  # fmt: skip
        self._optimizer_map = optimizer_map
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)

    @property
    def optimizers(self) -> list[Any]:
        """The optimizers, each once."""
        return list(self._optimizers)

    @property
    def loss_scale_factor(self) -> Any:
        """Number by which the loss is multiplied."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: Any) -> None:
        self._loss_scale_factor = factor

    @property
    def learning_rate(self) -> Any:
        """Every optimizer has its own: reading it here is an error."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on "
            "the individual sub-optimizers instead."
        )

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the "
            "individual sub-optimizers instead."
        )

    @property
    def variables(self) -> list[Any]:
        """Own counters, then the state of the optimizers one after another."""
        return [*self._variables, *(v for o in self._optimizers for v in o.variables)]

    def _optimizer_of(self, variable: Any) -> Any:
        if isinstance(self._optimizer_map, OptimizerMap):
            return self._optimizer_map[variable.path]
        optimizer = self._optimizer_map(variable)
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                f"The function given to MultiOptimizer must return an optimizer; for "
                f"{variable.path} it returned {optimizer}."
            )
        return optimizer

    def build(self, var_list: Sequence[Any]) -> None:
        if self.built:
            return
        self._choice = {id(v): self._optimizer_of(v) for v in var_list}
        self._optimizers = _unique([*self._optimizers, *self._choice.values()])
        for optimizer in self._optimizers:
            optimizer.build([v for v in var_list if self._choice[id(v)] is optimizer])
        super().build(var_list)

    @with_gradients_of_all
    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Let every optimizer update its variables."""
        grads = list(grads)
        if not grads:
            return
        if (
            trainable_variables is None
            and self.built
            and len(grads) != len(self._trainable_variables)
        ):
            raise ValueError(
                f"Gradients must match trainable variables one-to-one. Received {len(grads)} "
                f"gradients and {len(self._trainable_variables)} variables."
            )
        variables = self._check(grads, trainable_variables)
        grads, variables = self._without_gaps(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        for optimizer in self._optimizers:
            pairs = [
                (g, v)
                for g, v in zip(grads, variables, strict=True)
                if self._choice[id(v)] is optimizer
            ]
            if pairs:
                optimizer.apply_gradients(pairs)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Any) -> None:
        for optimizer in self._optimizers:
            own = [v for v in var_list if self._choice[id(v)] is optimizer]
            optimizer.finalize_variable_values(own)

    def set_weights(self, weights: Sequence[Any]) -> None:
        if not self.built or len(weights) != len(self.variables):
            super().set_weights(weights)
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        if isinstance(config["optimizer_map"], dict):
            config["optimizer_map"] = deserialize_keras_object(
                config["optimizer_map"], custom_objects=custom_objects
            )
        return cls(**config)


def _unique(items: list[Any]) -> list[Any]:
    return list({id(x): x for x in items}.values())
